import type { Container } from '@azure/cosmos';
import { describe, expect, test } from 'vitest';
import { serve, type Served } from './served.ts';

async function todos(): Promise<Served & { readonly container: Container }> {
  const served = await serve();
  const { database } = await served.client().databases.create({ id: 'app' });
  const { container } = await database.containers.create({ id: 'todos', partitionKey: '/owner' });
  return { ...served, container };
}

const DOCS = '/dbs/app/colls/todos/docs';
const ADA = { 'x-ms-documentdb-partitionkey': '["ada"]' };

describe('documents', () => {
  test('are created, read, replaced, upserted, patched and deleted', async () => {
    const { container } = await todos();
    const created = await container.items.create({ id: '1', owner: 'ada', text: 'one' });
    expect(created.statusCode).toBe(201);
    expect(created.etag).toBe(created.resource?._etag);
    expect(created.requestCharge).toBeGreaterThan(0);
    const item = container.item('1', 'ada');
    expect((await item.read()).resource).toEqual(created.resource);

    const replaced = await item.replace({ id: '1', owner: 'ada', text: 'two' });
    expect(replaced).toMatchObject({ statusCode: 200, resource: { text: 'two', _rid: created.resource?._rid } });
    expect(replaced.etag).not.toBe(created.etag);

    expect((await container.items.upsert({ id: '1', owner: 'ada', n: 1 })).statusCode).toBe(200);
    expect((await container.items.upsert({ id: '2', owner: 'ada', n: 1 })).statusCode).toBe(201);

    const patched = await item.patch({ operations: [{ op: 'incr', path: '/n', value: 2 }] });
    expect(patched.resource).toMatchObject({ id: '1', n: 3 });
    expect((await item.patch([{ op: 'add', path: '/list', value: [1] }])).resource).toMatchObject({ n: 3, list: [1] });

    expect((await item.delete()).statusCode).toBe(204);
    expect(await item.read()).toMatchObject({ statusCode: 404, resource: undefined });
    await expect(item.delete()).rejects.toMatchObject({ code: 404 });
    await expect(item.replace({ id: '1', owner: 'ada' })).rejects.toMatchObject({ code: 404 });
  });

  test.each(['with space', 'a?b', '100%', 'a+b&c=d', 'tab\tnew\nline\r', '鱀 😀', '"quoted"', "it's", 'a:b;c,d', 'x'.repeat(1023)])(
    'an id %j is read, replaced and deleted',
    async (id) => {
      const { container } = await todos();
      await container.items.create({ id, owner: 'ada' });
      const item = container.item(id, 'ada');
      expect((await item.read()).resource?.id).toBe(id);
      expect((await item.replace({ id, owner: 'ada', n: 1 })).resource).toMatchObject({ id, n: 1 });
      expect((await item.delete()).statusCode).toBe(204);
    },
  );

  test('keys that differ by type are different partitions', async () => {
    const { container } = await todos();
    const owners = ['1', 1, true, null, undefined];
    for (const owner of owners) {
      await container.items.create({ id: 'x', owner, type: typeof owner });
    }
    for (const owner of ['1', 1, true, null]) {
      expect((await container.item('x', owner).read()).resource).toMatchObject({ owner, type: typeof owner });
    }
    const { resource } = await container.item('x', undefined).read();
    expect(resource.type).toBe('undefined');
    expect((await container.item('x', 'other').read()).statusCode).toBe(404);
  });

  test('a key beyond ASCII, and one of several levels', async () => {
    const { client, container } = await todos();
    await container.items.create({ id: '1', owner: 'Zoë 😀 \u2028' });
    expect((await container.item('1', 'Zoë 😀 \u2028').read()).resource?.id).toBe('1');

    const deep = (
      await client()
        .database('app')
        .containers.create({ id: 'deep', partitionKey: { paths: ['/a', '/b', '/c'], kind: 'MultiHash' as never, version: 2 } })
    ).container;
    await deep.items.create({ id: '1', a: 'x', b: 2, c: true });
    await deep.items.create({ id: '1', a: 'x', b: 2 });
    expect((await deep.item('1', ['x', 2, true]).read()).resource).toMatchObject({ c: true });
    await expect(deep.item('1', ['x', 2]).replace({ id: '1', a: 'x', b: 2 })).rejects.toMatchObject({ code: 400 });
  });

  test('etags decide writes and reads', async () => {
    const { container } = await todos();
    const { resource, etag } = await container.items.create({ id: '1', owner: 'ada', n: 1 });
    const item = container.item('1', 'ada');
    const ifMatch = (condition: string): object => ({ accessCondition: { type: 'IfMatch', condition } });
    await item.replace({ ...resource, n: 2 }, ifMatch(etag));
    await expect(item.replace({ ...resource, n: 3 }, ifMatch(etag))).rejects.toMatchObject({ code: 412 });
    await expect(item.delete(ifMatch(etag))).rejects.toMatchObject({ code: 412 });
    await expect(item.patch([{ op: 'add', path: '/m', value: 1 }], ifMatch(etag))).rejects.toMatchObject({ code: 412 });
    await expect(container.items.upsert({ id: '1', owner: 'ada' }, ifMatch(etag))).rejects.toMatchObject({ code: 412 });

    const current = (await item.read()).etag;
    const unchanged = await item.read({ accessCondition: { type: 'IfNoneMatch', condition: current } });
    expect(unchanged).toMatchObject({ statusCode: 304, resource: null });
    expect((await item.read({ accessCondition: { type: 'IfNoneMatch', condition: etag } })).resource).toMatchObject({ n: 2 });
    await item.delete(ifMatch('*'));
  });

  test('a patch may have a condition', async () => {
    const { container } = await todos();
    await container.items.create({ id: '1', owner: 'ada', n: 5 });
    const item = container.item('1', 'ada');
    const operations = [{ op: 'incr' as const, path: '/n', value: 1 }];
    expect((await item.patch({ condition: 'from c where c.n > 4', operations })).resource).toMatchObject({ n: 6 });
    await expect(item.patch({ condition: 'from c where c.n > 100', operations })).rejects.toMatchObject({ code: 412 });
    await expect(item.patch([])).rejects.toMatchObject({ code: 400 });
    await expect(item.patch([{ op: 'replace', path: '/owner', value: 'bob' }])).rejects.toMatchObject({ code: 400 });
  });

  test('the partition key of the request and of the document must agree', async () => {
    const { send, container } = await todos();
    const body = JSON.stringify({ id: '1', owner: 'bob' });
    const mismatch = await send('POST', DOCS, { body, headers: ADA });
    expect(mismatch.status).toBe(400);
    expect(mismatch.headers.get('x-ms-substatus')).toBe('1001');
    expect((await send('POST', DOCS, { body })).status).toBe(400);
    expect((await send('GET', `${DOCS}/1`)).status).toBe(400);
    expect((await send('POST', DOCS, { body, headers: { 'x-ms-documentdb-partitionkey': 'bob' } })).status).toBe(400);
    expect((await send('GET', `${DOCS}/1`, { headers: { 'x-ms-documentdb-partitionkey': '["a","b"]' } })).status).toBe(400);
    expect((await container.items.readAll().fetchAll()).resources).toEqual([]);
  });

  test('the id of the path and of the document must agree', async () => {
    const { send, container } = await todos();
    await container.items.create({ id: '1', owner: 'ada' });
    expect((await send('PUT', `${DOCS}/1`, { body: '{"id":"2","owner":"ada"}', headers: ADA })).status).toBe(400);
  });

  test('what cannot be a document is refused with 400', async () => {
    const { send } = await todos();
    const bodies = ['[]', '1', '"x"', 'null', '{}', '{"id":1,"owner":"ada"}', '{"id":"a/b","owner":"ada"}', '{"id":"1","owner":{}}'];
    for (const body of [...bodies, '{"id":"1","owner":"ada","ttl":0}', '{"id":"1","owner":"ada","x":"\\ud800"}']) {
      const response = await send('POST', DOCS, { body, headers: ADA });
      expect([response.status, body]).toEqual([400, body]);
      expect(await response.json()).toMatchObject({ code: 'BadRequest' });
    }
    const deep = `{"id":"1","owner":"ada","x":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    expect((await send('POST', DOCS, { body: deep, headers: ADA })).status).toBe(400);
  });

  test('a document of more than 2 MB is refused with 413', async () => {
    const { container } = await todos();
    await expect(container.items.create({ id: '1', owner: 'ada', text: 'x'.repeat(2 * 1024 * 1024) })).rejects.toMatchObject({
      code: 413,
      message: expect.stringContaining('Message: {"Errors":["Request size is too large"]}\r\nActivityId: ') as string,
    });
  });

  test('what was written is what is read, odd keys and numbers included', async () => {
    const { send } = await todos();
    const text = '{"b":1,"10":2,"__proto__":{"x":1},"constructor":null,"a":5e-324,"big":1e308,"nul":"\\u0000","id":"1","owner":"ada"}';
    await send('POST', DOCS, { body: text, headers: ADA });
    const read = await (await send('GET', `${DOCS}/1`, { headers: ADA })).text();
    const expected = JSON.stringify(JSON.parse(text)).slice(0, -1);
    expect(read.startsWith(expected)).toBe(true);
  });

  test('unique keys hold within a partition key', async () => {
    const { client } = await todos();
    const { container } = await client()
      .database('app')
      .containers.create({ id: 'users', partitionKey: '/org', uniqueKeyPolicy: { uniqueKeys: [{ paths: ['/email'] }] } });
    await container.items.create({ id: '1', org: 'a', email: 'x' });
    await container.items.create({ id: '1', org: 'b', email: 'x' });
    await expect(container.items.create({ id: '2', org: 'a', email: 'x' })).rejects.toMatchObject({ code: 409 });
  });

  test('all of a partition key are deleted at once', async () => {
    const { container } = await todos();
    for (let index = 0; index < 25; index += 1) {
      await container.items.create({ id: String(index), owner: index % 5 === 0 ? 'bob' : 'ada' });
    }
    expect((await container.deleteAllItemsForPartitionKey('ada')).statusCode).toBe(200);
    expect((await container.items.readAll({ partitionKey: 'ada' }).fetchAll()).resources).toEqual([]);
    expect((await container.items.readAll().fetchAll()).resources).toHaveLength(5);
  });

  test('a write may ask for an answer without the document', async () => {
    const { send } = await todos();
    const response = await send('POST', DOCS, { body: '{"id":"1","owner":"ada"}', headers: { ...ADA, prefer: 'return=minimal' } });
    expect([response.status, await response.text()]).toEqual([201, '']);
    expect(response.headers.get('etag')).toMatch(/^".+"$/u);
  });
});

describe('sessions', () => {
  test('the client sends back the token that it was given', async () => {
    const { container } = await todos();
    const { headers } = await container.items.create({ id: '1', owner: 'ada' });
    expect(headers['x-ms-session-token']).toBe('0:-1#1');
    const seen: string[] = [];
    const { client } = { client: container.database.client };
    const clientContext = (client as unknown as { clientContext: { sessionContainer: { get(request: object): string } } }).clientContext;
    seen.push(clientContext.sessionContainer.get({ resourceAddress: '/dbs/app/colls/todos/docs/1/' }));
    expect(seen).toEqual(['0:-1#1']);
    expect((await container.item('1', 'ada').read()).statusCode).toBe(200);
  });

  test('a token that the store has not reached is answered with 404 and sub-status 1002', async () => {
    const { send, container } = await todos();
    await container.items.create({ id: '1', owner: 'ada' });
    const ahead = await send('GET', `${DOCS}/1`, { headers: { ...ADA, 'x-ms-session-token': '0:-1#99' } });
    expect([ahead.status, ahead.headers.get('x-ms-substatus')]).toEqual([404, '1002']);
    const reached = await send('GET', `${DOCS}/1`, { headers: { ...ADA, 'x-ms-session-token': '0:-1#1,1:-1#70' } });
    expect(reached.status).toBe(200);
    const malformed = await send('GET', `${DOCS}/1`, { headers: { ...ADA, 'x-ms-session-token': 'what' } });
    expect(malformed.status).toBe(400);
  });
});

describe('activity ids', () => {
  test('are UUIDs and never the same', async () => {
    const { send } = await todos();
    const ids = new Set<string>();
    for (let index = 0; index < 20; index += 1) {
      ids.add((await send('GET', index % 2 === 0 ? '/dbs' : '/dbs/none')).headers.get('x-ms-activity-id') ?? '');
    }
    expect(ids.size).toBe(20);
    for (const id of ids) {
      expect(id).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-8[\da-f]{3}-[\da-f]{12}$/u);
    }
  });
});
