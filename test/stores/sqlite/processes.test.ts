import { spawn, type ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { SqliteBackend } from '../../../src/stores/sqlite/sqlite-backend.ts';
import { afterTest, newStore, openBackend, sourceWorkerDriver, temporaryFolder } from './test-files.ts';

const WRITE_DOCUMENTS = fileURLToPath(new URL('programs/write-documents.ts', import.meta.url));
const OPEN_AND_CLOSE = fileURLToPath(new URL('programs/open-and-close.ts', import.meta.url));

interface Writer {
  readonly child: ChildProcess;
  /** Ids that the process said were written. */
  readonly acknowledged: () => string[];
  readonly ended: Promise<number | null>;
}

function startWriter(...parameters: readonly string[]): Writer {
  return startProgram(WRITE_DOCUMENTS, parameters);
}

function startProgram(program: string, parameters: readonly string[]): Writer {
  const child = spawn(process.execPath, ['--import', 'tsx', program, ...parameters], { stdio: ['ignore', 'pipe', 'inherit'] });
  afterTest(() => void child.kill('SIGKILL'));
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  return {
    child,
    acknowledged: () => output.split('\n').slice(0, -1),
    ended: new Promise((resolve) => {
      child.on('close', resolve);
    }),
  };
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) {
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
}

describe('several processes on one file', () => {
  test('two processes and this one write at once: nothing is lost, no position is given twice, every change is in the feed', async () => {
    const path = join(temporaryFolder(), 'store.db');
    const backend = await openBackend({ path });
    const store = await newStore(backend);
    const writers = [startWriter(path, 'a', '150'), startWriter(path, 'b', '400', 'bulk')];
    await until(() => writers.some((writer) => writer.acknowledged().length > 0));
    const own: string[] = [];
    const seen = new Map<string, number>();
    let cursor: string | undefined;
    const follow = async (): Promise<void> => {
      const feed = store.changes({ from: cursor === undefined ? 'beginning' : { cursor } });
      for (let caughtUp = false; !caughtUp;) {
        const page = await feed.nextPage();
        page.changes.forEach(({ document, position }) => seen.set(document.id, position as number));
        ({ cursor, caughtUp } = page);
      }
    };
    for (let index = 0; index < 150; index += 1) {
      own.push((await store.create({ id: `c${index}`, pk: 'p' })).document.id);
      if (index % 10 === 0) {
        await follow();
      }
    }
    expect(await Promise.all(writers.map(({ ended }) => ended))).toEqual([0, 0]);
    for (let before = -1; before !== seen.size;) {
      before = seen.size;
      await follow();
    }
    const expected = [...own, ...writers.flatMap((writer) => writer.acknowledged())];
    expect(expected.length).toBe(700);
    expect([...seen.keys()].sort()).toEqual([...expected].sort());
    expect(new Set(seen.values()).size).toBe(700);
  });

  test('what another process changes is seen at once: documents, definitions, deleted containers, and by watch', async () => {
    const path = join(temporaryFolder(), 'store.db');
    const one = await openBackend({ path, pollIntervalMs: 5 });
    // A second backend on the file is to the first what another process is: it shares no memory with it.
    const other = await openBackend({ path });
    const store = await newStore(one);
    const elsewhere = await other.container('test', 'items');
    const { etag } = await store.create({ id: 'a', pk: 'p' });
    expect((await elsewhere.read('a', 'p'))?.etag).toBe(etag);
    await elsewhere.replace({ id: 'a', pk: 'p', n: 1 });
    await expect(store.replace({ id: 'a', pk: 'p', n: 2 }, { ifMatch: etag })).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' });
    expect((await store.create({ id: 'b', pk: 'p' })).position).toBe(3);
    await other.replaceContainer('test', { id: 'items', partitionKey: '/pk', defaultTtl: 100 });
    await store.create({ id: 'c', pk: 'p' });
    expect((await one.readContainer('test', 'items'))?.definition.defaultTtl).toBe(100);
    await other.deleteContainer('test', 'items');
    await expect(store.create({ id: 'd', pk: 'p' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('of two with the same etag exactly one succeeds', async () => {
    const path = join(temporaryFolder(), 'store.db');
    const stores = [await newStore(await openBackend({ path })), await (await openBackend({ path })).container('test', 'items')];
    for (let round = 0; round < 20; round += 1) {
      const { etag } = await (stores[0] as (typeof stores)[0]).upsert({ id: 'a', pk: 'p', round });
      const results = await Promise.allSettled(stores.map((store, n) => store.replace({ id: 'a', pk: 'p', round, n }, { ifMatch: etag })));
      expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    }
  });

  test('a writer waits for the lock of another process, gives way to other tasks meanwhile, and says busy at the end', async () => {
    const path = join(temporaryFolder(), 'store.db');
    const patient = await newStore(await openBackend({ path, busyTimeoutMs: 5000 }));
    const holder = await (await openBackend({ path })).container('test', 'items');
    const hasty = await (await openBackend({ path, busyTimeoutMs: 20 })).container('test', 'items');
    const order: string[] = [];
    let waiting: Promise<unknown> = Promise.resolve();
    await holder.transact('p', async (inside) => {
      await inside.create({ id: 'held', pk: 'p' });
      waiting = patient.create({ id: 'waited', pk: 'p' }).then(() => order.push('write'));
      await expect(hasty.create({ id: 'hasty', pk: 'p' })).rejects.toMatchObject({ code: 'STORE_BUSY', retryable: true });
      expect(await hasty.read('held', 'p')).toBeUndefined();
      order.push('transaction');
    });
    await waiting;
    expect(order).toEqual(['transaction', 'write']);
    expect((await hasty.create({ id: 'hasty', pk: 'p' })).position).toBe(3);
  });
});

describe('processes that open and close one file again and again', () => {
  test('wait for each other and lose nothing', { timeout: 60_000 }, async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'store.db');
    const first = await openBackend({ path });
    await newStore(first);
    await first.close();
    const writers = ['a', 'b', 'c', 'd', 'e', 'f'].map((prefix) => startProgram(OPEN_AND_CLOSE, [path, prefix, '30']));
    expect(await Promise.all(writers.map(({ ended }) => ended))).toEqual(writers.map(() => 0));
    expect(writers.flatMap(({ acknowledged }) => acknowledged())).toHaveLength(180);
    const store = await (await openBackend({ path })).container('test', 'items');
    expect(await store.query('SELECT VALUE COUNT(1) FROM c').nextPage()).toMatchObject({ items: [180] });
  });
});

test('those that close a file at the same moment leave one file, which says that it has no log', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'store.db');
  const backends = [await openBackend({ path }), await openBackend({ path, driver: sourceWorkerDriver() }), await openBackend({ path })];
  await newStore(backends[0] as SqliteBackend);
  await Promise.all(backends.map((backend) => backend.close()));
  expect(readdirSync(folder)).toEqual(['store.db']);
  const [writeVersion, readVersion] = readFileSync(path).subarray(18, 20);
  expect([writeVersion, readVersion]).toEqual([1, 1]);
});

describe('a writer that is killed', () => {
  for (const kind of ['single', 'bulk']) {
    test(`loses nothing that it acknowledged (${kind})`, async () => {
      const path = join(temporaryFolder(), 'store.db');
      const first = await openBackend({ path });
      await newStore(first);
      await first.close();
      const writer = startWriter(path, 'k', '0', kind);
      await until(() => writer.acknowledged().length > 200);
      writer.child.kill('SIGKILL');
      await writer.ended;
      const store = await (await openBackend({ path })).container('test', 'items');
      const found = new Set<string>();
      for await (const { document } of store.changes({ maxItemCount: 1000 })) {
        found.add(document.id);
      }
      const acknowledged = writer.acknowledged();
      expect(acknowledged.filter((id) => !found.has(id))).toEqual([]);
      expect(found.size - acknowledged.length).toBeLessThanOrEqual(20);
      const next = await store.create({ id: 'after', pk: 'p' });
      expect(next.position).toBe(found.size + 1);
    });
  }
});
