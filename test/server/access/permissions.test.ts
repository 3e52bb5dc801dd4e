import type { PermissionDefinition } from '@azure/cosmos';
import { describe, expect, test } from 'vitest';
import { SimulatedRuntime } from '../../../src/testing/simulated-runtime.ts';
import { openShop, type Shop } from './shop.ts';

describe('permissions', () => {
  test('that are about nothing, or limit to nothing, are refused', async () => {
    const shop = await openShop();
    await shop.served.backend.createDatabase('other');
    await shop.served.backend.createContainer('other', { id: 'orders', partitionKey: '/k' });
    const permissions: [Partial<PermissionDefinition>, number][] = [
      [{ resource: 'dbs/shop' }, 400],
      [{ resource: 'dbs/shop/colls/orders/docs' }, 400],
      [{ resource: 'dbs/shop/colls/orders/docs/a1' }, 400],
      [{ resource: 'dbs/shop/colls/orders/conflicts/1' }, 400],
      [{ resource: 'dbs/shop/colls/orders/sprocs/p/x/y' }, 400],
      [{ resource: 'dbs/shop/colls/none' }, 404],
      [{ resource: 'dbs/shop/colls/__proto__' }, 404],
      [{ resource: 'dbs/shop/colls/orders/sprocs/none' }, 404],
      [{ resource: 'dbs/other/colls/orders' }, 400],
      [{ resourcePartitionKey: ['a', 'b'] }, 400],
      [{ resourcePartitionKey: [] }, 400],
      [{ resourcePartitionKey: [['a']] }, 400],
      [{ resourcePartitionKey: [{ a: 1 }] }, 400],
      [{ resourcePartitionKey: 7 as never }, 400],
      [{ permissionMode: 'Write' as never }, 400],
    ];
    for (const [permission, code] of permissions) {
      await expect(shop.token(permission), JSON.stringify(permission)).rejects.toMatchObject({ code });
    }
    const { resources } = await shop.container.database.user('someone').permissions.readAll().fetchAll();
    expect(resources).toEqual([]);
  });

  test('limit to a missing value, to null, to a number, and to a text that is no list', async () => {
    const shop = await openShop();
    const keys: [unknown, string, string][] = [
      [[{}], '[{}]', '{"id":"m"}'],
      [[null], '[null]', '{"id":"m","customer":null}'],
      [[1.0], '[1]', '{"id":"m","customer":1}'],
      ['cy', '["cy"]', '{"id":"m","customer":"cy"}'],
    ];
    for (const [resourcePartitionKey, mine, body] of keys) {
      const authorization = encodeURIComponent(await shop.token({ resourcePartitionKey: resourcePartitionKey as never }));
      const statuses: [string, number][] = [];
      for (const [, key] of keys) {
        const headers = { 'x-ms-documentdb-partitionkey': key };
        const response = await shop.served.send('POST', '/dbs/shop/colls/orders/docs', { headers, body, authorization });
        await response.arrayBuffer();
        statuses.push([key, response.status]);
      }
      expect(statuses).toEqual(keys.map(([, key]) => [key, key === mine ? 201 : 403]));
    }
  });

  test('a long key and a long id fit into a token', async () => {
    const shop = await openShop();
    const customer = '\u0001'.repeat(2048);
    const id = '\u0001'.repeat(1000);
    await shop.container.items.create({ id, customer });
    const token = await shop.token({ resource: `dbs/shop/colls/orders/docs/${id}`, resourcePartitionKey: [customer] });
    const mine = shop.with({ tokenProvider: () => Promise.resolve(token) });
    expect((await mine.item(id, customer).read()).statusCode).toBe(200);
  });

  test('give a new token with each read, none where what they are about is gone, and end with their user', async () => {
    const shop = await openShop();
    const user = shop.container.database.user('someone');
    await shop.token({});
    const first = (await user.permission('p1').read()).resource as { _token?: string };
    const second = (await user.permission('p1').read()).resource as { _token?: string };
    expect(first._token).toMatch(/^type=resource&ver=1\.0&sig=[^;]+;[^;]+;$/u);
    expect(second._token).not.toBe(first._token);
    const [listed] = (await user.permissions.readAll().fetchAll()).resources as { _token?: string }[];
    expect(listed?._token).toMatch(/^type=resource/u);
    await shop.container.delete();
    expect((await user.permission('p1').read()).resource).not.toHaveProperty('_token');
    await user.delete();
    await shop.container.database.users.create({ id: 'someone' });
    expect((await user.permissions.readAll().fetchAll()).resources).toEqual([]);
  });
});

describe('a user has one permission', () => {
  test('for each resource and partition key, however it is named, and whoever is faster', async () => {
    const shop = await openShop();
    const { user } = await shop.container.database.users.create({ id: 'ada' });
    const { resource: container } = await shop.container.read();
    const self = (container as { readonly _self: string })._self;
    const attempt = async (work: Promise<{ readonly statusCode: number }>): Promise<number> =>
      (await work.catch((error: { readonly code: number }) => ({ statusCode: error.code }))).statusCode;
    const define = (id: string, resource: string, key?: unknown): PermissionDefinition =>
      ({ id, permissionMode: 'read', resource, ...(key === undefined ? {} : { resourcePartitionKey: key }) }) as never;
    const create = (...parts: Parameters<typeof define>): Promise<number> => attempt(user.permissions.create(define(...parts)));
    const upsert = (...parts: Parameters<typeof define>): Promise<number> => attempt(user.permissions.upsert(define(...parts)));
    const racing = await Promise.all(['a', 'b', 'c'].map((id) => create(id, 'dbs/shop/colls/orders')));
    expect(racing.toSorted((left, right) => left - right)).toEqual([201, 409, 409]);
    const [first] = (await user.permissions.readAll().fetchAll()).resources as unknown as [{ readonly id: string }];
    expect(await create('by-rid', self)).toBe(409);
    expect(await upsert('upserted', self)).toBe(409);
    expect(await upsert(first.id, self)).toBe(200);
    expect(await create('of-ada', 'dbs/shop/colls/orders', ['ada'])).toBe(201);
    expect(await create('of-bob', 'dbs/shop/colls/orders', ['bob'])).toBe(201);
    expect(await create('of-bob-too', self, 'bob')).toBe(409);
    expect(await attempt(user.permission('of-bob').replace(define('of-bob', self, ['ada'])))).toBe(409);
    expect(await attempt(user.permission('of-bob').replace(define('renamed', self, ['bob'])))).toBe(200);
    const document = ((await shop.container.item('a1', 'ada').read()).resource as { readonly _self: string })._self;
    expect(await create('of-a1', 'dbs/shop/colls/orders/docs/a1', ['ada'])).toBe(201);
    expect(await create('of-a1-too', document)).toBe(409);
    expect(await attempt(user.permission(first.id).delete())).toBe(204);
    expect(await create('again', self)).toBe(201);
    await shop.container.database.users.create({ id: 'bob' });
    expect(await attempt(shop.container.database.user('bob').permissions.create(define('a', self)))).toBe(201);
  });

  test('whose tokens live on until their time is over, also when it is replaced or deleted', async () => {
    const shop = await openShop();
    const token = await shop.token({});
    const mine = shop.with({ tokenProvider: () => Promise.resolve(token) });
    const permission = shop.container.database.user('someone').permission('p1');
    await permission.replace({ id: 'p1', permissionMode: 'read' as never, resource: shop.container.url });
    expect((await mine.items.create({ id: 'n1', customer: 'ada' })).statusCode).toBe(201);
    await permission.delete();
    expect((await mine.items.create({ id: 'n2', customer: 'ada' })).statusCode).toBe(201);
  });
});

describe('lives of tokens', () => {
  async function clocked(): Promise<Shop & { readonly runtime: SimulatedRuntime; readonly at: (token: string) => Promise<number> }> {
    // The clock starts at the client's own, whose signatures have dates.
    const runtime = new SimulatedRuntime({ seed: 1, startMs: Date.now() });
    const shop = await openShop('memory', { runtime });
    const at = async (token: string): Promise<number> => {
      const response = await shop.served.send('GET', '/dbs/shop/colls/orders', { authorization: encodeURIComponent(token) });
      await response.arrayBuffer();
      return response.status;
    };
    return { ...shop, runtime, at };
  }

  test.each([
    [undefined, 3600],
    [10, 10],
    [600, 600],
    [86_400, 86_400],
  ])('a token asked for %s seconds lives %i', async (resourceTokenExpirySeconds, lifeSeconds) => {
    const { token, runtime, at } = await clocked();
    const own = await token({}, resourceTokenExpirySeconds === undefined ? {} : { resourceTokenExpirySeconds });
    expect(await at(own)).toBe(200);
    await runtime.advance((lifeSeconds - 1) * 1000);
    expect(await at(own)).toBe(200);
    await runtime.advance(1000);
    expect(await at(own)).toBe(403);
  });

  test('a life beyond the limits is refused, and nothing is made', async () => {
    const { served } = await openShop();
    for (const seconds of ['9', '0', '-1', '86401', '10.5', 'ten', '1e2']) {
      const response = await served.send('POST', '/dbs/shop/users/someone/permissions', {
        headers: { 'x-ms-documentdb-expiry-seconds': seconds },
        body: JSON.stringify({ id: 'p', permissionMode: 'All', resource: 'dbs/shop/colls/orders' }),
      });
      expect([seconds, response.status]).toEqual([seconds, 400]);
      expect(await response.text()).toContain('from 10 to 86400');
    }
    expect((await served.send('GET', '/dbs/shop/users/someone/permissions/p')).status).toBe(404);
  });

  test('an expired token says so, and a provider may bring the next one', async () => {
    const { token, runtime, with: withOptions } = await clocked();
    const tokens = [await token({}, { resourceTokenExpirySeconds: 10 }), await token({})];
    let asked = 0;
    const mine = withOptions({
      tokenProvider: () => Promise.resolve(tokens[asked] as string),
      connectionPolicy: { enableEndpointDiscovery: false },
    });
    await runtime.advance(10_000);
    await expect(mine.item('a1', 'ada').read()).rejects.toMatchObject({ code: 403, message: expect.stringContaining('expired') });
    asked = 1;
    expect((await mine.item('a1', 'ada').read()).statusCode).toBe(200);
  });
});
