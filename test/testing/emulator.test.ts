import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CosmosClient } from '@azure/cosmos';
import { describe, expect, onTestFinished, test } from 'vitest';
import { writeSnapshot } from '../../src/store/snapshot/index.ts';
import { openMemoryBackend } from '../../src/stores/memory/index.ts';
import { openSqliteBackend } from '../../src/stores/sqlite/index.ts';
import { startEmulator, useEmulator, type Emulator, type EmulatorOptions } from '../../src/testing/index.ts';

async function start(options?: EmulatorOptions): Promise<Emulator> {
  const emulator = await startEmulator(options);
  onTestFinished(() => emulator.close());
  return emulator;
}

async function databaseIds(emulator: Emulator): Promise<string[]> {
  const { resources } = await emulator.client(CosmosClient).databases.readAll().fetchAll();
  return resources.map(({ id }) => id);
}

function temporaryFile(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'perigee-emulator-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, name);
}

/** The hooks of a runner, called by the test. */
function fakeRunner(): { readonly hooks: object; readonly run: (name: 'beforeAll' | 'beforeEach' | 'afterAll') => Promise<void> } {
  const registered = new Map<string, () => Promise<void>>();
  const hook = (name: string) => (body: () => Promise<void>) => void registered.set(name, body);
  return {
    hooks: { beforeAll: hook('beforeAll'), beforeEach: hook('beforeEach'), afterAll: hook('afterAll') },
    run: async (name) => registered.get(name)?.(),
  };
}

describe('an emulator for tests', () => {
  test('goes back to what its seed wrote, as often as asked, under a client and a session that go on', async () => {
    const seed = async ({ backend }: Emulator): Promise<void> => {
      await backend.createDatabase('app');
      await backend.createContainer('app', { id: 'notes', partitionKey: '/owner' });
      await (await backend.container('app', 'notes')).create({ id: '1', owner: 'ada', text: 'first' });
    };
    for (const store of ['memory', 'sqlite'] as const) {
      const emulator = await start({ store, seed });
      const container = emulator.client(CosmosClient).database('app').container('notes');
      const seeded = await container.item('1', 'ada').read();
      for (let round = 0; round < 3; round += 1) {
        await container.item('1', 'ada').replace({ id: '1', owner: 'ada', text: 'changed' });
        await container.items.create({ id: '2', owner: 'ada' });
        await emulator.client(CosmosClient).databases.create({ id: 'other' });
        await emulator.reset();
        expect((await container.item('1', 'ada').read()).resource).toEqual(seeded.resource);
        expect((await container.item('2', 'ada').read()).statusCode).toBe(404);
        expect(await databaseIds(emulator)).toEqual(['app']);
      }
      await container.items.create({ id: 'kept', owner: 'ada' });
      await emulator.keep();
      await container.item('kept', 'ada').delete();
      await emulator.reset();
      expect((await container.item('kept', 'ada').read()).statusCode).toBe(200);
    }
  });

  test('begins with a snapshot file, compressed or not', async () => {
    const source = openMemoryBackend();
    await source.createDatabase('from a file');
    for (const gzip of [false, true]) {
      const path = temporaryFile('seed.snapshot');
      await writeFile(path, writeSnapshot(source.snapshot(), { gzip }));
      expect(await databaseIds(await start({ seed: path }))).toEqual(['from a file']);
    }
    await source.close();
  });

  test('takes a backend of the caller, and closes it', async () => {
    const backend = await openSqliteBackend({ path: temporaryFile('data.sqlite') });
    const emulator = await start({ store: () => backend });
    expect(emulator.backend).toBe(backend);
    await emulator.close();
    await expect(backend.listDatabases()).rejects.toMatchObject({ code: 'CLOSED' });
  });

  test('leaves nothing open when its seed fails', async () => {
    const backend = openMemoryBackend();
    let endpoint = '';
    const seed = (emulator: Emulator): never => {
      ({ endpoint } = emulator);
      throw new Error('the seed fails');
    };
    await expect(startEmulator({ store: () => backend, seed })).rejects.toThrow('the seed fails');
    await expect(fetch(`${endpoint}/healthz`)).rejects.toThrow('fetch failed');
    await expect(backend.listDatabases()).rejects.toMatchObject({ code: 'CLOSED' });
    const other = openMemoryBackend();
    await expect(startEmulator({ store: () => other, seed: temporaryFile('none') })).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(other.listDatabases()).rejects.toMatchObject({ code: 'CLOSED' });
  });

  test('serves TLS that its clients trust, under a key of its own', async () => {
    const key = Buffer.from('a key of this test').toString('base64');
    const emulator = await start({ server: { https: true, key } });
    expect(emulator.connectionString).toBe(`AccountEndpoint=${emulator.endpoint}/;AccountKey=${key};`);
    expect(emulator.endpoint).toMatch(/^https:/u);
    expect(await databaseIds(emulator)).toEqual([]);
  });

  test('forgets the faults of a test, and has those again that it was started with', async () => {
    const throttled = { rules: [{ operation: 'create-database', count: 1, effect: { kind: 'status', status: 410 } }] } as const;
    const emulator = await start({ server: { chaos: throttled } });
    const client = emulator.client(CosmosClient, {
      connectionPolicy: { enableEndpointDiscovery: false, retryOptions: { maxRetryAttemptCount: 0 } },
    });
    for (let round = 0; round < 2; round += 1) {
      await expect(client.databases.create({ id: 'app' })).rejects.toMatchObject({ code: 410 });
      emulator.server.chaos.clear();
      await client.databases.create({ id: 'app' });
      await emulator.reset();
    }
    const faultless = await start();
    faultless.server.chaos.replace(throttled);
    await faultless.reset();
    expect(faultless.server.chaos.report().rules).toEqual([]);
  });

  test('spends the throughput of a test anew', async () => {
    const emulator = await start({ server: { enforceThroughput: true } });
    const client = emulator.client(CosmosClient, {
      connectionPolicy: { enableEndpointDiscovery: false, retryOptions: { maxRetryAttemptCount: 0 } },
    });
    const { database } = await client.databases.create({ id: 'app' });
    const { container } = await database.containers.create({ id: 'items', partitionKey: '/pk' });
    await emulator.keep();
    const spend = async (): Promise<unknown> => {
      for (let n = 0; n < 20; n += 1) {
        // Each costs more than the 400 request units of a second, and the seconds that follow owe them.
        const failure = await container.items
          .create({ id: String(n), pk: 'a', list: Array.from({ length: 10_000 }, (_, index) => `word ${index}`) })
          .then(() => undefined)
          .catch((error: { readonly code: unknown }) => error.code);
        if (failure !== undefined) {
          return failure;
        }
      }
      return undefined;
    };
    expect(await spend()).toBe(429);
    await emulator.reset();
    expect((await container.items.create({ id: 'x', pk: 'a' })).statusCode).toBe(201);
  });

  test('gives the same client each time, and another one with other options', async () => {
    const emulator = await start();
    expect(emulator.client(CosmosClient)).toBe(emulator.client(CosmosClient));
    const wrong = emulator.client(CosmosClient, { key: Buffer.from('another key').toString('base64') });
    await expect(wrong.databases.readAll().fetchAll()).rejects.toMatchObject({ code: 401 });
  });
});

describe('an emulator of a test file', () => {
  test('begins each test with what there was when the first began, the work of earlier hooks included', async () => {
    const { hooks, run } = fakeRunner();
    const emulator = useEmulator({ hooks });
    await run('beforeAll');
    await emulator.client(CosmosClient).databases.create({ id: 'made by a hook' });
    for (let round = 0; round < 2; round += 1) {
      await run('beforeEach');
      expect(await databaseIds(emulator)).toEqual(['made by a hook']);
      await emulator.client(CosmosClient).databases.create({ id: 'made by a test' });
    }
    const { endpoint } = emulator;
    await run('afterAll');
    await expect(fetch(`${endpoint}/healthz`)).rejects.toThrow('fetch failed');
    expect(() => emulator.endpoint).toThrow('The emulator is closed.');
  });

  test('goes on with what there is where the reset is left out', async () => {
    const { hooks, run } = fakeRunner();
    const emulator = useEmulator({ hooks, reset: false });
    await run('beforeAll');
    await run('beforeEach');
    await emulator.client(CosmosClient).databases.create({ id: 'stays' });
    await run('beforeEach');
    expect(await databaseIds(emulator)).toEqual(['stays']);
    await expect(emulator.reset()).rejects.toThrow('call keep() first');
    await run('afterAll');
  });

  test('says what is wrong when it is used too early, and without hooks', async () => {
    const emulator = useEmulator({ hooks: fakeRunner().hooks });
    expect(() => emulator.client(CosmosClient)).toThrow('has not started: use it in tests and hooks');
    await emulator.close();
    // Vitest offers no globals unless asked to.
    expect(() => useEmulator()).toThrow('offers no hooks as globals');
    await expect(startEmulator({ store: 'postgres' as 'memory' })).rejects.toThrow(`'memory', 'sqlite' or a function`);
  });
});
