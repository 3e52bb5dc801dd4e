import {
  TriggerType,
  type Container,
  type CosmosClient,
  type RequestOptions,
  type ResourceResponse,
  type TriggerOperation,
} from '@azure/cosmos';
import { beforeEach, describe, expect, test } from 'vitest';
import { openMemoryBackend } from '../../../src/stores/memory/index.ts';
import { openSqliteBackend } from '../../../src/stores/sqlite/sqlite-backend.ts';
import { serve, type Served } from '../served.ts';

let served: Served;
let client: CosmosClient;
let container: Container;

async function start(options: Parameters<typeof serve>[0] = {}): Promise<void> {
  served = await serve(options);
  client = served.client();
  const { database } = await client.databases.create({ id: 'db' });
  ({ container } = await database.containers.create({ id: 'items', partitionKey: '/pk' }));
}

let procedures = 0;

/** Stores a procedure and runs it. */
async function execute(
  body: string,
  partitionKey: string | number | null,
  parameters?: unknown,
  options: RequestOptions = {},
): Promise<ResourceResponse<unknown>> {
  procedures += 1;
  const id = `procedure${procedures}`;
  await container.scripts.storedProcedures.create({ id, body });
  return container.scripts.storedProcedure(id).execute<unknown>(partitionKey, parameters as unknown[], options);
}

describe('stored procedures through the SDK', () => {
  beforeEach(() => start());

  test('run with arguments on their partition key, and answer with what they say, its charge and its session', async () => {
    const body = `function (id, n) {
      __.createDocument(__.getSelfLink(), { id: id, pk: 'p', n: n }, function (error, document) { if (error) throw error; __.response.setBody({ made: document.id }); });
    }`;
    const response = await execute(body, 'p', ['a', 5]);
    expect(response).toMatchObject({ resource: { made: 'a' }, statusCode: 200 });
    expect(Number(response.headers['x-ms-request-charge'])).toBeGreaterThan(6);
    expect(response.headers).toMatchObject({
      'x-ms-session-token': expect.stringMatching(/#\d+$/u),
      'x-ms-content-path': expect.any(String),
    });
    expect((await container.item('a', 'p').read()).resource).toMatchObject({ n: 5 });
    await expect(execute(body, 'q', ['b', 1])).rejects.toMatchObject({ code: 400 });
  });

  test.each<[string, unknown, unknown]>([
    ['no arguments', undefined, []],
    ['null', null, []],
    ['one that is no list', { a: 1 }, [{ a: 1 }]],
    ['a list', [[1], null], [[1], null]],
  ])('take %s', async (_name, given, expected) => {
    const { resource } = await execute('function () { __.response.setBody(Array.prototype.slice.call(arguments)); }', 'p', given);
    expect(resource).toEqual(expected);
  });

  test('log where it is asked for, in a header', async () => {
    const body = "function () { console.log('Grüße, %s: 100%', 'x'); }";
    const { headers } = await execute(body, 'p', [], { enableScriptLogging: true });
    expect(decodeURIComponent(headers['x-ms-documentdb-script-log-results'] as string)).toBe('Grüße, x: 100%');
    expect((await execute(body, 'p')).headers['x-ms-documentdb-script-log-results']).toBeUndefined();
  });

  test('fail in the service’s form, with their own sub-status', async () => {
    await expect(execute('function boom() { throw new Error(1234, "bo\\"om"); }', 'p')).rejects.toMatchObject({
      code: 400,
      substatus: 1234,
      body: {
        code: 'BadRequest',
        message: expect.stringMatching(
          /^Message: \{"Errors":\["Encountered exception while executing Javascript\. Exception = Error: bo\\"om\\r\\nStack trace: .*at boom \(procedure\d+\.js:1:\d+\).*"\]\}\r\nActivityId: [\da-f-]+/u,
        ),
      },
    });
    await expect(execute('function () { this is none }', 'p')).rejects.toMatchObject({ code: 400, substatus: 65_535 });
    await expect(container.scripts.storedProcedure('none').execute('p')).rejects.toMatchObject({ code: 404 });
  });

  test('need a partition key', async () => {
    await container.scripts.storedProcedures.create({ id: 'procedure', body: 'function () {}' });
    const path = '/dbs/db/colls/items/sprocs/procedure';
    expect((await served.send('POST', path, { body: '[]' })).status).toBe(400);
    const sent = await served.send('POST', path, { body: '', headers: { 'x-ms-documentdb-partitionkey': '["p"]' } });
    expect([sent.status, await sent.text()]).toEqual([200, '""']);
    const broken = await served.send('POST', path, { body: '[', headers: { 'x-ms-documentdb-partitionkey': '["p"]' } });
    expect(broken.status).toBe(400);
  });

  test('see headers of the protocol, and none with a credential', async () => {
    const body = `function () {
      var seen = ['authorization', 'x-ms-documentdb-partitionkey', 'cookie'].map(function (name) { try { return typeof __.request.getValue(name); } catch (e) { return e.number; } });
      __.response.setBody(seen);
    }`;
    expect((await execute(body, 'p')).resource).toEqual([400, 'string', 400]);
  });

  test('may set no body at all', async () => {
    expect((await execute('function () { __.response.setBody(undefined); }', 'p')).statusCode).toBe(200);
  });

  test('see each other’s containers by name and by id only where they are', async () => {
    const body = 'function () { __.response.setBody([__.getAltLink(), __.getSelfLink()]); }';
    const { resource: definition } = await container.read();
    expect((await execute(body, 'p')).resource).toEqual(['dbs/db/colls/items', definition?._self]);
  });
});

describe('limits', () => {
  test('a procedure that spins is stopped with 408 while others are answered', async () => {
    await start({ scripts: { timeoutMs: 400 } });
    const spinning = execute('function () { __.createDocument(__.getSelfLink(), { id: "x", pk: "p" }); for (;;) {} }', 'p').catch(
      (error: unknown) => error,
    );
    const { database } = await client.databases.create({ id: 'other' });
    const { container: other } = await database.containers.create({ id: 'c', partitionKey: '/id' });
    await other.items.create({ id: 'a' });
    expect(await spinning).toMatchObject({ code: 408 });
    expect((await container.item('x', 'p').read()).statusCode).toBe(404);
  });

  test('options of scripts are checked at the start', async () => {
    for (const scripts of [{ timeoutMs: 0 }, { maxThreads: 1.5 }, { memoryLimitBytes: 1 }, { functionTimeoutMs: -1 }]) {
      await expect(serve({ scripts })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    }
  });
});

describe('triggers through the SDK', () => {
  beforeEach(() => start());

  const define = (id: string, body: string, time: 'Pre' | 'Post', operation = 'All'): Promise<unknown> =>
    container.scripts.triggers.create({ id, body, triggerType: TriggerType[time], triggerOperation: operation as TriggerOperation });

  const STAMP = 'function () { var d = __.request.getBody(); d.by = (d.by || "") + __.request.getOperationType(); __.request.setBody(d); }';
  const COUNT = `function () {
    var alt = __.getAltLink();
    __.readDocument(alt + '/docs/count', function (error, count) {
      __.upsertDocument(__.getSelfLink(), { id: 'count', pk: 'p', n: (error ? 0 : count.n) + 1 }, function (e) { if (e) throw e; });
    });
  }`;

  test('run with each kind of write, in one transaction with it', async () => {
    await define('stamp', STAMP, 'Pre');
    await define('count', COUNT, 'Post');
    const both = { preTriggerInclude: ['stamp'], postTriggerInclude: ['count'] };
    const created = await container.items.create({ id: 'a', pk: 'p' }, both);
    expect(created).toMatchObject({ statusCode: 201, resource: { by: 'Create' } });
    expect(created.etag).toBe(created.resource?._etag);
    expect(created.requestCharge).toBeGreaterThan(14);
    expect(await container.items.upsert({ id: 'a', pk: 'p' }, both)).toMatchObject({ statusCode: 200, resource: { by: 'Upsert' } });
    expect(await container.items.upsert({ id: 'b', pk: 'p' }, both)).toMatchObject({ statusCode: 201, resource: { by: 'Upsert' } });
    expect(await container.item('a', 'p').replace({ id: 'a', pk: 'p' }, both)).toMatchObject({
      statusCode: 200,
      resource: { by: 'Replace' },
    });
    expect(await container.item('a', 'p').delete({ postTriggerInclude: 'count' })).toMatchObject({ statusCode: 204 });
    expect((await container.item('count', 'p').read()).resource).toMatchObject({ n: 5 });
    const patched = await container.item('b', 'p').patch([{ op: 'set', path: '/n', value: 1 }], { postTriggerInclude: 'count' });
    expect(patched).toMatchObject({ statusCode: 200, resource: { n: 1 } });
    expect((await container.item('count', 'p').read()).resource).toMatchObject({ n: 6 });
  });

  test('several run in the order in which they are named', async () => {
    for (const letter of ['x', 'y']) {
      await define(letter, `function () { __.request.getBody().id += '${letter}'; }`, 'Pre');
    }
    expect((await container.items.create({ id: 'a', pk: 'p' }, { preTriggerInclude: ['x', 'y'] })).resource?.id).toBe('axy');
    expect((await container.items.create({ id: 'a', pk: 'p' }, { preTriggerInclude: ['y', 'x'] })).resource?.id).toBe('ayx');
  });

  test('a condition on the etag holds with triggers too', async () => {
    await define('stamp', STAMP, 'Pre');
    const { etag } = await container.items.create({ id: 'a', pk: 'p' });
    const replace = (condition: string): Promise<unknown> =>
      container
        .item('a', 'p')
        .replace({ id: 'a', pk: 'p' }, { preTriggerInclude: 'stamp', accessCondition: { type: 'IfMatch', condition } });
    await expect(replace('"stale"')).rejects.toMatchObject({ code: 412 });
    await expect(replace(etag)).resolves.toMatchObject({ statusCode: 200 });
    await expect(container.item('none', 'p').replace({ id: 'none', pk: 'p' }, { preTriggerInclude: 'stamp' })).rejects.toMatchObject({
      code: 404,
    });
  });

  test('are refused where they do not fit, and then nothing is written', async () => {
    await define('onDelete', 'function () {}', 'Post', 'Delete');
    await define('onUpdate', 'function () {}', 'Pre', 'Update');
    await define('throws', 'function () { throw new Error(4444, "Error 4444"); }', 'Post');
    await define('moves', 'function () { __.request.getBody().pk = "elsewhere"; }', 'Pre');
    const attempt = (options: object): Promise<unknown> =>
      container.items.create({ id: 'a', pk: 'p' }, options).catch((error: unknown) => error);
    expect(await attempt({ postTriggerInclude: 'onDelete' })).toMatchObject({
      code: 400,
      message: expect.stringContaining("is invalid for 'Create'"),
    });
    expect(await attempt({ preTriggerInclude: 'onDelete' })).toMatchObject({ code: 400 });
    expect(await attempt({ preTriggerInclude: 'none' })).toMatchObject({ code: 400 });
    expect(await attempt({ postTriggerInclude: 'throws' })).toMatchObject({ code: 400, substatus: 4444 });
    expect(await attempt({ preTriggerInclude: 'moves' })).toMatchObject({ code: 400, substatus: 1001 });
    await expect(container.items.upsert({ id: 'a', pk: 'p' }, { preTriggerInclude: 'onUpdate' })).rejects.toMatchObject({
      code: 400,
      message: expect.stringContaining(
        "Trigger 'onUpdate' was defined with operation type 'Update', and therefore is invalid for 'Upsert'.",
      ),
    });
    expect((await container.items.readAll().fetchAll()).resources).toEqual([]);
  });

  test('one may be for upserts alone', async () => {
    await define('onUpsert', STAMP, 'Pre', 'Upsert');
    expect((await container.items.upsert({ id: 'a', pk: 'p' }, { preTriggerInclude: 'onUpsert' })).resource).toMatchObject({
      by: 'Upsert',
    });
    await expect(container.items.create({ id: 'b', pk: 'p' }, { preTriggerInclude: 'onUpsert' })).rejects.toMatchObject({ code: 400 });
  });

  test('what a post-trigger makes of the response is for the client alone', async () => {
    await define('shout', 'function () { var d = __.response.getBody(); d.id += "!"; __.response.setBody(d); }', 'Post');
    expect((await container.items.create({ id: 'a', pk: 'p' }, { postTriggerInclude: 'shout' })).resource?.id).toBe('a!');
    expect((await container.items.readAll().fetchAll()).resources).toMatchObject([{ id: 'a' }]);
  });
});

describe.each([
  ['memory', () => Promise.resolve(openMemoryBackend())],
  ['sqlite', () => openSqliteBackend({ path: ':memory:' })],
])('user-defined functions through the SDK on %s', (_name, open) => {
  beforeEach(async () => start({ backend: await open() }));

  test('are those of the container, as they are now', async () => {
    for (const n of [1, 2, 3]) {
      await container.items.create({ id: `d${n}`, pk: n % 2 === 0 ? 'p' : 'q', n });
    }
    const { userDefinedFunctions, userDefinedFunction } = {
      userDefinedFunctions: container.scripts.userDefinedFunctions,
      userDefinedFunction: container.scripts.userDefinedFunction.bind(container.scripts),
    };
    await userDefinedFunctions.create({ id: 'taxed', body: 'function taxed(n) { return n * 2; }' });
    const query = 'SELECT VALUE udf.taxed(c.n) FROM c WHERE udf.taxed(c.n) > 2 ORDER BY c.n';
    expect((await container.items.query(query).fetchAll()).resources).toEqual([4, 6]);
    expect((await container.items.query(query, { partitionKey: 'q', maxItemCount: 1 }).fetchAll()).resources).toEqual([6]);
    await userDefinedFunction('taxed').replace({ id: 'taxed', body: '(n) => n * 10' });
    expect((await container.items.query(query).fetchAll()).resources).toEqual([10, 20, 30]);
    await userDefinedFunction('taxed').delete();
    await expect(container.items.query(query).fetchAll()).rejects.toMatchObject({ code: 400 });

    const { container: other } = await container.database.containers.create({ id: 'other', partitionKey: '/pk' });
    await other.items.create({ id: 'a', pk: 'p', n: 7 });
    await other.scripts.userDefinedFunctions.create({ id: 'taxed', body: '(n) => -n' });
    expect((await other.items.query('SELECT VALUE udf.taxed(c.n) FROM c').fetchAll()).resources).toEqual([-7]);
  });

  test('fail in their own words', async () => {
    await container.items.create({ id: 'a', pk: 'p' });
    await container.scripts.userDefinedFunctions.create({ id: 'bad', body: 'function () { throw new Error(32766, "Error"); }' });
    await container.scripts.userDefinedFunctions.create({ id: 'sample udf', body: '() => { const x = 10; }' });
    await expect(container.items.query('SELECT VALUE udf.bad() FROM c').fetchAll()).rejects.toMatchObject({
      code: 400,
      substatus: 32_766,
      message: expect.stringContaining('Encountered exception while executing Javascript. Exception = Error: Error'),
    });
  });

  test('procedures query with them', async () => {
    await container.items.create({ id: 'a', pk: 'p', n: 4 });
    await container.scripts.userDefinedFunctions.create({ id: 'half', body: '(n) => n / 2' });
    const body =
      'function () { __.queryDocuments(__.getSelfLink(), "SELECT VALUE udf.half(c.n) FROM c", function (e, feed) { if (e) throw e; __.response.setBody(feed); }); }';
    expect((await execute(body, 'p')).resource).toEqual([2]);
  });
});

test('procedures and queries with functions do not wait for each other for ever, on one thread and one connection', async () => {
  await start({ backend: await openSqliteBackend({ path: ':memory:' }), scripts: { maxThreads: 1 } });
  await container.items.create({ id: 'a', pk: 'p', n: 4 });
  await container.scripts.userDefinedFunctions.create({ id: 'half', body: '(n) => n / 2' });
  const query = 'SELECT VALUE udf.half(c.n) FROM c WHERE c.id = "a"';
  const body = `function (query) {
    __.createDocument(__.getSelfLink(), { pk: 'p' });
    __.queryDocuments(__.getSelfLink(), query, function (e, feed) { if (e) throw e; __.response.setBody(feed); });
  }`;
  await container.scripts.storedProcedures.create({ id: 'both', body });
  const answers = await Promise.all(
    Array.from({ length: 12 }, async (_, index) =>
      index % 2 === 0
        ? (await container.scripts.storedProcedure('both').execute<unknown>('p', [query])).resource
        : (await container.items.query(query).fetchAll()).resources,
    ),
  );
  expect(answers).toEqual(Array.from({ length: 12 }, () => [2]));
});

test('a server without scripts starts no thread and loads no engine', async () => {
  let threads = 0;
  await start({
    scripts: {
      createThread: () => {
        threads += 1;
        throw new Error('no thread is wanted');
      },
    },
  });
  await container.items.create({ id: 'a', pk: 'p' });
  expect((await container.items.query('SELECT * FROM c').fetchAll()).resources).toHaveLength(1);
  await container.scripts.storedProcedures.create({ id: 's', body: 'function () {}' });
  expect(threads).toBe(0);
});
