import { expect, test } from 'vitest';
import { isPerigeeError } from '../../../src/core/errors.ts';
import { openTwoBackends, type TwoBackends } from './two-backends.ts';

/** Has whoever uses the table of the container wait, ends the connections that do, and lets those go on that come next. */
async function endWaiting({ foreign, schema, serverProcesses }: TwoBackends, count: number): Promise<void> {
  await expect.poll(() => serverProcesses(true), { timeout: 10_000, interval: 10 }).toHaveLength(count);
  const { rowCount } = await foreign.query(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = 'Lock'",
    [schema],
  );
  expect(rowCount).toBe(count);
  await foreign.query('COMMIT');
}

async function lockTable({ foreign, schema }: TwoBackends): Promise<void> {
  const { rows } = await foreign.query<{ number: string }>(`SELECT number FROM "${schema}".containers WHERE id = 'c'`);
  await foreign.query('BEGIN');
  await foreign.query(`LOCK TABLE "${schema}_1".c${rows[0]?.number} IN ACCESS EXCLUSIVE MODE`);
}

test('a read goes on when the connection that it was on is ended', async () => {
  const two = await openTwoBackends();
  const [store] = two.stores;
  await store.create({ id: 'x', pk: 'p', n: 7 });
  const reads: readonly (() => Promise<unknown>)[] = [
    () => store.read('x', 'p').then((found) => found?.document.n),
    () => store.readMany([{ id: 'x', partitionKey: 'p' }]).then(({ documents }) => documents[0]?.n),
    () =>
      store
        .query('SELECT VALUE c.n FROM c')
        .toArray()
        .then(([n]) => n),
    () =>
      store
        .changes()
        .nextPage()
        .then(({ changes }) => changes[0]?.document.n),
  ];
  for (const read of reads) {
    await lockTable(two);
    const result = read();
    await endWaiting(two, 1);
    expect(await result).toBe(7);
  }
});

test('a transaction whose connection ends before its commit is carried out anew', async () => {
  const two = await openTwoBackends();
  const [store] = two.stores;
  await store.create({ id: 'x', pk: 'p', n: 0 });
  await lockTable(two);
  const batch = store.batch('p', [
    { type: 'patch', id: 'x', operations: [{ op: 'incr', path: '/n', value: 1 }] },
    { type: 'create', document: { id: 'y', pk: 'p', n: 0 } },
  ]);
  await endWaiting(two, 1);
  expect((await batch).committed).toBe(true);
  expect((await store.read('x', 'p'))?.document.n).toBe(1);
});

test('a single write whose connection ends is not repeated: its outcome is unknown, and said to be', async () => {
  const two = await openTwoBackends();
  const [store] = two.stores;
  await lockTable(two);
  const write = store.create({ id: 'x', pk: 'p', n: 0 }).catch((error: unknown) => error);
  await endWaiting(two, 1);
  expect(isPerigeeError(await write, 'CONNECTION_LOST')).toBe(true);
  expect(await store.read('x', 'p')).toBeUndefined();
});

test('a transaction of a caller that loses its connection between two calls ends with an error, and nothing else does', async () => {
  const two = await openTwoBackends();
  const [store] = two.stores;
  const run = store.transact('p', async (inside) => {
    await inside.create({ id: 'x', pk: 'p', n: 0 });
    await two.foreign.query(
      "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = $1 AND state = 'idle in transaction'",
      [two.schema],
    );
    // Whoever holds the connection is told that it ended before the next call.
    await new Promise((resolve) => setTimeout(resolve, 50));
    await inside.create({ id: 'y', pk: 'p', n: 0 });
  });
  expect(isPerigeeError(await run.catch((error: unknown) => error), 'CONNECTION_LOST')).toBe(true);
  expect(await store.query('SELECT * FROM c').toArray()).toEqual([]);
});

test('when all connections of a server are ended at once, its next reads succeed', async () => {
  const two = await openTwoBackends();
  const [store] = two.stores;
  await store.create({ id: 'x', pk: 'p', n: 0 });
  for (let round = 0; round < 20; round += 1) {
    await Promise.all(Array.from({ length: 8 }, () => store.read('x', 'p')));
    const ended = two.foreign.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1', [two.schema]);
    const read = await Promise.all(Array.from({ length: 8 }, () => store.read('x', 'p')));
    await ended;
    expect(read.map((found) => found?.document.n)).toEqual(read.map(() => 0));
    expect((await store.read('x', 'p'))?.document.n).toBe(0);
  }
});

test('a transaction of a caller that is idle for too long is ended by the server, and said to be undone', async () => {
  const two = await openTwoBackends({ statementTimeoutMs: 300 });
  const [store] = two.stores;
  const run = store.transact('p', async (inside) => {
    await inside.create({ id: 'x', pk: 'p', n: 0 });
    await expect.poll(() => two.serverProcesses(), { timeout: 10_000, interval: 20 }).not.toContain(await idleProcess(two));
    await inside.create({ id: 'y', pk: 'p', n: 0 });
  });
  expect(isPerigeeError(await run.catch((error: unknown) => error), 'CONNECTION_LOST')).toBe(true);
  expect(await store.query('SELECT * FROM c').toArray()).toEqual([]);
});

async function idleProcess({ foreign, schema }: TwoBackends): Promise<number | undefined> {
  const { rows } = await foreign.query<{ pid: number }>(
    "SELECT pid FROM pg_stat_activity WHERE application_name = $1 AND state = 'idle in transaction'",
    [schema],
  );
  return rows[0]?.pid;
}
