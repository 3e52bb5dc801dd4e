import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { copyIn } from '../../../src/stores/postgres/copy-in.ts';
import { copyRows, POSITIONS } from '../../../src/stores/postgres/copy-rows.ts';
import { postgresForTests } from '../../support/postgres.ts';

let pool: pg.Pool;
let client: pg.PoolClient;

beforeAll(async () => {
  pool = new pg.Pool({ connectionString: (await postgresForTests()).url });
  client = await pool.connect();
  await client.query('CREATE TEMPORARY TABLE copied (position bigint UNIQUE, a text, b bigint, c text)');
});
afterAll(async () => {
  client.release();
  await pool.end();
});

const COPY = 'TRUNCATE copied; COPY copied (position, a, b, c) FROM STDIN (FORMAT binary)';
const anyText = fc.oneof(
  fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\u0000', '')),
  fc.constantFrom('', '"', '\\', '\\N', '\\.', '\t', '\n', 'é'.repeat(64), '\u{1F600}'.repeat(33), '\u20AC'.repeat(64), 'x'.repeat(5000)),
);
const anyRow = fc.record({ a: anyText, b: fc.option(fc.maxSafeInteger()), c: fc.option(anyText), position: fc.maxSafeInteger() });

test('rows that are copied in are the rows that were given, in the order asked for', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(anyRow, { selector: ({ position }) => position }),
      fc.infiniteStream(fc.nat()),
      async (rows, chance) => {
        const order = [...rows.keys()].map((index) => [index, chance.next().value as number] as const);
        order.sort(([, left], [, right]) => left - right);
        const indexes = order.map(([index]) => index);
        const filled = copyRows([POSITIONS, rows.map(({ a }) => a), rows.map(({ b }) => b), rows.map(({ c }) => c)], indexes);
        await copyIn(client, COPY, filled(rows.map(({ position }) => position)));
        const { rows: found } = await client.query<{ json: string | null }>(
          'SELECT json_agg(json_build_object($1::text, a, $2::text, b, $3::text, c, $4::text, position) ORDER BY ctid)::text AS json FROM copied',
          ['a', 'b', 'c', 'position'],
        );
        expect(JSON.parse(found[0]?.json ?? '[]')).toEqual(indexes.map((index) => rows[index]));
      },
    ),
    { numRuns: 150, seed: 13 },
  );
});

test('a copy that the server refuses is one error, and the connection goes on', async () => {
  const twice = copyRows([POSITIONS, ['a', 'b'], [1, 2], [null, null]], [0, 1]);
  await expect(copyIn(client, COPY, twice([7, 7]))).rejects.toMatchObject({ code: '23505' });
  await expect(copyIn(client, 'COPY nowhere FROM STDIN (FORMAT binary)', twice([1, 2]))).rejects.toMatchObject({ code: '42P01' });
  await copyIn(client, COPY, twice([1, 2]));
  expect((await client.query('SELECT * FROM copied')).rowCount).toBe(2);
});
