import { PartitionKeyKind, type OperationInput } from '@azure/cosmos';
import { expect } from 'vitest';
import { codeOf, sdkSuite } from './support/sdk-suite.ts';

const ifMatch = (condition: string) => ({ accessCondition: { type: 'IfMatch', condition } });
const ifNoneMatch = (condition: string) => ({ accessCondition: { type: 'IfNoneMatch', condition } });

sdkSuite((feature) => {
  feature('documents.lifecycle', 'a document is created, read, replaced, upserted and deleted', async ({ account }) => {
    const container = await account.container();
    const created = await container.items.create({ id: '1', pk: 'a', text: 'one' });
    expect(created.statusCode).toBe(201);
    expect(Object.keys(created.resource as object)).toEqual(['id', 'pk', 'text', '_rid', '_self', '_etag', '_attachments', '_ts']);
    const item = container.item('1', 'a');
    expect((await item.read()).resource).toEqual(created.resource);
    const replaced = await item.replace({ id: '1', pk: 'a', text: 'two' });
    expect(replaced).toMatchObject({ statusCode: 200, resource: { text: 'two', _rid: created.resource?._rid } });
    expect(replaced.resource?._etag).not.toBe(created.resource?._etag);
    expect((await container.items.upsert({ id: '1', pk: 'a', text: 'three' })).statusCode).toBe(200);
    expect((await container.items.upsert({ id: '2', pk: 'a' })).statusCode).toBe(201);
    expect(await codeOf(container.items.create({ id: '1', pk: 'a' }))).toBe(409);
    expect((await container.items.create({ id: '1', pk: 'b' })).statusCode).toBe(201);
    expect((await item.delete()).statusCode).toBe(204);
    expect(await item.read()).toMatchObject({ statusCode: 404, resource: undefined });
    expect(await codeOf(item.delete())).toBe(404);
    expect(await codeOf(item.replace({ id: '1', pk: 'a' }))).toBe(404);
    expect(await codeOf(container.item('2', 'a').replace({ id: '3', pk: 'a' }))).toBe(400);
  });

  feature('documents.patch', 'a patch changes parts, all or none of them, and only where its condition holds', async ({ account }) => {
    const container = await account.container();
    await container.items.create({ id: '1', pk: 'a', n: 1, list: [1, 2], deep: { x: 1, y: 2 }, 'a/b': 0 });
    const item = container.item('1', 'a');
    const patched = await item.patch([
      { op: 'add', path: '/list/-', value: 3 },
      { op: 'add', path: '/list/0', value: 0 },
      { op: 'set', path: '/deep/z', value: { w: null } },
      { op: 'replace', path: '/deep/x', value: 'new' },
      { op: 'remove', path: '/deep/y' },
      { op: 'incr', path: '/n', value: -2.5 },
      { op: 'incr', path: '/fresh', value: 4 },
      { op: 'set', path: '/a~1b', value: 1 },
      { op: 'move', from: '/list', path: '/moved' } as never,
    ]);
    expect(patched).toMatchObject({
      statusCode: 200,
      resource: { n: -1.5, fresh: 4, moved: [0, 1, 2, 3], deep: { x: 'new', z: { w: null } }, 'a/b': 1 },
    });
    expect(patched.resource).not.toHaveProperty('list');
    expect(patched.resource.deep).not.toHaveProperty('y');

    const conditional = (condition: string) => item.patch({ condition, operations: [{ op: 'set', path: '/n', value: 9 }] });
    expect(await codeOf(conditional('from c where c.n > 0'))).toBe(412);
    expect((await conditional("from c where c.n < 0 and c.deep.x = 'new'")).resource).toMatchObject({ n: 9 });
    const bad = [
      [{ op: 'replace', path: '/none', value: 1 }],
      [{ op: 'remove', path: '/none' }],
      [{ op: 'incr', path: '/deep', value: 1 }],
      [{ op: 'set', path: '/pk', value: 'b' }],
      [{ op: 'set', path: '/id', value: 'b' }],
      [{ op: 'unknown', path: '/n', value: 1 }],
      [],
      Array.from({ length: 11 }, (_, index) => ({ op: 'set', path: `/p${index}`, value: 1 })),
      [
        { op: 'set', path: '/n', value: 100 },
        { op: 'remove', path: '/none' },
      ],
    ];
    for (const operations of bad) {
      expect([operations, await codeOf(item.patch(operations as never))]).toEqual([operations, 400]);
    }
    expect((await item.read()).resource).toMatchObject({ n: 9 });
    expect(await codeOf(container.item('none', 'a').patch([{ op: 'set', path: '/n', value: 1 }]))).toBe(404);
  });

  feature('documents.etags', 'of two writers with one etag the first wins', async ({ account }) => {
    const container = await account.container();
    const { etag } = await container.items.create({ id: '1', pk: 'a' });
    const item = container.item('1', 'a');
    const unchanged = await item.read(ifNoneMatch(etag));
    expect([unchanged.statusCode, unchanged.resource]).toEqual([304, null]);
    const second = await item.replace({ id: '1', pk: 'a', n: 2 }, ifMatch(etag));
    expect(second.statusCode).toBe(200);
    expect((await item.read(ifNoneMatch(etag))).resource).toMatchObject({ n: 2 });
    expect(await codeOf(item.replace({ id: '1', pk: 'a', n: 3 }, ifMatch(etag)))).toBe(412);
    expect(await codeOf(container.items.upsert({ id: '1', pk: 'a', n: 3 }, ifMatch(etag)))).toBe(412);
    expect(await codeOf(item.patch([{ op: 'set', path: '/n', value: 3 }], ifMatch(etag)))).toBe(412);
    expect(await codeOf(item.delete(ifMatch(etag)))).toBe(412);
    expect((await item.read()).resource).toMatchObject({ n: 2, _etag: second.etag });
    const contest = await Promise.allSettled(
      Array.from({ length: 8 }, (_, n) => item.replace({ id: '1', pk: 'a', n }, ifMatch(second.etag))),
    );
    expect(contest.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect((await item.delete(ifMatch('*'))).statusCode).toBe(204);
    expect(await codeOf(item.delete(ifMatch('*')))).toBe(404);
  });

  feature(['documents.ids', 'gateways.compute'], 'every id that the service takes is served', async ({ account }) => {
    const container = await account.container();
    const ids = [
      'a b',
      ' a',
      'a ',
      'a?b&c=d',
      '100%',
      'a%20b',
      'With鱀',
      '😀',
      'tab\tline\nreturn\r',
      `"quoted" 'single'`,
      'a+b',
      '~.:;,@$^(){}[]|<>`=!*',
    ];
    for (const id of [...ids, 'x'.repeat(1023), '鱀'.repeat(341), '__proto__', 'A', 'a']) {
      expect((await container.items.create({ id, pk: id })).resource?.id).toBe(id);
      const item = container.item(id, id);
      expect((await item.read()).resource).toMatchObject({ id, pk: id });
      expect((await item.replace({ id, pk: id, n: 1 })).statusCode).toBe(200);
      expect((await item.patch([{ op: 'incr', path: '/n', value: 1 }])).resource).toMatchObject({ n: 2 });
      expect((await item.delete()).statusCode).toBe(204);
    }
    const headers = { 'x-ms-documentdb-partitionkey': '["a"]' };
    for (const id of ['a/b', 'a\\b', 'a#b', '', 'x'.repeat(1024), 1, null]) {
      const answer = await account.send('POST', `/${container.url}/docs`, { headers, body: { id, pk: 'a' } });
      expect([id, answer.status]).toEqual([id, 400]);
    }
    const made = await container.items.create({ pk: 'a' });
    expect(made.resource?.id).toMatch(/^[0-9a-f-]{36}$/u);
    expect(await codeOf(container.items.create({ pk: 'a' }, { disableAutomaticIdGeneration: true }))).toBe(400);
  });

  feature('gateways.routing', 'the routing gateway decodes ids once more than was signed, as the service does', async ({ own }) => {
    const account = await own({ computeGatewayPort: 0 });
    const container = await account.container();
    const compute = account.as(account.connect({ endpoint: account.server.computeGatewayUrl as string }), container);
    const statuses = async (id: string): Promise<unknown[]> =>
      Promise.all(
        [container, compute].map((one) =>
          one
            .item(id, 'a')
            .read()
            .then(
              ({ statusCode }) => statusCode,
              ({ code, name }: { code?: unknown; name: string }) => code ?? name,
            ),
        ),
      );
    const expected: readonly (readonly [string, unknown])[] = [
      ['plain', 200],
      ['With鱀 ?=&', 200],
      ['100%', 200],
      ['a%20b', 401],
      ['ends with a space ', 401],
      ['tab\there', 'SyntaxError'],
    ];
    for (const [id, status] of expected) {
      expect((await container.items.create({ id, pk: 'a' })).statusCode).toBe(201);
      expect([id, ...(await statuses(id))]).toEqual([id, status, 200]);
    }
  });

  feature('documents.partition-keys', 'keys that differ in kind are different, and null is not missing', async ({ account }) => {
    const container = await account.container({ partitionKey: { paths: ['/deep/pk'], version: 2 } });
    const keys = ['1', 1, 1.5, true, false, null, 'Zoë 😀 \u2028 "', ''];
    for (const [index, pk] of keys.entries()) {
      await container.items.create({ id: 'x', deep: { pk }, index });
    }
    await container.items.create({ id: 'x', deep: {}, index: 'missing' });
    for (const [index, pk] of keys.entries()) {
      expect((await container.item('x', pk).read()).resource).toMatchObject({ deep: { pk }, index });
      const query = container.items.query<number>('SELECT VALUE c.index FROM c', { partitionKey: pk });
      expect((await query.fetchAll()).resources).toEqual([index]);
    }
    expect((await container.item('x', undefined).read()).resource).toMatchObject({ index: 'missing' });
    expect((await container.item('x', 'other').read()).statusCode).toBe(404);
    const path = `/${container.url}/docs`;
    const headers = { 'x-ms-documentdb-partitionkey': '["a"]' };
    const foreign = await account.send('POST', path, { headers, body: { id: 'y', deep: { pk: 'b' } } });
    expect([foreign.status, foreign.headers.get('x-ms-substatus')]).toEqual([400, '1001']);
    for (const key of ['"a"', '["a"', '[{"a":1}]', '[["a"]]', '["a","b"]']) {
      const answer = await account.send('GET', `${path}/x`, { headers: { 'x-ms-documentdb-partitionkey': key } });
      expect([key, answer.status]).toEqual([key, 400]);
    }
    expect((await account.send('GET', `${path}/x`)).status).toBe(400);
  });

  feature('documents.hierarchical-keys', 'a key of three levels is whole for documents, a prefix for queries', async ({ account }) => {
    const container = await account.container({
      partitionKey: { paths: ['/a', '/b', '/c'], kind: PartitionKeyKind.MultiHash, version: 2 },
    });
    for (const [index, [a, b, c]] of (
      [
        ['x', 1, true],
        ['x', 1, null],
        ['x', 2, true],
        ['y', 1, true],
      ] as const
    ).entries()) {
      await container.items.create({ id: 'i', a, b, c, index });
    }
    await container.items.create({ id: 'i', a: 'x', index: 'short' });
    expect((await container.item('i', ['x', 1, true]).read()).resource).toMatchObject({ index: 0 });
    expect((await container.item('i', ['x', 1, null]).read()).resource).toMatchObject({ index: 1 });
    expect((await container.items.upsert({ id: 'i', a: 'x', b: 2, c: true, index: 9 })).statusCode).toBe(200);
    expect(await codeOf(container.item('i', ['x', 1]).read())).toBe(400);
    const within = async (partitionKey: (string | number | boolean | null)[]): Promise<unknown[]> =>
      (await container.items.query('SELECT VALUE c.index FROM c', { partitionKey }).fetchAll()).resources;
    expect(await within(['x', 1, true])).toEqual([0]);
    expect(new Set(await within(['x', 1]))).toEqual(new Set([0, 1]));
    expect((await within(['x'])).map(String).toSorted()).toEqual(['0', '1', '9', 'short']);
    expect(await within(['z'])).toEqual([]);
  });

  feature('documents.json', 'what is written is what is read', async ({ account }) => {
    const container = await account.container();
    let deep: unknown = 'bottom';
    for (let level = 0; level < 60; level += 1) {
      deep = level % 2 === 0 ? [deep] : { deep };
    }
    const document = {
      id: '1',
      pk: 'a',
      zulu: 1,
      alpha: [0.1, -0.5, 1e21, 5e-324, 1.7976931348623157e308, 9007199254740992, 123456789.123456],
      text: '\u0000 \u2028 \ud83d\ude00 "\\/ ɐ',
      empty: { object: {}, array: [], text: '', none: null, no: false },
      'odd name.[]"\'': 1,
      10: 'integer-like',
      deep,
    };
    await container.items.create(document);
    const { resource } = await container.item('1', 'a').read();
    const { _rid, _self, _etag, _attachments, _ts, ...own } = resource as Record<string, unknown>;
    expect(JSON.stringify(own)).toBe(JSON.stringify(document));
    expect([_rid, _self, _etag, _attachments].every((value) => typeof value === 'string')).toBe(true);
    expect(Math.abs((_ts as number) - Date.now() / 1000)).toBeLessThan(600);
    const hostile = '{"id":"2","pk":"a","__proto__":{"x":1},"constructor":2}';
    const answer = await account.send('POST', `/${container.url}/docs`, {
      headers: { 'x-ms-documentdb-partitionkey': '["a"]' },
      body: hostile,
    });
    expect(JSON.stringify(answer.body)).toContain('"__proto__":{"x":1},"constructor":2');
  });

  feature('documents.headers', 'every answer says what it cost, what it left and what it was', async ({ account }) => {
    const container = await account.container();
    const docs = `/${container.url}/docs`;
    const headers = { 'x-ms-documentdb-partitionkey': '["a"]' };
    const created = await account.send('POST', docs, { headers, body: { id: '1', pk: 'a' } });
    const read = await account.send('GET', `${docs}/1`, { headers });
    const rid = (await container.read()).resource?._rid as string;
    for (const { headers: received, body } of [created, read]) {
      expect(Number(received.get('x-ms-request-charge'))).toBeGreaterThanOrEqual(1);
      expect(received.get('etag')).toBe((body as { _etag: string })._etag);
      expect(received.get('x-ms-session-token')).toBe('0:-1#1');
      expect(received.get('lsn')).toBe('1');
      expect(received.get('x-ms-content-path')).toBe(rid);
      expect(received.get('x-ms-alt-content-path')).toBe(container.url);
      expect(received.get('x-ms-documentdb-partitionkeyrangeid')).toBe('0');
      expect(received.get('x-ms-schemaversion')).toMatch(/^\d+\.\d+$/u);
      expect(received.get('content-type')).toBe('application/json');
      expect(received.get('date')).toBeTruthy();
    }
    expect(created.headers.get('x-ms-item-lsn')).toBe('1');
    expect(created.headers.get('x-ms-activity-id')).not.toBe(read.headers.get('x-ms-activity-id'));
    const unchanged = await account.send('GET', `${docs}/1`, {
      headers: { ...headers, 'if-none-match': read.headers.get('etag') as string },
    });
    expect([unchanged.status, unchanged.body, unchanged.headers.get('etag')]).toEqual([304, undefined, read.headers.get('etag')]);
    expect([read.headers.get('x-ms-item-lsn'), read.headers.get('lsn')]).toEqual(['1', '1']);
    const list = await account.send('GET', docs, { headers });
    expect(list.headers.get('x-ms-item-count')).toBe('1');
    const deleted = await account.send('DELETE', `${docs}/1`, { headers });
    expect([deleted.status, deleted.body, deleted.headers.get('lsn')]).toEqual([204, undefined, '2']);
    expect(Number(deleted.headers.get('x-ms-request-charge'))).toBeGreaterThan(1);
    const missing = await account.send('GET', `${docs}/1`, { headers });
    expect([missing.status, missing.body]).toMatchObject([404, { code: 'NotFound' }]);
    await container.items.create({ id: '2', pk: 'a' });
    const quota = await container.read({ populateQuotaInfo: true });
    expect(quota.headers['x-ms-resource-quota']).toMatch(/^documentSize=\d+;documentsSize=\d+;documentsCount=-1;collectionSize=\d+;$/u);
    expect(quota.headers['x-ms-resource-usage']).toBe('documentsCount=1;');
  });

  feature('documents.minimal-answers', 'writes may be answered without the document', async ({ account }) => {
    const container = await account.container();
    const docs = `/${container.url}/docs`;
    const headers = { 'x-ms-documentdb-partitionkey': '["a"]', prefer: 'return=minimal' };
    const created = await account.send('POST', docs, { headers, body: { id: '1', pk: 'a' } });
    expect([created.status, created.body]).toEqual([201, undefined]);
    const replaced = await account.send('PUT', `${docs}/1`, { headers, body: { id: '1', pk: 'a', n: 1 } });
    expect([replaced.status, replaced.body]).toEqual([200, undefined]);
    expect(replaced.headers.get('etag')).toMatch(/^".+"$/u);
    expect(replaced.headers.get('etag')).not.toBe(created.headers.get('etag'));
    const patched = await account.send('PATCH', `${docs}/1`, { headers, body: [{ op: 'incr', path: '/n', value: 1 }] });
    expect([patched.status, patched.body]).toEqual([200, undefined]);
    expect((await container.item('1', 'a').read()).resource).toMatchObject({ n: 2 });
    const upsert: OperationInput = { operationType: 'Upsert', resourceBody: { id: '1', pk: 'a' } };
    const batch = await container.items.batch([upsert], 'a', { contentResponseOnWriteEnabled: false });
    expect(batch.result?.[0]).not.toHaveProperty('resourceBody');
    expect(batch.result?.[0]?.eTag).toMatch(/^".+"$/u);
  });

  feature('documents.options', 'options that change nothing here are taken', async ({ account }) => {
    const container = await account.container();
    const options = {
      priorityLevel: 'Low' as never,
      throughputBucket: 2,
      consistencyLevel: 'Eventual',
      indexingDirective: 'Exclude',
      disableRUPerMinuteUsage: true,
      maxIntegratedCacheStalenessInMs: 1000,
      bypassIntegratedCache: true,
    };
    await container.items.create({ id: '1', pk: 'a' }, options);
    expect((await container.item('1', 'a').read(options)).statusCode).toBe(200);
    const strong = account.as(account.connect({ consistencyLevel: 'Eventual', userAgentSuffix: 'shop' }), container);
    expect((await strong.items.query('SELECT VALUE c.id FROM c', { priorityLevel: 'High' as never }).fetchAll()).resources).toEqual(['1']);
    expect(await codeOf(container.item('none', 'a').delete(options))).toBe(404);
  });
});
