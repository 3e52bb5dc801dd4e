import { spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import type { DocumentStore } from '../../../src/store/document-store.ts';
import { linesOf, openFolder, temporaryFolder, writeLines } from './file-folders.ts';

/** Works on a container of a folder, and closes it. */
async function within<R>(folder: string, work: (store: DocumentStore) => Promise<R>, container = 'orders'): Promise<R> {
  const backend = await openFolder(folder);
  try {
    return await work(await backend.container('shop', container));
  } finally {
    await backend.close();
  }
}

async function madeFolder(documents: number): Promise<string> {
  const folder = temporaryFolder();
  const backend = await openFolder(folder);
  await backend.createDatabase('shop');
  await backend.createContainer('shop', { id: 'orders', partitionKey: '/customer' });
  const store = await backend.container('shop', 'orders');
  for (let index = 1; index <= documents; index += 1) {
    await store.create({ id: `${index}`, customer: 'ada', total: index });
  }
  await backend.close();
  return folder;
}

const allTotals = (store: DocumentStore): Promise<number[]> => store.query<number>('SELECT VALUE c.total FROM c').toArray();

describe('a file that the store wrote', () => {
  test('is one document a line, the document first, in the order of creation, and a change of one document is a change of one line', async () => {
    const folder = await madeFolder(5);
    const before = linesOf(folder, 'shop', 'orders.jsonl');
    expect(before.map((line) => line.replace(/,"_ts":\d+,"_etag":"[\d.a-f]+"\}$/u, '}'))).toEqual(
      [1, 2, 3, 4, 5].map((index) => JSON.stringify({ id: `${index}`, customer: 'ada', total: index })),
    );
    await within(folder, (store) => store.replace({ id: '3', customer: 'ada', total: 33 }));
    const after = linesOf(folder, 'shop', 'orders.jsonl');
    expect(after.filter((line, index) => line !== before[index])).toEqual([after[2]]);
    await within(folder, (store) => store.delete('2', 'ada'));
    expect(linesOf(folder, 'shop', 'orders.jsonl')).toEqual(after.filter((_, index) => index !== 1));
  });

  test('holds a definition that a person can read, without what is as always', async () => {
    const folder = await madeFolder(0);
    const { store, ...definition } = JSON.parse(readFileSync(join(folder, 'shop', 'orders.container.json'), 'utf8')) as JsonObject;
    expect(definition).toEqual({ format: 1, partitionKey: '/customer' });
    expect(store).toMatchObject({ number: 1 });
  });

  test('reading it changes no file', async () => {
    const folder = await madeFolder(3);
    const path = join(folder, 'shop', 'orders.jsonl');
    utimesSync(path, 1_700_000_000, 1_700_000_000);
    const before = readFileSync(path, 'utf8');
    expect(await within(folder, allTotals)).toEqual([1, 2, 3]);
    expect(readFileSync(path, 'utf8')).toBe(before);
  });

  test('numbers are never given twice, also when the last document, container and database were deleted', async () => {
    const folder = await madeFolder(2);
    const last = await within(folder, (store) => store.read('2', 'ada'));
    await within(folder, (store) => store.delete('2', 'ada'));
    const again = await within(folder, (store) => store.create({ id: '2', customer: 'ada', total: 2 }));
    expect(again.position).toBe(4);
    expect(again.document._rid).not.toBe(last?.document._rid);
    expect(again.etag).not.toBe(last?.etag);

    const first = await openFolder(folder);
    const container = await first.createContainer('shop', { id: 'late', partitionKey: '/pk' });
    await first.deleteContainer('shop', 'late');
    const database = await first.createDatabase('late');
    await first.deleteDatabase('late');
    await first.close();
    const second = await openFolder(folder);
    expect((await second.createContainer('shop', { id: 'late', partitionKey: '/pk' })).rid).not.toBe(container.rid);
    expect((await second.createDatabase('late')).rid).not.toBe(database.rid);
  });
});

describe('a file that a person wrote', () => {
  const plain = ['{ "id": "a", "total": 1 }', '{"id":"b","total":2}', '{"id":"c","total":3}', '{"id":"d","total":4}'];

  test('needs nothing but documents: without a definition the partition key is the id', async () => {
    const folder = temporaryFolder();
    writeLines(folder, { 'shop/orders.jsonl': plain });
    const backend = await openFolder(folder);
    expect((await backend.listDatabases()).map(({ id }) => id)).toEqual(['shop']);
    expect((await backend.listContainers('shop')).map(({ definition }) => definition.partitionKey.paths)).toEqual([['/id']]);
    const store = await backend.container('shop', 'orders');
    const found = await store.read('b', 'b');
    expect(found?.document).toMatchObject({ id: 'b', total: 2, _ts: expect.any(Number) as number });
    expect(found?.etag).toMatch(/^".+"$/u);
    await backend.close();
    expect(await within(folder, async (again) => (await again.read('b', 'b'))?.etag)).toBe(found?.etag);
  });

  test('may come with a definition of a line or two, empty lines, a byte order mark, and without a last line end', async () => {
    const folder = temporaryFolder();
    writeLines(folder, {
      'shop/orders.container.json': '{ "partitionKey": "/customer", "uniqueKeys": [["/total"]] }',
      'shop/orders.jsonl': '\ufeff{"id":"a","customer":"ada","total":1}\r\n\n{"id":"a","customer":"bob","total":1}',
    });
    await within(folder, async (store) => {
      expect((await store.read('a', 'bob'))?.document['total']).toBe(1);
      await expect(store.create({ id: 'b', customer: 'bob', total: 1 })).rejects.toMatchObject({ code: 'CONFLICT' });
      await store.create({ id: 'b', customer: 'bob', total: 2 });
    });
    expect(linesOf(folder, 'shop', 'orders.jsonl')).toHaveLength(4);
    expect(await within(folder, allTotals)).toEqual([1, 1, 2]);
  });

  test('keeps its lines as they are where nothing changes their documents', async () => {
    const folder = temporaryFolder();
    writeLines(folder, { 'shop/orders.jsonl': plain });
    const etags = await within(folder, (store) => store.query('SELECT VALUE c._etag FROM c').toArray());
    await within(folder, (store) => store.replace({ id: 'b', total: 22 }));
    const replaced = linesOf(folder, 'shop', 'orders.jsonl');
    expect([replaced[0], replaced[2], replaced[3]]).toEqual([plain[0], plain[2], plain[3]]);
    expect(JSON.parse(replaced[1] as string)).toMatchObject({ id: 'b', total: 22 });
    await within(folder, (store) => store.delete('a', 'a'));
    const after = await within(folder, (store) => store.query('SELECT VALUE c._etag FROM c').toArray());
    expect(after.slice(1)).toEqual(etags.slice(2));
    expect(linesOf(folder, 'shop', 'orders.jsonl').slice(1)).toEqual(plain.slice(2));
  });

  test('may hold documents taken from elsewhere with their system properties; their time counts, their etag does not', async () => {
    const folder = temporaryFolder();
    const taken = { id: 'a', _rid: 'x', _self: 'y', _etag: '"00000000-0000"', _attachments: 'attachments/', _ts: 1_600_000_000 };
    writeLines(folder, { 'shop/orders.jsonl': [JSON.stringify(taken)] });
    const found = await within(folder, (store) => store.read('a', 'a'));
    expect(found?.ts).toBe(1_600_000_000);
    expect(found?.etag).not.toBe(taken._etag);
  });

  test('an edit between two openings is a write: another etag, and in the feed behind every cursor of before', async () => {
    const folder = await madeFolder(3);
    const { cursor, etag } = await within(folder, async (store) => ({
      cursor: (await store.changes({ from: 'now' }).nextPage()).cursor,
      etag: (await store.read('2', 'ada'))?.etag,
    }));
    const path = join(folder, 'shop', 'orders.jsonl');
    const edited = readFileSync(path, 'utf8').replace('"total":2', '"total":22');
    writeFileSync(path, `${edited}{"id":"9","customer":"ada","total":9}\n`);
    const seen = await within(folder, async (store) => {
      await expect(store.replace({ id: '2', customer: 'ada', total: 0 }, { ifMatch: etag })).rejects.toMatchObject({
        code: 'PRECONDITION_FAILED',
      });
      const changes: unknown[] = [];
      for await (const { document } of store.changes({ from: { cursor } })) {
        changes.push(document['total']);
      }
      return { changes, order: await allTotals(store) };
    });
    expect(seen).toEqual({ changes: [22, 9], order: [1, 22, 3, 9] });
    rmSync(join(folder, '.perigee'), { recursive: true });
    expect(await within(folder, allTotals)).toEqual([1, 22, 3, 9]);
  });

  test('an edit behind a crash keeps what the killed program had written', async () => {
    const folder = temporaryFolder();
    const crashed = temporaryFolder();
    writeLines(folder, { 'shop/orders.jsonl': plain });
    const backend = await openFolder(folder);
    const store = await backend.container('shop', 'orders');
    await store.replace({ id: 'a', total: 11 });
    await store.delete('b', 'b');
    await store.create({ id: 'e', total: 5 });
    const { cursor } = await store.changes({ from: 'now' }).nextPage();
    const { _rid: rid } = (await store.read('a', 'a'))?.document ?? expect.unreachable();
    cpSync(folder, crashed, { recursive: true });
    rmSync(join(crashed, '.perigee', 'lock'));
    const path = join(crashed, 'shop', 'orders.jsonl');
    appendFileSync(path, '{"id":"last","total":9}\n');
    await within(crashed, async (again) => {
      const totals = await again.query('SELECT c.id, c.total FROM c').toArray();
      expect(Object.fromEntries(totals.map((one) => [one['id'], one['total']]))).toEqual({ a: 11, c: 3, d: 4, e: 5, last: 9 });
      expect((await again.read('a', 'a'))?.document._rid).toBe(rid);
      const changed: string[] = [];
      for await (const { document } of again.changes({ from: { cursor } })) {
        changed.push(document.id);
      }
      expect(changed).toContain('last');
    });
    expect(linesOf(crashed, 'shop', 'orders.jsonl')).toHaveLength(5);
  });

  test('a copied folder and a copied line are new databases and documents', async () => {
    const folder = await madeFolder(2);
    const lines = linesOf(folder, 'shop', 'orders.jsonl');
    writeLines(folder, {
      'shop/orders.jsonl': [...lines, (lines[0] as string).replace('"id":"1"', '"id":"copy"')],
      'shop copy/orders.jsonl': lines,
      'shop copy/orders.container.json': readFileSync(join(folder, 'shop', 'orders.container.json'), 'utf8'),
      'shop copy/database.json': readFileSync(join(folder, 'shop', 'database.json'), 'utf8'),
    });
    const backend = await openFolder(folder);
    const rids = (await backend.listDatabases()).map(({ rid }) => rid);
    expect(new Set(rids).size).toBe(2);
    const documents = await (await backend.container('shop', 'orders')).query<{ _rid: string; _etag: string }>('SELECT * FROM c').toArray();
    expect(new Set(documents.map(({ _rid }) => _rid)).size).toBe(3);
    expect(new Set(documents.map(({ _etag }) => _etag)).size).toBe(3);
  });
});

describe('a damaged file', () => {
  const good = (id: string): string => `{"id":"${id}","customer":"ada"}`;

  test.each([
    ['a line that is not JSON', [good('a'), '{"id":"b"', good('c')], 2, 'it is not JSON'],
    ['a line cut off at the end', [good('a'), good('b').slice(0, 9)], 2, 'it is not JSON'],
    ['a value that is no document', [good('a'), '17'], 2, 'it is not a JSON object'],
    ['a document without an id', [good('a'), good('b'), '{"customer":"ada"}'], 3, 'a document needs an id'],
    ['an id twice', [good('a'), good('b'), good('a')], 3, 'it has the id and partition key of line 1'],
  ])('%s is reported by its number, and the file is left', async (_what, lines, line, why) => {
    const folder = temporaryFolder();
    writeLines(folder, {
      'shop/orders.container.json': '{"partitionKey":"/customer"}',
      'shop/orders.jsonl': lines.join('\n'),
      'shop/fine.jsonl': [good('a')],
    });
    const path = join(folder, 'shop', 'orders.jsonl');
    const backend = await openFolder(folder);
    const error: unknown = await backend.container('shop', 'orders').catch((raised: unknown) => raised);
    expect(error).toMatchObject({ code: 'STORE_CORRUPT', details: { path, line, lines: [line] } });
    expect(String(error).toLowerCase()).toContain(why.toLowerCase());
    const fine = await backend.container('shop', 'fine');
    await fine.create({ id: 'b', customer: 'ada' });
    await fine.replace({ id: 'b', customer: 'bob' });
    await expect(backend.container('shop', 'orders')).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    expect(readFileSync(path, 'utf8')).toBe(lines.join('\n'));
    // Once a person has corrected it, it opens.
    writeFileSync(path, `${good('a')}\n`);
    expect((await (await backend.container('shop', 'orders')).read('a', 'ada'))?.document.id).toBe('a');
    await backend.close();
    expect(linesOf(folder, 'shop', 'fine.jsonl')).toHaveLength(2);
  });

  test('bytes that are no UTF-8, and a unique key twice, are reported too', async () => {
    const folder = temporaryFolder();
    writeLines(folder, {
      'shop/keys.container.json': '{"partitionKey":"/customer","uniqueKeys":[["/n"]]}',
      'shop/keys.jsonl': ['{"id":"a","customer":"x","n":1}', '{"id":"b","customer":"y","n":1}', '{"id":"c","customer":"x","n":1}'],
      'shop/bytes.jsonl': '',
    });
    writeFileSync(
      join(folder, 'shop', 'bytes.jsonl'),
      Buffer.from([...Buffer.from('{"id":"a"}\n{"id":"'), 0xff, 0xfe, ...Buffer.from('"}\n')]),
    );
    const backend = await openFolder(folder);
    await expect(backend.container('shop', 'keys')).rejects.toMatchObject({ code: 'STORE_CORRUPT', details: { line: 3 } });
    await expect(backend.container('shop', 'bytes')).rejects.toMatchObject({ code: 'STORE_CORRUPT', details: { line: 2 } });
  });

  test('a definition that is none stops its own container only; one of a newer version is named so', async () => {
    const folder = temporaryFolder();
    writeLines(folder, {
      'shop/broken.container.json': '{"partitionKey":',
      'shop/wrong.container.json': '{"partitionKey":["/a","/a"]}',
      'shop/newer.container.json': '{"format":2,"partitionKey":"/a"}',
      'shop/fine.jsonl': [good('a')],
    });
    const backend = await openFolder(folder);
    const codes = await Promise.all(
      ['broken', 'wrong', 'newer'].map((id) => backend.container('shop', id).catch((error: { code: string }) => error.code)),
    );
    expect(codes).toEqual(['STORE_CORRUPT', 'STORE_CORRUPT', 'STORE_TOO_NEW']);
    expect((await (await backend.container('shop', 'fine')).read('a', 'a'))?.document.id).toBe('a');
    await expect(backend.listContainers('shop')).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    await expect(backend.createContainer('shop', { id: 'broken', partitionKey: '/a' })).rejects.toMatchObject({ code: 'CONFLICT' });
    await backend.deleteContainer('shop', 'broken');
    await backend.createContainer('shop', { id: 'broken', partitionKey: '/a' });
  });

  test('what is no file is not read: a folder, and a pipe, which would never end', async () => {
    const folder = temporaryFolder();
    writeLines(folder, { 'shop/fine.jsonl': [good('a')], 'shop/folder.jsonl/x': '' });
    const paths = ['documents.jsonl', 'definition.container.json'].map((name) => join(folder, 'shop', name));
    const made = process.platform !== 'win32' && spawnSync('mkfifo', paths).status === 0;
    if (!made) {
      console.log('left out: a pipe, which this system cannot make');
    }
    const backend = await openFolder(folder);
    for (const id of ['folder', ...(made ? ['documents', 'definition'] : [])]) {
      await expect(backend.container('shop', id)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    }
    expect((await (await backend.container('shop', 'fine')).read('a', 'a'))?.document.id).toBe('a');
  });

  test('a file that is larger than allowed is refused when it is opened, and when a write would make it so', async () => {
    const folder = temporaryFolder();
    writeLines(folder, {
      'shop/large.jsonl': Array.from({ length: 50 }, (_, index) => good(`d${index}`)),
      'shop/small.jsonl': [good('a')],
    });
    const backend = await openFolder(folder, { maxFileBytes: 1000 });
    await expect(backend.container('shop', 'large')).rejects.toMatchObject({ code: 'TOO_LARGE' });
    const small = await backend.container('shop', 'small');
    await expect(small.create({ id: 'b', text: 'x'.repeat(1000) })).rejects.toMatchObject({ code: 'STORE_FULL' });
    await small.create({ id: 'b', text: 'x'.repeat(100) });
    expect(await small.query('SELECT VALUE c.id FROM c').toArray()).toEqual(['a', 'b']);
  });
});
