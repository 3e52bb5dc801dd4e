import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileLikePattern } from '../../../src/query/evaluator/like-matcher.ts';
import { valueOf } from './run-query.ts';

const CASES: readonly (readonly [pattern: string, matches: readonly string[], not: readonly string[]])[] = [
  ['', [''], ['a']],
  ['abc', ['abc'], ['ABC', 'abcd', 'xabc']],
  ['a%', ['a', 'abc'], ['ba', '']],
  ['%a', ['a', 'ba'], ['ab', '']],
  ['%a%', ['a', 'xax'], ['', 'xyz']],
  ['a%a', ['aa', 'aba'], ['a', 'ab']],
  ['%', ['', 'anything\nat all'], []],
  ['%%', ['', 'x'], []],
  ['a%b%c', ['abc', 'a-b-b-c'], ['acb', 'ab']],
  ['a_c', ['abc', 'a😀c'], ['ac', 'abbc']],
  ['_', ['x', '😀', '\n'], ['', 'xy']],
  ['%_b', ['ab', 'xxb'], ['b']],
  ['[a-c]x', ['ax', 'cx'], ['dx', 'x', '-x']],
  ['[^a-c]x', ['dx', '^x'], ['ax', 'x']],
  ['[abz]', ['a', 'z'], ['c', '']],
  ['%[0-9]%', ['a1', '9'], ['abc', '']],
  ['[%]', ['%'], ['x', '']],
  ['[_]a', ['_a'], ['xa']],
  ['a[', ['a['], ['a']],
  ['a]', ['a]'], ['a']],
  ['[a^]', ['^', 'a'], ['b']],
  ['[a-]', ['a', '-'], ['b']],
  ['%aab%', ['aaab', 'xaaabx'], ['aabbx'.replace('aab', 'aba')]],
  ['😀%', ['😀', '😀x'], ['x']],
];

describe('LIKE', () => {
  for (const [pattern, matches, not] of CASES) {
    test(`'${pattern}'`, () => {
      const like = compileLikePattern(pattern, undefined);
      for (const text of matches) {
        expect(like(text), JSON.stringify(text)).toBe(true);
      }
      for (const text of not) {
        expect(like(text), JSON.stringify(text)).toBe(false);
      }
    });
  }

  test('the escape character makes the next one literal, in sets too', () => {
    expect(compileLikePattern('50!%', '!')('50%')).toBe(true);
    expect(compileLikePattern('50!%', '!')('500')).toBe(false);
    expect(compileLikePattern('!_!!', '!')('_!')).toBe(true);
    expect(compileLikePattern('[a!]]', '!')(']')).toBe(true);
    expect(compileLikePattern('![a]', '!')('[a]')).toBe(true);
    expect(compileLikePattern('a!', '!')('a!')).toBe(true);
  });

  test('agrees with a regular expression for every pattern of a small alphabet', () => {
    const regex = (pattern: string): RegExp =>
      new RegExp(
        `^${pattern
          .split('')
          .map((letter) => (letter === '%' ? '.*' : letter === '_' ? '.' : letter))
          .join('')}$`,
        'su',
      );
    const text = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 12 });
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '%', '_'), maxLength: 8 });
    fc.assert(
      fc.property(text, pattern, (value, like) => {
        expect(compileLikePattern(like, undefined)(value)).toBe(regex(like).test(value));
      }),
      { numRuns: 2000 },
    );
  });

  test('hard patterns take no exponential time', () => {
    const text = 'a'.repeat(20_000);
    expect(compileLikePattern(`${'%a'.repeat(50)}%b`, undefined)(text)).toBe(false);
    expect(compileLikePattern(`${'%a_'.repeat(50)}%b%`, undefined)(text)).toBe(false);
  });

  test('a long run of wildcards over a long text is refused, and open brackets take linear time', () => {
    const matches = compileLikePattern(`%${'_'.repeat(100_000)}b%`, undefined);
    expect(() => matches('a'.repeat(500_000))).toThrow(expect.objectContaining({ code: 'QUERY_LIMIT' }));
    expect(matches(`${'a'.repeat(100_000)}b`)).toBe(true);
    const set = compileLikePattern(
      `%[${Array.from({ length: 100_000 }, (_, index) => String.fromCodePoint(0x10_000 + index)).join('')}]%`,
      undefined,
    );
    expect(() => set('a'.repeat(500_000))).toThrow(expect.objectContaining({ code: 'QUERY_LIMIT' }));
    expect(compileLikePattern('['.repeat(500_000), undefined)('[')).toBe(false);
  });

  test('is undefined unless both sides are strings, negated or not', () => {
    expect(valueOf('("abc" LIKE "a%")')).toBe(true);
    expect(valueOf('("abc" NOT LIKE "a%")')).toBe(false);
    expect(valueOf('(1 LIKE "1")')).toBeUndefined();
    expect(valueOf('(1 NOT LIKE "1")')).toBeUndefined();
    expect(valueOf('("a" LIKE null)')).toBeUndefined();
    expect(valueOf('("a" LIKE @p)')).toBeUndefined();
    expect(valueOf('(c.text LIKE c.pattern)', { text: 'abc', pattern: '_b_' })).toBe(true);
    expect(valueOf('("10%" LIKE "10!%" ESCAPE "!")')).toBe(true);
  });
});
