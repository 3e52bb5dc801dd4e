import type { CosmosClientOptions, ErrorResponse } from '@azure/cosmos';
import { describe, expect, test } from 'vitest';
import { SimulatedRuntime } from '../../../src/testing/simulated-runtime.ts';
import { serve, type Served } from '../served.ts';

interface Account {
  readonly served: Served;
  readonly runtime: SimulatedRuntime;
  /** One point read, or a query over everything: status, charge, and how long to wait. */
  readonly read: (key: number, container?: string) => Promise<Answer>;
  readonly scan: () => Promise<Answer>;
}

interface Answer {
  readonly status: number;
  readonly charge: number;
  readonly subStatus: string | null;
  readonly retryAfterMs: number;
}

async function account(databaseHeaders: Record<string, string>, containerHeaders: Record<string, string>): Promise<Account> {
  const runtime = new SimulatedRuntime({ seed: 1 });
  const served = await serve({ runtime, enforceThroughput: true });
  const request = async (method: string, path: string, headers: Record<string, string>, body?: object): Promise<Answer> => {
    const response = await served.send(method, path, {
      date: new Date(runtime.nowMs()).toUTCString(),
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    await response.arrayBuffer();
    return {
      status: response.status,
      charge: Number(response.headers.get('x-ms-request-charge')),
      subStatus: response.headers.get('x-ms-substatus'),
      retryAfterMs: Number(response.headers.get('x-ms-retry-after-ms')),
    };
  };
  await request('POST', '/dbs', databaseHeaders, { id: 'app' });
  for (const id of ['items', 'others']) {
    await request('POST', '/dbs/app/colls', containerHeaders, { id, partitionKey: { paths: ['/key'], version: 2 } });
  }
  for (let key = 0; key < 20; key += 1) {
    const headers = { 'x-ms-documentdb-partitionkey': `[${key}]` };
    expect(await request('POST', '/dbs/app/colls/items/docs', headers, { id: '1', key })).toMatchObject({ status: 201 });
    await runtime.advance(1000);
  }
  return {
    served,
    runtime,
    read: (key, container = 'items') =>
      request('GET', `/dbs/app/colls/${container}/docs/1`, { 'x-ms-documentdb-partitionkey': `[${key}]` }),
    scan: () => request('GET', '/dbs/app/colls/items/docs', {}),
  };
}

/** Reads until the server refuses, and gives what that cost. */
async function exhaust(read: () => Promise<Answer>): Promise<{ spent: number; refusal: Answer }> {
  let spent = 0;
  for (let count = 0; count < 20_000; count += 1) {
    const answer = await read();
    if (answer.status === 429) {
      return { spent, refusal: answer };
    }
    spent += answer.charge;
  }
  throw new Error('The server never refused.');
}

describe('enforced throughput', () => {
  test('admits what is provisioned in a second, refuses the rest with 429 and says when to come again', async () => {
    const { read, runtime } = await account({}, { 'x-ms-offer-throughput': '400' });
    const { spent, refusal } = await exhaust(() => read(1));
    expect(spent).toBeGreaterThanOrEqual(400);
    expect(spent).toBeLessThan(402);
    expect(refusal).toMatchObject({ status: 429, subStatus: '3200' });
    expect(refusal.retryAfterMs).toBeGreaterThan(0);
    await runtime.advance(refusal.retryAfterMs + 5);
    expect((await read(1)).status).toBe(200);
    expect((await exhaust(() => read(1))).spent).toBeLessThan(401);
    await runtime.advance(10_000);
    // What was not used in a second is gone with it.
    expect((await exhaust(() => read(1))).spent).toBeLessThan(402);
  });

  test('gives each range its share, so that one hot key cannot use what is provisioned for others', async () => {
    const { read } = await account({}, { 'x-ms-offer-throughput': '12000' });
    const { spent } = await exhaust(() => read(1));
    expect(spent).toBeGreaterThanOrEqual(6000);
    expect(spent).toBeLessThan(6002);
    const statuses = new Set<number>();
    for (let key = 0; key < 20; key += 1) {
      statuses.add((await read(key)).status);
    }
    expect(statuses).toEqual(new Set([200, 429]));
  });

  test('follows a maximum of autoscale', async () => {
    const { read } = await account({}, { 'x-ms-cosmos-offer-autopilot-settings': '{"maxThroughput":1000}' });
    expect((await exhaust(() => read(1))).spent).toBeGreaterThanOrEqual(1000);
  });

  test('of a database is shared by the containers that have none of their own', async () => {
    const { read } = await account({ 'x-ms-offer-throughput': '400' }, {});
    const { spent } = await exhaust(() => read(1));
    expect(spent).toBeLessThan(402);
    expect((await read(1, 'others')).status).toBe(429);
  });

  test('carries what one expensive request took too much into the seconds that follow', async () => {
    const { read, scan, runtime } = await account({}, { 'x-ms-offer-throughput': '400' });
    const scans = await Promise.all(Array.from({ length: 500 }, () => scan()));
    const spent = scans.reduce((sum, { status, charge }) => sum + (status === 200 ? charge : 0), 0);
    expect(spent).toBeGreaterThanOrEqual(400);
    const after = await read(1);
    expect(after.status).toBe(429);
    expect(after.retryAfterMs).toBeGreaterThan((Math.floor(spent / 400) - 1) * 1000);
    await runtime.advance(after.retryAfterMs);
    expect((await read(1)).status).toBe(200);
  });

  test('is off unless asked for', async () => {
    const { client } = await serve();
    const { database } = await client().databases.create({ id: 'app' });
    const { container } = await database.containers.create({ id: 'items', partitionKey: '/key', throughput: 400 });
    await container.items.create({ id: '1', key: 1 });
    for (let count = 0; count < 600; count += 1) {
      expect((await container.item('1', 1).read()).statusCode).toBe(200);
    }
  });

  test('is waited for by the SDK, whose calls succeed in the end', async () => {
    // A clock that moves only when the SDK has been refused: a slow machine refuses as often as a quick one.
    const runtime = new SimulatedRuntime({ startMs: Date.now() });
    const { client } = await serve({ runtime, enforceThroughput: true });
    let refusals = 0;
    const plugin = async <Request, Response>(
      request: Request,
      _: unknown,
      next: (request: Request) => Promise<Response>,
    ): Promise<Response> => {
      const sentMs = runtime.monotonicMs();
      try {
        return await next(request);
      } catch (error) {
        const { code, retryAfterInMs = 0 } = error as ErrorResponse;
        if (code === 429) {
          refusals += 1;
          await runtime.advance(Math.max(0, sentMs + retryAfterInMs - runtime.monotonicMs()));
        }
        throw error;
      }
    };
    // Plugins are not in the SDK's types.
    const options = { plugins: [{ on: 'request', plugin }] } as Partial<CosmosClientOptions>;
    const account = client(options);
    const { database } = await account.databases.create({ id: 'app' });
    const { container } = await database.containers.create({ id: 'items', partitionKey: '/key', throughput: 400 });
    const documents = Array.from({ length: 120 }, (_, n) => ({ id: `d${n}`, key: n, text: 'x'.repeat(500) }));
    const answers = await Promise.all(documents.map((document) => container.items.create(document)));
    expect(answers.every(({ statusCode }) => statusCode === 201)).toBe(true);
    const retries = answers.reduce(
      (sum, { diagnostics }) => sum + diagnostics.clientSideRequestStatistics.retryDiagnostics.failedAttempts.length,
      0,
    );
    expect(retries).toBe(refusals);
    expect(retries).toBeGreaterThan(0);
  });
});
