import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { PerigeeError } from '../../../src/core/errors.ts';
import type { AccessToken, TokenRequest } from '../../../src/store/token-provider.ts';
import { SimulatedRuntime } from '../../../src/testing/simulated-runtime.ts';
import { TokenCache } from '../../../src/store/token-cache.ts';
import type { CosmosBackend, CosmosDocumentStore } from '../../../src/stores/cosmos/index.ts';
import { serviceAnswer, serviceError, startFaultServer, stored, type Fault, type FaultServer, type SeenRequest } from './fault-server.ts';
import { failureOf, openFaulty, STORE_CALLS } from './helpers.ts';

let server: FaultServer;
let backend: CosmosBackend;
let store: CosmosDocumentStore;
let asked: TokenRequest[];
let give: (request: TokenRequest) => Promise<AccessToken>;

beforeAll(async () => {
  server = await startFaultServer();
});

afterAll(() => server.close());

beforeEach(async () => {
  asked = [];
  server.seen.length = 0;
  give = () => Promise.resolve({ token: `type=resource&ver=1&sig=${asked.length}` });
  const tokenProvider = {
    getToken(request: TokenRequest): Promise<AccessToken> {
      asked.push(request);
      return give(request);
    },
  };
  ({ backend, store } = await openFaulty(server.url, { tokenProvider, requestTimeoutMs: 2000 }));
  return () => backend.close();
});

/** Answers as a service that accepts only the token with this number. */
function acceptOnly(number: number, refusal: Fault, success: Fault | ((request: SeenRequest) => Fault)): void {
  server.answer((request) => {
    const token = decodeURIComponent(request.headers['authorization'] ?? '');
    return token.endsWith(`sig=${number}`) ? (typeof success === 'function' ? success(request) : success) : refusal;
  });
}

describe('tokens', () => {
  test('are asked for by container, partition key and mode, and kept', async () => {
    server.answer((request) => (request.method === 'GET' ? serviceAnswer(200, stored('1')) : serviceAnswer(201, stored('1'))));
    await store.read('1', 'ada');
    await store.read('1', 'ada');
    await store.create({ id: '1', owner: 'ada' });
    const scope = { databaseId: 'app', container: 'todos', partitionKey: ['ada'], refresh: false };
    expect(asked).toEqual([
      { ...scope, mode: 'read' },
      { ...scope, mode: 'all' },
    ]);
    expect(server.seen.map(({ headers }) => decodeURIComponent(headers['authorization'] ?? ''))).toEqual([
      'type=resource&ver=1&sig=1',
      'type=resource&ver=1&sig=1',
      'type=resource&ver=1&sig=2',
    ]);
  });

  test.each([401, 403])('are fetched anew once when the service answers %d, and the call succeeds', async (status) => {
    acceptOnly(2, serviceError(status, status === 403 ? 5 : undefined), serviceAnswer(200, [{ statusCode: 204 }]));
    const result = await store.batch('ada', [{ type: 'delete', id: '1' }]);
    expect(result.committed).toBe(true);
    expect(asked.map(({ refresh }) => refresh)).toEqual([false, true]);
  });

  test('that are refused twice count as refused, from every call', async () => {
    for (const [fault, code] of [
      [serviceError(401), 'UNAUTHORIZED'],
      [serviceError(403), 'FORBIDDEN'],
      [serviceError(403, 5), 'TOKEN_EXPIRED'],
    ] as const) {
      server.answer(fault);
      for (const call of Object.values(STORE_CALLS)) {
        asked = [];
        backend.invalidateCredentials();
        expect((await failureOf(call(store))).code).toBe(code);
        expect(asked.length).toBe(2);
      }
    }
  });

  test('an account that writes elsewhere by now is no reason for a new token', async () => {
    server.answer(serviceError(403, 3));
    expect((await failureOf(store.create({ id: '1', owner: 'ada' }))).code).toBe('UNAVAILABLE');
    expect(asked.length).toBe(1);
  });

  test('are fetched once however many calls wait for them, at first and after a refusal', async () => {
    acceptOnly(2, serviceError(401), serviceAnswer(200, stored('1')));
    await Promise.all(Array.from({ length: 8 }, () => store.read('1', 'ada')));
    expect(asked.map(({ refresh }) => refresh)).toEqual([false, true]);
  });

  test('are forgotten by invalidateCredentials', async () => {
    server.answer(serviceAnswer(200, stored('1')));
    await store.read('1', 'ada');
    store.invalidateCredentials();
    await store.read('1', 'ada');
    expect(asked.map(({ refresh }) => refresh)).toEqual([false, true]);
  });

  test('are fetched again shortly before they expire', async () => {
    const runtime = new SimulatedRuntime();
    const expiring: number[] = [];
    const credentials = new TokenCache(
      {
        getToken: () => {
          expiring.push(runtime.nowMs());
          return Promise.resolve({ token: String(expiring.length), expiresAtMs: runtime.nowMs() + 60_000 });
        },
      },
      { runtime },
    );
    const access = { databaseId: 'app', container: 'todos', partitionKey: ['ada'], mode: 'read' as const };
    expect((await credentials.token(access)).token).toBe('1');
    await runtime.advance(54_000);
    expect((await credentials.token(access)).token).toBe('1');
    await runtime.advance(2000);
    expect((await credentials.token(access)).token).toBe('2');
  });
});

describe('a token provider that fails', () => {
  test('is UNAUTHORIZED with its error as the cause, from every call, and nothing is sent', async () => {
    const cause = new Error('signed out');
    give = () => Promise.reject(cause);
    for (const call of Object.values(STORE_CALLS)) {
      const error = await failureOf(call(store));
      expect([error.code, error.cause]).toEqual(['UNAUTHORIZED', cause]);
    }
    expect(server.seen.length).toBe(0);
  });

  test('with an error of Perigee keeps it: an unreachable token service is no refusal', async () => {
    give = () => Promise.reject(new PerigeeError('UNREACHABLE', 'The token service cannot be reached.'));
    expect((await failureOf(store.batch('ada', [{ type: 'delete', id: '1' }]))).code).toBe('UNREACHABLE');
  });

  test('that gives nothing is UNAUTHORIZED, and is asked again by the next call', async () => {
    give = () => Promise.resolve({ token: '' });
    expect((await failureOf(store.read('1', 'ada'))).code).toBe('UNAUTHORIZED');
    give = () => Promise.resolve({ token: 'type=resource&ver=1&sig=1' });
    server.answer(serviceAnswer(200, stored('1')));
    expect((await store.read('1', 'ada'))?.document.id).toBe('1');
  });

  test('that never answers ends with the request time-out', async () => {
    give = () => new Promise(() => undefined);
    const slow = await openFaulty(server.url, { tokenProvider: { getToken: give }, requestTimeoutMs: 50 });
    expect((await failureOf(slow.store.read('1', 'ada'))).code).toBe('TIMEOUT');
    await slow.backend.close();
  });
});
