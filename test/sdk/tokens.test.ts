import { ChangeFeedStartFrom, PermissionMode, type Container, type PermissionDefinition } from '@azure/cosmos';
import { expect } from 'vitest';
import { SimulatedRuntime } from '../../src/testing/simulated-runtime.ts';
import type { Account } from './support/account.ts';
import { codeOf, refusalOf, sdkSuite } from './support/sdk-suite.ts';

interface Permission extends PermissionDefinition {
  readonly _token: string;
}

/** A permission as its user gets it; each is another user's, who has one for each resource. */
async function grant(container: Container, definition: Partial<PermissionDefinition> = {}): Promise<Permission> {
  const { users } = container.database;
  const { id = 'permission' } = definition;
  const { user } = await users.upsert({ id: `user of ${id}` });
  const { resource } = await user.permissions.upsert({
    id,
    permissionMode: PermissionMode.All,
    resource: container.url,
    ...definition,
  });
  return resource as unknown as Permission;
}

/** The container as a client sees it that has nothing but a token. */
function withToken(account: Account, container: Container, { _token: token }: Permission): Container {
  return account.as(account.connect({ resourceTokens: { [container.url]: token } }), container);
}

const beginning = (scope?: unknown) => ({ changeFeedStartFrom: ChangeFeedStartFrom.Beginning(scope as never) });

sdkSuite((feature) => {
  feature('users.lifecycle', 'users are created, read, listed, queried, renamed and deleted', async ({ account }) => {
    const { users } = await account.database();
    const { user, resource, statusCode } = await users.create({ id: 'ada' });
    expect([statusCode, resource]).toMatchObject([201, { id: 'ada', _permissions: 'permissions/' }]);
    expect((await user.read()).resource).toEqual(resource);
    expect((await users.upsert({ id: 'bob' })).statusCode).toBe(201);
    expect((await users.upsert({ id: 'bob' })).statusCode).toBe(200);
    expect(await codeOf(users.create({ id: 'ada' }))).toBe(409);
    expect((await users.readAll().fetchAll()).resources.map(({ id }) => id)).toEqual(['ada', 'bob']);
    const byId = { query: 'SELECT * FROM root r WHERE r.id=@id', parameters: [{ name: '@id', value: 'bob' }] };
    expect((await users.query(byId).fetchAll()).resources).toMatchObject([{ id: 'bob' }]);
    expect((await user.replace({ id: 'eve' })).resource).toMatchObject({ id: 'eve', _rid: resource?._rid });
    expect((await user.database.user('eve').delete()).statusCode).toBe(204);
    expect(await codeOf(user.database.user('eve').read())).toBe(404);
  });

  feature('permissions.lifecycle', 'permissions are kept, and every look at one brings a token', async ({ account }) => {
    const container = await account.container();
    const { user } = await container.database.users.create({ id: 'ada' });
    const { permissions } = user;
    const definition = { id: 'all', permissionMode: PermissionMode.All, resource: container.url };
    const created = await permissions.create(definition, { resourceTokenExpirySeconds: 60 });
    expect(created).toMatchObject({ statusCode: 201, resource: definition });
    const token = (created.resource as unknown as Permission)._token;
    expect(token).toMatch(/^type=resource&ver=1(?:\.0)?&sig=/u);
    expect(((await created.permission.read()).resource as unknown as Permission)._token).not.toBe(token);
    expect(await codeOf(permissions.create(definition))).toBe(409);
    expect((await permissions.readAll().fetchAll()).resources).toMatchObject([definition]);
    const byId = { query: 'SELECT * FROM root r WHERE r.id=@id', parameters: [{ name: '@id', value: 'all' }] };
    expect((await permissions.query(byId).fetchAll()).resources).toMatchObject([definition]);
    const reading = { ...definition, permissionMode: PermissionMode.Read };
    expect((await created.permission.replace(reading)).resource).toMatchObject(reading);
    expect(await codeOf(permissions.create({ ...definition, id: 'more' }))).toBe(409);
    expect(await codeOf(permissions.upsert({ ...definition, id: 'more' }))).toBe(409);
    expect((await permissions.upsert({ ...definition, id: 'more', resourcePartitionKey: ['a'] } as never)).statusCode).toBe(201);
    expect((await created.permission.delete()).statusCode).toBe(204);
    expect(await codeOf(created.permission.read())).toBe(404);
    for (const wrong of [{ permissionMode: 'Some' }, { resource: 'nothing' }, { resource: '' }]) {
      expect([wrong, await codeOf(permissions.create({ ...definition, id: 'w', ...wrong } as never))]).toEqual([wrong, 400]);
    }
    expect(await codeOf(permissions.create({ ...definition, id: 'w' }, { resourceTokenExpirySeconds: 1 }))).toBe(400);
  });

  feature('tokens.container', 'a token for a container works in each way that the SDK takes tokens', async ({ account }) => {
    const container = await account.container();
    await container.items.create({ id: '1', pk: 'a', n: 1 });
    const permission = await grant(container);
    const self = (await container.read()).resource?._self as string;
    const bySelf = await grant(container, { id: 'self', resource: self.replace(/\/$/u, '') });
    const clients = [
      account.connect({ resourceTokens: { [container.url]: permission._token } }),
      account.connect({ permissionFeed: [permission] }),
      account.connect({ tokenProvider: () => Promise.resolve(permission._token) }),
      account.connect({ tokenProvider: () => Promise.resolve(bySelf._token) }),
    ];
    for (const [index, client] of clients.entries()) {
      const mine = account.as(client, container);
      const id = `made-${index}`;
      expect((await mine.items.create({ id, pk: 'a', n: 2 })).statusCode).toBe(201);
      expect((await mine.item('1', 'a').read()).statusCode).toBe(200);
      expect((await mine.items.query<number>('SELECT VALUE COUNT(1) FROM c').fetchAll()).resources).toEqual([2]);
      expect((await mine.items.query('SELECT * FROM c ORDER BY c.n').fetchAll()).resources).toHaveLength(2);
      expect((await mine.items.getChangeFeedIterator(beginning()).readNext()).result).toHaveLength(2);
      expect((await mine.item(id, 'a').delete()).statusCode).toBe(204);
    }
    const reader = withToken(account, container, await grant(container, { id: 'read', permissionMode: PermissionMode.Read }));
    expect((await reader.item('1', 'a').read()).statusCode).toBe(200);
    expect((await reader.items.readAll().fetchAll()).resources).toHaveLength(1);
    expect(await codeOf(reader.items.create({ id: '2', pk: 'a' }))).toBe(403);
    expect(await codeOf(reader.items.upsert({ id: '1', pk: 'a' }))).toBe(403);
    expect(await codeOf(reader.item('1', 'a').delete())).toBe(403);
  });

  feature('tokens.partition-key', 'a token for a key does everything with that key and nothing with another', async ({ account }) => {
    const container = await account.container();
    await container.items.create({ id: '1', pk: 'mine', n: 1 });
    await container.items.create({ id: '1', pk: 'theirs', n: 100 });
    const mine = withToken(account, container, await grant(container, { resourcePartitionKey: ['mine'] }));
    expect((await mine.items.create({ id: '2', pk: 'mine', n: 2 })).statusCode).toBe(201);
    expect((await mine.item('1', 'mine').read()).statusCode).toBe(200);
    expect((await mine.item('2', 'mine').patch([{ op: 'incr', path: '/n', value: 1 }])).statusCode).toBe(200);
    expect((await mine.items.upsert({ id: '2', pk: 'mine', n: 2 })).statusCode).toBe(200);
    const inKey = { partitionKey: 'mine' };
    expect((await mine.items.query('SELECT VALUE SUM(c.n) FROM c', inKey).fetchAll()).resources).toEqual([3]);
    expect((await mine.items.query('SELECT VALUE c.n FROM c ORDER BY c.n DESC', inKey).fetchAll()).resources).toEqual([2, 1]);
    expect((await mine.items.readAll(inKey).fetchAll()).resources.length).toBe(2);
    const feed = await mine.items.getChangeFeedIterator<{ pk: string }>(beginning('mine')).readNext();
    expect(feed.result.map(({ pk }) => pk)).toEqual(['mine', 'mine']);
    const batch = await mine.items.batch([{ operationType: 'Create', resourceBody: { id: '3', pk: 'mine' } }], 'mine');
    expect(batch.result?.[0]?.statusCode).toBe(201);
    expect((await mine.item('3', 'mine').delete()).statusCode).toBe(204);

    const theirs = { partitionKey: 'theirs' };
    const beyond: readonly (() => Promise<unknown>)[] = [
      () => mine.items.create({ id: '9', pk: 'theirs' }),
      () => mine.item('1', 'theirs').read(),
      () => mine.item('1', 'theirs').delete(),
      () => mine.items.query('SELECT * FROM c', theirs).fetchAll(),
      () => mine.items.query('SELECT * FROM c').fetchAll(),
      () => mine.items.query("SELECT * FROM c WHERE c.pk = 'mine'").fetchAll(),
      () => mine.items.query('SELECT VALUE COUNT(1) FROM c').fetchAll(),
      () => mine.items.readAll().fetchAll(),
      () => mine.items.getChangeFeedIterator(beginning('theirs')).readNext(),
      () => mine.items.getChangeFeedIterator(beginning()).readNext(),
      () => mine.deleteAllItemsForPartitionKey('mine'),
    ];
    for (const call of beyond) {
      expect([String(call), await codeOf(call())]).toEqual([String(call), 403]);
    }
    await expect(mine.items.batch([{ operationType: 'Create', resourceBody: { id: '9', pk: 'theirs' } }], 'theirs')).rejects.toThrow();
    const bulk = await mine.items
      .executeBulkOperations([{ operationType: 'Create', partitionKey: 'mine', resourceBody: { id: '9', pk: 'mine' } }])
      .then(
        ([outcome]) => outcome?.error?.code,
        ({ code }: { code?: unknown }) => code,
      );
    expect(bulk).toBe(403);
    expect((await container.items.query('SELECT VALUE COUNT(1) FROM c', theirs).fetchAll()).resources).toEqual([1]);
  });

  feature('tokens.items', 'a token for one document or one script is for that alone', async ({ account }) => {
    const container = await account.container();
    await container.items.create({ id: '1', pk: 'a' });
    await container.items.create({ id: '2', pk: 'a' });
    await container.scripts.storedProcedures.create({ id: 'hi', body: 'function () { __.response.setBody("hi"); }' });
    await container.scripts.storedProcedures.create({ id: 'no', body: 'function () { __.response.setBody("no"); }' });
    const item = await grant(container, { resource: `${container.url}/docs/1`, resourcePartitionKey: ['a'] });
    const one = account.as(
      account.connect({ resourceTokens: { [`${container.url}/docs/1`]: item._token, [container.url]: item._token } }),
      container,
    );
    expect((await one.item('1', 'a').read()).statusCode).toBe(200);
    expect((await one.item('1', 'a').replace({ id: '1', pk: 'a', n: 1 })).statusCode).toBe(200);
    expect(await codeOf(one.item('2', 'a').read())).toBe(403);
    expect(await codeOf(one.items.readAll({ partitionKey: 'a' }).fetchAll())).toBe(403);
    const script = await grant(container, { resource: `${container.url}/sprocs/hi` });
    const runner = account.as(account.connect({ tokenProvider: () => Promise.resolve(script._token) }), container);
    expect((await runner.scripts.storedProcedure('hi').execute('a')).resource).toBe('hi');
    expect(await codeOf(runner.scripts.storedProcedure('no').execute('a'))).toBe(403);
    expect(await codeOf(runner.item('1', 'a').read())).toBe(403);
  });

  feature('tokens.expiry', 'a token ends when it was to end, and none can be made up', async ({ own }) => {
    const runtime = new SimulatedRuntime({ startMs: Date.now() });
    const account = await own({ runtime });
    const container = await account.container();
    await container.items.create({ id: '1', pk: 'a' });
    const permission = await grant(container, { id: 'short' });
    const mine = withToken(account, container, permission);
    expect((await mine.item('1', 'a').read()).statusCode).toBe(200);
    const forged = permission._token.replace(/.(?=.{10}$)/u, (letter) => (letter === 'A' ? 'B' : 'A'));
    expect(
      await codeOf(
        withToken(account, container, { ...permission, _token: forged })
          .item('1', 'a')
          .read(),
      ),
    ).toBe(401);
    expect(
      await codeOf(
        withToken(account, container, { ...permission, _token: 'type=resource&ver=1&sig=x' })
          .item('1', 'a')
          .read(),
      ),
    ).toBe(401);
    await runtime.advance(3_599_000);
    expect((await mine.item('1', 'a').read()).statusCode).toBe(200);
    await runtime.advance(2000);
    expect(await codeOf(mine.item('1', 'a').read())).toBe(403);
  });

  feature(['tokens.scope', 'credentials.refused'], 'a token reaches nothing beyond its container', async ({ account }) => {
    const container = await account.container();
    const other = await account.container();
    const permission = await grant(container);
    const client = account.connect({ tokenProvider: () => Promise.resolve(permission._token) });
    const mine = account.as(client, container);
    const calls: readonly (() => Promise<unknown>)[] = [
      () => account.as(client, other).item('1', 'a').read(),
      () => account.as(client, other).read(),
      () => client.databases.readAll().fetchAll(),
      () => client.databases.create({ id: 'more' }),
      () => client.database(container.database.id).read(),
      () => mine.database.containers.readAll().fetchAll(),
      () => mine.database.containers.create({ id: 'more', partitionKey: '/pk' }),
      () => mine.database.users.readAll().fetchAll(),
      () => mine.database.user('ada').permissions.readAll().fetchAll(),
      () => client.offers.readAll().fetchAll(),
    ];
    for (const call of calls) {
      const { code } = await refusalOf(call());
      expect([String(call), code]).toEqual([String(call), 403]);
    }
    expect((await client.getDatabaseAccount()).resource).toBeDefined();
    await container.delete();
    await container.database.containers.create({ id: container.id, partitionKey: '/pk' });
    expect(await codeOf(mine.item('1', 'a').delete())).toBe(403);
  });
});
