import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { prepareDocument, withoutSystemProperties } from '../../src/store/prepared-document.ts';
import { storedText } from '../../src/store/document.ts';

const PATHS = [['pk']];
const SYSTEM = { _rid: 'rid==', _self: 'self/', _etag: '"e"', _attachments: 'attachments/', _ts: 7 };

describe('prepareDocument', () => {
  test('gives key, text and time to live', () => {
    const prepared = prepareDocument({ id: 'x', pk: 1, ttl: 5, a: -0, gone: undefined, _etag: '"old"' }, PATHS);
    expect(prepared).toMatchObject({ id: 'x', partitionKey: [1], partitionKeyText: '[1]', ttl: 5 });
    expect(prepared.text).toBe('{"id":"x","pk":1,"ttl":5,"a":0}');
  });

  test('leaves the caller’s object alone', () => {
    const input = Object.freeze({ id: 'x', pk: 'p', _ts: 1, in: Object.freeze({ a: 1 }) });
    prepareDocument(input, PATHS);
    expect(withoutSystemProperties({ id: 'x' })).toEqual({ id: 'x' });
    expect(JSON.stringify(input)).toBe('{"id":"x","pk":"p","_ts":1,"in":{"a":1}}');
  });

  test('the text with system properties is the document with them', () => {
    const keys = fc.constantFrom('a', '', '10', '__proto__', '"', '\u0000', '_etag', 'é');
    fc.assert(
      fc.property(
        fc.dictionary(keys, fc.jsonValue({ maxDepth: 2 })),
        fc.string({ minLength: 1, maxLength: 3, unit: 'grapheme-ascii' }),
        (rest, id) => {
          fc.pre(!/[/\\#]/u.test(id));
          const prepared = prepareDocument({ ...rest, id, pk: 'p' }, PATHS);
          const expected: unknown = JSON.parse(JSON.stringify({ ...rest, id, pk: 'p', ...SYSTEM }));
          expect(JSON.parse(storedText(prepared.text, SYSTEM))).toEqual(expected);
          expect(JSON.parse(storedText(prepared.text, SYSTEM))).toEqual(expected);
        },
      ),
    );
  });

  test.each([
    ['a string', 'x', 'INVALID_DOCUMENT'],
    ['null', null, 'INVALID_DOCUMENT'],
    ['an array', [{ id: 'x' }], 'INVALID_DOCUMENT'],
    ['no id', {}, 'INVALID_ID'],
    ['an inherited id', Object.create({ id: 'x' }), 'INVALID_ID'],
    ['a number as id', { id: 1 }, 'INVALID_ID'],
    ['a lone surrogate in the id', { id: '\ud800' }, 'INVALID_ID'],
    ['NaN', { id: 'x', a: [Number.NaN] }, 'INVALID_DOCUMENT'],
    ['a bigint', { id: 'x', a: 1n }, 'INVALID_DOCUMENT'],
    ['a bigint in an array', { id: 'x', a: [1n] }, 'INVALID_DOCUMENT'],
    ['a symbol', { id: 'x', a: Symbol('s') }, 'INVALID_DOCUMENT'],
    ['a Set', { id: 'x', a: new Set([1]) }, 'INVALID_DOCUMENT'],
    ['a regular expression', { id: 'x', a: /x/ }, 'INVALID_DOCUMENT'],
    ['undefined in an array', { id: 'x', a: [1, undefined] }, 'INVALID_DOCUMENT'],
    ['a hole in an array', { id: 'x', a: Object.assign([1], { length: 2 }) }, 'INVALID_DOCUMENT'],
    ['a lone surrogate', { id: 'x', a: 'a\udc00' }, 'INVALID_DOCUMENT'],
    ['a lone surrogate in a key', { id: 'x', a: [{ '\udfff': 1 }] }, 'INVALID_DOCUMENT'],
    ['an array as partition key', { id: 'x', pk: [] }, 'BAD_REQUEST'],
    ['ttl 0', { id: 'x', ttl: 0 }, 'BAD_REQUEST'],
    ['ttl null', { id: 'x', ttl: null }, 'BAD_REQUEST'],
    ['a fractional ttl', { id: 'x', ttl: 1.5 }, 'BAD_REQUEST'],
    ['more than 2 MB', { id: 'x', a: 'x'.repeat(2 * 1024 * 1024) }, 'TOO_LARGE'],
    ['more than 2 MB of UTF-8', { id: 'x', a: '😀'.repeat(600_000) }, 'TOO_LARGE'],
  ])('refuses a document with %s', (_what, input, code) => {
    expect(() => prepareDocument(input, PATHS)).toThrow(expect.objectContaining({ code }));
  });

  test('a text that only looks like an escaped surrogate is kept', () => {
    expect(prepareDocument({ id: 'x', a: '\\ud800' }, PATHS).text).toContain('\\\\ud800');
  });

  test('an array within arrays 129 deep is refused wherever it stands', () => {
    let value: unknown = 1;
    for (let level = 0; level < 128; level += 1) {
      value = [value];
    }
    expect(() => prepareDocument({ id: 'x', value }, PATHS)).toThrow(expect.objectContaining({ code: 'INVALID_DOCUMENT' }));
  });

  test('no message tells what is in the document', () => {
    const secret = 'secret-value';
    for (const input of [{ id: 'x', a: [secret, Number.NaN] }, { id: 'x', pk: [secret] }, { id: 'x', ttl: secret }, { id: `${secret}/` }]) {
      let message = secret;
      try {
        prepareDocument(input, PATHS);
      } catch (error) {
        ({ message } = error as Error);
      }
      expect(message).not.toContain(secret);
    }
  });
});
