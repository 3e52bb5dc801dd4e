import { request as httpRequest } from 'node:http';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { DatabaseInfo } from '../../src/store/backend.ts';
import { WELL_KNOWN_KEY } from '../../src/server/index.ts';
import { MemoryBackend } from '../../src/stores/memory/index.ts';
import { serve, sign, type Served } from './served.ts';

/** A backend that takes its time to make a database, and tells what it was asked for in which order. */
class SlowBackend extends MemoryBackend {
  readonly entered: string[] = [];
  /** What each creation waits for. */
  wait: () => Promise<unknown> = () => Promise.resolve();
  mostAtOnce = 0;
  #now = 0;

  protected override async _createDatabase(id: string): Promise<DatabaseInfo | 'exists'> {
    this.entered.push(id);
    this.#now += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#now);
    try {
      await this.wait();
      return await super._createDatabase(id);
    } finally {
      this.#now -= 1;
    }
  }
}

/** A {@link SlowBackend} that waits until it is let go. */
function heldBackend(): SlowBackend & { letGo: () => void } {
  let letGo = (): void => undefined;
  const gate = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const backend = Object.assign(new SlowBackend(), { letGo });
  backend.wait = () => gate;
  onTestFinished(letGo);
  return backend;
}

interface RequestCounts {
  readonly working: number;
  readonly queued: number;
  readonly refused: number;
}

async function countsOf({ send }: Served): Promise<RequestCounts> {
  const answer = await send('GET', '/_perigee/info', { authorization: `Bearer ${WELL_KNOWN_KEY}` });
  return ((await answer.json()) as { requests: RequestCounts }).requests;
}

const create = ({ send }: Served, id: string): Promise<Response> => send('POST', '/dbs', { body: JSON.stringify({ id }) });

/** Creates that come one after the other: the first ones are in work, the others wait. */
async function createInOrder(served: Served, ids: readonly string[]): Promise<Promise<Response>[]> {
  const answers: Promise<Response>[] = [];
  for (const id of ids) {
    answers.push(create(served, id));
    await expect.poll(async () => countsOf(served).then(({ working, queued }) => working + queued)).toBe(answers.length);
  }
  return answers;
}

describe('a server under more load than it can do', () => {
  test('never carries out or queues more than it may, and all that it refuses succeed by the repeats of the SDK', async () => {
    const backend = new SlowBackend();
    const served = await serve({ backend, maxRequests: 4, maxQueuedRequests: 10 });
    const seen: RequestCounts[] = [];
    backend.wait = async () => {
      await new Promise((resolve) => {
        setTimeout(resolve, 10);
      });
      if (backend.entered.length % 20 === 0) {
        seen.push(await countsOf(served));
      }
    };
    const clients = Array.from({ length: 50 }, () => served.client({ connectionPolicy: { enableEndpointDiscovery: false } }));
    const retries = await Promise.all(
      clients.map(async (client, index) => {
        const { headers } = await client.databases.create({ id: `db-${index}` });
        return Number(headers['x-ms-throttle-retry-count']);
      }),
    );
    expect((await served.backend.listDatabases()).length).toBe(50);
    // Each was done once: what is refused was not begun.
    expect(new Set(backend.entered).size).toBe(backend.entered.length);
    expect(backend.mostAtOnce).toBe(4);
    expect(Math.max(...seen.map(({ queued }) => queued))).toBeLessThanOrEqual(10);
    expect(retries.filter((count) => count > 0).length).toBeGreaterThan(0);
    expect(await countsOf(served)).toEqual({ working: 0, queued: 0, refused: expect.any(Number) });
    expect((await countsOf(served)).refused).toBeGreaterThanOrEqual(retries.reduce((sum, count) => sum + count, 0));
  });

  test('carries out what waits in the order in which it came', async () => {
    const backend = heldBackend();
    const served = await serve({ backend, maxRequests: 1 });
    const ids = ['a', 'b', 'c', 'd', 'e', 'f'];
    const answers = await createInOrder(served, ids);
    expect(backend.entered).toEqual(['a']);
    backend.letGo();
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(ids.map(() => 201));
    expect([backend.entered, backend.mostAtOnce]).toEqual([ids, 1]);
  });

  test('refuses the next one at once, before its body comes, and tells when to come again', async () => {
    const backend = heldBackend();
    const served = await serve({ backend, maxRequests: 1, maxQueuedRequests: 1 });
    const answers = await createInOrder(served, ['a', 'b']);
    const refused = await create(served, 'x'.repeat(1_000_000));
    const { headers } = refused;
    expect([refused.status, headers.get('x-ms-substatus')]).toEqual([429, '3200']);
    expect(Number(headers.get('x-ms-retry-after-ms'))).toBeGreaterThanOrEqual(1000);
    expect(Number(headers.get('x-ms-retry-after-ms'))).toBeLessThanOrEqual(2000);
    expect(await refused.json()).toMatchObject({ code: 'TooManyRequests', message: expect.stringContaining('more requests than it can') });
    backend.letGo();
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([201, 201]);
    expect(await countsOf(served)).toEqual({ working: 0, queued: 0, refused: 1 });
  });

  test('refuses what has waited for too long', async () => {
    const backend = heldBackend();
    const served = await serve({ backend, maxRequests: 1, queueTimeoutMs: 50 });
    const [first, second] = [create(served, 'a'), create(served, 'b')];
    const late = await Promise.race([first, second]);
    expect(late.status).toBe(429);
    backend.letGo();
    expect((await Promise.all([first, second])).map(({ status }) => status)).toEqual(expect.arrayContaining([201, 429]));
    expect(await countsOf(served)).toEqual({ working: 0, queued: 0, refused: 1 });
  });

  test('answers for its health, its readiness and its operator, and refuses strangers as always', async () => {
    const backend = heldBackend();
    const served = await serve({ backend, maxRequests: 1, maxQueuedRequests: 0 });
    const [first] = await createInOrder(served, ['a']);
    expect((await fetch(`${served.server.url}/healthz`)).status).toBe(200);
    const ready = await fetch(`${served.server.url}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([200, { status: 'overloaded' }]);
    expect(await countsOf(served)).toEqual({ working: 1, queued: 0, refused: 0 });
    expect((await served.send('GET', '/dbs', { authorization: null })).status).toBe(401);
    expect((await served.send('GET', '/dbs')).status).toBe(429);
    backend.letGo();
    expect((await first)?.status).toBe(201);
    await expect.poll(async () => (await fetch(`${served.server.url}/readyz`)).json()).toEqual({ status: 'ready' });
  });

  test('forgets who went away while waiting', async () => {
    const backend = heldBackend();
    const served = await serve({ backend, maxRequests: 1 });
    const [first] = await createInOrder(served, ['a']);
    const date = new Date().toUTCString();
    const gone = httpRequest(`${served.server.url}/dbs`, { headers: { 'x-ms-date': date, authorization: sign('GET', '/dbs', date) } });
    gone.on('error', () => undefined).end();
    await expect.poll(async () => (await countsOf(served)).queued).toBe(1);
    gone.destroy();
    await expect.poll(async () => (await countsOf(served)).queued).toBe(0);
    backend.letGo();
    expect((await first)?.status).toBe(201);
    expect((await countsOf(served)).refused).toBe(0);
  });

  test('gives the place of a request that failed to the next', async () => {
    const served = await serve({ maxRequests: 1 });
    const statuses = [];
    for (const id of ['app', 'app', 'a/b', 'app']) {
      statuses.push((await create(served, id)).status);
    }
    expect(statuses).toEqual([201, 409, 400, 409]);
    expect((await countsOf(served)).working).toBe(0);
  });

  test('answers all that waits when it is stopped, and takes nothing more', async () => {
    const backend = heldBackend();
    const served = await serve({ backend, maxRequests: 1 });
    const answers = await createInOrder(served, ['a', 'b', 'c', 'd']);
    const closed = served.server.close();
    await expect(fetch(`${served.server.url}/healthz`)).rejects.toThrow('fetch failed');
    expect(backend.entered).toEqual(['a']);
    backend.letGo();
    expect((await Promise.all(answers)).map(({ status, headers }) => [status, headers.get('connection')])).toEqual(
      answers.map(() => [201, 'close']),
    );
    await closed;
    expect(backend.entered).toEqual(['a', 'b', 'c', 'd']);
  });
});

test('hundreds of requests at once are no overload by default', async () => {
  const served = await serve();
  const answers = await Promise.all(Array.from({ length: 600 }, () => served.send('GET', '/dbs')));
  expect(answers.every(({ status }) => status === 200)).toBe(true);
  expect((await countsOf(served)).refused).toBe(0);
});

test.each([
  [{ maxRequests: 0 }, 'maxRequests'],
  [{ maxQueuedRequests: -1 }, 'maxQueuedRequests'],
  [{ queueTimeoutMs: 0.5 }, 'queueTimeoutMs'],
])('refuses %j', async (options, name) => {
  await expect(serve(options)).rejects.toMatchObject({ code: 'INVALID_OPTION', message: expect.stringContaining(name) });
});
