import { describe, expect, test } from 'vitest';
import { serve } from './served.ts';

describe('the account', () => {
  test('is one at which clients stay on the endpoint they were given', async () => {
    const { client, server } = await serve();
    const { resource } = await client().getDatabaseAccount();
    expect(resource?.consistencyPolicy).toBe('Session');
    expect(await client().getReadEndpoint()).toContain(String(server.port));
  });

  test('names the server as the client reached it', async () => {
    const { send, server } = await serve();
    const account = (await (await send('GET', '/')).json()) as Record<string, unknown>;
    const locations = [{ name: 'Local', databaseAccountEndpoint: `${server.url}/` }];
    expect(account).toMatchObject({ id: 'localhost', writableLocations: locations, readableLocations: locations });
  });
});

describe('databases', () => {
  test('are created, read, listed, queried and deleted', async () => {
    const { client } = await serve();
    const { databases } = client();
    const created = await databases.create({ id: 'one' });
    expect(created.statusCode).toBe(201);
    await databases.create({ id: 'Two' });
    expect(Buffer.from(created.resource?._rid ?? '', 'base64')).toHaveLength(4);
    expect((await created.database.read()).resource).toEqual(created.resource);
    expect((await databases.readAll().fetchAll()).resources.map(({ id }) => id)).toEqual(['one', 'Two']);

    const byId = { query: 'SELECT * FROM root r WHERE r.id = @id', parameters: [{ name: '@id', value: 'Two' }] };
    expect((await databases.query(byId).fetchAll()).resources).toMatchObject([{ id: 'Two' }]);

    expect((await created.database.delete()).statusCode).toBe(204);
    await expect(created.database.read()).rejects.toMatchObject({ code: 404 });
    await expect(client().database('two').read()).rejects.toMatchObject({ code: 404 });
  });

  test('a second one with an id is a conflict', async () => {
    const { client } = await serve();
    await client().databases.create({ id: 'app' });
    await expect(client().databases.create({ id: 'app' })).rejects.toMatchObject({ code: 409 });
    expect((await client().databases.createIfNotExists({ id: 'app' })).statusCode).toBe(200);
  });

  test('come in pages of the size asked for', async () => {
    const { client } = await serve();
    for (const id of ['a', 'b', 'c', 'd', 'e']) {
      await client().databases.create({ id });
    }
    for (const feed of [
      client().databases.readAll({ maxItemCount: 2 }),
      client().databases.query('SELECT * FROM r', { maxItemCount: 2 }),
    ]) {
      const sizes: number[] = [];
      while (feed.hasMoreResults()) {
        sizes.push((await feed.fetchNext()).resources.length);
      }
      expect(sizes.filter((size) => size > 0)).toEqual([2, 2, 1]);
    }
  });

  test.each(['a/b', 'a\\b', 'a#b', 'a?b', 'end ', ''])('an id %j is refused with 400', async (id) => {
    const { send } = await serve();
    const response = await send('POST', '/dbs', { body: JSON.stringify({ id }) });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: 'BadRequest' });
  });
});

describe('containers', () => {
  test('answer with every default, and keep what they were given', async () => {
    const { client } = await serve();
    const { database } = await client().databases.create({ id: 'app' });
    const { resource } = await database.containers.create({
      id: 'todos',
      partitionKey: { paths: ['/tenant', '/user'], kind: 'MultiHash' as never, version: 2 },
      uniqueKeyPolicy: { uniqueKeys: [{ paths: ['/email'] }] },
      defaultTtl: -1,
      indexingPolicy: { includedPaths: [{ path: '/title/?' }], excludedPaths: [{ path: '/*' }] },
      computedProperties: [{ name: 'lower', query: 'SELECT VALUE LOWER(c.title) FROM c' }],
      vectorEmbeddingPolicy: { vectorEmbeddings: [] },
    });
    expect(resource).toMatchObject({
      id: 'todos',
      partitionKey: { paths: ['/tenant', '/user'], kind: 'MultiHash', version: 2 },
      uniqueKeyPolicy: { uniqueKeys: [{ paths: ['/email'] }] },
      defaultTtl: -1,
      computedProperties: [{ name: 'lower', query: 'SELECT VALUE LOWER(c.title) FROM c' }],
      vectorEmbeddingPolicy: { vectorEmbeddings: [] },
      geospatialConfig: { type: 'Geography' },
      conflictResolutionPolicy: { mode: 'LastWriterWins' },
      _docs: 'docs/',
    });
    expect(resource?.indexingPolicy).toEqual({
      indexingMode: 'consistent',
      automatic: true,
      includedPaths: [{ path: '/title/?' }],
      excludedPaths: [{ path: '/*' }, { path: '/"_etag"/?' }],
    });
    expect(Buffer.from(resource?._rid ?? '', 'base64')).toHaveLength(8);
    expect((await database.container('todos').read()).resource).toEqual(resource);
  });

  test('are listed, queried, replaced in what may change, and deleted', async () => {
    const { client } = await serve();
    const { database } = await client().databases.create({ id: 'app' });
    const { container, resource } = await database.containers.create({ id: 'one', partitionKey: '/k' });
    await database.containers.create({ id: 'two', partitionKey: '/k' });
    expect((await database.containers.readAll().fetchAll()).resources.map(({ id }) => id)).toEqual(['one', 'two']);
    const byId = { query: 'SELECT * FROM root r WHERE r.id=@id', parameters: [{ name: '@id', value: 'two' }] };
    expect((await database.containers.query(byId).fetchAll()).resources).toMatchObject([{ id: 'two' }]);

    const replaced = await container.replace({ id: 'one', partitionKey: { paths: ['/k'] }, defaultTtl: 60 });
    expect(replaced.resource).toMatchObject({ defaultTtl: 60, _rid: resource?._rid });
    expect(replaced.resource?._etag).not.toBe(resource?._etag);
    await expect(container.replace({ id: 'one', partitionKey: { paths: ['/other'] } })).rejects.toMatchObject({ code: 400 });
    await expect(container.replace({ id: 'other', partitionKey: { paths: ['/k'] } })).rejects.toMatchObject({ code: 400 });

    await container.delete();
    await expect(container.read()).rejects.toMatchObject({ code: 404 });
    await expect(container.items.create({ id: '1', k: 'a' })).rejects.toMatchObject({ code: 404 });
  });

  test('a definition that is not acceptable is refused with 400', async () => {
    const { client, send } = await serve();
    await client().databases.create({ id: 'app' });
    const bodies = [
      { id: 'c', partitionKey: { paths: ['k'] } },
      { id: 'c', partitionKey: { paths: ['/k/'] } },
      { id: 'c', partitionKey: '/k' },
      { id: 'c', partitionKey: { paths: ['/k'] }, defaultTtl: 0 },
      { id: 'c', partitionKey: { paths: ['/k'] }, defaultTtl: null },
      { id: 'c', partitionKey: { paths: ['/k'] }, uniqueKeyPolicy: { uniqueKeys: ['/a'] } },
      { id: 'c', partitionKey: { paths: ['/k'] }, indexingPolicy: [] },
      ...[
        { partitionKey: { paths: ['/k'], kind: 'List' } },
        { partitionKey: { paths: ['/a', '/b'], kind: 'Hash' } },
        { partitionKey: { paths: ['/a', '/b'], kind: 'MultiHash', version: 1 } },
        { uniqueKeyPolicy: { uniqueKeys: Array.from({ length: 11 }, (_, index) => ({ paths: [`/p${index}`] })) } },
        { uniqueKeyPolicy: { uniqueKeys: [{ paths: ['/a', '/a'] }] } },
        { uniqueKeyPolicy: { uniqueKeys: [{ paths: [] }] } },
        { conflictResolutionPolicy: { mode: 'FirstWriterWins' } },
        { conflictResolutionPolicy: 'LastWriterWins' },
        { geospatialConfig: { type: 'Flat' } },
        ...['1', 1.5, -2, 2 ** 31, true, {}].map((analyticalStorageTtl) => ({ analyticalStorageTtl })),
        { fullTextPolicy: { defaultLanguage: 'spa-SPA' } },
        { fullTextPolicy: { defaultLanguage: 7 } },
        { fullTextPolicy: { defaultLanguage: 'en-US', fullTextPaths: [{ path: '/a', language: 'xx' }] } },
        { clientEncryptionPolicy: 7 },
        { clientEncryptionPolicy: { policyFormatVersion: 1 } },
        { clientEncryptionPolicy: { includedPaths: [{ path: '/a' }, { path: '/a' }] } },
        { indexingPolicy: { indexingMode: 'sometimes' } },
        { indexingPolicy: { compositeIndexes: [[{ path: '/a' }]] } },
        { vectorEmbeddingPolicy: [] },
        { indexingPolicy: { vectorIndexes: [{ path: '/v', type: 'flat' }] } },
        { computedProperties: [{ name: 'id', query: 'SELECT VALUE c.a FROM c' }] },
        { computedProperties: [{ name: 'a', query: 'SELECT' }] },
        { changeFeedPolicy: { retentionDuration: -1 } },
      ].map((more) => ({ id: 'c', partitionKey: { paths: ['/k'] }, ...more })),
      { partitionKey: { paths: ['/k'] } },
      [],
      'text',
    ];
    for (const body of bodies) {
      const response = await send('POST', '/dbs/app/colls', { body: JSON.stringify(body) });
      expect([response.status, body]).toEqual([400, body]);
    }
    expect((await send('POST', '/dbs/none/colls', { body: JSON.stringify({ id: 'c', partitionKey: { paths: ['/k'] } }) })).status).toBe(
      404,
    );
  });

  test('one that was replaced or made again behind the server is served as it is now', async () => {
    const { client, backend } = await serve();
    const { database } = await client().databases.create({ id: 'app' });
    const { container } = await database.containers.create({ id: 'c', partitionKey: '/k' });
    await container.items.create({ id: '1', k: 'a' });
    await backend.deleteContainer('app', 'c');
    expect((await container.item('1', 'a').read()).statusCode).toBe(404);
    await backend.createContainer('app', { id: 'c', partitionKey: '/k' });
    await container.items.create({ id: '2', k: 'a' });
    expect((await container.item('2', 'a').read()).resource).toMatchObject({ id: '2' });
  });

  test('one that was made without a partition key takes the empty key', async () => {
    const { send } = await serve();
    await send('POST', '/dbs', { body: '{"id":"app"}' });
    const created = await send('POST', '/dbs/app/colls', { body: '{"id":"old"}', headers: { 'x-ms-version': '2018-06-18' } });
    expect(await created.json()).toMatchObject({ partitionKey: { paths: ['/_partitionKey'], kind: 'Hash', systemKey: true } });
    const key = { 'x-ms-documentdb-partitionkey': '[]' };
    expect((await send('POST', '/dbs/app/colls/old/docs', { body: '{"id":"1"}', headers: key })).status).toBe(201);
    expect(await (await send('GET', '/dbs/app/colls/old/docs/1', { headers: key })).json()).toMatchObject({ id: '1' });
  });

  test('are reached by resource ids too', async () => {
    const { client, send } = await serve();
    const { database } = await client().databases.create({ id: 'app' });
    const { resource } = await database.containers.create({ id: 'c', partitionKey: '/k' });
    const self = `/${resource?._self}`;
    expect(await (await send('GET', self)).json()).toEqual(resource);
    const headers = { 'x-ms-documentdb-partitionkey': '["a"]' };
    expect((await send('POST', `${self}docs`, { body: '{"id":"1","k":"a"}', headers })).status).toBe(201);
    expect((await send('GET', '/dbs/app/colls/c/docs/1', { headers })).status).toBe(200);
    expect((await send('DELETE', self)).status).toBe(204);
    expect((await send('GET', '/dbs/app/colls/c')).status).toBe(404);
  });
});

describe('offers', () => {
  test('a container has the throughput it was made with, 400 unless said otherwise, and gives it up with its end', async () => {
    const { client } = await serve();
    const { database } = await client().databases.create({ id: 'app' });
    await database.containers.create({ id: 'plain', partitionKey: '/k' });
    const { container } = await database.containers.create({ id: 'fast', partitionKey: '/k', throughput: 1200 });
    await database.containers.create({ id: 'auto', partitionKey: '/k', maxThroughput: 4000 });
    const throughputs = (await client().offers.readAll().fetchAll()).resources.map(({ content }) => content?.offerThroughput);
    expect(throughputs).toEqual([400, 1200, 400]);

    const { resource: offer } = await container.readOffer();
    expect(offer).toMatchObject({ offerVersion: 'V2', content: { offerThroughput: 1200 } });
    const changed = { ...offer, content: { offerThroughput: 2000, offerIsRUPerMinuteThroughputEnabled: false } };
    await client()
      .offer(offer?.id as string)
      .replace(changed as never);
    expect((await container.readOffer()).resource?.content?.offerThroughput).toBe(2000);
    expect((await container.read()).resource).not.toHaveProperty('perigee');

    const wrong = { ...changed, offerResourceId: 'AAAA' };
    await expect(
      client()
        .offer(offer?.id as string)
        .replace(wrong as never),
    ).rejects.toMatchObject({ code: 400 });

    await container.delete();
    await expect(
      client()
        .offer(offer?.id as string)
        .read(),
    ).rejects.toMatchObject({ code: 404 });
  });
});
