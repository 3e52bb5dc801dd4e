import { CosmosClient, ChangeFeedStartFrom } from '@azure/cosmos';
import { expect, onTestFinished } from 'vitest';
import { sdkSuite } from './support/sdk-suite.ts';

sdkSuite((feature) => {
  feature('account.read', 'the account tells its consistency and where it is read and written', async ({ account }) => {
    const { resource, headers } = await account.client.getDatabaseAccount();
    expect(resource).toMatchObject({
      consistencyPolicy: 'Session',
      enableMultipleWritableLocations: false,
      databasesLink: '/dbs/',
    });
    expect(headers['x-ms-activity-id']).toMatch(/^[0-9a-f-]{36}$/u);
    const { body } = await account.send('GET', '/');
    const locations = [{ name: expect.any(String) as string, databaseAccountEndpoint: `${account.server.url}/` }];
    expect(body).toMatchObject({ id: 'localhost', readableLocations: locations, writableLocations: locations });
    const limits = JSON.parse((body as { queryEngineConfiguration: string }).queryEngineConfiguration) as object;
    expect(limits).toMatchObject({ maxSqlQueryInputLength: 262144, maxJoinsPerSqlQuery: 5, sqlAllowAggregateFunctions: true });
  });

  feature('account.endpoint', 'a client works under each name of the server, and is told no other', async ({ account }) => {
    const { port } = account.server;
    for (const endpoint of [`http://localhost:${port}`, `http://127.0.0.1:${port}/`, `http://app.localhost:${port}`]) {
      if (endpoint.includes('app.localhost')) {
        // Not every resolver knows names below localhost, so the name goes in the header alone.
        const { body } = await account.send('GET', '/', { headers: { host: `app.localhost:${port}` } });
        expect(body).toMatchObject({ id: 'localhost' });
        continue;
      }
      const client = account.connect({ endpoint });
      expect((await account.database(client)).id).toBeTruthy();
      expect(new URL(await client.getReadEndpoint()).host).toBe(new URL(endpoint).host);
      expect(new URL(await client.getWriteEndpoint()).host).toBe(new URL(endpoint).host);
    }
  });

  feature('account.isolation', 'accounts beside each other share nothing', async ({ account, own }) => {
    const [one, two] = [await own(), await own()];
    expect(new Set([account.server.port, one.server.port, two.server.port]).size).toBe(3);
    await one.client.databases.create({ id: 'shop' });
    expect((await two.client.databases.readAll().fetchAll()).resources).toEqual([]);
    expect((await one.client.databases.readAll().fetchAll()).resources).toMatchObject([{ id: 'shop' }]);
  });

  feature('account.restart', 'after a restart nothing is different', async ({ own }) => {
    const account = await own();
    const container = await account.container({ throughput: 700, defaultTtl: -1 });
    const { user } = await container.database.users.create({ id: 'ada' });
    await user.permissions.create({ id: 'all', permissionMode: 'All' as never, resource: container.url });
    await container.scripts.storedProcedures.create({ id: 'hi', body: 'function () { getContext().getResponse().setBody("hi"); }' });
    const created = await container.items.create({ id: '1', pk: 'a', text: 'kept' });
    const definition = (await container.read()).resource;
    const feed = container.items.getChangeFeedIterator<{ id: string }>({ changeFeedStartFrom: ChangeFeedStartFrom.Beginning('a') });
    const { continuationToken } = await feed.readNext();
    await container.items.create({ id: '2', pk: 'a' });
    const page = await container.items.query('SELECT c.id FROM c', { maxItemCount: 1, partitionKey: 'a' }).fetchNext();

    await account.restart();
    const again = account.as(account.client, container);
    expect((await again.read()).resource).toEqual(definition);
    const read = await again.item('1', 'a').read();
    expect(read.resource).toEqual(created.resource);
    expect(read.headers['x-ms-session-token']).toMatch(/^0:-1#[12]$/u);
    expect((await again.readOffer()).resource?.content?.offerThroughput).toBe(700);
    expect((await again.scripts.storedProcedure('hi').execute('a')).resource).toBe('hi');
    expect((await again.database.user('ada').permission('all').read()).resource?._token).toMatch(/^type=resource&/u);
    const resumed = again.items.getChangeFeedIterator<{ id: string }>({
      changeFeedStartFrom: ChangeFeedStartFrom.Continuation(continuationToken),
    });
    expect((await resumed.readNext()).result.map(({ id }) => id)).toEqual(['2']);
    const rest = again.items.query('SELECT c.id FROM c', { continuationToken: page.continuationToken, partitionKey: 'a' });
    expect((await rest.fetchAll()).resources).toEqual([{ id: '2' }]);
    const replaced = await again
      .item('1', 'a')
      .replace({ id: '1', pk: 'a' }, { accessCondition: { type: 'IfMatch', condition: created.etag } });
    expect(replaced.statusCode).toBe(200);
  });

  feature('account.health', 'whoever watches the server needs no key', async ({ account }) => {
    for (const [path, status] of [
      ['/healthz', 'ok'],
      ['/readyz', 'ready'],
    ]) {
      expect(await account.send('GET', path as string, { authorization: null })).toMatchObject({ status: 200, body: { status } });
    }
  });

  feature('credentials.master-key', 'a connection string is an endpoint and a key', async ({ account }) => {
    const client = new CosmosClient(`AccountEndpoint=${account.server.url}/;AccountKey=${account.key};`);
    onTestFinished(() => client.dispose());
    expect((await client.databases.readAll().fetchAll()).resources.length).toBeGreaterThanOrEqual(0);
    const { id } = await account.database(client);
    expect((await account.client.database(id).read()).statusCode).toBe(200);
  });

  feature('credentials.read-only-key', 'the read-only key reads, queries and follows the feed, and writes nothing', async ({ own }) => {
    const readOnlyKey = Buffer.from('only to be read').toString('base64');
    const account = await own({ readOnlyKey });
    const container = await account.container();
    await container.items.create({ id: '1', pk: 'a' });
    const reader = account.as(account.connect({ key: readOnlyKey }), container);
    expect((await reader.item('1', 'a').read()).statusCode).toBe(200);
    expect((await reader.items.query('SELECT VALUE c.id FROM c ORDER BY c.id').fetchAll()).resources).toEqual(['1']);
    expect((await reader.database.containers.readAll().fetchAll()).resources).toHaveLength(1);
    const feed = reader.items.getChangeFeedIterator({ changeFeedStartFrom: ChangeFeedStartFrom.Beginning() });
    expect((await feed.readNext()).result).toHaveLength(1);
    const writes = [
      reader.items.create({ id: '2', pk: 'a' }),
      reader.items.upsert({ id: '1', pk: 'a' }),
      reader.item('1', 'a').delete(),
      reader.item('1', 'a').patch([{ op: 'add', path: '/n', value: 1 }]),
      reader.delete(),
      reader.database.containers.create({ id: 'more', partitionKey: '/pk' }),
      reader.database.users.create({ id: 'ada' }),
    ];
    for (const { status, reason } of (await Promise.allSettled(writes)) as PromiseRejectedResult[]) {
      expect([status, (reason as { code?: number }).code]).toEqual(['rejected', 403]);
    }
    expect((await container.item('1', 'a').read()).statusCode).toBe(200);
  });

  feature('credentials.refused', 'nobody is served without a right signature', async ({ account }) => {
    expect(await account.send('GET', '/dbs', { authorization: null })).toMatchObject({ status: 401, body: { code: 'Unauthorized' } });
    expect((await account.send('GET', '/dbs', { authorization: 'type=master&ver=1.0&sig=' })).status).toBe(401);
    const stranger = account.connect({ key: Buffer.from('another key').toString('base64') });
    await expect(stranger.databases.readAll().fetchAll()).rejects.toMatchObject({ code: 401 });
    for (const minutes of [-16, 16]) {
      const date = new Date(Date.now() + minutes * 60_000).toUTCString();
      expect((await account.send('GET', '/dbs', { headers: { 'x-ms-date': date } })).status).toBe(401);
    }
  });

  feature('credentials.directory', 'a bearer token is taken by an option alone, and manages nothing', async ({ account, own }) => {
    const token = (claims: object): string =>
      ['{"alg":"none"}', JSON.stringify(claims), 'signature'].map((part) => Buffer.from(part).toString('base64url')).join('.');
    const credentials = (value: string): { readonly aadCredentials: never } => ({
      aadCredentials: { getToken: () => Promise.resolve({ token: value, expiresOnTimestamp: Date.now() + 3_600_000 }) } as never,
    });
    const seconds = Math.floor(Date.now() / 1000);
    const open = await own({ directoryTokens: 'any', https: true });
    const container = await open.container();
    const visitor = open.as(open.connect(credentials(token({ exp: seconds + 3600 }))), container);
    expect((await visitor.items.create({ id: '1', pk: 'a' })).statusCode).toBe(201);
    expect((await visitor.items.query('SELECT VALUE c.id FROM c').fetchAll()).resources).toEqual(['1']);
    await expect(visitor.delete()).rejects.toMatchObject({ code: 403, substatus: 5300 });
    await expect(open.database(open.connect(credentials(token({ exp: seconds - 1 }))))).rejects.toMatchObject({ code: 401 });

    const checked = await own({ https: true, directoryTokens: (text) => (text === 'reader' ? 'reader' : undefined) });
    const items = await checked.container();
    await items.items.create({ id: '1', pk: 'a' });
    const reader = checked.as(checked.connect(credentials('reader')), items);
    expect((await reader.item('1', 'a').read()).statusCode).toBe(200);
    await expect(reader.item('1', 'a').delete()).rejects.toMatchObject({ code: 403 });
    await expect(checked.connect(credentials('other')).getDatabaseAccount()).rejects.toMatchObject({ code: 401 });
    expect((await account.send('GET', '/', { authorization: `Bearer ${token({})}` })).status).toBe(401);
  });
});
