import { expect, onTestFinished, test } from 'vitest';
import { isPerigeeError } from '../../../src/core/errors.ts';
import type { Change } from '../../../src/store/changes.ts';
import { openPostgresBackend } from '../../../src/stores/postgres/postgres-backend.ts';
import { postgresForTests } from '../../support/postgres.ts';
import { openTwoBackends, type Counted } from './two-backends.ts';

const codeOf = (error: unknown): string => (isPerigeeError(error) ? error.code : String(error));

/** Runs all at once, and gives what each came to: its result, or the code of its error. */
async function race<R>(...runs: readonly Promise<R>[]): Promise<readonly (R | string)[]> {
  return Promise.all(runs.map((run) => run.catch((error: unknown) => codeOf(error))));
}

test('of two writers with one etag, one in each server, exactly one succeeds', async () => {
  const { stores } = await openTwoBackends();
  const [first, second] = stores;
  let { etag } = await first.create({ id: 'x', pk: 'p', n: 0 });
  for (let round = 1; round <= 50; round += 1) {
    const other = round % 3 === 0;
    const outcomes = await race(
      first.replace({ id: 'x', pk: 'p', n: round }, { ifMatch: etag }),
      other
        ? second.patch('x', 'p', [{ op: 'incr', path: '/n', value: 1 }], { ifMatch: etag })
        : second.upsert({ id: 'x', pk: 'p', n: round }, { ifMatch: etag }),
    );
    const winners = outcomes.filter((outcome) => typeof outcome !== 'string');
    expect(outcomes.filter((outcome) => typeof outcome === 'string')).toEqual(['PRECONDITION_FAILED']);
    const held = await (round % 2 === 0 ? first : second).read('x', 'p');
    expect(held?.etag).toBe(winners[0]?.etag);
    expect(held?.document.n).toBe(round);
    etag = held?.etag as string;
  }
});

test('of creates of one id at once, in both servers, exactly one succeeds, and of batches likewise', async () => {
  const { stores } = await openTwoBackends();
  const [first, second] = stores;
  for (let round = 0; round < 20; round += 1) {
    const id = `x${round}`;
    const outcomes = await race(
      first.create({ id, pk: 'p', n: 1 }),
      second.create({ id, pk: 'p', n: 2 }),
      first.create({ id, pk: 'p', n: 3 }),
      second.create({ id, pk: 'p', n: 4 }),
    );
    expect(outcomes.filter((outcome) => outcome === 'CONFLICT')).toHaveLength(3);
    const batches = await Promise.all(
      stores.map((store, n) =>
        store.batch('p', [
          { type: 'create', document: { id: `${id} other`, pk: 'p', n } },
          { type: 'upsert', document: { id: `${id} with`, pk: 'p', n } },
        ]),
      ),
    );
    expect(batches.filter(({ committed }) => committed)).toHaveLength(1);
    expect((await first.read(`${id} with`, 'p'))?.document.n).toBe(batches[0]?.committed === true ? 0 : 1);
  }
});

test('a time to live that one server sets counts for the next write of the other', async () => {
  const { backends, stores } = await openTwoBackends();
  await stores[1].create({ id: 'before', pk: 'p', n: 0 });
  await backends[0].replaceContainer('d', { id: 'c', partitionKey: '/pk', defaultTtl: 1 });
  const { ts } = await stores[1].create({ id: 'after', pk: 'p', n: 0 });
  const { rows } = await backends[0].container<Counted>('d', 'c').then(async (store) => {
    await expect.poll(() => store.read('after', 'p'), { timeout: 10_000, interval: 100 }).toBeUndefined();
    return { rows: await store.query('SELECT * FROM c').toArray() };
  });
  expect(ts).toBeGreaterThan(0);
  expect(rows).toEqual([]);
  expect(await stores[1].read('before', 'p')).toBeUndefined();
});

type Second = Awaited<ReturnType<typeof openTwoBackends>>['stores'][1];

const KINDS: Readonly<Record<string, (id: string, store: Second) => Promise<unknown>>> = {
  create: (_, store) => store.create({ id: 'new', pk: 'p', n: 1 }),
  upsert: (id, store) => store.upsert({ id, pk: 'p', n: 1 }),
  replace: (id, store) => store.replace({ id, pk: 'p', n: 1 }),
  patch: (id, store) => store.patch(id, 'p', [{ op: 'incr', path: '/n', value: 1 }]),
  delete: (id, store) => store.delete(id, 'p'),
  batch: (id, store) => store.batch('p', [{ type: 'replace', document: { id, pk: 'p', n: 1 } }]),
};

const RECORDED = { retentionDuration: 10 };

test('a change feed policy that one server sets has every next write of the other recorded, whatever kind it is', async () => {
  const { backends } = await openTwoBackends();
  for (const [kind, write] of Object.entries(KINDS)) {
    const id = `of-${kind}`;
    await backends[0].createContainer('d', { id, partitionKey: '/pk' });
    const [first, second] = [await backends[0].container<Counted>('d', id), await backends[1].container<Counted>('d', id)];
    await second.create({ id: 'x', pk: 'p', n: 0 });
    await backends[0].replaceContainer('d', { id, partitionKey: '/pk', changeFeedPolicy: RECORDED });
    const { cursor } = await first.changes({ mode: 'all', from: 'now' }).nextPage();
    await write('x', second);
    const { changes } = await first.changes({ mode: 'all', from: { cursor } }).nextPage();
    expect([kind, changes.length, changes[0]?.operation]).toEqual([kind, 1, kind === 'create' || kind === 'delete' ? kind : 'replace']);
  }
});

test('a write that has to wait for a change feed policy that another server sets is recorded by it', async () => {
  const { backends, foreign, schema, serverProcesses } = await openTwoBackends();
  for (const [kind, write] of Object.entries(KINDS)) {
    const id = `of-${kind}`;
    const { number } = await backends[0]
      .createContainer('d', { id, partitionKey: '/pk' })
      .then(() => foreign.query<{ number: string }>(`SELECT number FROM ${schema}.containers WHERE id = $1`, [id]))
      .then(({ rows }) => rows[0] as { number: string });
    const second = await backends[1].container<Counted>('d', id);
    // So often that PostgreSQL has one plan for all values.
    for (let time = 0; time < 8; time += 1) {
      await second.upsert({ id: 'x', pk: 'p', n: 0 });
      await write('x', second);
      await second.delete('new', 'p').catch(() => undefined);
    }
    await second.upsert({ id: 'x', pk: 'p', n: 0 });
    await foreign.query('BEGIN');
    await foreign.query(`SELECT FROM ${schema}_1.c${number} WHERE id = 'x' FOR UPDATE`);
    // It gives the document its life, for which it waits, with the table locked.
    const redefined = backends[0].replaceContainer('d', { id, partitionKey: '/pk', defaultTtl: 1000, changeFeedPolicy: RECORDED });
    await expect.poll(async () => (await serverProcesses(true)).length, { interval: 10 }).toBe(1);
    const written = write('x', second);
    await expect.poll(async () => (await serverProcesses(true)).length, { interval: 10 }).toBe(2);
    await foreign.query('ROLLBACK');
    await Promise.all([redefined, written]);
    const { rows } = await foreign.query<{ id: string }>(`SELECT id FROM ${schema}_1.v${number}`);
    expect([kind, rows.map((row) => row.id)]).toEqual([kind, [kind === 'create' ? 'new' : 'x']]);
  }
});

test('a container that one server deletes is NOT_FOUND with sub-status 1003 for every call of the other', async () => {
  const { backends, stores } = await openTwoBackends();
  const [, second] = stores;
  await second.create({ id: 'x', pk: 'p', n: 0 });
  await backends[0].deleteContainer('d', 'c');
  const calls: readonly (() => Promise<unknown>)[] = [
    () => second.read('x', 'p'),
    () => second.readMany([{ id: 'x', partitionKey: 'p' }]),
    () => second.create({ id: 'y', pk: 'p', n: 0 }),
    () => second.upsert({ id: 'x', pk: 'p', n: 0 }),
    () => second.replace({ id: 'x', pk: 'p', n: 0 }),
    () => second.delete('x', 'p'),
    () => second.batch('p', [{ type: 'create', document: { id: 'y', pk: 'p', n: 0 } }]),
    () => second.bulk([{ type: 'create', document: { id: 'y', pk: 'p', n: 0 } }]),
    () => second.query('SELECT * FROM c').toArray(),
    () => second.changes().nextPage(),
    () => second.transact('p', (inside) => inside.read('x')),
  ];
  for (const [index, call] of calls.entries()) {
    const error = await call().catch((thrown: unknown) => thrown);
    expect([index, codeOf(error), (error as { readonly subStatus?: number }).subStatus]).toEqual([index, 'NOT_FOUND', 1003]);
  }
  await backends[0].createContainer('d', { id: 'c', partitionKey: '/pk' });
  const again = await backends[1].container<Counted>('d', 'c');
  expect(await again.read('x', 'p')).toBeUndefined();
  await again.create({ id: 'x', pk: 'p', n: 1 });
});

test('many servers that start at once on an empty database all do, and have one catalogue', { timeout: 60_000 }, async () => {
  const { url, freshSchema, dropSchemas } = await postgresForTests();
  for (let round = 0; round < 3; round += 1) {
    const schema = freshSchema();
    onTestFinished(() => dropSchemas(schema));
    const backends = await Promise.all(
      Array.from({ length: 12 }, async (_, index) => {
        const backend = await openPostgresBackend({ connectionString: url, schema, maxConnections: 2 });
        onTestFinished(() => backend.close());
        const catalog = await backend.catalog();
        await catalog.create({ id: `${index}`, scope: 's' });
        return backend;
      }),
    );
    const catalogs = await Promise.all(backends.map(async (backend) => (await backend.catalog()).query('SELECT * FROM c').toArray()));
    expect(catalogs.map((documents) => documents.length)).toEqual(backends.map(() => 12));
    const made = await race(...backends.map((backend) => backend.createDatabase('one')));
    expect(made.filter((outcome) => typeof outcome !== 'string')).toHaveLength(1);
    const containers = await race(...backends.map((backend) => backend.createContainer('one', { id: 'c', partitionKey: '/pk' })));
    expect(containers.filter((outcome) => typeof outcome !== 'string')).toHaveLength(1);
    expect(await backends[0]?.listContainers('one')).toHaveLength(1);
  }
});

const idsOf = (changes: readonly Change<Counted>[]): readonly string[] => changes.map(({ document }) => document.id);

test('what somebody else has open in the database does not hold the change feed up', async () => {
  const { backends, stores, foreign, schema } = await openTwoBackends();
  await backends[0].createContainer('d', { id: 'elsewhere', partitionKey: '/pk' });
  const elsewhere = await backends[0].container<Counted>('d', 'elsewhere');
  await foreign.query('BEGIN');
  await foreign.query('SELECT pg_advisory_xact_lock_shared(1, 1)');
  await foreign.query(`CREATE TABLE "${schema}".foreign_table AS SELECT txid_current() AS number`);
  try {
    await elsewhere.transact('p', async (inside) => {
      await inside.create({ id: 'open', pk: 'p', n: 0 });
      await stores[0].create({ id: 'x', pk: 'p', n: 0 });
      const page = await stores[1].changes().nextPage();
      expect(idsOf(page.changes)).toEqual(['x']);
      expect(page.caughtUp).toBe(true);
      expect(idsOf((await elsewhere.changes().nextPage()).changes)).toEqual([]);
    });
  } finally {
    await foreign.query('ROLLBACK');
  }
});

test('a transaction that is open in the container holds the change feed below what it wrote until it ends, committed or not', async () => {
  const { stores } = await openTwoBackends();
  const [first, second] = stores;
  for (const commits of [true, false]) {
    const tag = String(commits);
    const { cursor: start } = await second.changes({ from: 'now' }).nextPage();
    let cursor = start;
    const run = first.transact('p', async (inside) => {
      await inside.create({ id: `open ${tag}`, pk: 'p', n: 0 });
      await second.create({ id: `after ${tag}`, pk: 'q', n: 0 });
      const page = await second.changes({ from: { cursor } }).nextPage();
      expect(idsOf(page.changes)).toEqual([]);
      ({ cursor } = page);
      if (!commits) {
        throw new RangeError('not to be');
      }
    });
    expect(await run.catch((error: unknown) => (error as Error).name)).toBe(commits ? undefined : 'RangeError');
    const { changes } = await second.changes({ from: { cursor } }).nextPage();
    expect(idsOf(changes)).toEqual(commits ? [`open ${tag}`, `after ${tag}`] : [`after ${tag}`]);
  }
});
