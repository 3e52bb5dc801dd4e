import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { Backend } from '../../../src/store/backend.ts';
import type { SnapshotRecord } from '../../../src/store/snapshot/snapshot-record.ts';
import { writeSnapshot } from '../../../src/store/snapshot/snapshot-stream.ts';
import { openMemoryBackend } from '../../../src/stores/memory/memory-backend.ts';
import { get, type Program } from '../../../src/stores/sqlite/driver.ts';
import { SimulatedRuntime } from '../../../src/testing/simulated-runtime.ts';
import { afterTest, newStore, openBackend, sourceWorkerDriver, temporaryFolder } from './test-files.ts';

async function take(backend: Backend): Promise<SnapshotRecord[]> {
  const records: SnapshotRecord[] = [];
  for await (const record of backend.snapshot()) {
    records.push(record);
  }
  return records;
}

async function fill(backend: Backend, count: number, name: string): Promise<void> {
  const store = await newStore(backend);
  for (let start = 0; start < count; start += 1000) {
    const some = Array.from({ length: Math.min(1000, count - start) }, (_, index) => ({ id: `${start + index}`, pk: index % 7, name }));
    await store.bulk(some.map((document) => ({ type: 'create', document })));
  }
}

async function contentOf(backend: Backend): Promise<unknown> {
  const store = await backend.container('test', 'items');
  return (await store.query('SELECT c.name, COUNT(1) AS count FROM c GROUP BY c.name').toArray()) as unknown;
}

describe('a restore', () => {
  const program = fileURLToPath(new URL('programs/restore-snapshot.ts', import.meta.url));

  test('that is killed at any moment leaves the file as it was, or restored', { timeout: 120_000 }, async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'store.db');
    const snapshot = join(folder, 'snapshot.jsonl');
    const source = openMemoryBackend();
    await fill(source, 20_000, 'snapshot');
    await pipeline(writeSnapshot(source.snapshot()), createWriteStream(snapshot));
    await source.close();
    const first = await openBackend({ path });
    await fill(first, 500, 'before');
    await first.close();
    const outcomes = new Set<string>();
    // After some turns of its work, at its end, and when it has said so.
    for (const lines of [2, 10, 21, 'restored'] as const) {
      const child = spawn(process.execPath, ['--import', 'tsx', program, path, snapshot], { stdio: ['ignore', 'pipe', 'inherit'] });
      afterTest(() => void child.kill('SIGKILL'));
      let output = '';
      const ended = new Promise((resolve) => child.on('close', resolve));
      await new Promise<void>((resolve) => {
        child.stdout.setEncoding('utf8').on('data', (text: string) => {
          output += text;
          if (lines === 'restored' ? output.includes(lines) : output.split('\n').length > lines) {
            child.kill('SIGKILL');
            resolve();
          }
        });
      });
      await ended;
      const backend = await openBackend({ path });
      const [content] = (await contentOf(backend)) as { readonly name: string; readonly count: number }[];
      expect([
        { name: 'before', count: 500 },
        { name: 'snapshot', count: 20_000 },
      ]).toContainEqual(content);
      outcomes.add(content?.name ?? '');
      const store = await backend.container('test', 'items');
      await store.upsert({ id: 'after', pk: 0, name: content?.name });
      await store.delete('after', 0);
      await backend.close();
    }
    expect([...outcomes].toSorted()).toEqual(['before', 'snapshot']);
  });

  test('is seen by others on the file at once: their stores are gone, and their new ones show it', async () => {
    const path = join(temporaryFolder(), 'store.db');
    const runtime = new SimulatedRuntime();
    const backend = await openBackend({ path, runtime });
    await fill(backend, 10, 'before');
    const other = await openBackend({ path, runtime, driver: sourceWorkerDriver() });
    const elsewhere = await other.container('test', 'items');
    const records = await take(backend);
    await elsewhere.create({ id: 'later', pk: 0, name: 'later' });
    await backend.restore(records, { replace: true });
    await expect(elsewhere.read('later', 0)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(elsewhere.upsert({ id: 'later', pk: 0 })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await contentOf(other)).toEqual([{ name: 'before', count: 10 }]);
    expect(await take(other)).toEqual(await take(backend));
  });

  test('does not take the place of a container whose writes a journal records', async () => {
    const backend = await openBackend({ path: ':memory:' });
    await fill(backend, 10, 'before');
    const records = await take(backend);
    const journal = {
      name: 'lines',
      needsPreviousText: false,
      *recorded(): Program<void> {
        yield* get('SELECT 1');
      },
    };
    await backend.openJournaled('test', 'items', { journal });
    await expect(backend.restore(records, { replace: true })).rejects.toMatchObject({ code: 'SYNC_SCOPE' });
    expect(await contentOf(backend)).toEqual([{ name: 'before', count: 10 }]);
    await backend.releaseJournal('test', 'items', 'lines');
    await backend.restore(records, { replace: true });
  });

  test('brings all indexes back, those that queries search in too', async () => {
    const source = openMemoryBackend();
    const copy = await openBackend({ path: join(temporaryFolder(), 'store.db') });
    await source.createDatabase('test');
    await source.createContainer('test', {
      id: 'items',
      partitionKey: '/pk',
      indexingPolicy: {
        indexingMode: 'consistent',
        includedPaths: [{ path: '/n/?' }, { path: '/place/?' }],
        excludedPaths: [{ path: '/*' }],
        fullTextIndexes: [{ path: '/text' }],
        spatialIndexes: [{ path: '/place/*', types: ['Point'] }],
      },
      extra: { fullTextPolicy: { defaultLanguage: 'en-US', fullTextPaths: [{ path: '/text', language: 'en-US' }] } },
    });
    const store = await source.container('test', 'items');
    for (let n = 0; n < 300; n += 1) {
      const place = { type: 'Point', coordinates: [n / 10, 10] };
      await store.create({ id: `${n}`, pk: n % 3, n, text: n % 10 === 0 ? 'a red apple' : 'a green pear', place });
    }
    await copy.restore(await take(source));
    const restored = await copy.container('test', 'items');
    await restored.create({ id: 'new', pk: 0, n: 1000, text: 'one more apple', place: { type: 'Point', coordinates: [0, 10] } });
    await store.create({ id: 'new', pk: 0, n: 1000, text: 'one more apple', place: { type: 'Point', coordinates: [0, 10] } });
    await copy.indexesReady();
    const status = await copy.indexStatus();
    expect(new Set(status.map(({ kind, isReady }) => `${kind} ${isReady}`)).size).toBeGreaterThan(2);
    expect(status.every(({ isReady }) => isReady)).toBe(true);
    for (const query of [
      'SELECT VALUE c.id FROM c WHERE c.n > 290 ORDER BY c.n',
      'SELECT VALUE c.id FROM c WHERE FullTextContains(c.text, "apple")',
      'SELECT VALUE c.id FROM c WHERE ST_DISTANCE(c.place, {"type":"Point","coordinates":[0,10]}) < 100000',
      'SELECT TOP 5 VALUE c.id FROM c ORDER BY RANK FullTextScore(c.text, "apple")',
    ]) {
      const found = await restored.query(query).toArray();
      expect(found.length).toBeGreaterThan(2);
      expect(found, query).toEqual(await store.query(query).toArray());
    }
    await source.close();
  });
});
