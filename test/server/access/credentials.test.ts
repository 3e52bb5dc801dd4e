import { createHmac } from 'node:crypto';
import { type Container, type CosmosClient, type PermissionDefinition } from '@azure/cosmos';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { systemRuntime, type Runtime } from '../../../src/core/runtime.ts';
import { WELL_KNOWN_KEY } from '../../../src/server/index.ts';
import { serve, sign } from '../served.ts';
import { READ_ONLY_KEY } from './rights-scene.ts';
import { openShop, type Shop } from './shop.ts';

const forbidden = { code: 403 };
const unauthorized = { code: 401 };

describe('tokens of a container, through the SDK', () => {
  type ClientOptions = Parameters<Shop['with']>[0];
  const ways: Record<string, (token: string, permission: PermissionDefinition) => ClientOptions> = {
    'resourceTokens by link': (token) => ({ resourceTokens: { 'dbs/shop/colls/orders': token } }),
    'resourceTokens by id': (token) => ({ resourceTokens: { orders: token } }),
    permissionFeed: (token, permission) => ({ permissionFeed: [{ ...permission, _token: token } as never] }),
    tokenProvider: (token) => ({ tokenProvider: () => Promise.resolve(token) }),
  };

  test.each(Object.keys(ways))('given as %s, permit all of the container and nothing of the account', async (way) => {
    const shop = await openShop();
    const permission = { id: 'p', permissionMode: 'all' as never, resource: 'dbs/shop/colls/orders' };
    const mine = shop.with((ways[way] as (typeof ways)[string])(await shop.token({}), permission));
    expect((await mine.read()).resource?.id).toBe('orders');
    expect((await mine.items.create({ id: 'x', customer: 'cy' })).statusCode).toBe(201);
    expect((await mine.item('b1', 'bob').read()).resource).toMatchObject({ n: 100 });
    expect((await mine.items.query('SELECT VALUE c.id FROM c ORDER BY c.n DESC').fetchAll()).resources).toHaveLength(13);
    expect((await mine.items.readAll().fetchAll()).resources).toHaveLength(13);
    const [outcome] = await mine.items.executeBulkOperations([{ operationType: 'Read', id: 'a1', partitionKey: 'ada' }]);
    expect(outcome?.response?.statusCode).toBe(200);
    if (way !== 'resourceTokens by id' && way !== 'resourceTokens by link' && way !== 'permissionFeed') {
      await expect(mine.database.read()).rejects.toMatchObject(forbidden);
      await expect(mine.database.container('other').read()).rejects.toMatchObject(forbidden);
    }
  });

  test('permit scripts where the mode is All, and what they write', async () => {
    const shop = await openShop();
    const token = await shop.token({});
    const mine = shop.with({ tokenProvider: () => Promise.resolve(token) });
    const body = "function () { getContext().getResponse().setBody('done'); }";
    await mine.scripts.storedProcedures.create({ id: 'p', body });
    expect((await mine.scripts.storedProcedure('p').execute('ada')).resource).toBe('done');
    const reading = await shop.token({ permissionMode: 'read' as never });
    const reader = shop.with({ tokenProvider: () => Promise.resolve(reading) });
    expect((await reader.scripts.storedProcedure('p').read()).resource?.id).toBe('p');
    await expect(reader.scripts.storedProcedure('p').execute('ada')).rejects.toMatchObject(forbidden);
  });

  test('end with the container: one that is made again under the same name is another', async () => {
    const shop = await openShop();
    const token = await shop.token({});
    const mine = shop.with({ tokenProvider: () => Promise.resolve(token) });
    await shop.container.delete();
    await expect(mine.read()).rejects.toMatchObject({ code: 404 });
    await shop.container.database.containers.create({ id: 'orders', partitionKey: '/customer' });
    await expect(mine.read()).rejects.toMatchObject(forbidden);
    await expect(mine.items.create({ id: '1', customer: 'ada' })).rejects.toMatchObject(forbidden);
    await expect(mine.scripts.triggers.readAll().fetchAll()).rejects.toMatchObject(forbidden);
  });

  test('do not tell whether another container is there', async () => {
    const shop = await openShop();
    await shop.container.database.containers.create({ id: 'secret', partitionKey: '/k' });
    const token = await shop.token({});
    const client = shop.with({ tokenProvider: () => Promise.resolve(token) }).database;
    const answers: unknown[] = [];
    for (const container of [client.container('secret'), client.container('none'), client.client.database('none').container('orders')]) {
      for (const attempt of attemptsOn(container)) {
        const error = (await attempt().catch((reason: unknown) => reason)) as { code: number; body: unknown };
        answers.push([error.code, error.body]);
      }
    }
    expect(new Set(answers.map((answer) => JSON.stringify(answer)))).toEqual(new Set([JSON.stringify(answers[0])]));
    expect(answers[0]).toMatchObject([403, expect.anything()]);
  });
});

function attemptsOn(container: Container): (() => Promise<unknown>)[] {
  return [
    () => container.read(),
    () => container.item('1', 'a').read(),
    () => container.scripts.storedProcedures.readAll().fetchAll(),
    () => container.conflicts.readAll().fetchAll(),
    () => container.delete(),
    () => container.readPartitionKeyRanges().fetchAll(),
  ];
}

describe('tokens of one document or script', () => {
  test('a document by name and key, and by resource id', async () => {
    const shop = await openShop();
    const { resource } = await shop.container.item('a1', 'ada').read();
    for (const permission of [
      { resource: shop.container.item('a1', 'ada').url, resourcePartitionKey: ['ada'] },
      { resource: (resource as { _self: string })._self },
    ]) {
      const token = await shop.token(permission);
      const mine = shop.with({ tokenProvider: () => Promise.resolve(token) });
      expect((await mine.item('a1', 'ada').read()).resource).toMatchObject({ n: 1 });
      expect((await mine.item('a1', 'ada').patch([{ op: 'set', path: '/seen', value: true }])).statusCode).toBe(200);
      await expect(mine.item('a2', 'ada').read()).rejects.toMatchObject(forbidden);
      await expect(mine.item('a1', 'bob').read()).rejects.toMatchObject(forbidden);
      await expect(mine.items.create({ id: 'x', customer: 'ada' })).rejects.toMatchObject(forbidden);
      await expect(mine.items.upsert({ id: 'a1', customer: 'ada' })).rejects.toMatchObject(forbidden);
      await expect(mine.items.query('SELECT * FROM c', { partitionKey: 'ada' }).fetchAll()).rejects.toMatchObject(forbidden);
    }
  });

  test.each([
    ['50% off', 'docs/50% off'],
    ['50% off', 'docs/50%25%20off'],
    ['a%20b', 'docs/a%20b'],
    ['a b', 'docs/a%20b'],
    ['鱀?x', 'docs/鱀?x'],
  ])('the document %j is meant by the link %s', async (id, link) => {
    const shop = await openShop();
    await shop.container.items.create({ id, customer: 'ada' });
    const token = await shop.token({ resource: `dbs/shop/colls/orders/${link}`, resourcePartitionKey: ['ada'] });
    const mine = shop.with({ tokenProvider: () => Promise.resolve(token) });
    expect((await mine.item(id, 'ada').read()).resource).toMatchObject({ id });
    await expect(mine.item('a1', 'ada').read()).rejects.toMatchObject(forbidden);
  });

  test('a stored procedure, which runs', async () => {
    const shop = await openShop();
    await shop.container.scripts.storedProcedures.create({ id: 'p', body: 'function () { getContext().getResponse().setBody(1); }' });
    await shop.container.scripts.storedProcedures.create({ id: 'q', body: 'function () {}' });
    const token = await shop.token({ resource: 'dbs/shop/colls/orders/sprocs/p' });
    const mine = shop.with({ tokenProvider: () => Promise.resolve(token) });
    expect((await mine.scripts.storedProcedure('p').execute('ada')).resource).toBe(1);
    await expect(mine.scripts.storedProcedure('q').execute('ada')).rejects.toMatchObject(forbidden);
    await expect(mine.item('a1', 'ada').read()).rejects.toMatchObject(forbidden);
  });
});

describe('what is not exactly a credential is none', () => {
  test('a token of which any bit was flipped is refused with 401', async () => {
    const shop = await openShop();
    const token = await shop.token({ resourcePartitionKey: ['ada'] });
    const bytes = Buffer.from(token, 'latin1');
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.nat(7), async (at, bit) => {
        const changed = Buffer.from(bytes);
        changed.writeUInt8(changed.readUInt8(at) ^ (1 << bit), at);
        const authorization = encodeURIComponent(changed.toString('latin1'));
        const response = await shop.served.send('GET', '/dbs/shop/colls/orders', { authorization });
        await response.arrayBuffer();
        return response.status === 401;
      }),
      { seed: 1, numRuns: 400 },
    );
  });

  test('a token that was cut, doubled, joined with another or given a further part is refused with 401', async () => {
    const shop = await openShop();
    const [one, other] = [await shop.token({ resourcePartitionKey: ['ada'] }), await shop.token({})];
    const [head = '', payload = ''] = one.split(';');
    const [otherHead = '', otherPayload = ''] = other.split(';');
    const forged = [
      one.slice(0, -1),
      `${one};`,
      one + other,
      `${head};${otherPayload};`,
      `${otherHead};${payload};`,
      `${head};;`,
      `${head}=;${payload};`,
      ` ${one}`,
      `type=master&${one}`,
      `${one}&type=master`,
      one.replace('ver=1.0', 'ver=2.0'),
      one.replace('ver=1.0&', ''),
      'type=resource&ver=1.0&sig=;;',
      `type=resource&ver=1.0&sig=${'A'.repeat(100_000).slice(0, 20_000)};;`,
    ];
    for (const authorization of forged) {
      const response = await shop.served.send('GET', '/', { authorization: encodeURIComponent(authorization) });
      expect([response.status, authorization.slice(0, 60)]).toEqual([401, authorization.slice(0, 60)]);
      expect(await response.text()).not.toContain(payload.slice(0, 30));
    }
  });

  test('a header that was accepted is accepted for the same request only, and until its date is too old', async () => {
    let aheadMs = 0;
    const runtime: Runtime = Object.assign(Object.create(systemRuntime), { nowMs: () => systemRuntime.nowMs() + aheadMs });
    const { send } = await serve({ readOnlyKey: READ_ONLY_KEY, runtime });
    const date = new Date().toUTCString();
    const next = new Date(Date.now() + 1000).toUTCString();
    const accepted = sign('GET', '/dbs', date);
    const withHeader = async (authorization: string, method = 'GET', path = '/dbs', at = date): Promise<number> =>
      (await send(method, path, { authorization, date: at })).status;
    expect([await withHeader(accepted), await withHeader(accepted)]).toEqual([200, 200]);
    const last = accepted.at(-4) === 'A' ? 'B' : 'A';
    expect(await withHeader(`${accepted.slice(0, -4)}${last}${accepted.slice(-3)}`)).toBe(401);
    expect(await withHeader(accepted.slice(0, -1))).toBe(401);
    expect([await withHeader(accepted, 'POST'), await withHeader(accepted, 'GET', '/offers')]).toEqual([401, 401]);
    expect(await withHeader(accepted, 'GET', '/dbs', next)).toBe(401);
    // What one key signed does not become what the other may do.
    const reading = sign('GET', '/dbs', date, READ_ONLY_KEY);
    expect([await withHeader(reading), await withHeader(accepted), await withHeader(reading)]).toEqual([200, 200, 200]);
    expect(await withHeader(sign('POST', '/dbs', date, READ_ONLY_KEY), 'POST')).toBe(403);
    aheadMs = 3_600_000;
    expect([await withHeader(accepted), await withHeader(reading)]).toEqual([401, 401]);
  });

  test('a signature by resource id counts for that id in a path of ids only', async () => {
    const { send, client, backend } = await serve();
    const { database } = await client().databases.create({ id: 'app' });
    // A name that looks like an id.
    await database.containers.create({ id: 'abcd', partitionKey: '/k' });
    const date = new Date().toUTCString();
    const signRid = (rid: string): string => {
      const text = `get\ncolls\n${rid.toLowerCase()}\n${date.toLowerCase()}\n\n`;
      const signature = createHmac('sha256', Buffer.from(WELL_KNOWN_KEY, 'base64')).update(text).digest('base64');
      return encodeURIComponent(`type=master&ver=1.0&sig=${signature}`);
    };
    const { rid } = (await backend.readContainer('app', 'abcd')) as { rid: string };
    const { rid: databaseRid } = (await backend.readDatabase('app')) as { rid: string };
    const status = async (path: string, of: string): Promise<number> => {
      const response = await send('GET', path, { date, authorization: signRid(of) });
      await response.arrayBuffer();
      return response.status;
    };
    expect(await status(`/dbs/${databaseRid}/colls/${rid}`, rid)).toBe(200);
    expect(await status('/dbs/app/colls/abcd', 'abcd')).toBe(401);
    expect(await status(`/dbs/app/colls/${rid}`, rid)).toBe(401);
  });
});

describe('the read-only key', () => {
  test('reads everything through the SDK but permissions, and changes nothing', async () => {
    const { client, container } = await open();
    const mine = client.database('shop').container('orders');
    expect((await client.databases.readAll().fetchAll()).resources).toHaveLength(1);
    expect((await mine.read()).resource?.id).toBe('orders');
    expect((await mine.item('a1', 'ada').read()).resource).toMatchObject({ n: 1 });
    expect((await mine.items.query('SELECT VALUE COUNT(1) FROM c').fetchAll()).resources).toEqual([12]);
    expect((await mine.items.readAll().fetchAll()).resources).toHaveLength(12);
    expect((await mine.items.changeFeed('ada', { startFromBeginning: true }).fetchNext()).result).toHaveLength(6);
    expect((await mine.readOffer()).resource?.content?.offerThroughput).toBe(400);
    expect((await mine.database.users.readAll().fetchAll()).resources).toHaveLength(1);
    for (const attempt of [
      () => mine.items.create({ id: 'x', customer: 'ada' }),
      () => mine.items.upsert({ id: 'a1', customer: 'ada' }),
      () => mine.item('a1', 'ada').delete(),
      () => mine.item('a1', 'ada').patch([{ op: 'set', path: '/n', value: 0 }]),
      () => mine.delete(),
      () => mine.database.delete(),
      () => mine.database.containers.create({ id: 'new', partitionKey: '/k' }),
      () => mine.database.users.create({ id: 'new' }),
      () => mine.database.user('someone').permissions.readAll().fetchAll(),
      () => mine.scripts.storedProcedures.create({ id: 'p', body: 'function () {}' }),
      () => mine.deleteAllItemsForPartitionKey('ada'),
    ]) {
      await expect(attempt(), String(attempt)).rejects.toMatchObject(forbidden);
    }
    expect((await container.items.query('SELECT VALUE COUNT(1) FROM c').fetchAll()).resources).toEqual([12]);
  });

  async function open(): Promise<{ client: CosmosClient; container: Container }> {
    const shop = await openShop('memory', { readOnlyKey: READ_ONLY_KEY });
    return { client: shop.served.client({ key: READ_ONLY_KEY }), container: shop.container };
  }
});

describe('tokens of a directory', () => {
  const credential = (token: string): never =>
    ({ getToken: () => Promise.resolve({ token, expiresOnTimestamp: Date.now() + 3_600_000 }) }) as never;
  const jwt = (claims: object): string => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`;

  test('read and write documents through the SDK, and manage nothing', async () => {
    const shop = await openShop('memory', { directoryTokens: 'any', https: true });
    const mine = shop.with({ aadCredentials: credential(jwt({ exp: Math.floor(Date.now() / 1000) + 60 })) });
    expect((await mine.items.create({ id: 'x', customer: 'ada' })).statusCode).toBe(201);
    expect((await mine.items.query('SELECT VALUE COUNT(1) FROM c').fetchAll()).resources).toEqual([13]);
    await expect(mine.delete()).rejects.toMatchObject({ code: 403, substatus: 5300 });
    await expect(mine.database.containers.create({ id: 'new', partitionKey: '/k' })).rejects.toMatchObject(forbidden);
    await expect(mine.database.user('someone').permissions.readAll().fetchAll()).rejects.toMatchObject(forbidden);
  });

  test.each([
    ['expired', jwt({ exp: 1 })],
    ['of a time that is no number', jwt({ exp: '9999999999' })],
    ['without claims', 'e30..c2ln'],
    ['of one part', 'abc'],
  ])('one that is %s is refused', async (_name, token) => {
    const shop = await openShop('memory', { directoryTokens: 'any', https: true });
    const mine = shop.with({ aadCredentials: credential(token) });
    await expect(mine.read()).rejects.toMatchObject(unauthorized);
  });

  test('are decided about by a function, whose failure is a refusal', async () => {
    const shop = await openShop('memory', {
      https: true,
      directoryTokens: (token) => {
        if (token === 'broken') {
          throw new Error('the directory is away');
        }
        return token === 'reads' ? 'reader' : undefined;
      },
    });
    const reader = shop.with({ aadCredentials: credential('reads') });
    expect((await reader.item('a1', 'ada').read()).statusCode).toBe(200);
    await expect(reader.item('a1', 'ada').delete()).rejects.toMatchObject(forbidden);
    for (const token of ['broken', 'other']) {
      await expect(shop.with({ aadCredentials: credential(token) }).read()).rejects.toMatchObject(unauthorized);
    }
  });
});
