import { expect } from 'vitest';
import { codeOf, sdkSuite } from './support/sdk-suite.ts';

const byId = (id: string) => ({ query: 'SELECT * FROM root r WHERE r.id = @id', parameters: [{ name: '@id', value: id }] });

sdkSuite((feature) => {
  feature('databases.lifecycle', 'a database is created once, read, and gone when it is deleted', async ({ account }) => {
    const { databases } = account.client;
    const created = await databases.create({ id: 'shop' });
    expect(created).toMatchObject({ statusCode: 201, resource: { id: 'shop', _colls: 'colls/', _users: 'users/' } });
    expect(created.etag).toBe(created.resource?._etag);
    expect(created.requestCharge).toBeGreaterThan(0);
    expect(Buffer.from(created.resource?._rid ?? '', 'base64')).toHaveLength(4);
    expect(created.resource?._self).toBe(`dbs/${created.resource?._rid}/`);
    expect((await created.database.read()).resource).toEqual(created.resource);
    expect(await databases.createIfNotExists({ id: 'shop' })).toMatchObject({ statusCode: 200, resource: created.resource });
    await created.database.containers.create({ id: 'items', partitionKey: '/pk' });
    expect((await created.database.delete()).statusCode).toBe(204);
    expect(await codeOf(created.database.read())).toBe(404);
    expect(await codeOf(created.database.delete())).toBe(404);
    expect(await codeOf(created.database.container('items').read())).toBe(404);
    expect((await databases.createIfNotExists({ id: 'shop' })).statusCode).toBe(201);
    expect((await created.database.containers.readAll().fetchAll()).resources).toEqual([]);
  });

  feature('databases.feeds', 'databases are listed and queried in pages', async ({ own }) => {
    const account = await own();
    const { databases } = account.client;
    expect((await databases.readAll().fetchAll()).resources).toEqual([]);
    for (const id of ['a', 'b', 'c', 'd', 'e']) {
      await databases.create({ id });
    }
    expect((await databases.query(byId('c')).fetchAll()).resources).toMatchObject([{ id: 'c' }]);
    expect((await databases.query(byId('x')).fetchAll()).resources).toEqual([]);
    for (const feed of [databases.readAll({ maxItemCount: 2 }), databases.query('SELECT * FROM root r', { maxItemCount: 2 })]) {
      const first = await feed.fetchNext();
      expect(first.resources.map(({ id }: { id: string }) => id)).toEqual(['a', 'b']);
      expect(first.hasMoreResults).toBe(true);
      const rest: string[] = [];
      while (feed.hasMoreResults()) {
        rest.push(...(await feed.fetchNext()).resources.map(({ id }: { id: string }) => id));
      }
      expect(rest).toEqual(['c', 'd', 'e']);
    }
    const values = databases.query('SELECT VALUE r.id FROM root r WHERE r.id > "b" ORDER BY r.id DESC');
    expect((await values.fetchAll()).resources).toEqual(['e', 'd', 'c']);
  });

  feature('databases.names', 'names are taken as they are, and what the service refuses is refused', async ({ own }) => {
    const account = await own();
    const { databases } = account.client;
    for (const id of ['Shop', 'shop', 'with space', '鱀 – Zoë', 'a%20b', 'x+y&z=1', "it's"]) {
      const { database, resource } = await databases.create({ id });
      expect((await database.read()).resource).toEqual(resource);
    }
    expect((await databases.readAll().fetchAll()).resources).toHaveLength(7);
    expect(await codeOf(databases.create({ id: 'shop' }))).toBe(409);
    for (const id of ['a/b', 'a\\b', 'a#b', 'a?b', 'end ', '', 5, undefined, 'x'.repeat(256)]) {
      const answer = await account.send('POST', '/dbs', { body: { id } });
      expect([id, answer.status, answer.body]).toMatchObject([id, 400, { code: 'BadRequest' }]);
    }
    expect((await account.send('POST', '/dbs', { body: { id: 'a/b' } })).body).toMatchObject({
      message: expect.stringContaining('illegal chars') as string,
    });
    expect((await account.send('POST', '/dbs', { body: { id: 'end ' } })).body).toMatchObject({
      message: expect.stringContaining('ends with a space') as string,
    });
  });
});
