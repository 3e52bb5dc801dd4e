import { CosmosClient } from '@azure/cosmos';
import { describe, expect, test } from 'vitest';
import { createCosmosClient, openCosmosBackend, type CosmosBackendOptions } from '../../../src/stores/cosmos/index.ts';
import { serviceAnswer, startFaultServer, stored } from './fault-server.ts';
import { failureOf, TEST_KEY } from './helpers.ts';

const endpoint = 'http://127.0.0.1:1';

describe('options', () => {
  test.each<[string, Partial<CosmosBackendOptions>]>([
    ['an endpoint that is no URL', { endpoint: 'localhost:8081' }],
    ['an endpoint that is not http', { endpoint: 'ftp://localhost' }],
    ['no credential', { key: undefined }],
    ['a key that is not base64', { key: 'not a key' }],
    ['an empty key', { key: '' }],
    ['a time-out of 0', { connectTimeoutMs: 0 }],
    ['a time-out that is no number', { requestTimeoutMs: Number.NaN }],
    ['no concurrency', { maxConcurrency: 0 }],
  ])('%s is refused', async (_name, options) => {
    expect((await failureOf(openCosmosBackend({ endpoint, key: TEST_KEY, ...options }))).code).toBe('INVALID_OPTION');
  });

  test('a missing driver is named, with what to do', async () => {
    const error = await failureOf(
      openCosmosBackend({ endpoint, key: TEST_KEY, loadDriver: () => Promise.reject(new Error('Cannot find package')) }),
    );
    expect([error.code, error.message]).toEqual(['DRIVER_MISSING', expect.stringContaining('npm install @azure/cosmos@4')]);
  });

  test('a key does not show in an error', async () => {
    const error = await failureOf(openCosmosBackend({ endpoint, key: 'secret key' }));
    expect(error.message).not.toContain('secret');
  });
});

describe('a shared client', () => {
  test('made by createCosmosClient serves several backends and outlives them', async () => {
    const server = await startFaultServer();
    server.answer(serviceAnswer(200, stored('1')));
    const client = await createCosmosClient({ endpoint: server.url, key: TEST_KEY });
    const containers = [{ databaseId: 'app', definition: { id: 'todos', partitionKey: '/owner' } }];
    for (let turn = 0; turn < 2; turn += 1) {
      const backend = await openCosmosBackend({ endpoint: server.url, key: TEST_KEY, client, containers });
      const store = await backend.container('app', 'todos');
      expect((await store.read('1', 'ada'))?.document.id).toBe('1');
      await backend.close();
    }
    // The application's own calls work on it too.
    expect((await client.database('app').container('todos').item('1', 'ada').read()).resource?.id).toBe('1');
    client.dispose();
    await server.close();
  });

  test('made elsewhere is refused: its errors would have no code', async () => {
    const client = new CosmosClient({ endpoint, key: TEST_KEY });
    expect((await failureOf(openCosmosBackend({ endpoint, key: TEST_KEY, client }))).code).toBe('INVALID_OPTION');
    client.dispose();
  });
});
