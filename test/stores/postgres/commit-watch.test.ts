import { expect, test } from 'vitest';
import { openTwoBackends } from './two-backends.ts';
import { watchNumbers } from './watch-numbers.ts';

test('who watches in one server is woken by the commits of another, by a signal', async () => {
  // No poll comes within the time of the test.
  const { stores } = await openTwoBackends({ pollIntervalMs: 1_000_000 });
  const next = watchNumbers(stores[1]);
  expect(await next()).toEqual([]);
  for (let n = 1; n <= 5; n += 1) {
    await stores[0].upsert({ id: 'x', pk: 'p', n });
    expect(await next()).toEqual([n]);
  }
});

test('signals go on after the connection for them has ended', async () => {
  const { stores, foreign, schema } = await openTwoBackends({ pollIntervalMs: 1_000_000 });
  const next = watchNumbers(stores[1]);
  expect(await next()).toEqual([]);
  await stores[0].upsert({ id: 'x', pk: 'p', n: 1 });
  expect(await next()).toEqual([1]);
  await foreign.query("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = $1 AND query ~ '^LISTEN'", [
    schema,
  ]);
  await stores[0].upsert({ id: 'x', pk: 'p', n: 2 });
  expect(await next()).toEqual([2]);
});

test('without signals it is woken by asking: also for a commit before the first time that it asks', async () => {
  const { stores } = await openTwoBackends({ signals: false, pollIntervalMs: 300 });
  const next = watchNumbers(stores[1]);
  expect(await next()).toEqual([]);
  await stores[0].create({ id: 'x', pk: 'p', n: 1 });
  expect(await next()).toEqual([1]);
  await stores[0].upsert({ id: 'x', pk: 'p', n: 2 });
  expect(await next()).toEqual([2]);
});

test('without signals it is woken by a commit whose position was taken long before', async () => {
  const { stores } = await openTwoBackends({ signals: false, pollIntervalMs: 20 });
  const next = watchNumbers(stores[1]);
  expect(await next()).toEqual([]);
  await stores[0].transact('p', async (inside) => {
    await inside.create({ id: 'x', pk: 'p', n: 1 });
    // Time to ask several times while the position is taken and nothing is committed.
    await new Promise((resolve) => setTimeout(resolve, 500));
  });
  expect(await next()).toEqual([1]);
});
