import { appendFileSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { DocumentStore } from '../../../src/store/document-store.ts';
import type { FileBackend } from '../../../src/stores/file/file-backend.ts';
import { SimulatedRuntime } from '../../../src/testing/simulated-runtime.ts';
import { linesOf, openFolder, temporaryFolder, writeLines } from './file-folders.ts';

async function openShop(options: Parameters<typeof openFolder>[1] = {}): Promise<{
  readonly folder: string;
  readonly path: string;
  readonly backend: FileBackend;
  readonly store: DocumentStore;
}> {
  const folder = temporaryFolder();
  writeLines(folder, { 'shop/orders.jsonl': ['{"id":"a"}', '{"id":"b"}'], 'shop/others.jsonl': ['{"id":"a"}'] });
  const backend = await openFolder(folder, options);
  return { folder, path: join(folder, 'shop', 'orders.jsonl'), backend, store: await backend.container('shop', 'orders') };
}

describe('a file that another program changes while it is open', () => {
  const changes: Readonly<Record<string, (path: string) => void>> = {
    'appended to': (path) => appendFileSync(path, '{"id":"theirs"}\n'),
    'written anew': (path) => writeFileSync(path, '{"id":"theirs"}\n'),
    'replaced by a rename, as editors do': (path) => {
      writeFileSync(`${path}~`, '{"id":"theirs"}\n');
      renameSync(`${path}~`, path);
    },
    removed: (path) => rmSync(path),
  };

  for (const [what, change] of Object.entries(changes)) {
    for (const hasWritten of [false, true]) {
      test(`${what}, ${hasWritten ? 'after' : 'before'} the first write: writes are refused, nothing is overwritten, the others go on`, async () => {
        const { folder, path, backend, store } = await openShop();
        if (hasWritten) {
          await store.replace({ id: 'a', n: 1 });
        }
        change(path);
        const theirs = what === 'removed' ? undefined : readFileSync(path, 'utf8');
        for (let attempt = 0; attempt < 2; attempt += 1) {
          await expect(store.create({ id: 'c' })).rejects.toMatchObject({ code: 'STORE_CHANGED', details: { path } });
        }
        await expect(store.batch('c', [{ type: 'create', document: { id: 'c' } }])).rejects.toMatchObject({ code: 'STORE_CHANGED' });
        expect(await store.read('c', 'c')).toBeUndefined();
        expect((await store.read('b', 'b'))?.document.id).toBe('b');
        await (await backend.container('shop', 'others')).create({ id: 'c' });
        await backend.close();
        if (theirs === undefined) {
          expect(readdirSync(join(folder, 'shop'))).not.toContain('orders.jsonl');
        } else {
          expect(readFileSync(path, 'utf8')).toBe(theirs);
        }
      });
    }
  }

  test('the folder removed while it is open: writes are refused, and it closes', async () => {
    const { folder, backend, store } = await openShop();
    await store.create({ id: 'c' });
    rmSync(folder, { recursive: true });
    await expect(store.create({ id: 'd' })).rejects.toMatchObject({ code: 'STORE_CHANGED' });
    await backend.close();
    mkdirSync(folder);
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('tidying', () => {
  test('comes when a container is quiet, not while it is written to, and keeps all that readers and writers see', async () => {
    const runtime = new SimulatedRuntime({ seed: 'tidy' });
    const { path, store, backend } = await openShop({ runtime, foldAfterMs: 1000 });
    for (let n = 1; n <= 3; n += 1) {
      await store.upsert({ id: 'a', n });
      await runtime.advance(600);
    }
    expect(linesOf(path)).toHaveLength(5);
    const before = await store.read('a', 'a');
    await runtime.advance(600);
    await store.flush();
    // The next write waits for the tidying that is under way.
    await store.create({ id: 'c' });
    expect(linesOf(path)).toHaveLength(3);
    expect(await store.read('a', 'a')).toEqual({ ...before, session: '6' });
    await backend.close();
    expect(linesOf(path).map((line) => (JSON.parse(line) as { id: string }).id)).toEqual(['a', 'b', 'c']);
  });

  test('bounds the file while it is written to without a pause', async () => {
    const { path, store } = await openShop({ foldAfterMs: 20 });
    for (let n = 1; n <= 6000; n += 1) {
      await store.upsert({ id: 'a', n });
      if (n % 100 === 0) {
        await new Promise((resolve) => {
          setTimeout(resolve, 1);
        });
      }
    }
    expect(linesOf(path).length).toBeLessThan(4000);
    expect((await store.read('a', 'a'))?.document['n']).toBe(6000);
  });

  test('drops what has expired, and what has expired stays away', async () => {
    const runtime = new SimulatedRuntime({ seed: 'expiry', startMs: 1_800_000_000_000 });
    const folder = temporaryFolder();
    writeLines(folder, { 'shop/notes.container.json': '{"partitionKey":"/id","defaultTtl":60}' });
    const backend = await openFolder(folder, { runtime });
    const store = await backend.container('shop', 'notes');
    await store.create({ id: 'short' });
    await store.create({ id: 'long', ttl: 1000 });
    await runtime.advance(61_000);
    await store.upsert({ id: 'short', again: true });
    await store.replace({ id: 'long', ttl: 1000, n: 1 });
    await backend.close();
    expect(linesOf(folder, 'shop', 'notes.jsonl')).toHaveLength(2);
    const again = await openFolder(folder, { runtime });
    expect((await (await again.container('shop', 'notes')).read('short', 'short'))?.document['again']).toBe(true);
    await runtime.advance(61_000);
    expect(await (await again.container('shop', 'notes')).query('SELECT VALUE c.id FROM c').toArray()).toEqual(['long']);
  });
});
