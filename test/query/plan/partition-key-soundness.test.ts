import fc from 'fast-check';
import { expect, test } from 'vitest';
import { setOwn, type JsonObject } from '../../../src/core/json.ts';
import { systemRuntime } from '../../../src/core/runtime.ts';
import { compileCondition } from '../../../src/query/evaluator/condition.ts';
import { partitionKeysOf } from '../../../src/query/partition-key-filter.ts';
import { prepareQuery } from '../../../src/query/prepare-query.ts';
import type { QueryParameter } from '../../../src/query/syntax-nodes.ts';

const PARAMETERS: readonly QueryParameter[] = [
  { name: '@one', value: 1 },
  { name: '@x', value: 'x' },
  { name: '@list', value: ['x'] },
];
const VALUES = [undefined, null, true, false, 0, 1, -1, 'x', '1', ''] as const;

const path = fc.constantFrom('c.k', 'c["k"]', 'c.u', 'c.n');
const constant = fc.constantFrom(
  '1',
  '-1',
  '-0',
  '"x"',
  '"1"',
  '""',
  'null',
  'true',
  'false',
  'undefined',
  '@one',
  '@x',
  '@list',
  '@none',
  '[1]',
  '1e999',
);
const { condition } = fc.letrec<{ condition: string }>((tie) => {
  const inner = tie('condition');
  return {
    condition: fc.oneof(
      { maxDepth: 4 },
      fc.tuple(path, fc.constantFrom('=', '=', '=', '!=', '>'), constant).map(([left, operator, right]) => `${left} ${operator} ${right}`),
      fc.tuple(constant, path).map(([left, right]) => `${left} = ${right}`),
      fc
        .tuple(path, fc.constantFrom('IN', 'IN', 'NOT IN'), fc.array(fc.oneof(constant, path), { minLength: 1, maxLength: 3 }))
        .map(([left, word, items]) => `${left} ${word} (${items.join(', ')})`),
      fc
        .tuple(fc.constantFrom('', 'NOT '), fc.constantFrom('IS_NULL', 'IS_DEFINED', 'IS_STRING'), path)
        .map(([not, call, one]) => `${not}${call}(${one})`),
      path,
      constant,
      fc.tuple(inner, inner).map(([left, right]) => `(${left}) AND (${right})`),
      fc.tuple(inner, inner).map(([left, right]) => `(${left}) OR (${right})`),
      fc.tuple(inner, inner, inner).map(([a, b, c]) => `(${a}) AND (${b}) OR (${c})`),
      fc.tuple(inner, inner, inner).map(([a, b, c]) => `((${a}) OR (${b})) AND (${c})`),
      inner.map((one) => `NOT (${one})`),
      fc.tuple(inner, inner).map(([left, right]) => `(${left}) = (${right})`),
      fc.tuple(inner, inner).map(([left, right]) => `(${left}) ?? (${right})`),
      fc.tuple(inner, inner, inner).map(([a, b, c]) => `(${a}) ? (${b}) : (${c})`),
    ),
  };
});

const documents: readonly JsonObject[] = VALUES.flatMap((k) =>
  VALUES.flatMap((u) =>
    [1, 'x'].map((n) => {
      const document = { n };
      for (const [name, value] of Object.entries({ k, u })) {
        if (value !== undefined) {
          setOwn(document, name, value);
        }
      }
      return document;
    }),
  ),
);

test('no document that satisfies a filter has a partition key outside of the answer', () => {
  fc.assert(
    fc.property(condition, fc.constantFrom(['/k'], ['/k', '/u'], ['/u', '/k']), (where, paths) => {
      const prepared = prepareQuery(`SELECT * FROM c WHERE ${where}`);
      const keys = partitionKeysOf(prepared, paths, PARAMETERS);
      if (keys === 'all') {
        return;
      }
      const satisfies = compileCondition(prepared, { parameters: PARAMETERS, runtime: systemRuntime });
      for (const document of documents.filter((one) => satisfies(one))) {
        const own = paths.map((one) => document[one.slice(1)]);
        const covered = keys !== 'none' && keys.some((key) => key.every((component, index) => component === own[index]));
        expect(covered, `${JSON.stringify(document)} for ${JSON.stringify(keys)}`).toBe(true);
      }
    }),
    { numRuns: 300 },
  );
});
