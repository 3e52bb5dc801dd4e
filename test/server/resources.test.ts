import { createHmac } from 'node:crypto';
import type { Container, Database, User } from '@azure/cosmos';
import { describe, expect, test } from 'vitest';
import { WELL_KNOWN_KEY } from '../../src/server/index.ts';
import { serve, type Served } from './served.ts';

interface Feed {
  readonly readAll: (options?: object) => Pages;
  readonly query: (query: never, options?: object) => Pages;
}

interface Pages {
  readonly hasMoreResults: () => boolean;
  readonly fetchNext: () => Promise<{ resources: { id: string; _rid: string }[]; continuationToken?: string }>;
  readonly fetchAll: () => Promise<{ resources: { id: string; _rid: string; _self: string }[] }>;
}

interface Scene {
  readonly served: Served;
  readonly database: Database;
  readonly container: Container;
  readonly user: User;
}

async function open(): Promise<Scene> {
  const served = await serve();
  const { database } = await served.client().databases.create({ id: 'app' });
  const { container } = await database.containers.create({ id: 'c', partitionKey: '/k' });
  const { user } = await database.users.create({ id: 'u' });
  return { served, database, container, user };
}

/** A kind of resource through the SDK: how one is made and deleted, and what its resource id looks like behind that of its owner. */
interface Kind {
  readonly feed: (scene: Scene) => Feed;
  readonly create: (scene: Scene, id: string) => Promise<unknown>;
  readonly remove: ((scene: Scene, id: string) => Promise<unknown>) | undefined;
  readonly bytes: number;
  /** Highest four bits of the last byte, which tell the kinds below a container apart. */
  readonly type?: number;
}

const script = { body: 'function () {}' };
const KINDS: Readonly<Record<string, Kind>> = {
  databases: {
    feed: ({ served }) => served.client().databases as unknown as Feed,
    create: ({ served }, id) => served.client().databases.create({ id }),
    remove: ({ served }, id) => served.client().database(id).delete(),
    bytes: 4,
  },
  containers: {
    feed: ({ database }) => database.containers as unknown as Feed,
    create: ({ database }, id) => database.containers.create({ id, partitionKey: '/k' }),
    remove: ({ database }, id) => database.container(id).delete(),
    bytes: 8,
  },
  users: {
    feed: ({ database }) => database.users as unknown as Feed,
    create: ({ database }, id) => database.users.create({ id }),
    remove: ({ database }, id) => database.user(id).delete(),
    bytes: 8,
  },
  permissions: {
    feed: ({ user }) => user.permissions as unknown as Feed,
    // A user has one for each resource and partition key.
    create: ({ user, container }, id) =>
      user.permissions.create({ id, permissionMode: 'read' as never, resource: container.url, resourcePartitionKey: [id] }),
    remove: ({ user }, id) => user.permission(id).delete(),
    bytes: 16,
  },
  'stored procedures': {
    feed: ({ container }) => container.scripts.storedProcedures as unknown as Feed,
    create: ({ container }, id) => container.scripts.storedProcedures.create({ id, ...script }),
    remove: ({ container }, id) => container.scripts.storedProcedure(id).delete(),
    bytes: 16,
    type: 8,
  },
  triggers: {
    feed: ({ container }) => container.scripts.triggers as unknown as Feed,
    create: ({ container }, id) =>
      container.scripts.triggers.create({ id, ...script, triggerType: 'Pre' as never, triggerOperation: 'All' as never }),
    remove: ({ container }, id) => container.scripts.trigger(id).delete(),
    bytes: 16,
    type: 7,
  },
  'user-defined functions': {
    feed: ({ container }) => container.scripts.userDefinedFunctions as unknown as Feed,
    create: ({ container }, id) => container.scripts.userDefinedFunctions.create({ id, ...script }),
    remove: ({ container }, id) => container.scripts.userDefinedFunction(id).delete(),
    bytes: 16,
    type: 6,
  },
  documents: {
    feed: ({ container }) => container.items as unknown as Feed,
    create: ({ container }, id) => container.items.create({ id, k: 'a' }),
    remove: ({ container }, id) => container.item(id, 'a').delete(),
    bytes: 16,
    type: 0,
  },
  offers: {
    feed: ({ served }) => served.client().offers as unknown as Feed,
    create: ({ database }, id) => database.containers.create({ id, partitionKey: '/k' }),
    remove: undefined,
    bytes: 3,
  },
};

async function pagesOf(feed: Pages): Promise<{ id: string; _rid: string }[][]> {
  const pages: { id: string; _rid: string }[][] = [];
  while (feed.hasMoreResults()) {
    const { resources } = await feed.fetchNext();
    if (resources !== undefined && resources.length > 0) {
      pages.push(resources);
    }
  }
  return pages;
}

const bytesOf = (rid: string): Buffer => Buffer.from(rid.replaceAll('-', '/'), 'base64');

describe.each(Object.entries(KINDS))('%s', (name, kind) => {
  const isOffer = name === 'offers';

  test('are listed, queried, sorted and paged, and have resource ids and links of the real shape', async () => {
    const scene = await open();
    const before = (await kind.feed(scene).readAll().fetchAll()).resources.length;
    const names = ['r1', 'r2', 'r3', 'r4', 'r5'];
    for (const id of names) {
      await kind.create(scene, id);
    }
    const all = (await kind.feed(scene).readAll().fetchAll()).resources;
    const made = all.slice(before);
    if (!isOffer) {
      expect(made.map(({ id }) => id)).toEqual(names);
    }
    const ids = made.map(({ id }) => id);
    for (const { _rid: rid, _self: self } of made) {
      const bytes = bytesOf(rid);
      expect(bytes).toHaveLength(kind.bytes);
      expect(self).toContain(rid);
      expect(self.endsWith('/')).toBe(true);
      if (kind.type !== undefined) {
        expect((bytes.at(-1) as number) >> 4).toBe(kind.type);
      }
    }
    expect(new Set(all.map(({ _rid }) => _rid)).size).toBe(all.length);
    const byId = { query: 'SELECT * FROM root r WHERE r.id = @id', parameters: [{ name: '@id', value: ids[1] }] };
    expect(
      (
        await kind
          .feed(scene)
          .query(byId as never)
          .fetchAll()
      ).resources,
    ).toMatchObject([{ id: ids[1], _rid: made[1]?._rid }]);
    const sorted = await kind
      .feed(scene)
      .query('SELECT VALUE r.id FROM r ORDER BY r.id DESC' as never)
      .fetchAll();
    expect(sorted.resources).toEqual(
      all
        .map(({ id }) => id)
        .toSorted()
        .toReversed(),
    );
    for (const feed of [
      kind.feed(scene).readAll({ maxItemCount: 2 }),
      kind.feed(scene).query('SELECT * FROM r' as never, { maxItemCount: 2 }),
    ]) {
      const pages = await pagesOf(feed);
      expect(pages.slice(0, -1).every((page) => page.length === 2)).toBe(true);
      expect(pages.flat().map(({ id }) => id)).toEqual(all.map(({ id }) => id));
    }
    const empty = await kind
      .feed(scene)
      .query("SELECT * FROM r WHERE r.id = 'none'" as never)
      .fetchAll();
    expect(empty.resources).toEqual([]);
  });

  // The throughput of a container goes with it, and with nothing else.
  if (kind.remove === undefined) {
    return;
  }

  test('can be deleted page by page while they are read', async () => {
    const scene = await open();
    for (const id of ['r1', 'r2', 'r3', 'r4', 'r5']) {
      await kind.create(scene, id);
    }
    const options = { maxItemCount: 2 };
    const ids = async (): Promise<string[]> => (await kind.feed(scene).readAll().fetchAll()).resources.map(({ id }) => id);
    const feed = kind.feed(scene).readAll(options);
    while (feed.hasMoreResults()) {
      for (const { id } of (await feed.fetchNext()).resources ?? []) {
        if (id.startsWith('r')) {
          await kind.remove?.(scene, id);
        }
      }
    }
    expect((await ids()).filter((id) => id.startsWith('r'))).toEqual([]);
  });

  test('two of one id at once: one is made, the other is a conflict; and names of prototypes are names', async () => {
    const scene = await open();
    for (const id of ['__proto__', 'constructor', 'toString', '鱀 +%']) {
      const outcomes = await Promise.allSettled([kind.create(scene, id), kind.create(scene, id)]);
      expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
      expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 409 } });
    }
    const found = (await kind.feed(scene).readAll().fetchAll()).resources.map(({ id }) => id);
    expect(found.filter((id) => !['app', 'c', 'u'].includes(id))).toEqual(['__proto__', 'constructor', 'toString', '鱀 +%']);
    await kind.remove?.(scene, '__proto__');
    await expect(kind.remove?.(scene, '__proto__')).rejects.toMatchObject({ code: 404 });
  });
});

describe('links by resource id', () => {
  /** A request as a client signs that knows ids only: over the last of them, in lower case. */
  async function sendByRid(
    { served }: Scene,
    method: string,
    link: string,
    headers: Record<string, string> = {},
    body?: object,
  ): Promise<Response> {
    const parts = link.split('/').filter((part) => part !== '');
    const isFeed = parts.length % 2 === 1;
    const [type, rid] = isFeed ? [parts.at(-1), parts.at(-2)] : [parts.at(-2), parts.at(-1)];
    const date = new Date().toUTCString();
    const text = `${method.toLowerCase()}\n${type}\n${(rid as string).toLowerCase()}\n${date.toLowerCase()}\n\n`;
    const signature = createHmac('sha256', Buffer.from(WELL_KNOWN_KEY, 'base64')).update(text).digest('base64');
    const authorization = encodeURIComponent(`type=master&ver=1.0&sig=${signature}`);
    return served.send(method, `/${link}`, { date, authorization, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  }

  test('reach every kind of resource by its _self', async () => {
    const scene = await open();
    for (const [name, kind] of Object.entries(KINDS)) {
      await kind.create(scene, `one-of-${name}`.replaceAll(' ', '-'));
      const { resources } = await kind.feed(scene).readAll().fetchAll();
      for (const { _self: self, id } of resources) {
        const response = await sendByRid(scene, 'GET', self, name === 'documents' ? { 'x-ms-documentdb-partitionkey': '["a"]' } : {});
        expect([name, response.status]).toEqual([name, 200]);
        expect(await response.json()).toMatchObject({ id, _self: self });
      }
    }
  });

  test('documents are created, read, replaced, patched and deleted by them, within their partition key', async () => {
    const scene = await open();
    const key = { 'x-ms-documentdb-partitionkey': '["a"]' };
    const self = ((await scene.container.read()).resource as unknown as { _self: string })._self;
    const created = (await (await sendByRid(scene, 'POST', `${self}docs`, key, { id: '1', k: 'a' })).json()) as { _self: string };
    const link = created._self;
    const status = async (method: string, headers: Record<string, string>, body?: object): Promise<number> => {
      const response = await sendByRid(scene, method, link, headers, body);
      await response.arrayBuffer();
      return response.status;
    };
    expect(await status('GET', key)).toBe(200);
    expect(await status('PUT', key, { id: '1', k: 'a', n: 1 })).toBe(200);
    expect(await status('PUT', key, { id: '2', k: 'a' })).toBe(400);
    expect(await status('PATCH', key, [{ op: 'incr', path: '/n', value: 1 }])).toBe(200);
    expect((await scene.container.item('1', 'a').read()).resource).toMatchObject({ n: 2, _self: link });
    const other = { 'x-ms-documentdb-partitionkey': '["b"]' };
    expect([await status('GET', other), await status('DELETE', other), await status('GET', {})]).toEqual([404, 404, 400]);
    expect(await status('DELETE', key)).toBe(204);
    expect(await status('GET', key)).toBe(404);
    // A document that is made again is another, and an id that looks like a resource id is an id.
    await scene.container.items.create({ id: '1', k: 'a' });
    expect(await status('GET', key)).toBe(404);
    const id = link.split('/').at(-2) as string;
    await scene.container.items.create({ id, k: 'a', byId: true });
    expect((await scene.container.item(id, 'a').read()).resource).toMatchObject({ byId: true });
  });

  test('of users and containers are told apart by their bits', async () => {
    const scene = await open();
    const { resource: user } = await scene.user.read();
    const { resource: container } = await scene.container.read();
    const [ofUser, ofContainer] = [user, container].map((one) => bytesOf((one as unknown as { _rid: string })._rid)) as [Buffer, Buffer];
    expect(ofUser.subarray(0, 4)).toEqual(ofContainer.subarray(0, 4));
    expect(ofUser.readUInt8(4) & 0x80).toBe(0);
    expect(ofContainer.readUInt8(4) & 0x80).toBe(0x80);
    const { PartitionKeyRanges } = (await (await scene.served.send('GET', '/dbs/app/colls/c/pkranges')).json()) as {
      PartitionKeyRanges: { _rid: string }[];
    };
    expect((bytesOf(PartitionKeyRanges[0]?._rid as string).at(-1) as number) >> 4).toBe(5);
  });
});

describe('what goes with its owner', () => {
  test('scripts of a container that is made again are not there, nor its throughput', async () => {
    const { database, container } = await open();
    await database.containers.create({ id: 'd', partitionKey: '/k', throughput: 1000 });
    const again = database.container('d');
    await again.scripts.storedProcedures.create({ id: 'p', ...script });
    await again.scripts.userDefinedFunctions.create({ id: 'f', body: 'function () { return 1; }' });
    await again.delete();
    await database.containers.create({ id: 'd', partitionKey: '/k' });
    expect((await again.scripts.storedProcedures.readAll().fetchAll()).resources).toEqual([]);
    await expect(again.scripts.storedProcedure('p').execute('a')).rejects.toMatchObject({ code: 404 });
    await again.items.create({ id: '1', k: 'a' });
    await expect(again.items.query('SELECT VALUE udf.f() FROM c').fetchAll()).rejects.toMatchObject({ code: 400 });
    expect((await again.readOffer()).resource?.content?.offerThroughput).toBe(400);
    expect(container.id).toBe('c');
  });

  test('a user keeps its permissions through a new name, and takes them along', async () => {
    const { database, container, user } = await open();
    await user.permissions.create({ id: 'p', permissionMode: 'read' as never, resource: container.url });
    const before = (await user.read()).resource as unknown as { _rid: string };
    await user.replace({ id: 'renamed' });
    const renamed = database.user('renamed');
    expect((await renamed.read()).resource).toMatchObject({ _rid: before._rid });
    expect((await renamed.permissions.readAll().fetchAll()).resources).toMatchObject([{ id: 'p' }]);
    await expect(user.read()).rejects.toMatchObject({ code: 404 });
    await renamed.delete();
    await expect(renamed.permissions.readAll().fetchAll()).rejects.toMatchObject({ code: 404 });
  });

  test('two deletes of one container at once: one answers 204, the other 404', async () => {
    const { container } = await open();
    const outcomes = await Promise.allSettled([container.delete(), container.delete()]);
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 404 } });
  });
});
