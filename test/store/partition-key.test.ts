import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  normalizePartitionKey,
  parsePartitionKeyText,
  parsePropertyPath,
  partitionKeyOf,
  partitionKeyText,
  valueAtPath,
  type PartitionKeyComponent,
} from '../../src/store/partition-key.ts';

const component = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 8 }),
  fc.constantFrom<PartitionKeyComponent>('', '{}', '[]', 'null', '\u0000', null, undefined, true, false, 0, -0, 1, '1', 'true'),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const key = fc.array(component, { minLength: 1, maxLength: 3 });

describe('partitionKeyText', () => {
  test('comes back as the same key', () => {
    fc.assert(
      fc.property(key, (given) => {
        const normal = normalizePartitionKey(given, given.length);
        expect(parsePartitionKeyText(partitionKeyText(normal))).toEqual(normal);
      }),
    );
  });

  test('is equal exactly for equal keys', () => {
    const same = (left: readonly unknown[], right: readonly unknown[]): boolean =>
      left.length === right.length && left.every((value, index) => Object.is(value, right[index]));
    fc.assert(
      fc.property(key, key, (left, right) => {
        const [a, b] = [normalizePartitionKey(left, left.length), normalizePartitionKey(right, right.length)];
        expect(partitionKeyText(a) === partitionKeyText(b)).toBe(same(a, b));
      }),
      { numRuns: 500 },
    );
  });

  test('is the header of the wire protocol', () => {
    expect(partitionKeyText(['a', 1, undefined])).toBe('["a",1,{}]');
    expect(parsePartitionKeyText('["x",{},null]')).toEqual(['x', undefined, null]);
  });

  test('nothing else is a partition key', () => {
    for (const text of ['', 'x', '{}', '"x"', '[{"a":1}]', '[[1]]', '["x"', '[1e999]']) {
      expect(() => parsePartitionKeyText(text), text).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
    }
  });
});

describe('normalizePartitionKey', () => {
  test('takes one component bare or in an array', () => {
    expect(normalizePartitionKey('a', 1)).toEqual(['a']);
    expect(normalizePartitionKey(['a'], 1)).toEqual(['a']);
    expect(normalizePartitionKey(undefined, 1)).toEqual([undefined]);
    expect(Object.is(normalizePartitionKey(-0, 1)[0], 0)).toBe(true);
  });

  test('wants one component for each path, fewer only for a prefix', () => {
    const mismatch = expect.objectContaining({ code: 'PARTITION_KEY_MISMATCH', status: 400, subStatus: 1001 });
    expect(() => normalizePartitionKey(['a'], 2)).toThrow(mismatch);
    expect(() => normalizePartitionKey([], 1)).toThrow(mismatch);
    expect(() => normalizePartitionKey([], 2, true)).toThrow(mismatch);
    expect(() => normalizePartitionKey(['a', 'b', 'c'], 2, true)).toThrow(mismatch);
    expect(normalizePartitionKey(['a'], 2, true)).toEqual(['a']);
  });

  test('a string has up to 2,048 bytes', () => {
    expect(normalizePartitionKey('x'.repeat(2048), 1)).toHaveLength(1);
    for (const long of ['x'.repeat(2049), 'é'.repeat(1025)]) {
      expect(() => normalizePartitionKey(long, 1)).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
    }
  });
});

describe('paths', () => {
  test('are names behind slashes, quoted where they hold a slash', () => {
    expect(parsePropertyPath('/a')).toEqual(['a']);
    expect(parsePropertyPath('/a/b c/é')).toEqual(['a', 'b c', 'é']);
    expect(parsePropertyPath('/"a/b"/"say \\"x\\""')).toEqual(['a/b', 'say "x"']);
    for (const path of ['', 'a', '/', '/a/', '//a', '/a"b', '/"a']) {
      expect(() => parsePropertyPath(path), path).toThrow(expect.objectContaining({ code: 'INVALID_CONTAINER' }));
    }
  });

  test('reach own members of objects only', () => {
    const document = JSON.parse('{"a":{"b":1},"list":[1],"text":"x","__proto__":{"c":2}}') as never;
    expect(valueAtPath(document, ['a', 'b'])).toBe(1);
    expect(valueAtPath(document, ['__proto__', 'c'])).toBe(2);
    for (const path of [['a', 'c'], ['list', '0'], ['list', 'length'], ['text', 'length'], ['constructor'], ['x', 'y']]) {
      expect(valueAtPath(document, path)).toBeUndefined();
    }
  });

  test('an empty object stands for a missing value, as in the header of the wire protocol', () => {
    expect(partitionKeyOf({ pk: {} }, [['pk']])).toEqual([undefined]);
    expect(partitionKeyOf({ a: {}, b: 1 }, [['a'], ['b']])).toEqual([undefined, 1]);
  });

  test('an array or an object with members is no partition key', () => {
    for (const value of [[], [1], { a: 1 }]) {
      expect(() => partitionKeyOf({ pk: value }, [['pk']])).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
    }
    expect(partitionKeyOf({ pk: null }, [['pk'], ['missing']])).toEqual([null, undefined]);
  });
});
