import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../../../../src/core/json.ts';
import { compileAggregates } from '../../../../src/query/compile/postgres/compile-aggregates.ts';
import { compileOrderBy, orderExpressions } from '../../../../src/query/compile/postgres/compile-order-by.ts';
import { compileProjection } from '../../../../src/query/compile/postgres/compile-projection.ts';
import { docExpression } from '../../../../src/query/compile/postgres/odd-documents.ts';
import { pathExpression, pathTextExpression } from '../../../../src/query/compile/postgres/path-expression.ts';
import { cachedPostgresPlan } from '../../../../src/query/compile/postgres/postgres-plan-cache.ts';
import { compilePostgresPlan } from '../../../../src/query/compile/postgres/postgres-plan.ts';
import { prepareQuery } from '../../../../src/query/prepare-query.ts';
import { COMPILED_AGGREGATES } from '../compiled-aggregates.ts';
import { COLUMNS } from './postgres-harness.ts';

test('a plan says all that PostgreSQL does', () => {
  const plan = compilePostgresPlan(prepareQuery('SELECT c.a FROM c WHERE c.n > 1 ORDER BY c.b'), []);
  expect(plan).toMatchObject({
    filter: { sql: "(doc IS NULL OR ((doc -> 'n') > ?::jsonb AND (doc -> 'n') < 'false'::jsonb))", parameters: ['1'], exact: true },
    whereIsExact: true,
    orderBy: { exact: false },
    aggregates: undefined,
    projection: { paths: [['a'], ['b']] },
  });
  expect(compilePostgresPlan(prepareQuery('SELECT VALUE COUNT(1) FROM c WHERE c.n > 1'), []).whereIsExact).toBe(false);
});

test('what an index can be made over has one spelling, which filters and orders use', () => {
  const spelt = [pathExpression(['a', 'b']), pathTextExpression(['a', "it's?"]), pathExpression(['a', 0, 'b'])];
  expect(spelt).toEqual([
    "(doc -> 'a' -> 'b')",
    String.raw`(doc -> 'a' ->> E'it\x27s\x3f')`,
    "((CASE WHEN jsonb_typeof((doc -> 'a')) = 'array' THEN (doc -> 'a') -> 0 END) -> 'b')",
  ]);
  const filterOf = (where: string): string | undefined =>
    compilePostgresPlan(prepareQuery(`SELECT * FROM c WHERE ${where}`), []).filter?.sql;
  expect(filterOf('c.a.b = 1')).toContain(spelt[0]);
  expect(filterOf(`c.a["it's?"] > "x"`)).toContain(`${spelt[1]} COLLATE "C" > ?::text`);
  expect(compileOrderBy(prepareQuery('SELECT * FROM c ORDER BY c.a.b'), [])?.sql).toBe(
    [...(orderExpressions(['a', 'b']) as readonly string[]), 'ordinal'].join(', '),
  );
  expect(orderExpressions(['a\u0000'])).toBeUndefined();
});

test('the column of documents is made of the column of texts', () => {
  expect(docExpression('body')).toBe(
    String.raw`CASE WHEN strpos(body, E'\\') = 0 THEN body::jsonb WHEN strpos(body, E'\\u0000') > 0 OR strpos(body, E'\\ud') > 0 THEN NULL ELSE body::jsonb END`,
  );
});

test('columns are bare where an index may serve them', () => {
  const plan = compilePostgresPlan(prepareQuery('SELECT * FROM c WHERE c.id = "a" AND c._ts > 5 ORDER BY c._ts DESC, c.id'), [], {
    columns: COLUMNS,
  });
  expect(plan.filter?.sql).toBe('(doc IS NULL OR (id COLLATE "C" = ?::text AND ts > ?::bigint))');
  expect(plan.orderBy).toMatchObject({ sql: 'ts DESC, id COLLATE "C", ordinal', exact: true, unless: { sql: 'doc IS NULL' } });
});

test('an order is left to the executor where rows are not documents', () => {
  for (const text of ['SELECT VALUE x FROM c JOIN x IN c.list ORDER BY c.a', 'SELECT * FROM c', 'SELECT * FROM c ORDER BY c["q\\u0000"]']) {
    expect(compileOrderBy(prepareQuery(text), []), text).toBeUndefined();
  }
});

describe('aggregates', () => {
  test.each(COMPILED_AGGREGATES)('%s: %s', (text, isCompiled) => {
    expect(compileAggregates(prepareQuery(text), []) !== undefined).toBe(isCompiled);
  });

  test('are merged from texts, as drivers give counts', () => {
    const merger = compileAggregates(prepareQuery('SELECT COUNT(c.a) AS a, COUNT(1) AS n FROM c'), [])?.merger();
    merger?.add(['0', '2', '7']);
    merger?.add(['0', '1', '3']);
    expect(merger?.result()).toEqual([{ a: 3, n: 10 }]);
    merger?.add(['1', '0', '0']);
    expect(merger?.result()).toBeUndefined();
  });
});

test('properties are cut out of the text of the document where the order of keys matters', () => {
  const options = { columns: { ...COLUMNS, body: 'd.body', doc: 'd.doc' } };
  expect(compileProjection(prepareQuery('SELECT c.a.b, c._etag FROM c WHERE c.d = 1'), [], true, options)).toEqual({
    paths: [['a', 'b']],
    columns: [
      "CASE WHEN jsonb_typeof((d.doc -> 'a' -> 'b')) IN ('array', 'object') THEN (d.body::json -> 'a' -> 'b')::text ELSE (d.doc -> 'a' -> 'b')::text END",
    ],
    readsSystemProperties: true,
  });
  expect(compileProjection(prepareQuery('SELECT c["a\\u0000"] FROM c'), [], true)).toBeUndefined();
  expect(compileProjection(prepareQuery('SELECT c.low FROM c'), [], false, { computedProperties: new Set(['low']) })).toBeUndefined();
});

test('a plan is kept for the next page, and only for the same parameters and the same container', () => {
  const prepared = prepareQuery('SELECT c.a FROM c WHERE c.a = @x');
  const planOf = (value: JsonValue, computed: readonly string[] = []) =>
    cachedPostgresPlan(prepared, [{ name: '@x', value }], { columns: COLUMNS, computedProperties: new Set(computed) });
  const first = planOf(1);
  expect(planOf(1)).toBe(first);
  for (const other of [planOf('1'), planOf(null), planOf(-0), planOf(1, ['a']), cachedPostgresPlan(prepared, [{ name: '@x', value: 1 }])]) {
    expect(other).not.toBe(first);
  }
});
