import { expect, test } from 'vitest';
import type { JsonValue } from '../../../src/core/json.ts';
import { compileSqlitePlan } from '../../../src/query/compile/sqlite/sqlite-plan.ts';
import { cachedSqlitePlan } from '../../../src/query/compile/sqlite/sqlite-plan-cache.ts';
import { prepareQuery } from '../../../src/query/prepare-query.ts';

const prepared = prepareQuery('SELECT c.a FROM c WHERE c.a = @x');
const planOf = (value: JsonValue | undefined, computed: readonly string[] = []) =>
  cachedSqlitePlan(prepared, value === undefined ? [] : [{ name: '@x', value }], { computedProperties: new Set(computed) });

test('a plan is kept for the next page, and only for the same parameters and the same container', () => {
  const first = planOf(1);
  expect(planOf(1)).toBe(first);
  expect(first.filter).toEqual(compileSqlitePlan(prepared, [{ name: '@x', value: 1 }]).filter);
  const others = [planOf('1'), planOf(null), planOf([1]), planOf(undefined), planOf(1, ['a'])];
  for (const [index, other] of others.entries()) {
    expect(other, String(index)).not.toBe(first);
  }
  expect(others[0]?.filter).not.toEqual(first.filter);
  expect(others[4]?.filter).toBeUndefined();
});

test('values that JSON text confuses have plans of their own, and so have long ones', () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, -0, 'x'.repeat(20_000)]) {
    expect(planOf(value)).not.toBe(planOf(value));
  }
  expect(planOf(Number.NaN).filter).not.toEqual(planOf(null).filter);
});

test('a parameter that the query does not use makes no difference, nor does its order', () => {
  const ask = (...names: readonly string[]) =>
    cachedSqlitePlan(
      prepared,
      names.map((name) => ({ name, value: 1 })),
    );
  expect(ask('@x', '@y')).toBe(ask('@y', '@x'));
  expect(ask('@x')).toBe(ask('@y', '@x'));
});
