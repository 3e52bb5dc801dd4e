import { expect, test } from 'vitest';
import type { Argument, EvaluationContext } from '../../../src/query/functions/function-entry.ts';
import { lookupFunction } from '../../../src/query/functions/function-table.ts';

/** `[name, arguments, expected]`; `undefined` is the language's own undefined. */
export type FunctionCase = readonly [name: string, values: readonly Argument[], expected: Argument];

const context: EvaluationContext = { nowMs: 0, currentMs: () => 0, random: () => 0.5 };

/** Calls a scalar function as the evaluator does: an undefined argument makes most calls undefined without a call. */
export function callFunction(name: string, values: readonly Argument[], run: EvaluationContext = context): Argument {
  const entry = lookupFunction(name);
  if (entry === undefined) {
    throw new Error(`no function ${name}`);
  }
  if (values.length < entry.minArguments || values.length > entry.maxArguments) {
    throw new Error(`${name} does not take ${values.length} arguments`);
  }
  const evaluate = entry.evaluate ?? entry.bind?.(run);
  if (evaluate === undefined) {
    throw new Error(`${name} is not a scalar function`);
  }
  return entry.undefinedArguments === 'propagate' && values.includes(undefined) ? undefined : evaluate(...values);
}

function shown(value: Argument): string {
  return value === undefined ? 'undefined' : typeof value === 'number' ? String(value) : JSON.stringify(value);
}

/** One test a case, named by what it says. */
export function testCases(cases: readonly FunctionCase[]): void {
  for (const [name, values, expected] of cases) {
    test(`${name}(${values.map(shown).join(', ')}) is ${shown(expected)}`, () => {
      const actual = callFunction(name, values);
      if (typeof expected === 'number' && Number.isFinite(expected)) {
        expect(actual).toBeCloseTo(expected, 10);
      } else {
        expect(actual).toEqual(expected);
      }
    });
  }
}

/** Asserts that each function is undefined for every argument list. */
export function testUndefined(names: readonly string[], lists: readonly (readonly Argument[])[]): void {
  for (const name of names) {
    test(`${name} is undefined for wrong types`, () => {
      for (const values of lists) {
        expect(callFunction(name, values), shown(values as never)).toBeUndefined();
      }
    });
  }
}
