/** A device that syncs with an account through the token service, all of it real; only the clock of the account is moved. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startServer, WELL_KNOWN_KEY, type PerigeeServer } from '../../src/server/index.ts';
import { openCosmosBackend } from '../../src/stores/cosmos/index.ts';
import { openMemoryBackend, type MemoryBackend } from '../../src/stores/memory/index.ts';
import { openSqliteBackend } from '../../src/stores/sqlite/index.ts';
import { SyncEngine } from '../../src/sync/index.ts';
import { SimulatedRuntime } from '../../src/testing/simulated-runtime.ts';
import { createTokenService, httpTokens, type TokenProvider, type TokenServiceOptions } from '../../src/tokens/index.ts';
import { CapturedLog, openScene, serveHttp } from './scene.ts';

interface Note {
  readonly id: string;
  readonly owner: string;
  readonly text: string;
}

const TYPES = ['todo', 'list'] as const;

/** A device of Ada's, whose partition keys are `ada:todo` and `ada:list`. */
async function openDevice(endpoint: string, tokenProvider: TokenProvider, name = 'phone', user = 'ada'): Promise<SyncEngine> {
  const folder = mkdtempSync(join(tmpdir(), 'perigee-tokens-'));
  const remote = await openCosmosBackend({ endpoint, tokenProvider, connectTimeoutMs: 2000 });
  const backend = await openSqliteBackend({ path: join(folder, `${name}.sqlite`) });
  const engine = await SyncEngine.open({
    backend,
    user,
    device: name,
    scope: TYPES.map((type) => ({ container: 'todos', partitionKey: `${user}:${type}` })),
    remote: (container) => remote.container('app', container),
    containers: [{ id: 'todos', partitionKey: '/owner', defaultTtl: -1 }],
  });
  onTestFinished(async () => {
    await engine.close();
    await backend.close();
    await remote.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return engine;
}

async function textsOf(cloud: MemoryBackend): Promise<readonly string[]> {
  const todos = await cloud.container('app', 'todos');
  return (await todos.query<string>('SELECT VALUE c.text FROM c').toArray()).toSorted();
}

const note = (id: string, text: string, type: (typeof TYPES)[number] = 'todo', user = 'ada'): Note => ({
  id,
  owner: `${user}:${type}`,
  text,
});

test('a token that expires pauses sync while the user is signed out; nothing is lost, and it goes on after the sign-in', async () => {
  const clock = new SimulatedRuntime({ startMs: Date.now() });
  const log = new CapturedLog();
  const scene = await openScene({
    accountRuntime: clock,
    lifetimeSeconds: 60,
    partitionKeysOf: ({ subject }) => TYPES.map((type) => `${subject}:${type}`),
    logger: log,
  });
  let signedIn = true;
  const source = httpTokens({
    url: scene.url,
    headers: async () => ({ authorization: `Bearer ${await scene.issuer.sign(signedIn ? {} : { exp: 1000 })}` }),
  });
  const engine = await openDevice(scene.server.url, source.forUser('ada'));
  const states: string[] = [];
  engine.on('state', (state) => states.push(state));
  const todos = engine.store<Note>('todos');
  await todos.create(note('1', 'first'));
  await todos.create(note('2', 'a list', 'list'));
  expect(await engine.sync()).toMatchObject({ outcome: 'complete', pushed: 2 });
  // A token for each key to write, and one to read.
  expect(scene.asked()).toBeLessThanOrEqual(5);

  // Expired, but signed in: a new token is fetched on the way, and nobody notices.
  await clock.advance(61_000);
  await todos.replace(note('1', 'edited'));
  expect(await engine.sync()).toMatchObject({ outcome: 'complete', pushed: 1 });

  // Expired, and signed out.
  signedIn = false;
  await clock.advance(61_000);
  await todos.replace(note('1', 'edited while signed out'));
  await todos.create(note('3', 'made while signed out'));
  await todos.delete('2', 'ada:list');
  for (let round = 0; round < 3; round += 1) {
    expect(await engine.sync()).toMatchObject({ outcome: 'failed', error: { code: 'UNAUTHORIZED', category: 'auth' }, rejected: [] });
    expect(await engine.status()).toMatchObject({ state: 'auth', pending: 3, rejected: 0, conflicts: 0 });
  }
  expect((await engine.pending()).map(({ attempts }) => attempts)).toEqual([0, 0, 0]);
  expect((await todos.read('1', 'ada:todo'))?.document.text).toBe('edited while signed out');
  expect(await textsOf(scene.cloud)).toEqual(['a list', 'edited']);

  signedIn = true;
  expect(await engine.sync()).toMatchObject({ outcome: 'complete', pushed: 3 });
  expect(await engine.status()).toMatchObject({ state: 'idle', pending: 0 });
  expect(await textsOf(scene.cloud)).toEqual(['edited while signed out', 'made while signed out']);
  expect(states).toContain('auth');
  expect(log.text()).not.toContain('type=resource');
});

test('a user whose right is taken away is paused when the token ends, and goes on when it is given back', async () => {
  const clock = new SimulatedRuntime({ startMs: Date.now() });
  let isMember = true;
  const scene = await openScene({
    accountRuntime: clock,
    lifetimeSeconds: 60,
    partitionKeysOf: ({ subject }) => (isMember ? TYPES.map((type) => `${subject}:${type}`) : []),
  });
  const engine = await openDevice(scene.server.url, scene.source().forUser('ada'));
  const todos = engine.store<Note>('todos');
  await todos.create(note('1', 'first'));
  expect(await engine.sync()).toMatchObject({ outcome: 'complete' });
  isMember = false;
  await clock.advance(61_000);
  await todos.create(note('2', 'second'));
  expect(await engine.sync()).toMatchObject({ outcome: 'failed', error: { code: 'FORBIDDEN' } });
  expect(await engine.status()).toMatchObject({ state: 'auth', pending: 1, rejected: 0 });
  isMember = true;
  expect(await engine.sync()).toMatchObject({ outcome: 'complete', pushed: 1 });
  expect(await textsOf(scene.cloud)).toEqual(['first', 'second']);
});

test('a new account key ends all tokens; sync waits until the token service has it, and goes on', async () => {
  const cloud = openMemoryBackend();
  await cloud.createDatabase('app');
  await cloud.createContainer('app', { id: 'todos', partitionKey: '/owner', defaultTtl: -1 });
  let server: PerigeeServer = await startServer({ backend: cloud, port: 0 });
  const { port, url: endpoint } = server;
  const serviceWith = (key: string): ReturnType<typeof createTokenService> =>
    createTokenService({
      account: { endpoint, key, database: 'app' },
      containers: ['todos'],
      verify: () => ({ subject: 'ada' }),
      partitionKeysOf: () => TYPES.map((type) => `ada:${type}`),
    } satisfies TokenServiceOptions);
  let service = serviceWith(WELL_KNOWN_KEY);
  onTestFinished(async () => {
    await service.close();
    await server.close();
    await cloud.close();
  });
  const { url } = await serveHttp((request, response) => void service.nodeHandler(request, response));
  const engine = await openDevice(endpoint, httpTokens({ url }).forUser('ada'));
  const todos = engine.store<Note>('todos');
  await todos.create(note('1', 'first'));
  expect(await engine.sync()).toMatchObject({ outcome: 'complete' });

  const newKey = Buffer.from('another key of the account').toString('base64');
  await server.close();
  server = await startServer({ backend: cloud, port, key: newKey });
  await todos.create(note('2', 'second'));
  // The service cannot give tokens: nobody is signed out by that.
  expect(await engine.sync()).toMatchObject({ outcome: 'failed', error: { code: 'UNAVAILABLE' } });
  expect(await engine.status()).toMatchObject({ state: 'offline', pending: 1, rejected: 0 });

  await service.close();
  service = serviceWith(newKey);
  expect(await engine.sync()).toMatchObject({ outcome: 'complete', pushed: 1 });
  expect(await textsOf(cloud)).toEqual(['first', 'second']);
});

test('a token service that is gone, throttles or answers nonsense is no reason to reject a document', async () => {
  const scene = await openScene({ partitionKeysOf: ({ subject }) => TYPES.map((type) => `${subject}:${type}`) });
  let status: number | undefined = 404;
  const { url } = await serveHttp((request, response) => {
    if (status === undefined) {
      void scene.service.nodeHandler(request, response);
    } else {
      response.writeHead(status).end('{"code":"NOT_FOUND"}');
    }
  });
  const engine = await openDevice(scene.server.url, scene.source({ url }).forUser('ada'));
  await engine.store<Note>('todos').create(note('1', 'kept'));
  for (const [answer, state] of [
    [404, 'offline'],
    [400, 'offline'],
    [413, 'offline'],
    [429, 'idle'],
    [502, 'offline'],
    [401, 'auth'],
  ] as const) {
    status = answer;
    expect([answer, (await engine.sync()).outcome]).toEqual([answer, 'failed']);
    expect([answer, await engine.status()]).toMatchObject([answer, { state, pending: 1, rejected: 0, conflicts: 0 }]);
  }
  status = undefined;
  expect(await engine.sync()).toMatchObject({ outcome: 'complete', pushed: 1 });
});

test("a device whose user changes sends nothing of one as another's", async () => {
  const scene = await openScene({ partitionKeysOf: ({ subject }) => TYPES.map((type) => `${subject}:${type}`) });
  const source = scene.source();
  const ada = await openDevice(scene.server.url, source.forUser('ada'), 'phone', 'ada');
  await ada.store<Note>('todos').create(note('1', "Ada's", 'todo', 'ada'));
  const bob = await openDevice(scene.server.url, source.forUser('bob'), 'phone', 'bob');
  await bob.store<Note>('todos').create(note('1', "Bob's", 'todo', 'bob'));
  expect(await ada.sync()).toMatchObject({ outcome: 'failed', error: { code: 'UNAUTHORIZED' } });
  expect(await ada.status()).toMatchObject({ state: 'auth', pending: 1 });
  expect(await bob.sync()).toMatchObject({ outcome: 'complete', pushed: 1, pulled: 0 });
  expect(await textsOf(scene.cloud)).toEqual(["Bob's"]);
  source.forUser('ada');
  expect(await ada.sync()).toMatchObject({ outcome: 'complete', pushed: 1 });
  expect(await textsOf(scene.cloud)).toEqual(["Ada's", "Bob's"]);
});
