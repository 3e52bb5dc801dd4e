import { describe, expect, test } from 'vitest';
import { functionTable, lookupFunction } from '../../../src/query/functions/function-table.ts';

/** What the evaluator and the executor compile themselves. */
const COMPILED: ReadonlySet<string> = new Set([
  'DOCUMENTID',
  'FULLTEXTCONTAINS',
  'FULLTEXTCONTAINSALL',
  'FULLTEXTCONTAINSANY',
  'FULLTEXTSCORE',
  'RRF',
  'VECTORDISTANCE',
]);

describe('the function table', () => {
  test('knows all 147 names once', () => {
    expect(functionTable).toHaveLength(147);
    const names = functionTable.flatMap((entry) => [entry.name, ...entry.aliases]);
    expect(new Set(names).size).toBe(names.length);
    expect(names.every((name) => name === name.toUpperCase())).toBe(true);
  });

  test('has one body for each function', () => {
    for (const entry of functionTable) {
      const bodies = [entry.evaluate, entry.bind, entry.accumulate].filter((body) => body !== undefined).length;
      expect(bodies, entry.name).toBe(COMPILED.has(entry.name) ? 0 : 1);
      expect(entry.implemented, entry.name).toBe(true);
      expect(entry.aggregate, entry.name).toBe(entry.accumulate !== undefined);
      expect(entry.minArguments, entry.name).toBeLessThanOrEqual(entry.maxArguments);
    }
  });

  test('says what each function means in one sentence, and what its parameters are', () => {
    for (const { name, summary, parameters } of functionTable) {
      expect(summary, name).toMatch(/^[^\n]+\.$/);
      const order = parameters.map(({ presence }) => ['required', 'optional', 'rest'].indexOf(presence));
      expect(order, name).toEqual(order.toSorted((left, right) => left - right));
      expect(order.filter((presence) => presence === 2).length, name).toBeLessThanOrEqual(1);
      expect(new Set(parameters.map((parameter) => parameter.name)).size, name).toBe(parameters.length);
    }
  });

  test('finds a function by its aliases', () => {
    for (const [alias, name] of [
      ['TO_STRING', 'TOSTRING'],
      ['STRING_TO_NUMBER', 'STRINGTONUMBER'],
      ['SET_UNION', 'SETUNION'],
      ['CONTAINSALLCI', 'CONTAINS_ALL_CI'],
      ['INTBITWISEXOR', 'INTBITXOR'],
      ['INTMULTIPLY', 'INTMUL'],
      ['OBJECT_TO_ARRAY', 'OBJECTTOARRAY'],
    ]) {
      expect(lookupFunction(alias as string)?.name).toBe(name);
    }
    expect(lookupFunction('COALESCE')).toBeUndefined();
    expect(lookupFunction('constructor')).toBeUndefined();
  });
});
