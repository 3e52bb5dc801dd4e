import net from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { CosmosBackend, CosmosBackendOptions, CosmosDocumentStore } from '../../../src/stores/cosmos/index.ts';
import { serviceAnswer, serviceError, startFaultServer, stored, type FaultServer } from './fault-server.ts';
import { BACKEND_CALLS, failureOf, openFaulty, STORE_CALLS } from './helpers.ts';

const cleanup: (() => Promise<void>)[] = [];
let server: FaultServer;

beforeAll(async () => {
  server = await startFaultServer();
});

afterAll(() => server.close());

afterEach(async () => {
  for (const step of cleanup.splice(0).reverse()) {
    await step();
  }
});

async function open(
  endpoint: string,
  options: Partial<CosmosBackendOptions> = {},
): Promise<{ backend: CosmosBackend; store: CosmosDocumentStore }> {
  const opened = await openFaulty(endpoint, options);
  cleanup.push(() => opened.backend.close());
  return opened;
}

/** A port where nobody listens. */
async function closedPort(): Promise<number> {
  const probe = net.createServer();
  await new Promise<void>((resolve) => {
    probe.listen(0, '127.0.0.1', resolve);
  });
  const { port } = probe.address() as net.AddressInfo;
  await new Promise((resolve) => {
    probe.close(resolve);
  });
  return port;
}

/** A port that takes connections and never says a word, as a black hole does. */
async function silentPort(): Promise<number> {
  const sockets = new Set<net.Socket>();
  const hole = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => {
    hole.listen(0, '127.0.0.1', resolve);
  });
  cleanup.push(
    () =>
      new Promise((resolve) => {
        for (const socket of sockets) {
          socket.destroy();
        }
        hole.close(() => resolve());
      }),
  );
  return (hole.address() as net.AddressInfo).port;
}

async function elapsedMs(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

describe('an unreachable host', () => {
  test('a refused port is UNREACHABLE from every call', async () => {
    const { store, backend } = await open(`http://127.0.0.1:${await closedPort()}`);
    for (const call of Object.values(STORE_CALLS)) {
      expect((await failureOf(call(store))).code).toBe('UNREACHABLE');
    }
    for (const call of Object.values(BACKEND_CALLS)) {
      expect((await failureOf(call(backend))).code).toBe('UNREACHABLE');
    }
  });

  test('an unknown name is UNREACHABLE', async () => {
    const { store } = await open('https://no-such-host.invalid:443/');
    const error = await failureOf(store.batch('ada', [{ type: 'delete', id: '1' }]));
    expect([error.code, error.category, error.retryable, error.details['host']]).toEqual([
      'UNREACHABLE',
      'connection',
      true,
      'no-such-host.invalid',
    ]);
  });

  test('a host that never completes the connection is UNREACHABLE within connectTimeoutMs', async () => {
    const { store } = await open(`https://127.0.0.1:${await silentPort()}`, { connectTimeoutMs: 200 });
    const tookMs = await elapsedMs(async () => {
      expect((await failureOf(store.read('1', 'ada'))).code).toBe('UNREACHABLE');
    });
    expect(tookMs).toBeGreaterThanOrEqual(190);
    expect(tookMs).toBeLessThan(1500);
  });

  test('a host without TLS where TLS is expected is UNREACHABLE', async () => {
    server.answer(serviceError(503));
    const { store } = await open(`https://127.0.0.1:${server.port}`);
    expect((await failureOf(store.create({ id: '1', owner: 'ada' }))).code).toBe('UNREACHABLE');
  });

  test.each([
    ['refused', async () => `http://127.0.0.1:${await closedPort()}`],
    ['silent', async () => `https://127.0.0.1:${await silentPort()}`],
  ])('endpoint discovery does not go on for two minutes: %s', async (_name, endpoint) => {
    const { store } = await open(await endpoint(), { connectTimeoutMs: 300, endpointDiscovery: true });
    const tookMs = await elapsedMs(async () => {
      expect((await failureOf(store.batch('ada', [{ type: 'delete', id: '1' }]))).code).toBe('UNREACHABLE');
    });
    expect(tookMs).toBeLessThan(4000);
  });
});

describe('an answer that does not come', () => {
  test('is TIMEOUT, from every call', async () => {
    server.answer({ silent: true });
    const { store } = await open(server.url, { requestTimeoutMs: 40 });
    for (const call of Object.values(STORE_CALLS)) {
      expect((await failureOf(call(store))).code).toBe('TIMEOUT');
    }
  });

  test('an abort ends every call at once with its reason, and the request with it', async () => {
    server.answer({ silent: true });
    const { store } = await open(server.url, { requestTimeoutMs: 20_000 });
    for (const call of Object.values(STORE_CALLS)) {
      const controller = new AbortController();
      const reason = new Error('enough');
      const sent = server.seen.length;
      const pending = call(store, controller.signal);
      while (server.seen.length === sent) {
        await new Promise((resolve) => {
          setTimeout(resolve, 1);
        });
      }
      controller.abort(reason);
      await expect(pending).rejects.toBe(reason);
    }
    // What was aborted does not hold up a close.
    expect(await elapsedMs(() => store.close())).toBeLessThan(500);
  });
});

describe('an idle connection that the other side closed', () => {
  test('is replaced for reads', async () => {
    let cut = false;
    server.answer(() => {
      if (cut) {
        cut = false;
        return { cut: 'before' };
      }
      return serviceAnswer(200, stored('1'));
    });
    const { store } = await open(server.url);
    await store.read('1', 'ada');
    cut = true;
    expect((await store.read('1', 'ada'))?.document.id).toBe('1');
  });

  test('is CONNECTION_LOST for writes: they may have been applied', async () => {
    let cut = false;
    server.answer(() => (cut ? { cut: 'before' } : serviceAnswer(201, stored('1'))));
    const { store } = await open(server.url);
    await store.create({ id: '1', owner: 'ada' });
    cut = true;
    expect((await failureOf(store.create({ id: '1', owner: 'ada' }))).code).toBe('CONNECTION_LOST');
  });
});

describe('throttling', () => {
  test('is waited out as the service asks', async () => {
    let refusals = 3;
    server.answer(() => {
      refusals -= 1;
      return refusals >= 0 ? serviceError(429, 3200, { 'x-ms-retry-after-ms': '30' }) : serviceAnswer(201, stored('1'));
    });
    const { store } = await open(server.url, { maxThrottleWaitMs: 5000 });
    const tookMs = await elapsedMs(() => store.create({ id: '1', owner: 'ada' }));
    expect(tookMs).toBeGreaterThanOrEqual(85);
  });

  test('within an atomic batch is waited out too', async () => {
    let refusals = 2;
    server.answer(() => {
      refusals -= 1;
      return refusals >= 0
        ? serviceAnswer(207, [{ statusCode: 429, retryAfterMilliseconds: 20 }, { statusCode: 424 }])
        : serviceAnswer(200, [{ statusCode: 201, resourceBody: stored('1'), eTag: '"1"' }, { statusCode: 204 }]);
    });
    const { store } = await open(server.url, { maxThrottleWaitMs: 5000 });
    const result = await store.batch('ada', [
      { type: 'create', document: { id: '1', owner: 'ada' } },
      { type: 'delete', id: '2' },
    ]);
    expect(result.committed).toBe(true);
  });

  test('that does not clear within maxThrottleWaitMs is THROTTLED, without waiting in vain', async () => {
    server.answer(serviceError(429, 3200, { 'x-ms-retry-after-ms': '60000' }));
    const { store } = await open(server.url, { maxThrottleWaitMs: 1000 });
    const tookMs = await elapsedMs(async () => {
      const error = await failureOf(store.batch('ada', [{ type: 'delete', id: '1' }]));
      expect([error.code, error.retryAfterMs]).toEqual(['THROTTLED', 60_000]);
    });
    expect(tookMs).toBeLessThan(500);
  });

  test('an abort ends the wait', async () => {
    server.answer(serviceError(429, 3200, { 'x-ms-retry-after-ms': '5000' }));
    const { store } = await open(server.url, { maxThrottleWaitMs: 30_000 });
    const signal = AbortSignal.timeout(30);
    expect(
      await elapsedMs(async () => {
        await expect(store.read('1', 'ada', { signal })).rejects.toHaveProperty('name', 'TimeoutError');
      }),
    ).toBeLessThan(1000);
  });
});

test('close leaves no connection open', async () => {
  const own = await startFaultServer();
  cleanup.push(() => own.close());
  own.answer(serviceAnswer(200, stored('1')));
  const { store, backend } = await openFaulty(own.url, { sharedClient: true });
  await store.read('1', 'ada');
  expect(await own.openConnections()).toBe(1);
  await backend.close();
  await expect.poll(() => own.openConnections()).toBe(0);
  expect((await failureOf(store.read('1', 'ada'))).code).toBe('CLOSED');
});
