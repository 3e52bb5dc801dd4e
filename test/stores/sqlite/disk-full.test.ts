import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isPerigeeError } from '../../../src/core/errors.ts';
import type { DocumentStore } from '../../../src/store/document-store.ts';
import { afterTest, drivers, newStore, openBackend, temporaryFolder } from './test-files.ts';

const text = 'x'.repeat(3000);

/** Writes until the store says that it is full; gives the ids that were acknowledged. */
async function fill(store: DocumentStore, prefix: string): Promise<string[]> {
  const acknowledged: string[] = [];
  for (let index = 0; index < 20_000; index += 1) {
    try {
      acknowledged.push((await store.create({ id: `${prefix}${index}`, pk: 'p', text })).document.id);
    } catch (error) {
      expect(isPerigeeError(error, 'STORE_FULL') && error.retryable).toBe(true);
      return acknowledged;
    }
  }
  throw new Error('the store never became full');
}

async function idsOf(store: DocumentStore): Promise<string[]> {
  const ids: string[] = [];
  for await (const { document } of store.changes({ maxItemCount: 500 })) {
    ids.push(document.id);
  }
  return ids.sort();
}

describe('a full disk', () => {
  for (const { name, driver } of drivers) {
    test(`a limit on the file: nothing acknowledged is lost, and writing goes on once there is room (${name})`, async () => {
      const path = join(temporaryFolder(), 'store.db');
      const small = await openBackend({ path, driver: driver(), maxPageCount: 100 });
      const store = await newStore(small);
      const acknowledged = await fill(store, 'a');
      expect(acknowledged.length).toBeGreaterThan(20);
      expect(await idsOf(store)).toEqual([...acknowledged].sort());
      await expect(store.bulk([{ type: 'create', document: { id: 'bulk', pk: 'p', text: text.repeat(20) } }])).rejects.toMatchObject({
        code: 'STORE_FULL',
      });
      await store.delete('a0', 'p');
      await store.delete('a1', 'p');
      await store.create({ id: 'again', pk: 'p', text });
      await small.close();

      const large = await openBackend({ path, driver: driver() });
      const again = await large.container('test', 'items');
      await again.create({ id: 'more', pk: 'p', text: text.repeat(20) });
      expect(await idsOf(again)).toEqual([...acknowledged.slice(2), 'again', 'more'].sort());
    });
  }

  test('a full file system: nothing acknowledged is lost, and writing goes on once there is room', async ({ skip }) => {
    const folder = join(temporaryFolder(), 'small');
    mkdirSync(folder);
    const mounted = process.getuid?.() === 0 && spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', folder]).status === 0;
    if (!mounted) {
      console.log('left out: a full file system needs the right to mount a tmpfs; the limit on the file stands for it');
      skip();
    }
    afterTest(() => void spawnSync('umount', [folder]));
    const path = join(folder, 'store.db');
    const ballast = join(folder, 'ballast');
    writeFileSync(ballast, Buffer.alloc(600_000));

    const backend = await openBackend({ path });
    const store = await newStore(backend);
    const acknowledged = await fill(store, 'a');
    const { bavail, bsize } = statfsSync(folder);
    expect(bavail * bsize).toBeLessThan(100_000);
    expect(await idsOf(store)).toEqual([...acknowledged].sort());
    // The checkpoint has to move the log into a file that cannot grow; it may wait, but it loses nothing.
    await backend.flush().catch((error: unknown) => expect(isPerigeeError(error, 'STORE_FULL')).toBe(true));
    rmSync(ballast);
    acknowledged.push(...(await fill(store, 'b')));
    expect(await idsOf(store)).toEqual([...acknowledged].sort());
    await backend.close();
    const again = await openBackend({ path });
    expect(await idsOf(await again.container('test', 'items'))).toEqual([...acknowledged].sort());
    await again.close();
  });
});
