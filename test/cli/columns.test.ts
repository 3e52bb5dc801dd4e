import { expect, onTestFinished, test } from 'vitest';
import { openPromoted, refused } from '../stores/postgres/columns/promoted.ts';
import { postgresForTests } from '../support/postgres.ts';
import { CliProcess, runCli } from './cli-process.ts';

const WHERE = ['--database', 'd', '--container', 'c'];

async function addressOf(schema: string): Promise<string> {
  const address = new URL((await postgresForTests()).url);
  address.searchParams.set('schema', schema);
  return address.href;
}

test('perigee columns adds, lists and drops, tells what does not fit, and goes on with what was killed', async () => {
  const { store, client, schema, valuesOf } = await openPromoted();
  const address = await addressOf(schema);
  await store.bulk(Array.from({ length: 5 }, (_, n) => ({ type: 'create', document: { id: `i${n}`, pk: 'p', v: n, w: n % 2 } }) as const));
  const add = ['columns', 'add', address, '/v', 'bigint', '--unique', '--name', 'rank', '--json', ...WHERE];
  // Somebody who looks at an older state keeps the index from being made, and the promotion is killed then.
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
  await client.query(`SELECT count(*) FROM ${schema}.containers`);
  onTestFinished(() => client.query('ROLLBACK').then(() => undefined));
  const killed = new CliProcess(add);
  const isThere = async (): Promise<boolean> =>
    (await client.query(`SELECT FROM pg_locks WHERE NOT granted AND locktype = 'virtualxid'`)).rows.length > 0;
  while (!(await isThere())) {
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  }
  expect((await killed.stop('SIGKILL')).exit).toBe('SIGKILL');
  await client.query('ROLLBACK');
  await store.create({ id: 'during', pk: 'q', v: 77 });
  const added = await runCli(add);
  const column = { name: 'rank', path: '/v', type: 'bigint', unique: true, notNull: false, isReady: true };
  expect(added).toMatchObject({ exit: 0, stderr: '' });
  expect(JSON.parse(added.stdout)).toEqual({ columns: [column] });
  expect(await valuesOf('rank')).toEqual({ during: '77', i0: '0', i1: '1', i2: '2', i3: '3', i4: '4' });
  expect((await refused(store.create({ id: 'x', pk: 'x', v: 3 }))).code).toBe('CONFLICT');
  expect(await runCli(['columns', 'list', address, ...WHERE])).toEqual({ exit: 0, stdout: '/v  rank  bigint  unique\n', stderr: '' });
  expect(await runCli(['columns', 'drop', address, 'rank', ...WHERE])).toEqual({ exit: 0, stdout: 'no columns\n', stderr: '' });
}, 120_000);
