import { describe, expect, test } from 'vitest';
import { openPostgresBackend } from '../../../src/stores/postgres/postgres-backend.ts';
import { SimulatedRuntime } from '../../../src/testing/simulated-runtime.ts';
import { postgresForTests } from '../../support/postgres.ts';
import { serve, type Served } from '../served.ts';

const THROUGHPUT = 400;
/** A slice is a tenth of a second's units. */
const SLICE = THROUGHPUT / 10;
/** What one read may cost above what was left. */
const READ = 1;

interface Pair {
  readonly servers: readonly [Served, Served];
  readonly runtime: SimulatedRuntime;
}

/** Two servers on one PostgreSQL, whose clocks agree; both enforce the throughput of one container. */
async function pair(): Promise<Pair> {
  const { url, freshSchema } = await postgresForTests();
  const schema = freshSchema();
  const runtime = new SimulatedRuntime({ seed: 1 });
  const open = async (): Promise<Served> =>
    serve({
      runtime,
      enforceThroughput: true,
      backend: await openPostgresBackend({ connectionString: url, schema, runtime, maxConnections: 4, signals: false }),
    });
  const servers = [await open(), await open()] as const;
  const headers = { 'x-ms-offer-throughput': String(THROUGHPUT) };
  await send(servers[0], runtime, 'POST', '/dbs', {}, { id: 'app' });
  await send(servers[0], runtime, 'POST', '/dbs/app/colls', headers, { id: 'items', partitionKey: { paths: ['/key'], version: 2 } });
  await send(servers[0], runtime, 'POST', '/dbs/app/colls/items/docs', { 'x-ms-documentdb-partitionkey': '[1]' }, { id: '1', key: 1 });
  await runtime.advance(2000);
  return { servers, runtime };
}

async function send(
  { send: request }: Served,
  runtime: SimulatedRuntime,
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: object,
): Promise<{ status: number; charge: number; retryAfterMs: number }> {
  const response = await request(method, path, {
    date: new Date(runtime.nowMs()).toUTCString(),
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  await response.arrayBuffer();
  return {
    status: response.status,
    charge: Number(response.headers.get('x-ms-request-charge')),
    retryAfterMs: Number(response.headers.get('x-ms-retry-after-ms')),
  };
}

/** Reads from servers in turn, several at once, until each of them refuses; gives what they admitted. */
async function exhaust(servers: readonly Served[], runtime: SimulatedRuntime): Promise<readonly number[]> {
  return Promise.all(
    servers.map(async (server) => {
      let spent = 0;
      for (let count = 0; count < 2000; count += 1) {
        const answer = await send(server, runtime, 'GET', '/dbs/app/colls/items/docs/1', { 'x-ms-documentdb-partitionkey': '[1]' });
        if (answer.status === 429) {
          expect(answer.retryAfterMs).toBeGreaterThan(0);
          return spent;
        }
        expect(answer.status).toBe(200);
        spent += answer.charge;
      }
      throw new Error('A server never refused.');
    }),
  );
}

const sum = (spent: readonly number[]): number => spent.reduce((total, one) => total + one, 0);

describe('throughput that two servers on one store share', () => {
  test('is what is provisioned, of which each may overdraw once', async () => {
    const { servers, runtime } = await pair();
    for (let second = 0; second < 3; second += 1) {
      const spent = await exhaust(servers, runtime);
      expect(Math.min(...spent)).toBeGreaterThan(0);
      expect(sum(spent)).toBeGreaterThan(THROUGHPUT - 2 * SLICE);
      expect(sum(spent)).toBeLessThanOrEqual(THROUGHPUT + servers.length * READ);
      await runtime.advance(1000);
    }
  }, 60_000);

  test('what a server that is gone had leased lapses with its second', async () => {
    const { servers, runtime } = await pair();
    const [first, second] = servers;
    await send(first, runtime, 'GET', '/dbs/app/colls/items/docs/1', { 'x-ms-documentdb-partitionkey': '[1]' });
    expect(sum(await exhaust([second], runtime))).toBeLessThanOrEqual(THROUGHPUT - SLICE + READ);
    await runtime.advance(1000);
    expect(sum(await exhaust([second], runtime))).toBeGreaterThanOrEqual(THROUGHPUT);
  }, 60_000);
});
