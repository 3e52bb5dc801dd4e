import { CosmosClient, type PermissionDefinition } from '@azure/cosmos';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WELL_KNOWN_KEY } from '../../src/server/index.ts';
import { createTokenService, oidcVerifier } from '../../src/tokens/index.ts';
import { AUDIENCE, CapturedLog, failureOf, openScene, type Scene } from './scene.ts';

const DEMAND = { container: 'todos', partitionKey: ['ada'], mode: 'all' };

/** The account as a client of the SDK sees it that has this token and nothing else. */
function sdkWith(scene: Scene, token: string): CosmosClient {
  const client = new CosmosClient({
    endpoint: scene.server.url,
    tokenProvider: () => Promise.resolve(token),
    connectionPolicy: { enableEndpointDiscovery: false },
  });
  onTestFinished(() => client.dispose());
  return client;
}

function masterClient(scene: Scene): CosmosClient {
  const client = new CosmosClient({
    endpoint: scene.server.url,
    key: WELL_KNOWN_KEY,
    connectionPolicy: { enableEndpointDiscovery: false },
  });
  onTestFinished(() => client.dispose());
  return client;
}

const statusOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'done',
    ({ code }: { code?: unknown }) => code,
  );

describe('a token', () => {
  test('says what it is for and how long it lives, and nobody may keep the answer', async () => {
    const scene = await openScene({ lifetimeSeconds: 600 });
    const before = Date.now();
    const { status, headers, body } = await scene.ask(DEMAND);
    expect([status, headers.get('cache-control'), headers.get('content-type')]).toEqual([
      200,
      'no-store',
      'application/json; charset=utf-8',
    ]);
    const { token, expiresAtMs, ...facts } = body;
    expect(facts).toEqual({ container: 'todos', partitionKey: ['ada'], mode: 'all', lifetimeSeconds: 600 });
    expect(token).toMatch(/^type=resource&/u);
    expect(expiresAtMs).toBeGreaterThan(before + 598_000);
    expect(expiresAtMs).toBeLessThanOrEqual(Date.now() + 600_000);
  });

  test("of one user does everything with the user's own key and nothing with another's", async () => {
    const scene = await openScene();
    const todos = await scene.cloud.container('app', 'todos');
    await todos.create({ id: '1', owner: 'bob', text: 'secret' });
    const { body } = await scene.ask(DEMAND);
    const mine = sdkWith(scene, body['token'] as string)
      .database('app')
      .container('todos');
    expect((await mine.items.create({ id: '1', owner: 'ada' })).statusCode).toBe(201);
    expect((await mine.item('1', 'ada').read()).statusCode).toBe(200);
    expect((await mine.items.query('SELECT * FROM c', { partitionKey: 'ada' }).fetchAll()).resources).toHaveLength(1);
    const beyond: readonly Promise<unknown>[] = [
      mine.item('1', 'bob').read(),
      mine.item('1', 'bob').delete(),
      mine.items.create({ id: '2', owner: 'bob' }),
      mine.items.query('SELECT * FROM c', { partitionKey: 'bob' }).fetchAll(),
      mine.items.query('SELECT * FROM c').fetchAll(),
      mine.database.container('secrets').item('1', 'ada').read(),
      mine.database.users.readAll().fetchAll(),
    ];
    expect(await Promise.all(beyond.map(statusOf))).toEqual(beyond.map(() => 403));
  });

  test('to read is refused for writing', async () => {
    const scene = await openScene();
    const { body } = await scene.ask({ container: 'todos' });
    expect([body['mode'], body['partitionKey']]).toEqual(['read', ['ada']]);
    const mine = sdkWith(scene, body['token'] as string)
      .database('app')
      .container('todos');
    expect((await mine.items.query('SELECT * FROM c', { partitionKey: 'ada' }).fetchAll()).resources).toEqual([]);
    expect(await statusOf(mine.items.create({ id: '1', owner: 'ada' }))).toBe(403);
  });

  test.each(['a/b\\c?d#e', ' ada ', 'Ada Lovelace <ada@example.com>', 'жаба 🐸', '__proto__', 'x'.repeat(1000)])(
    'is given to a user of any name: %#',
    async (sub) => {
      const scene = await openScene();
      const { status, body } = await scene.ask(
        { container: 'todos', mode: 'all' },
        { authorization: `Bearer ${await scene.issuer.sign({ sub })}` },
      );
      expect([status, body['partitionKey']]).toEqual([200, [sub]]);
      const mine = sdkWith(scene, body['token'] as string)
        .database('app')
        .container('todos');
      expect((await mine.items.create({ id: '1', owner: sub })).statusCode).toBe(201);
      const { resources: users } = await masterClient(scene).database('app').users.readAll().fetchAll();
      expect(users.map(({ id }) => id)).toEqual([expect.stringMatching(/^perigee-[0-9a-f]{64}-[0-9a-f]{32}$/u)]);
    },
  );

  test('asked for a hundred times at once, by several services, makes one user and one permission', async () => {
    const scene = await openScene({ rateLimit: { perCaller: { perMinute: 1000 } } });
    const other = createTokenService({
      account: { endpoint: scene.server.url, key: WELL_KNOWN_KEY, database: 'app' },
      containers: ['todos'],
      verify: () => ({ subject: 'ada' }),
      rateLimit: { perCaller: { perMinute: 1000 } },
    });
    onTestFinished(() => other.close());
    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, index) =>
        index % 2 === 0 ? (await scene.ask(DEMAND)).status : (await other.handle({ method: 'POST', headers: {}, body: DEMAND })).status,
      ),
    );
    expect(answers.filter((status) => status !== 200)).toEqual([]);
    const { users } = masterClient(scene).database('app');
    const { resources } = await users.readAll().fetchAll();
    expect(resources).toHaveLength(1);
    const permissions = await users.database
      .user(resources[0]?.id as string)
      .permissions.readAll()
      .fetchAll();
    expect(permissions.resources).toHaveLength(1);
  });

  test.each([
    { resource: 'dbs/app/colls/secrets', resourcePartitionKey: ['ada'] },
    { resource: 'dbs/app/colls/todos' },
    { resource: 'dbs/app/colls/todos', resourcePartitionKey: ['bob'] },
    { resource: 'dbs/app/colls/todos', resourcePartitionKey: ['ada'], permissionMode: 'Read' },
  ])('is never one of a permission that somebody has changed: it is put right first (%#)', async (changed) => {
    const scene = await openScene();
    await scene.ask(DEMAND);
    const { users } = masterClient(scene).database('app');
    const user = users.database.user((await users.readAll().fetchAll()).resources[0]?.id as string);
    await user.permission('token').replace({ id: 'token', permissionMode: 'All', ...changed } as PermissionDefinition);
    const { body } = await scene.ask(DEMAND);
    const mine = sdkWith(scene, body['token'] as string).database('app');
    expect(await statusOf(mine.container('secrets').item('1', 'ada').read())).toBe(403);
    expect(await statusOf(mine.container('todos').item('1', 'bob').read())).toBe(403);
    expect((await mine.container('todos').items.create({ id: '1', owner: 'ada' })).statusCode).toBe(201);
  });

  test('lives on when its permission is deleted, as in the service; a caller who is turned away gets no other', async () => {
    let isMember = true;
    const scene = await openScene({ verify: () => ({ subject: 'ada' }), partitionKeysOf: () => (isMember ? ['ada'] : []) });
    const { body } = await scene.ask(DEMAND);
    const { users } = masterClient(scene).database('app');
    for (const { id } of (await users.readAll().fetchAll()).resources) {
      await users.database.user(id as string).delete();
    }
    const mine = sdkWith(scene, body['token'] as string)
      .database('app')
      .container('todos');
    expect((await mine.items.create({ id: '1', owner: 'ada' })).statusCode).toBe(201);
    isMember = false;
    expect((await scene.ask(DEMAND)).status).toBe(403);
    expect((await users.readAll().fetchAll()).resources).toEqual([]);
    isMember = true;
    expect((await scene.ask(DEMAND)).status).toBe(200);
  });
});

describe('what a caller may have', () => {
  test('is the key that equals its name, unless a function says otherwise', async () => {
    const scene = await openScene();
    const refused = [
      { ...DEMAND, partitionKey: ['bob'] },
      { ...DEMAND, partitionKey: 'bob' },
      { ...DEMAND, partitionKey: ['ada', 'x'].slice(1) },
      { ...DEMAND, partitionKey: [{}] },
      { ...DEMAND, partitionKey: null },
      { ...DEMAND, container: 'secrets' },
      { ...DEMAND, container: 'none' },
      { ...DEMAND, database: 'other' },
    ];
    for (const body of refused) {
      expect([body, (await scene.ask(body)).body['code']]).toEqual([body, 'FORBIDDEN']);
    }
    expect((await scene.ask({ ...DEMAND, database: 'app' })).status).toBe(200);
  });

  test('may be many keys, in modes of their own, and none', async () => {
    const scene = await openScene({
      partitionKeysOf: async ({ subject }, container) =>
        subject === 'ada' && container === 'todos' ? [`${subject}:todo`, `${subject}:list`, { partitionKey: 'news', mode: 'read' }] : [],
    });
    const codeOf = async (partitionKey: unknown, mode: string, sub = 'ada'): Promise<unknown> => {
      const { status, body } = await scene.ask(
        { container: 'todos', partitionKey, mode },
        { authorization: `Bearer ${await scene.issuer.sign({ sub })}` },
      );
      return status === 200 ? body['partitionKey'] : body['code'];
    };
    expect(await codeOf('ada:todo', 'all')).toEqual(['ada:todo']);
    expect(await codeOf(['ada:list'], 'all')).toEqual(['ada:list']);
    expect(await codeOf(undefined, 'all')).toEqual(['ada:todo']);
    expect(await codeOf('news', 'read')).toEqual(['news']);
    expect(await codeOf('news', 'all')).toBe('FORBIDDEN');
    expect(await codeOf('ada', 'read')).toBe('FORBIDDEN');
    expect(await codeOf('ada:todo', 'read', 'bob')).toBe('FORBIDDEN');
    expect(await codeOf(undefined, 'read', 'bob')).toBe('FORBIDDEN');
  });

  test('may be a whole container, or all below the first level of a key', async () => {
    const scene = await openScene({
      containers: ['todos', 'deep'],
      partitionKeysOf: (_, container) => (container === 'deep' ? [['acme']] : [{ wholeContainer: true }]),
    });
    await scene.cloud.createContainer('app', { id: 'deep', partitionKey: ['/tenant', '/user'] });
    const all = await scene.ask({ container: 'todos', mode: 'all' });
    expect([all.status, 'partitionKey' in all.body]).toEqual([200, false]);
    const everywhere = sdkWith(scene, all.body['token'] as string)
      .database('app')
      .container('todos');
    expect((await everywhere.items.create({ id: '1', owner: 'bob' })).statusCode).toBe(201);
    expect((await scene.ask({ container: 'deep', partitionKey: ['acme', 'ada'], mode: 'all' })).body['partitionKey']).toEqual([
      'acme',
      'ada',
    ]);
    expect((await scene.ask({ container: 'deep', partitionKey: ['other', 'ada'] })).status).toBe(403);
  });

  test('may be the key of documents that lack theirs, where that is said', async () => {
    const scene = await openScene({ partitionKeysOf: () => [[undefined], null] });
    for (const partitionKey of [[{}], {}, null, [null]]) {
      const key = Array.isArray(partitionKey) ? partitionKey : [partitionKey];
      expect((await scene.ask({ ...DEMAND, partitionKey })).body['partitionKey']).toEqual(key);
    }
    expect((await scene.ask(DEMAND)).status).toBe(403);
  });

  test('a key with more levels than the container has is refused by the account', async () => {
    const scene = await openScene();
    expect(await scene.ask({ ...DEMAND, partitionKey: ['ada', 'x'] })).toMatchObject({ status: 400, body: { code: 'BAD_REQUEST' } });
  });

  test('a function that gives nonsense is a defect of the service, which its log tells and the caller is not told', async () => {
    for (const partitionKeysOf of [
      () => 'ada',
      () => [{}],
      () => [undefined],
      () => [{ partitionKey: undefined }],
      () => [{ partitionKey: 'ada', mode: 'write' }],
      () => {
        throw new TypeError('x');
      },
    ]) {
      const scene = await openScene({ partitionKeysOf: partitionKeysOf as never });
      const { status, body } = await scene.ask(DEMAND);
      expect([status, body['code']]).toEqual([500, 'INTERNAL']);
      expect(scene.log.records.filter(({ level }) => level === 'error')).toHaveLength(1);
    }
  });
});

describe('the account', () => {
  test('that throttles, is gone, or refuses the key is told apart', async () => {
    const wrongKey = await openScene({ account: { key: Buffer.from('wrong').toString('base64') } });
    expect(await wrongKey.ask(DEMAND)).toMatchObject({ status: 500, body: { code: 'INTERNAL' } });
    expect((await failureOf(wrongKey.service.check())).code).toBe('UNAUTHORIZED');
    const gone = await openScene({ account: { endpoint: 'http://127.0.0.1:9' } });
    expect(await gone.ask(DEMAND)).toMatchObject({ status: 503, body: { code: 'UNAVAILABLE' } });
    const missing = await openScene({ containers: ['todos', 'missing'] });
    expect(await missing.ask({ ...DEMAND, container: 'missing' })).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
    expect((await failureOf(missing.service.check())).code).toBe('NOT_FOUND');
    const throttled = await openScene({ account: { maxThrottleWaitMs: 0 } });
    throttled.server.chaos.replace({ rules: [{ effect: { kind: 'status', status: 429, retryAfterMs: 1500 } }] });
    expect(await throttled.ask(DEMAND)).toMatchObject({ status: 429, body: { code: 'THROTTLED', retryAfterMs: 1500 } });
  });

  test('a container that was made again is met by a token for the new one', async () => {
    const scene = await openScene();
    await scene.ask(DEMAND);
    const container = masterClient(scene).database('app').container('todos');
    await container.delete();
    await container.database.containers.create({ id: 'todos', partitionKey: '/owner' });
    const { body } = await scene.ask(DEMAND);
    const mine = sdkWith(scene, body['token'] as string)
      .database('app')
      .container('todos');
    expect((await mine.items.create({ id: '1', owner: 'ada' })).statusCode).toBe(201);
  });

  test('needs the SDK, and a token needs jose, which are named where they are missing', async () => {
    const log = new CapturedLog();
    const account = { endpoint: 'http://127.0.0.1:9', key: WELL_KNOWN_KEY, database: 'app' };
    const missing = (): Promise<never> => Promise.reject(new Error('Cannot find package'));
    const service = createTokenService({
      account: { ...account, loadDriver: missing },
      containers: ['todos'],
      verify: oidcVerifier({ issuer: 'https://login.example.com', audience: AUDIENCE, loadDriver: missing }),
      logger: log,
    });
    expect(await failureOf(service.check())).toMatchObject({
      code: 'DRIVER_MISSING',
      message: expect.stringContaining('@azure/cosmos') as string,
    });
    const answer = await service.handle({ method: 'POST', headers: { authorization: 'Bearer a.b.c' }, body: DEMAND });
    expect(answer.status).toBe(500);
    expect(log.records).toMatchObject([
      { level: 'error', fields: { error: { code: 'DRIVER_MISSING', message: expect.stringContaining('jose') as string } } },
    ]);
    await service.close();
    await service.close();
    expect((await failureOf(service.check())).code).toBe('CLOSED');
  });

  test('options that cannot be are refused at once', () => {
    const good = {
      account: { endpoint: 'http://127.0.0.1:9', key: WELL_KNOWN_KEY, database: 'app' },
      containers: ['todos'],
      verify: () => undefined,
    };
    for (const wrong of [
      { containers: [] },
      { containers: ['a/b'] },
      { verify: undefined },
      { lifetimeSeconds: 9 },
      { lifetimeSeconds: 86_401 },
      { lifetimeSeconds: 10.5 },
      { rateLimit: { perCaller: { perMinute: 0 } } },
      { rateLimit: { total: { perMinute: 10, burst: Number.NaN } } },
      { maxBodyBytes: 0 },
      { account: { ...good.account, database: '' } },
      { account: { ...good.account, key: 'no base64!' } },
      { account: { ...good.account, key: undefined } },
      { account: { ...good.account, endpoint: 'account' } },
      { account: { ...good.account, connectTimeoutMs: 0 } },
    ]) {
      expect(() => createTokenService({ ...good, ...wrong } as never)).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/^INVALID_/u) as string }) as Error,
      );
    }
  });
});

test('no log holds a token, a credential or a key, whatever happens', async () => {
  const scene = await openScene();
  const secrets: string[] = [WELL_KNOWN_KEY];
  for (const demand of [DEMAND, { container: 'todos' }, { container: 'none' }, 'no json', { ...DEMAND, partitionKey: 'bob' }]) {
    const credential = await scene.issuer.sign();
    const { body } = await scene.ask(demand, { authorization: `Bearer ${credential}` });
    secrets.push(
      credential,
      credential.split('.')[2] as string,
      ...(typeof body['token'] === 'string' ? [body['token'], body['token'].slice(30, 60)] : []),
    );
  }
  await scene.cloud.deleteContainer('app', 'todos');
  await scene.ask(DEMAND);
  await scene.server.close();
  await scene.ask(DEMAND);
  const text = scene.log.text();
  expect(scene.log.records.length).toBeGreaterThan(6);
  expect(scene.log.records.filter(({ message }) => message === 'A token was issued.')).toHaveLength(2);
  expect(secrets.length).toBeGreaterThan(8);
  for (const secret of secrets) {
    expect(text).not.toContain(secret);
  }
  expect(text).not.toContain('ada');
});
