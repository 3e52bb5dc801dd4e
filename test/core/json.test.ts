import { describe, expect, test } from 'vitest';
import { cloneJson, getOwn, hasLoneSurrogate, isJsonObject, setOwn } from '../../src/core/json.ts';

describe('own properties', () => {
  test('__proto__ is set, read and copied like any other key', () => {
    const target = {};
    setOwn(target, '__proto__', { polluted: true });
    setOwn(target, 'a', 1);
    expect(JSON.stringify(target)).toBe('{"__proto__":{"polluted":true},"a":1}');
    expect(getOwn(target, '__proto__')).toEqual({ polluted: true });
    expect(Object.getPrototypeOf(target)).toBe(Object.prototype);
    expect(JSON.stringify(cloneJson(JSON.parse('{"__proto__":{"x":[1]}}')))).toBe('{"__proto__":{"x":[1]}}');
  });

  test('what every object inherits is absent', () => {
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      expect(getOwn({}, name)).toBeUndefined();
    }
  });
});

describe('cloneJson', () => {
  test('copies deeply, keeps the order of members and drops undefined ones', () => {
    const original = { b: [{ c: 1 }], a: undefined, z: { y: null } };
    const copy = cloneJson(original as never) as typeof original;
    expect(JSON.stringify(copy)).toBe('{"b":[{"c":1}],"z":{"y":null}}');
    expect(Object.hasOwn(copy, 'a')).toBe(false);
    copy.b.push({ c: 2 });
    expect(original.b).toHaveLength(1);
  });
});

test('an object is neither null nor an array', () => {
  expect([{}, Object.create(null), null, [], 'x', 1, undefined].map(isJsonObject)).toEqual([true, true, false, false, false, false, false]);
});

test('a surrogate is alone without its partner in the right place', () => {
  expect(['', 'a', '😀', '😀😀', '\ud83d\ude00'].some(hasLoneSurrogate)).toBe(false);
  expect(['\ud83d', '\ude00', 'a\ud83d', '\ude00\ud83d', '😀\ud83d', '\ud83d\ud83d\ude00'].every(hasLoneSurrogate)).toBe(true);
});
