import { lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openFileBackend } from '../../../src/stores/file/file-backend.ts';
import { openFolder, temporaryFolder, writeLines } from './file-folders.ts';

const READ_ONLY = { code: 'STORE_READ_ONLY', message: expect.stringContaining('it is a link') as unknown };

describe.skipIf(process.platform === 'win32')('links within the folder (left out on Windows, which permits them to few)', () => {
  test('to a file are read, and neither written to nor replaced', async () => {
    const [folder, elsewhere] = [temporaryFolder(), temporaryFolder()];
    writeLines(elsewhere, { 'orders.jsonl': ['{"id":"1"}'] });
    mkdirSync(join(folder, 'shop'));
    symlinkSync(join(elsewhere, 'orders.jsonl'), join(folder, 'shop', 'orders.jsonl'));
    const backend = await openFolder(folder);
    const orders = await backend.container('shop', 'orders');
    expect(await orders.query('SELECT VALUE c.id FROM c').toArray()).toEqual(['1']);
    await expect(orders.upsert({ id: '1', total: 2 })).rejects.toMatchObject(READ_ONLY);
    await backend.close();
    expect(readFileSync(join(elsewhere, 'orders.jsonl'), 'utf8')).toBe('{"id":"1"}\n');
    expect(lstatSync(join(folder, 'shop', 'orders.jsonl')).isSymbolicLink()).toBe(true);
  });

  test('to a folder are read, and nothing in it is written, made or deleted', async () => {
    const [folder, elsewhere] = [temporaryFolder(), temporaryFolder()];
    writeLines(elsewhere, { 'orders.jsonl': ['{"id":"1"}'], 'notes.txt': 'mine' });
    symlinkSync(elsewhere, join(folder, 'shop'));
    const backend = await openFolder(folder);
    const orders = await backend.container('shop', 'orders');
    await expect(orders.create({ id: '2' })).rejects.toMatchObject(READ_ONLY);
    await expect(backend.createContainer('shop', { id: 'more', partitionKey: '/id' })).rejects.toMatchObject(READ_ONLY);
    await expect(backend.deleteContainer('shop', 'orders')).rejects.toMatchObject(READ_ONLY);
    await expect(backend.deleteDatabase('shop')).rejects.toMatchObject(READ_ONLY);
    expect(await orders.read('1', '1')).toBeDefined();
    await backend.close();
    expect(readdirSync(elsewhere).sort()).toEqual(['notes.txt', 'orders.jsonl']);
  });

  test('in the place of the private folder are refused before anything is tidied', async () => {
    const [folder, elsewhere] = [temporaryFolder(), temporaryFolder()];
    writeLines(elsewhere, { 'trash-of-mine/file.txt': 'kept' });
    symlinkSync(elsewhere, join(folder, '.perigee'));
    await expect(openFileBackend({ folder })).rejects.toMatchObject(READ_ONLY);
    expect(readdirSync(elsewhere)).toEqual(['trash-of-mine']);
  });

  test('to the folder itself change nothing', async () => {
    const [folder, elsewhere] = [temporaryFolder(), temporaryFolder()];
    symlinkSync(elsewhere, join(folder, 'link'));
    const backend = await openFolder(join(folder, 'link'));
    await backend.createDatabase('shop');
    await backend.createContainer('shop', { id: 'orders', partitionKey: '/id' });
    await (await backend.container('shop', 'orders')).create({ id: '1' });
    await backend.close();
    expect(readdirSync(join(elsewhere, 'shop')).sort()).toEqual(['database.json', 'orders.container.json', 'orders.jsonl']);
  });
});
