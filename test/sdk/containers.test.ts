import { PartitionKeyKind, type ContainerDefinition } from '@azure/cosmos';
import { expect } from 'vitest';
import { codeOf, sdkSuite } from './support/sdk-suite.ts';

const byId = (id: string) => ({ query: 'SELECT * FROM root r WHERE r.id = @id', parameters: [{ name: '@id', value: id }] });

sdkSuite((feature) => {
  feature(
    'containers.lifecycle',
    'a container is created once, replaced in what may change, and gone when it is deleted',
    async ({ account }) => {
      const database = await account.database();
      const { container, resource, statusCode, etag } = await database.containers.create({ id: 'items', partitionKey: '/pk' });
      expect([statusCode, etag]).toEqual([201, resource?._etag]);
      expect((await container.read()).resource).toEqual(resource);
      expect((await database.containers.createIfNotExists({ id: 'items', partitionKey: '/pk' })).statusCode).toBe(200);
      expect(await codeOf(database.containers.create({ id: 'items', partitionKey: '/pk' }))).toBe(409);
      const replaced = await container.replace({ ...(resource as ContainerDefinition), defaultTtl: 60 });
      expect(replaced).toMatchObject({ statusCode: 200, resource: { defaultTtl: 60, _rid: resource?._rid } });
      expect(replaced.resource?._etag).not.toBe(resource?._etag);
      const stale = { accessCondition: { type: 'IfMatch', condition: etag } };
      expect(await codeOf(container.replace({ id: 'items', partitionKey: { paths: ['/pk'] } }, stale))).toBe(412);
      expect((await container.getPartitionKeyDefinition()).resource).toMatchObject({ paths: ['/pk'], kind: 'Hash' });
      await container.items.create({ id: '1', pk: 'a' });
      expect((await container.delete()).statusCode).toBe(204);
      expect(await codeOf(container.read())).toBe(404);
      await database.containers.create({ id: 'items', partitionKey: '/pk' });
      expect((await container.items.readAll().fetchAll()).resources).toEqual([]);
    },
  );

  feature('containers.feeds', 'containers are listed and queried in pages', async ({ account }) => {
    const { containers } = await account.database();
    for (const id of ['a', 'b', 'c']) {
      await containers.create({ id, partitionKey: '/pk' });
    }
    expect((await containers.query(byId('b')).fetchAll()).resources).toMatchObject([{ id: 'b', partitionKey: { paths: ['/pk'] } }]);
    const feed = containers.readAll({ maxItemCount: 2 });
    expect((await feed.fetchNext()).resources).toHaveLength(2);
    expect((await feed.fetchNext()).resources).toMatchObject([{ id: 'c' }]);
    const ids = containers.query<string>({ query: 'SELECT VALUE c.id FROM c' }, { maxItemCount: 1 });
    expect((await ids.fetchAll()).resources).toEqual(['a', 'b', 'c']);
  });

  feature('containers.defaults', 'a container that says nothing has every default of the service', async ({ account }) => {
    const container = await account.container({ partitionKey: '/pk' });
    const { resource } = await container.read();
    expect(resource).toMatchObject({
      indexingPolicy: {
        indexingMode: 'consistent',
        automatic: true,
        includedPaths: [{ path: '/*' }],
        excludedPaths: [{ path: '/"_etag"/?' }],
      },
      partitionKey: { paths: ['/pk'], kind: 'Hash' },
      conflictResolutionPolicy: { mode: 'LastWriterWins', conflictResolutionPath: '/_ts' },
      geospatialConfig: { type: 'Geography' },
      _docs: 'docs/',
      _sprocs: 'sprocs/',
      _triggers: 'triggers/',
      _udfs: 'udfs/',
      _conflicts: 'conflicts/',
    });
    expect(resource).not.toHaveProperty('defaultTtl');
    const explicit = await account.container({
      indexingPolicy: { automatic: true, indexingMode: 'consistent', includedPaths: [{ path: '/a/?' }], excludedPaths: [{ path: '/*' }] },
    });
    expect((await explicit.read()).resource?.indexingPolicy?.excludedPaths).toEqual([{ path: '/*' }, { path: '/"_etag"/?' }]);
  });

  feature(
    'containers.validation',
    'a definition that the service refuses is refused, in its words where programs look for them',
    async ({ account }) => {
      const database = await account.database();
      const create = (definition: object) => account.send('POST', `/dbs/${database.id}/colls`, { body: { id: 'c', ...definition } });
      const pk = { partitionKey: { paths: ['/pk'], kind: 'Hash', version: 2 } };
      const refused: readonly object[] = [
        { partitionKey: { paths: ['pk'] } },
        { partitionKey: { paths: [] } },
        { partitionKey: { paths: ['/a', '/b', '/c', '/d'], kind: 'MultiHash', version: 2 } },
        { ...pk, defaultTtl: 0 },
        { ...pk, defaultTtl: -2 },
        { ...pk, defaultTtl: null },
        { ...pk, uniqueKeyPolicy: { uniqueKeys: [{ paths: ['email'] }] } },
        { ...pk, computedProperties: [{ name: 'n' }] },
        { ...pk, indexingPolicy: { includedPaths: [{ path: 'a' }] } },
        { ...pk, changeFeedPolicy: { retentionDuration: 'long' } },
        { ...pk, id: 'a/b' },
        { ...pk, id: 'end ' },
        { ...pk, id: undefined },
      ];
      for (const definition of refused) {
        expect([definition, (await create(definition)).status]).toEqual([definition, 400]);
      }
      for (const path of ['/pk/', '/*', '/a/*']) {
        expect((await create({ partitionKey: { paths: [path] } })).body).toMatchObject({
          message: expect.stringContaining(
            'Partition key paths must contain only valid characters and not contain a trailing slash or wildcard character',
          ) as string,
        });
      }
      const container = await account.container();
      const keep = { id: 'items', partitionKey: { paths: ['/pk'], version: 2 } };
      expect(await codeOf(container.replace({ ...keep, partitionKey: { paths: ['/other'], version: 2 } }))).toBe(400);
      expect(await codeOf(container.replace({ ...keep, id: 'other' }))).toBe(400);
      expect((await container.replace({ ...keep, defaultTtl: -1 })).statusCode).toBe(200);
    },
  );

  feature('containers.unique-keys', 'a unique key holds within a partition key', async ({ account }) => {
    const container = await account.container({ uniqueKeyPolicy: { uniqueKeys: [{ paths: ['/email'] }, { paths: ['/a', '/b/c'] }] } });
    expect((await container.read()).resource?.uniqueKeyPolicy).toEqual({
      uniqueKeys: [{ paths: ['/email'] }, { paths: ['/a', '/b/c'] }],
    });
    await container.items.create({ id: '1', pk: 'x', email: 'ada', a: 1 });
    expect(await codeOf(container.items.create({ id: '2', pk: 'x', email: 'ada', a: 2 }))).toBe(409);
    expect((await container.items.create({ id: '2', pk: 'y', email: 'ada', a: 1 })).statusCode).toBe(201);
    await container.items.create({ id: '3', pk: 'x', email: 'bob', a: 2 });
    expect(await codeOf(container.items.upsert({ id: '3', pk: 'x', email: 'ada', a: 2 }))).toBe(409);
    expect(await codeOf(container.item('3', 'x').patch([{ op: 'set', path: '/email', value: 'ada' }]))).toBe(409);
    await container.item('1', 'x').delete();
    expect((await container.item('3', 'x').patch([{ op: 'set', path: '/email', value: 'ada' }])).statusCode).toBe(200);
  });

  feature('containers.computed-properties', 'a computed property is there for queries and not in documents', async ({ account }) => {
    const computedProperties = [{ name: 'lower', query: 'SELECT VALUE LOWER(c.name) FROM c' }];
    const container = await account.container({
      computedProperties,
      indexingPolicy: { includedPaths: [{ path: '/*' }, { path: '/lower/?' }], excludedPaths: [] },
    });
    expect((await container.read()).resource?.computedProperties).toEqual(computedProperties);
    for (const name of ['Ada', 'ADA', 'Bob']) {
      await container.items.create({ id: name, pk: 'a', name });
    }
    const ask = async (query: string): Promise<unknown[]> => (await container.items.query(query).fetchAll()).resources;
    expect(await ask("SELECT VALUE c.id FROM c WHERE c.lower = 'ada'")).toEqual(['Ada', 'ADA']);
    expect(await ask('SELECT VALUE c.lower FROM c ORDER BY c.lower DESC')).toEqual(['bob', 'ada', 'ada']);
    expect(await ask('SELECT c.lower, COUNT(1) AS n FROM c GROUP BY c.lower')).toEqual([
      { lower: 'ada', n: 2 },
      { lower: 'bob', n: 1 },
    ]);
    expect(Object.keys((await ask('SELECT * FROM c'))[0] as object)).not.toContain('lower');
    const changed = [{ name: 'upper', query: 'SELECT VALUE UPPER(c.name) FROM c' }];
    const replaced = await container.replace({ id: 'items', partitionKey: { paths: ['/pk'], version: 2 }, computedProperties: changed });
    expect(replaced.resource?.computedProperties).toEqual(changed);
    expect(await ask("SELECT VALUE c.id FROM c WHERE c.upper = 'BOB'")).toEqual(['Bob']);
  });

  feature('containers.policies', 'policies are kept as they were given', async ({ account }) => {
    const definition = {
      id: 'items',
      partitionKey: { paths: ['/pk'], version: 2 },
      analyticalStorageTtl: -1,
      vectorEmbeddingPolicy: {
        vectorEmbeddings: [{ path: '/v', dataType: 'float32', dimensions: 3, distanceFunction: 'cosine' }],
      },
      fullTextPolicy: { defaultLanguage: 'en-US', fullTextPaths: [{ path: '/text', language: 'en-US' }] },
      geospatialConfig: { type: 'Geometry' },
      changeFeedPolicy: { retentionDuration: 10 },
      conflictResolutionPolicy: { mode: 'LastWriterWins', conflictResolutionPath: '/rank' },
      indexingPolicy: {
        indexingMode: 'consistent',
        automatic: true,
        includedPaths: [{ path: '/*' }],
        excludedPaths: [{ path: '/v/*' }],
        compositeIndexes: [
          [
            { path: '/a', order: 'ascending' },
            { path: '/b', order: 'descending' },
          ],
        ],
        spatialIndexes: [{ path: '/place/*', types: ['Point', 'Polygon'], boundingBox: { xmin: 0, ymin: 0, xmax: 10, ymax: 10 } }],
        vectorIndexes: [{ path: '/v', type: 'quantizedFlat' }],
        fullTextIndexes: [{ path: '/text' }],
      },
    };
    const container = await account.container(definition as never);
    const { resource } = await container.read();
    expect(resource).toMatchObject({
      ...definition,
      changeFeedPolicy: definition.changeFeedPolicy,
      indexingPolicy: { ...definition.indexingPolicy, excludedPaths: [{ path: '/v/*' }, { path: '/"_etag"/?' }] },
    });
    const other = { ...resource, indexingPolicy: { ...resource?.indexingPolicy, excludedPaths: [{ path: '/big/*' }] } };
    expect((await container.replace(other as never)).resource?.indexingPolicy?.excludedPaths).toContainEqual({ path: '/big/*' });
  });

  feature('containers.quota', 'quota and progress of the index come where they are asked for', async ({ account }) => {
    const container = await account.container();
    const asked = await container.read({ populateQuotaInfo: true });
    expect(asked.headers['x-ms-resource-quota']).toContain('collectionSize=');
    expect(asked.headers['x-ms-documentdb-collection-index-transformation-progress']).toBe('100');
    expect((await container.read()).headers['x-ms-documentdb-collection-index-transformation-progress']).toBeUndefined();
  });

  feature('containers.resource-ids', 'everything is reached by resource ids as by names', async ({ account }) => {
    const container = await account.container();
    const { resource } = await container.read();
    expect(Buffer.from(resource?._rid ?? '', 'base64')).toHaveLength(8);
    const { resource: item } = await container.items.create({ id: '1', pk: 'a' });
    expect(Buffer.from((item?._rid ?? '').replace('-', '/'), 'base64')).toHaveLength(16);
    expect(item?._self).toBe(`${resource?._self}docs/${item?._rid}/`);
    const headers = { 'x-ms-documentdb-partitionkey': '["a"]' };
    expect((await account.send('GET', `/${resource?._self}`)).body).toEqual(resource);
    expect((await account.send('GET', `/${item?._self}`, { headers })).body).toEqual(item);
    expect((await account.send('GET', `/${resource?._self}docs`)).body).toMatchObject({ _rid: resource?._rid, Documents: [item] });
    expect((await account.send('DELETE', `/${item?._self}`, { headers })).status).toBe(204);
    expect((await container.item('1', 'a').read()).statusCode).toBe(404);
  });

  feature('containers.no-partition-key', 'a container of old is used with the empty key', async ({ account }) => {
    const database = await account.database();
    const path = `/dbs/${database.id}/colls`;
    const created = await account.send('POST', path, { headers: { 'x-ms-version': '2018-06-18' }, body: { id: 'old' } });
    expect(created).toMatchObject({ status: 201, body: { partitionKey: { systemKey: true, kind: 'Hash' } } });
    const container = database.container('old');
    expect((await container.items.create({ id: '1', name: 'one' })).statusCode).toBe(201);
    expect((await container.item('1').read()).resource).toMatchObject({ id: '1', name: 'one' });
    expect((await container.item('1').replace({ id: '1', name: 'two' })).resource).toMatchObject({ name: 'two' });
    expect((await container.items.upsert({ id: '2', name: 'two' })).statusCode).toBe(201);
    expect((await container.items.query('SELECT VALUE c.id FROM c ORDER BY c.id DESC').fetchAll()).resources).toEqual(['2', '1']);
    const bulk = await container.items.bulk([
      { operationType: 'Create', resourceBody: { id: '3' } },
      { operationType: 'Delete', id: '2' },
    ] as never);
    expect(bulk.map(({ statusCode }) => statusCode)).toEqual([201, 204]);
    const batch = await container.items.batch([{ operationType: 'Upsert', resourceBody: { id: '3', n: 1 } }] as never);
    expect(batch.result?.map(({ statusCode }) => statusCode)).toEqual([200]);
    expect((await container.item('3').delete()).statusCode).toBe(204);
    expect((await container.items.readAll().fetchAll()).resources).toMatchObject([{ id: '1' }]);
  });

  feature('containers.delete-by-key', 'a partition key is emptied at once, and others stay', async ({ account }) => {
    const container = await account.container({ partitionKey: { paths: ['/a', '/b'], kind: PartitionKeyKind.MultiHash, version: 2 } });
    for (const [a, b] of ['xx', 'xy', 'yx']) {
      await container.items.create({ id: '1', a, b });
      await container.items.create({ id: '2', a, b });
    }
    expect((await container.deleteAllItemsForPartitionKey(['x', 'x'])).statusCode).toBe(200);
    const left = await container.items.query<{ a: string; b: string }>('SELECT c.a, c.b FROM c').fetchAll();
    expect(left.resources.map(({ a, b }) => a + b).toSorted()).toEqual(['xy', 'xy', 'yx', 'yx']);
    expect(await codeOf(container.items.create({ id: '1', a: 'x', b: 'x' }))).toBe(undefined);
  });
});
