import { describe, expect, test } from 'vitest';
import { parseScope, policyOf, positiveNumber } from '../../src/cli/sync/sync-settings.ts';
import { TypeFilter } from '../../src/sync/remote/type-filter.ts';
import { serverWins } from '../../src/sync/index.ts';

describe('a scope on a command line', () => {
  test.each([
    ['notes=ada', 'notes', ['ada']],
    ['notes=a=b', 'notes', ['a=b']],
    ['notes=', 'notes', ['']],
    ['notes="5"', 'notes', ['5']],
    ['notes=5', 'notes', [5]],
    ['notes=true', 'notes', [true]],
    ['notes=null', 'notes', [null]],
    ['notes={}', 'notes', [undefined]],
    ['notes=["a",1,{}]', 'notes', ['a', 1, undefined]],
  ])('%s', (text, container, partitionKey) => {
    expect(parseScope(text)).toEqual({ container, partitionKey });
  });

  test.each(['notes', '=ada', 'notes=[[1]]', 'notes={"a":1}'])('%s is refused', (text) => {
    expect(() => parseScope(text)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }));
  });
});

test('policies go by name, numbers are above 0', () => {
  expect(policyOf('server-wins')).toBe(serverWins);
  expect(positiveNumber('--interval', undefined)).toBeUndefined();
  expect(positiveNumber('--interval', '0.5')).toBe(0.5);
  for (const text of ['', ' ', '0', '-1', 'x', 'Infinity']) {
    expect(() => positiveNumber('--interval', text)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }));
  }
  for (const name of ['mine', 'toString']) {
    expect(() => policyOf(name)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }));
  }
});

test('a type filter comes back from its text', () => {
  const filter = new TypeFilter({ path: String.raw`/"a \"b\""/"c\\d"/e`, values: ['x', 1, { b: [null], a: 2 }] });
  expect(new TypeFilter(TypeFilter.entryOf(filter.text)).text).toBe(filter.text);
});
