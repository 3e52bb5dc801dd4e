import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import { applyPatch, checkPatch, parsePatchPath } from '../../src/store/patch.ts';
import type { PatchOperation } from '../../src/store/operations.ts';

const invalid = expect.objectContaining({ code: 'INVALID_PATCH' });

describe('checkPatch', () => {
  const check = (operations: unknown, allowMove = true): unknown => checkPatch(operations, [['tenant', 'id'], ['pk']], allowMove);

  test.each([['/id'], ['/id/x'], ['/pk'], ['/tenant'], ['/tenant/id'], ['/_rid'], ['/_self'], ['/_etag'], ['/_attachments'], ['/_ts']])(
    'refuses to change %s',
    (path) => {
      expect(() => check([{ op: 'set', path, value: 1 }])).toThrow(invalid);
      expect(() => check([{ op: 'remove', path }])).toThrow(invalid);
      expect(() => check([{ op: 'move', from: path, path: '/free' }])).toThrow(invalid);
      expect(() => check([{ op: 'move', from: '/free', path }])).toThrow(invalid);
    },
  );

  test('allows what only resembles a fixed path', () => {
    for (const path of ['/ident', '/tenant/name', '/pk2', '/_tsx', '/a/id']) {
      expect(() => check([{ op: 'set', path, value: 1 }])).not.toThrow();
    }
  });

  test('refuses move by its capability where it is not allowed', () => {
    expect(() => check([{ op: 'move', from: '/a', path: '/b' }], false)).toThrow(
      expect.objectContaining({ code: 'NOT_SUPPORTED', details: { capability: 'patchMove' } }),
    );
  });

  test('one to ten operations of known kinds', () => {
    const set: PatchOperation = { op: 'set', path: '/a', value: 1 };
    expect(check(Array.from({ length: 10 }, () => set))).toHaveLength(10);
    for (const operations of [
      [],
      Array.from({ length: 11 }, () => set),
      undefined,
      {},
      [null],
      [{ ...set, op: 'test' }],
      [{ op: 'set', path: '/a' }],
    ]) {
      expect(() => check(operations)).toThrow(invalid);
    }
  });
});

test('a path is a JSON pointer', () => {
  expect(parsePatchPath('/a~1b/~0/c')).toEqual(['a/b', '~', 'c']);
  expect(parsePatchPath('/~01')).toEqual(['~1']);
  for (const path of ['', '/', 'a', undefined, 7]) {
    expect(() => parsePatchPath(path)).toThrow(invalid);
  }
});

describe('applyPatch', () => {
  const name = fc.constantFrom('a', 'b', 'list', '0', '1', '-', '__proto__', 'n');
  const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => `/${names.join('/')}`);
  const value = fc.constantFrom<JsonObject[string]>(1, 'x', null, {}, { a: 1 }, [], [1, 2]);
  const operation = fc.oneof(
    fc.record({ op: fc.constantFrom('add' as const, 'set' as const, 'replace' as const), path, value: value as fc.Arbitrary<never> }),
    fc.record({ op: fc.constant('remove' as const), path }),
    fc.record({ op: fc.constant('incr' as const), path, value: fc.integer() }),
    fc.record({ op: fc.constant('move' as const), path, from: path }),
  );
  const before = (): JsonObject => JSON.parse('{"id":"x","a":{"b":1},"list":[1,[2],{"a":3}],"n":5,"__proto__":{"a":1}}') as JsonObject;

  test('never changes the document given, never reaches a prototype, and fails in one way only', () => {
    fc.assert(
      fc.property(fc.array(operation, { minLength: 1, maxLength: 5 }), (operations) => {
        const document = before();
        try {
          const after = applyPatch(document, operations);
          expect(JSON.parse(JSON.stringify(after))).toEqual(after);
        } catch (error) {
          expect(error).toMatchObject({ code: 'INVALID_PATCH' });
        }
        expect(JSON.stringify(document)).toBe(JSON.stringify(before()));
        expect(Object.keys(Object.prototype)).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  test('add then remove, and set then set back, give the document of before', () => {
    const document = before();
    const there = applyPatch(document, [
      { op: 'add', path: '/list/1', value: 'new' },
      { op: 'set', path: '/n', value: 'new' },
    ]);
    const back = applyPatch(there, [
      { op: 'remove', path: '/list/1' },
      { op: 'set', path: '/n', value: 5 },
    ]);
    expect(back).toEqual(document);
  });

  test('a value put in is a copy', () => {
    const value = { list: [1] };
    const after = applyPatch({}, [
      { op: 'set', path: '/a', value },
      { op: 'set', path: '/b', value },
      { op: 'add', path: '/a/list/-', value: 2 },
    ]);
    expect(after).toEqual({ a: { list: [1, 2] }, b: { list: [1] } });
    expect(value.list).toEqual([1]);
  });

  test('a value cannot be moved into itself', () => {
    expect(() => applyPatch(before(), [{ op: 'move', from: '/a', path: '/a/c' }])).toThrow(invalid);
  });
});
