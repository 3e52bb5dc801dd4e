/** What a folder of JSON-lines files does where the disk is full, and where nobody may write. */
import { spawnSync } from 'node:child_process';
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { isPerigeeError } from '../../src/core/errors.ts';
import { openFileBackend } from '../../src/stores/file/file-backend.ts';
import { temporaryFolder } from './scene.ts';
import { mountSmallDisk } from './small-disk.ts';

const document = (id: string, text: string): { id: string; text: string } => ({ id, text });

test('on a full disk writes are refused with STORE_FULL, change nothing, and succeed again when there is room', async () => {
  const disk = mountSmallDisk(512);
  if (disk === undefined) {
    return;
  }
  const folder = join(disk.folder, 'store');
  const backend = await openFileBackend({ folder, foldAfterMs: 10 });
  await backend.createDatabase('shop');
  await backend.createContainer('shop', { id: 'orders', partitionKey: '/id' });
  const store = await backend.container('shop', 'orders');
  const acknowledged: string[] = [];
  const write = async (id: string): Promise<string> => {
    try {
      await store.create(document(id, 'x'.repeat(3000)));
      acknowledged.push(id);
      return 'written';
    } catch (error) {
      return isPerigeeError(error) ? error.code : String(error);
    }
  };
  for (let index = 0; index < 10; index += 1) {
    expect(await write(`before ${index}`)).toBe('written');
  }
  await store.replace(document('before 0', 'changed'));
  disk.fill(4096);
  const codes: string[] = [];
  for (let index = 0; index < 20; index += 1) {
    codes.push(await write(`full ${index}`));
  }
  expect(new Set(codes)).toEqual(codes.includes('written') ? new Set(['written', 'STORE_FULL']) : new Set(['STORE_FULL']));
  expect(codes.at(-1)).toBe('STORE_FULL');
  await expect(backend.createContainer('shop', { id: 'more', partitionKey: '/id' })).rejects.toMatchObject({ code: 'STORE_FULL' });
  const path = join(folder, 'shop', 'orders.jsonl');
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .forEach((line) => JSON.parse(line) as unknown);
  disk.empty();
  expect(await write('after')).toBe('written');
  disk.fill();
  // There is no room to tidy the file; what was acknowledged is in it all the same.
  await backend.close();
  disk.empty();
  const again = await openFileBackend({ folder });
  const found = await (await again.container('shop', 'orders')).query('SELECT VALUE c.id FROM c').toArray();
  expect(found).toEqual(acknowledged);
  await again.close();
  expect(readdirSync(join(folder, 'shop')).toSorted()).toEqual(['database.json', 'orders.container.json', 'orders.jsonl']);
});

test('a folder that cannot be written to is refused, can be opened to read, and is left as it was', async () => {
  const folder = temporaryFolder();
  const backend = await openFileBackend({ folder });
  await backend.createDatabase('shop');
  await backend.createContainer('shop', { id: 'orders', partitionKey: '/id' });
  await (await backend.container('shop', 'orders')).create(document('a', 'x'));
  await backend.close();
  const path = join(folder, 'shop', 'orders.jsonl');
  const before = readFileSync(path, 'utf8');
  for (const one of ['shop', '.perigee', '.']) {
    chmodSync(join(folder, one), 0o555);
  }
  const program = fileURLToPath(new URL('open-folder-child.ts', import.meta.url));
  const child = spawnSync(process.execPath, ['--import', 'tsx', program, folder], {
    encoding: 'utf8',
    env: { ...process.env, HOME: '/tmp' },
  });
  for (const one of ['.', '.perigee', 'shop']) {
    chmodSync(join(folder, one), 0o755);
  }
  expect(child.stdout.trim().split('\n')).toEqual([
    'to write: STORE_READ_ONLY',
    'to read: a',
    'a write: STORE_READ_ONLY',
    'missing: STORE_READ_ONLY',
  ]);
  expect(readFileSync(path, 'utf8')).toBe(before);
});

test('a path that is a file, or below one, is refused', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'file'), 'text');
  for (const path of [join(folder, 'file'), join(folder, 'file', 'below'), join(folder, 'missing', 'below')]) {
    await expect(openFileBackend({ folder: path })).rejects.toMatchObject({ code: 'STORE_READ_ONLY' });
  }
});
