import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareContainers } from '../../src/copy/compare-containers.ts';
import { copyContainers } from '../../src/copy/copy-containers.ts';
import { fileCheckpoint } from '../../src/copy/file-checkpoint.ts';
import { openMemoryBackend } from '../../src/stores/memory/memory-backend.ts';
import { SimulatedRuntime } from '../../src/testing/simulated-runtime.ts';
import { closing, contentOf, memoryCheckpoint, memoryWith, numbered, temporaryFolder } from './copy-stores.ts';

describe('copying', () => {
  test('makes databases and containers with their definitions, keeps the order of creation, and leaves the source alone', async () => {
    const from = await memoryWith(numbered(250), {
      uniqueKeys: [['/n']],
      indexingPolicy: { indexingMode: 'consistent', includedPaths: [{ path: '/n/?' }], excludedPaths: [{ path: '/*' }] },
    });
    await from.store.replace({ id: 'd0', pk: 0, n: 0, changed: true });
    await from.backend.createDatabase('empty');
    await from.backend.createContainer('empty', { id: 'nothing', partitionKey: ['/a', '/b'] });
    const to = closing(openMemoryBackend());
    const report = await copyContainers({ from: from.backend, to });
    expect(report.equal).toBe(true);
    expect(report.containers).toEqual([
      expect.objectContaining({ container: 'items', createdContainer: true, created: 250, replaced: 0, failed: 0 }),
      expect.objectContaining({ container: 'nothing', created: 0 }),
    ]);
    expect(report.containers[0]?.comparison).toEqual({
      equal: true,
      sourceDocuments: 250,
      targetDocuments: 250,
      differences: [],
      more: false,
    });
    expect(await contentOf(to)).toEqual(await contentOf(from.backend));
    expect((await to.readContainer('app', 'items'))?.definition).toEqual(from.store.definition);
    expect((await to.readContainer('empty', 'nothing'))?.definition.partitionKey.paths).toEqual(['/a', '/b']);
  });

  test('again writes nothing: etags stay, and what only the target has stays and is named', async () => {
    const from = await memoryWith(numbered(30));
    const to = await memoryWith([]);
    await copyContainers({ from: from.backend, to: to.backend });
    const etags = await to.store.query('SELECT VALUE c._etag FROM c').toArray();
    await to.store.create({ id: 'own', pk: 0 });
    const report = await copyContainers({ from: from.backend, to: to.backend });
    expect(report.containers[0]).toMatchObject({ created: 0, unchanged: 30, replaced: 0 });
    expect(report.equal).toBe(false);
    expect(report.containers[0]?.comparison?.differences).toEqual([{ kind: 'extra', id: 'own', partitionKey: '[0]' }]);
    expect(await to.store.query('SELECT VALUE c._etag FROM c WHERE c.id != "own"').toArray()).toEqual(etags);
  });

  test('one database or container, and what is not there or does not fit is refused', async () => {
    const from = await memoryWith(numbered(3));
    await from.backend.createDatabase('other');
    const to = closing(openMemoryBackend());
    expect((await copyContainers({ from: from.backend, to, database: 'other' })).containers).toEqual([]);
    await copyContainers({ from: from.backend, to, database: 'app', container: 'items' });
    expect((await to.listDatabases()).map(({ id }) => id)).toEqual(['app']);
    const refused = (options: Partial<Parameters<typeof copyContainers>[0]>): Promise<unknown> =>
      copyContainers({ from: from.backend, to, ...options }).catch((error: { code: string }) => error.code);
    expect(await refused({ container: 'items' })).toBe('INVALID_OPTION');
    expect(await refused({ database: 'app', container: 'none' })).toBe('NOT_FOUND');
    expect(await refused({ database: 'none' })).toBe('NOT_FOUND');
    const misfit = await memoryWith([], { partitionKey: '/other' });
    expect(await refused({ to: misfit.backend })).toBe('BAD_REQUEST');
  });

  test('documents of any kind arrive as they are', async () => {
    const value = fc.jsonValue({ maxDepth: 4 });
    const documents = fc.array(fc.record({ id: fc.uuid(), pk: fc.constantFrom('a', 1, true, null), value }), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(documents, async (list) => {
        const odd = { id: '\u0000 "quoted" 😀', __proto__own: 1, pk: {}, '1': 'integer-like' };
        const from = await memoryWith([]);
        for (const document of [...list, odd]) {
          await from.store.upsert(JSON.parse(JSON.stringify(document).replace('__proto__own', '__proto__')) as { id: string });
        }
        const to = closing(openMemoryBackend());
        const report = await copyContainers({ from: from.backend, to });
        expect(report.equal).toBe(true);
        expect(JSON.stringify(await contentOf(to))).toBe(JSON.stringify(await contentOf(from.backend)));
      }),
      { seed: 20_261_120, numRuns: 40 },
    );
  });
});

describe('what the target already has', () => {
  async function twoVersions(newer: 'source' | 'target'): Promise<{
    readonly from: Awaited<ReturnType<typeof memoryWith>>;
    readonly to: Awaited<ReturnType<typeof memoryWith>>;
  }> {
    const runtime = new SimulatedRuntime({ seed: 'versions' });
    const [first, second] = newer === 'source' ? (['to', 'from'] as const) : (['from', 'to'] as const);
    const sides = { from: await memoryWith([], {}, { runtime }), to: await memoryWith([], {}, { runtime }) };
    await sides[first].store.create({ id: 'x', pk: 1, side: first });
    await runtime.advance(5000);
    await sides[second].store.create({ id: 'x', pk: 1, side: second });
    return sides;
  }

  test('an older version is replaced', async () => {
    const { from, to } = await twoVersions('source');
    const report = await copyContainers({ from: from.backend, to: to.backend });
    expect(report).toMatchObject({ equal: true, containers: [{ replaced: 1, keptNewer: 0 }] });
    expect((await to.store.read('x', 1))?.document['side']).toBe('from');
  });

  test('a newer version stays and is named, unless overwriting is asked for', async () => {
    const { from, to } = await twoVersions('target');
    const report = await copyContainers({ from: from.backend, to: to.backend });
    expect(report).toMatchObject({ equal: false, containers: [{ replaced: 0, keptNewer: 1 }] });
    expect(report.containers[0]?.comparison?.differences).toEqual([{ kind: 'different', id: 'x', partitionKey: '[1]' }]);
    expect((await to.store.read('x', 1))?.document['side']).toBe('to');
    const forced = await copyContainers({ from: from.backend, to: to.backend, overwrite: true });
    expect(forced).toMatchObject({ equal: true, containers: [{ replaced: 1 }] });
    expect((await to.store.read('x', 1))?.document['side']).toBe('from');
  });

  test('documents that the target refuses are named, and the others arrive', async () => {
    const from = await memoryWith([
      { id: 'a', pk: 1, n: 1 },
      { id: 'b', pk: 1, n: 1 },
      { id: 'c', pk: 1, n: 2 },
    ]);
    const to = await memoryWith([], { uniqueKeys: [['/n']] });
    const report = await copyContainers({ from: from.backend, to: to.backend });
    expect(report).toMatchObject({ equal: false, containers: [{ created: 2, failed: 1, failures: [{ id: 'b', code: 'CONFLICT' }] }] });
    expect(report.containers[0]?.comparison?.differences).toEqual([{ kind: 'missing', id: 'b', partitionKey: '[1]' }]);
  });
});

describe('a copy that is stopped', () => {
  /** Copies and stops after so many pages. */
  async function stopAfter(pages: number, options: Parameters<typeof copyContainers>[0]): Promise<void> {
    const controller = new AbortController();
    let seen = 0;
    const reason = new Error('stop');
    const copy = copyContainers({
      ...options,
      signal: controller.signal,
      onProgress: () => {
        seen += 1;
        if (seen === pages) {
          controller.abort(reason);
        }
      },
    });
    await expect(copy).rejects.toBe(reason);
  }

  test('goes on where it was, with all that changed in the source before and meanwhile', async () => {
    const from = await memoryWith(numbered(100));
    const to = await memoryWith([]);
    const checkpoint = memoryCheckpoint();
    const options = { from: from.backend, to: to.backend, checkpoint, pageItems: 10 };
    await stopAfter(4, options);
    expect(await to.store.query('SELECT VALUE COUNT(1) FROM c').toArray()).toEqual([40]);
    await from.store.replace({ id: 'd3', pk: 0, n: 'changed' });
    await from.store.replace({ id: 'd90', pk: 0, n: 'changed' });
    await from.store.create({ id: 'new', pk: 0 });
    const progress: number[] = [];
    const report = await copyContainers({
      ...options,
      onProgress: ({ documents, phase }) => void (phase === 'copy' && progress.push(documents)),
    });
    expect(report).toMatchObject({ equal: true, containers: [{ resumed: true, created: 61 }] });
    expect(progress[0]).toBe(50);
    expect(checkpoint.text).toBeUndefined();
    expect((await to.store.read('d3', 0))?.document['n']).toBe('changed');
  });

  test('remembers what the target refused before, where nothing is compared', async () => {
    const from = await memoryWith([{ id: 'a', pk: 1, n: 'twin' }, { id: 'b', pk: 1, n: 'twin' }, ...numbered(20)]);
    const to = await memoryWith([], { uniqueKeys: [['/n']] });
    const options = { from: from.backend, to: to.backend, checkpoint: memoryCheckpoint(), pageItems: 5, verify: false };
    await stopAfter(2, options);
    await stopAfter(1, options);
    expect(await copyContainers(options)).toMatchObject({ equal: false, containers: [{ resumed: true, failed: 1, failures: [] }] });
  });

  test('stopped at every page once, ends equal', async () => {
    for (let pages = 1; pages <= 13; pages += 1) {
      const from = await memoryWith(numbered(50));
      const to = await memoryWith([]);
      const options = { from: from.backend, to: to.backend, checkpoint: memoryCheckpoint(), pageItems: 7 };
      await stopAfter(pages, options);
      await from.store.upsert({ id: 'd1', pk: 1, n: 'changed' });
      expect((await copyContainers(options)).equal).toBe(true);
    }
  });

  test('begins anew under other options, and after an end that was not equal', async () => {
    const runtime = new SimulatedRuntime({ seed: 'options' });
    const from = await memoryWith(numbered(50), {}, { runtime });
    await runtime.advance(5000);
    const to = await memoryWith([{ id: 'd3', pk: 0, n: 'newer' }], {}, { runtime });
    const options = { from: from.backend, to: to.backend, checkpoint: memoryCheckpoint(), pageItems: 10 };
    await stopAfter(3, options);
    expect(await copyContainers(options)).toMatchObject({ equal: false, containers: [{ resumed: true, keptNewer: 0 }] });
    expect(await copyContainers(options)).toMatchObject({ equal: false, containers: [{ resumed: false, keptNewer: 1 }] });
    await stopAfter(3, options);
    expect(await copyContainers({ ...options, overwrite: true })).toMatchObject({
      equal: true,
      containers: [{ resumed: false, replaced: 1 }],
    });
  });

  test('begins anew where its checkpoint is of another container, or says nothing that can be read', async () => {
    const from = await memoryWith(numbered(50));
    const to = await memoryWith([]);
    const checkpoint = memoryCheckpoint();
    const options = { from: from.backend, to: to.backend, checkpoint, pageItems: 10 };
    await stopAfter(3, options);
    await to.backend.deleteContainer('app', 'items');
    expect(await copyContainers(options)).toMatchObject({ equal: true, containers: [{ resumed: false, created: 50 }] });
    await stopAfter(3, options);
    await from.backend.deleteContainer('app', 'items');
    await from.backend.createContainer('app', { id: 'items', partitionKey: '/pk' });
    await (await from.backend.container('app', 'items')).create({ id: 'd1', pk: 1, n: 1 });
    expect(await copyContainers(options)).toMatchObject({ containers: [{ resumed: false, unchanged: 1 }] });
    for (const text of ['', 'null', '{"version":9}', '{"version":1,"containers":{"[\\"app\\",\\"items\\"]":{"cursor":1}}}']) {
      checkpoint.text = text;
      expect(await copyContainers(options)).toMatchObject({ containers: [{ resumed: false, unchanged: 1 }] });
    }
  });

  test('a checkpoint in a file is replaced as a whole, and a folder where none can be is said so', async () => {
    const folder = temporaryFolder();
    const checkpoint = fileCheckpoint(`${folder}/deep/below/copy.json`);
    expect(await checkpoint.load()).toBeUndefined();
    await checkpoint.save('one');
    await checkpoint.save('two');
    expect(await checkpoint.load()).toBe('two');
    await checkpoint.clear();
    await checkpoint.clear();
    expect(await checkpoint.load()).toBeUndefined();
    await expect(fileCheckpoint('/proc/none/copy.json').save('x')).rejects.toMatchObject({ code: 'STORE_IO' });
  });
});

describe('writes to the source during the copy', () => {
  test('are followed until nothing is new; a document deleted meanwhile is named', async () => {
    const from = await memoryWith(numbered(60));
    const to = await memoryWith([]);
    let page = 0;
    const report = await copyContainers({
      from: from.backend,
      to: to.backend,
      pageItems: 10,
      onProgress: ({ phase }) => {
        page += 1;
        if (phase === 'copy') {
          void from.store.upsert({ id: 'd2', pk: 2, n: page });
          void from.store.create({ id: `during ${page}`, pk: page });
        }
        if (page === 3) {
          void from.store.delete('d5', 2);
        }
      },
    });
    expect(report.containers[0]?.comparison?.differences).toEqual([{ kind: 'extra', id: 'd5', partitionKey: '[2]' }]);
    const expected = (await contentOf(from.backend)).map(({ id }) => id);
    expect(new Set((await contentOf(to.backend)).map(({ id }) => id))).toEqual(new Set([...expected, 'd5']));
    expect((await to.store.read('d2', 2))?.document['n']).toEqual((await from.store.read('d2', 2))?.document['n']);
  });
});

describe('the comparison', () => {
  test('finds every kind of difference, however many there are, and says when it does not name all', async () => {
    const source = await memoryWith(numbered(300));
    const target = await memoryWith(numbered(300));
    const compare = (maxNamed: number): ReturnType<typeof compareContainers> =>
      compareContainers({
        source: source.store,
        target: target.store,
        reader: { paths: [['pk']], withoutTtl: false },
        maxNamed,
        pageItems: 50,
        signal: undefined,
        onProgress: () => undefined,
      });
    // The order of members is no difference.
    await target.store.replace({ n: 9, pk: 0, id: 'd9' });
    expect(await compare(10)).toEqual({ equal: true, sourceDocuments: 300, targetDocuments: 300, differences: [], more: false });
    await target.store.delete('d7', 1);
    await target.store.replace({ id: 'd8', pk: 2, n: 'other' });
    await target.store.create({ id: 'd7', pk: 2, n: 7 });
    const found = await compare(10);
    expect(found).toMatchObject({ equal: false, sourceDocuments: 300, targetDocuments: 300, more: false });
    expect(new Set(found.differences)).toEqual(
      new Set([
        { kind: 'missing', id: 'd7', partitionKey: '[1]' },
        { kind: 'extra', id: 'd7', partitionKey: '[2]' },
        { kind: 'different', id: 'd8', partitionKey: '[2]' },
      ]),
    );
    expect(await compare(2)).toMatchObject({ equal: false, more: true, differences: { length: 2 } });
    for (let index = 0; index < 300; index += 1) {
      await target.store.upsert({ id: `d${index}`, pk: index % 3, n: -1 });
    }
    expect((await compare(1000)).differences.filter(({ kind }) => kind !== 'extra')).toHaveLength(300);
  });
});

describe('a time to live', () => {
  async function expiring(): Promise<{ readonly runtime: SimulatedRuntime; readonly from: Awaited<ReturnType<typeof memoryWith>> }> {
    const runtime = new SimulatedRuntime({ seed: 'life', startMs: 1_800_000_000_000 });
    const from = await memoryWith(
      [
        { id: 'default', pk: 1 },
        { id: 'own', pk: 1, ttl: 500 },
        { id: 'ever', pk: 1, ttl: -1 },
      ],
      { defaultTtl: 100 },
      { runtime },
    );
    await runtime.advance(60_000);
    return { runtime, from };
  }

  async function alive(runtime: SimulatedRuntime, to: ReturnType<typeof openMemoryBackend>, seconds: number): Promise<unknown[]> {
    await runtime.advance(seconds * 1000);
    return (await contentOf(to)).map(({ id }) => id);
  }

  test('starts again with the copy, and that is said before', async () => {
    const { runtime, from } = await expiring();
    const to = closing(openMemoryBackend({ runtime }));
    const notices: string[] = [];
    const report = await copyContainers({ from: from.backend, to, onNotice: (text) => void notices.push(text) });
    expect(report.equal).toBe(true);
    expect(notices).toEqual([expect.stringContaining('lives longer than its original')]);
    expect(report.containers[0]?.timeToLive).toBe(notices[0]);
    expect(await alive(runtime, to, 99)).toEqual(['default', 'own', 'ever']);
    expect(await alive(runtime, to, 1)).toEqual(['own', 'ever']);
    expect(await alive(runtime, to, 400)).toEqual(['ever']);
  });

  test('or ends with the original, by what is left of it', async () => {
    const { runtime, from } = await expiring();
    const to = closing(openMemoryBackend({ runtime }));
    const report = await copyContainers({ from: from.backend, to, timeToLive: 'remaining' });
    expect(report.equal).toBe(true);
    expect(await contentOf(to)).toEqual([
      { id: 'default', pk: 1, ttl: 40 },
      { id: 'own', pk: 1, ttl: 440 },
      { id: 'ever', pk: 1, ttl: -1 },
    ]);
    expect(await alive(runtime, to, 39)).toEqual(['default', 'own', 'ever']);
    expect(await alive(runtime, to, 1)).toEqual(['own', 'ever']);
    expect((await contentOf(from.backend)).map(({ id }) => id)).toEqual(['own', 'ever']);
  });

  test('is renewed in the copy when the original was written again with the same content', async () => {
    const { runtime, from } = await expiring();
    const to = closing(openMemoryBackend({ runtime }));
    await copyContainers({ from: from.backend, to });
    await runtime.advance(30_000);
    await from.store.upsert({ id: 'default', pk: 1 });
    expect(await copyContainers({ from: from.backend, to })).toMatchObject({ equal: true, containers: [{ replaced: 1, unchanged: 2 }] });
    expect(await alive(runtime, to, 99)).toContain('default');
  });

  test('of a target with another default is refused until it is said what is to become of it', async () => {
    const { runtime, from } = await expiring();
    const to = await memoryWith([], {}, { runtime });
    await expect(copyContainers({ from: from.backend, to: to.backend })).rejects.toMatchObject({ code: 'BAD_REQUEST' });
    expect((await copyContainers({ from: from.backend, to: to.backend, timeToLive: 'restart' })).equal).toBe(true);
  });
});
