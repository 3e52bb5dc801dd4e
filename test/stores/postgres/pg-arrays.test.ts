import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bigintArray, textArray } from '../../../src/stores/postgres/pg-arrays.ts';
import { postgresForTests } from '../../support/postgres.ts';

let client: pg.Client;

beforeAll(async () => {
  client = new pg.Client({ connectionString: (await postgresForTests()).url });
  await client.connect();
});
afterAll(() => client.end());

const anyText = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\u0000', ''));
const awkward = fc.constantFrom('', '"', '\\', '{', '}', ',', 'NULL', "'", '\\u0000', '\n', '\u{1F600}', '?', '$1');

test('a text[] arrives as it was, whatever is in it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.option(fc.oneof(anyText, awkward))), async (values) => {
      const { rows } = await client.query<{ json: string; n: number | null }>({
        text: "SELECT coalesce(json_agg(v ORDER BY n), '[]')::text AS json FROM unnest($1::text[]) WITH ORDINALITY AS u(v, n)",
        values: [textArray(values)],
      });
      expect(JSON.parse(rows[0]?.json ?? '')).toEqual(values);
    }),
    { numRuns: 200, seed: 11 },
  );
});

test('a bigint[] arrives as it was', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.option(fc.maxSafeInteger())), async (values) => {
      const { rows } = await client.query<{ json: string }>({
        text: "SELECT coalesce(json_agg(v ORDER BY n), '[]')::text AS json FROM unnest($1::bigint[]) WITH ORDINALITY AS u(v, n)",
        values: [bigintArray(values)],
      });
      expect(JSON.parse(rows[0]?.json ?? '')).toEqual(values);
    }),
    { numRuns: 200, seed: 12 },
  );
});
