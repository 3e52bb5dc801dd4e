import { describe, expect, test } from 'vitest';
import { systemRuntime } from '../../../src/core/runtime.ts';
import { compileCondition, evaluateCondition } from '../../../src/query/evaluator/condition.ts';
import { prepareCondition, prepareQuery } from '../../../src/query/prepare-query.ts';

const run = { runtime: systemRuntime };

describe('conditions on one document', () => {
  test('hold when the filter is exactly true', () => {
    const prepared = prepareCondition('FROM c WHERE c.stock >= @least');
    const parameters = [{ name: '@least', value: 2 }];
    expect(evaluateCondition(prepared, parameters, { stock: 2 }, run)).toBe(true);
    expect(evaluateCondition(prepared, parameters, { stock: 1 }, run)).toBe(false);
    expect(evaluateCondition(prepared, parameters, { stock: '9' }, run)).toBe(false);
    expect(evaluateCondition(prepared, [], { stock: 2 }, run)).toBe(false);
  });

  test('a compiled one serves any number of documents', () => {
    const holds = compileCondition(prepareQuery('SELECT VALUE t FROM c JOIN t IN c.tags WHERE t = "x"'), { ...run, parameters: [] });
    expect([{ tags: ['y', 'x', 'x'] }, { tags: [] }, {}, { tags: ['x'] }].map((document) => holds(document))).toEqual([
      true,
      false,
      false,
      true,
    ]);
  });
});
