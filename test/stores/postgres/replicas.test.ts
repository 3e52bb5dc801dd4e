import { CosmosClient, type Container } from '@azure/cosmos';
import pg from 'pg';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { startServer, WELL_KNOWN_KEY } from '../../../src/server/index.ts';
import type { CallOptions } from '../../../src/store/operations.ts';
import type { EmbeddedPostgres } from '../../../src/stores/postgres/embedded/start-embedded-postgres.ts';
import { openPostgresBackend, type PostgresBackend } from '../../../src/stores/postgres/postgres-backend.ts';
import type { PostgresBackendOptions } from '../../../src/stores/postgres/postgres-options.ts';
import { startReplicatedPostgres, type ReplicatedPostgres } from './replicas-for-tests.ts';
import type { Counted } from './two-backends.ts';

let postgres: ReplicatedPostgres;
let replica: EmbeddedPostgres;

beforeAll(async () => {
  postgres = await startReplicatedPostgres();
  replica = await postgres.addReplica();
}, 120_000);
afterAll(() => postgres.dispose(), 60_000);

async function open(options: Partial<PostgresBackendOptions> = {}): Promise<PostgresBackend> {
  const backend = await openPostgresBackend({
    connectionString: postgres.primary.connectionString,
    schema: `test_${crypto.randomUUID().replaceAll('-', '')}`,
    replicas: [replica.connectionString],
    sweepIntervalMs: 0,
    ...options,
  });
  onTestFinished(() => backend.close());
  await backend.createDatabase('d');
  await backend.createContainer('d', { id: 'c', partitionKey: '/pk' });
  return backend;
}

async function connect({ connectionString }: EmbeddedPostgres): Promise<pg.Client> {
  const client = new pg.Client({ connectionString });
  client.on('error', () => undefined);
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

const isLive = (backend: PostgresBackend) => () => backend.replicaStatus().map(({ live }) => live);
const reads = (backend: PostgresBackend): number => backend.replicaStatus().reduce((sum, one) => sum + one.reads, 0);
const WAIT = { timeout: 20_000, interval: 20 };

/** Everything that reads, with what each gives of the document. */
async function readAll(backend: PostgresBackend, options: CallOptions): Promise<readonly (number | undefined)[]> {
  const store = await backend.container<Counted>('d', 'c');
  return [
    (await store.read('x', 'p', options))?.document.n,
    (await store.readMany([{ id: 'x', partitionKey: 'p' }], options)).documents[0]?.n,
    (await store.query<number>('SELECT VALUE c.n FROM c', options).toArray())[0],
    (await store.changes(options).nextPage()).changes[0]?.document.n,
  ];
}

test('a replica answers what is eventual, and what its session allows; nothing else', async () => {
  const backend = await open();
  const store = await backend.container<Counted>('d', 'c');
  const { session } = await store.create({ id: 'x', pk: 'p', n: 1 });
  await expect.poll(isLive(backend), WAIT).toEqual([true]);
  for (const terms of [{}, { consistency: 'strong' as const, session }, { consistency: 'strong' as const }]) {
    expect(await readAll(backend, terms)).toEqual([1, 1, 1, 1]);
    expect(reads(backend)).toBe(0);
  }
  const replicaReads = async (terms: CallOptions): Promise<number> => {
    const before = reads(backend);
    expect(await readAll(backend, terms)).toEqual([1, 1, 1, 1]);
    return reads(backend) - before;
  };
  await expect.poll(() => replicaReads({ session }), WAIT).toBe(4);
  await expect.poll(() => replicaReads({ consistency: 'eventual' }), WAIT).toBe(4);
  await expect(store.read('x', 'p', { consistency: 'often' as 'strong' })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
});

test('while replay stands still, sessions see their writes, eventual reads what was there, and a replica that is too old is left out', async () => {
  const backend = await open({ maxReplicaLagMs: 1500 });
  const store = await backend.container<Counted>('d', 'c');
  const first = await store.create({ id: 'x', pk: 'p', n: 1 });
  await expect.poll(isLive(backend), WAIT).toEqual([true]);
  const onReplica = await connect(replica);
  await expect.poll(async () => (await readAll(backend, { session: first.session }), reads(backend)), WAIT).toBeGreaterThan(0);
  await onReplica.query('SELECT pg_wal_replay_pause()');
  try {
    await expect
      .poll(async () => (await onReplica.query('SELECT pg_get_wal_replay_pause_state() AS s')).rows[0]?.s as string, WAIT)
      .toBe('paused');
    const second = await store.replace({ id: 'x', pk: 'p', n: 2 });
    expect(await readAll(backend, { consistency: 'eventual' })).toEqual([1, 1, 1, 1]);
    expect(await readAll(backend, { session: second.session })).toEqual([2, 2, 2, 2]);
    expect(await readAll(backend, {})).toEqual([2, 2, 2, 2]);
    await expect.poll(isLive(backend), WAIT).toEqual([false]);
    expect(await readAll(backend, { consistency: 'eventual' })).toEqual([2, 2, 2, 2]);
  } finally {
    await onReplica.query('SELECT pg_wal_replay_resume()');
  }
  await expect.poll(isLive(backend), WAIT).toEqual([true]);
  expect(await readAll(backend, { consistency: 'eventual' })).toEqual([2, 2, 2, 2]);
});

test('a session is not answered from a replica that lacks a write below it, which was committed later', async () => {
  const backend = await open({ maxReplicaLagMs: 60_000 });
  const store = await backend.container<Counted>('d', 'c');
  await store.create({ id: 'x', pk: 'p', n: 0 });
  const onReplica = await connect(replica);
  let later: Promise<unknown> | undefined;
  await store.transact('p', async (inside) => {
    // It takes its position now, and the next one is committed first.
    const { session } = await inside.replace({ id: 'x', pk: 'p', n: 1 });
    const other = await store.create({ id: 'y', pk: 'q', n: 1 });
    expect(Number(other.session)).toBeGreaterThan(Number(session));
    await expect
      .poll(
        async () => (await store.query('SELECT VALUE c.id FROM c WHERE c.id = "y"', { consistency: 'eventual' }).toArray()).length,
        WAIT,
      )
      .toBe(1);
    await onReplica.query('SELECT pg_wal_replay_pause()');
    later = Promise.resolve(other.session);
  });
  try {
    const session = (await later) as string;
    expect(await readAll(backend, { session })).toEqual([1, 1, 1, expect.anything()]);
  } finally {
    await onReplica.query('SELECT pg_wal_replay_resume()');
  }
});

test('a feed that is followed on a replica has every change once, in order, while others write', async () => {
  const backend = await open();
  const store = await backend.container<Counted>('d', 'c');
  await expect.poll(isLive(backend), WAIT).toEqual([true]);
  const writing = (async () => {
    for (let n = 0; n < 60; n += 1) {
      await Promise.all([store.create({ id: `a${n}`, pk: 'p', n }), store.create({ id: `b${n}`, pk: `q${n}`, n })]);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  })();
  const follow = async (): Promise<void> => {
    const seen: string[] = [];
    let cursor: string | undefined;
    await expect
      .poll(async () => {
        const page = await store
          .changes({ from: cursor === undefined ? 'beginning' : { cursor }, consistency: 'eventual', maxItemCount: 7 })
          .nextPage();
        cursor = page.cursor;
        seen.push(...page.changes.map(({ document }) => document.id));
        return seen.length;
      }, WAIT)
      .toBe(120);
    expect(new Set(seen).size).toBe(120);
    const order = (letter: string): readonly string[] => seen.filter((id) => id.startsWith(letter));
    expect(order('a')).toEqual(Array.from({ length: 60 }, (_, n) => `a${n}`));
  };
  // Who is ahead of the replica while it follows is answered by the primary; from the beginning the replica has what there is to read.
  await follow();
  await writing;
  while (reads(backend) === 0) {
    await follow();
  }
});

test('when a replica is killed nothing is lost: the primary answers; one that comes back is read from again', async () => {
  const other = await postgres.addReplica();
  const backend = await open({ replicas: [other.connectionString] });
  const store = await backend.container<Counted>('d', 'c');
  const { session } = await store.create({ id: 'x', pk: 'p', n: 1 });
  await expect.poll(isLive(backend), WAIT).toEqual([true]);
  const going = Array.from({ length: 40 }, async (_, n) => {
    await new Promise((resolve) => setTimeout(resolve, n * 5));
    return readAll(backend, n % 2 === 0 ? { session } : { consistency: 'eventual' });
  });
  await new Promise((resolve) => setTimeout(resolve, 60));
  await other.kill();
  expect(await Promise.all(going)).toEqual(going.map(() => [1, 1, 1, 1]));
  await expect.poll(isLive(backend), WAIT).toEqual([false]);
  await postgres.restart(other);
  await expect.poll(isLive(backend), WAIT).toEqual([true]);
  const before = reads(backend);
  expect(await readAll(backend, { consistency: 'eventual' })).toContain(1);
  expect(reads(backend)).toBeGreaterThan(before);
});

test('the levels that clients of the protocol ask for decide', async () => {
  const backend = await open();
  const server = await startServer({ backend, port: 0 });
  onTestFinished(() => server.close());
  const containerAt = (consistencyLevel: 'Eventual' | 'Session' | 'Strong'): Container =>
    new CosmosClient({ endpoint: server.url, key: WELL_KNOWN_KEY, consistencyLevel, connectionPolicy: { enableEndpointDiscovery: false } })
      .database('d')
      .container('c');
  const session = containerAt('Session');
  await session.items.create({ id: 'x', pk: 'p', n: 1 });
  await expect.poll(isLive(backend), WAIT).toEqual([true]);
  const readsOf = async (container: Container): Promise<number> => {
    const before = reads(backend);
    expect((await container.item('x', 'p').read<Counted>()).resource?.n).toBe(1);
    expect((await container.items.query('SELECT VALUE c.n FROM c', { partitionKey: 'p' }).fetchAll()).resources).toEqual([1]);
    return reads(backend) - before;
  };
  expect(await readsOf(containerAt('Strong'))).toBe(0);
  await expect.poll(() => readsOf(containerAt('Eventual')), WAIT).toBe(2);
  await expect.poll(() => readsOf(session), WAIT).toBe(2);
});

test('a store opens though its replica is down, or is none', async () => {
  const backend = await open({ replicas: ['postgres://nobody@127.0.0.1:1/none', postgres.primary.connectionString] });
  const store = await backend.container<Counted>('d', 'c');
  await store.create({ id: 'x', pk: 'p', n: 1 });
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(await readAll(backend, { consistency: 'eventual' })).toEqual([1, 1, 1, 1]);
  expect(isLive(backend)()).toEqual([false, false]);
  expect(reads(backend)).toBe(0);
});
