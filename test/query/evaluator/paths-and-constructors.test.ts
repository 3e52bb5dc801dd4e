import { describe, expect, test } from 'vitest';
import { prepareQuery } from '../../../src/query/prepare-query.ts';
import { rowsOf, valueOf } from './run-query.ts';

const U = undefined;

describe('paths', () => {
  const document = { a: { b: [10, { c: 'deep' }] }, s: 'text', n: null, 'odd name': 1 };

  test('read members and elements', () => {
    expect(valueOf('c.a.b[1].c', document)).toBe('deep');
    expect(valueOf('c["a"]["b"][0]', document)).toBe(10);
    expect(valueOf('c["odd name"]', document)).toBe(1);
    expect(valueOf('c.n', document)).toBe(null);
    expect(valueOf('c[@name][@index - 1]', { list: [7] }, { values: { '@name': 'list', '@index': 1 } })).toBe(7);
    expect(valueOf('[1, 2][1]')).toBe(2);
    expect(valueOf('{"a": {"b": 1}}.a.b')).toBe(1);
  });

  test('are undefined where they lead nowhere', () => {
    for (const path of [
      'c.x',
      'c.x.y.z',
      'c.s.length',
      'c.s[0]',
      'c.n.x',
      'c.a[0]',
      'c.a.b.length',
      'c.a.b["0"]',
      'c.a.b[2]',
      'c.a.b[-1]',
      'c.a.b[0.5]',
      'c.a.b[null]',
      'c[undefined]',
      'c[true]',
    ]) {
      expect(valueOf(path, document), path).toBe(U);
    }
  });

  test('see own properties only, whatever their names', () => {
    for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty', 'valueOf']) {
      expect(valueOf(`c["${name}"]`), name).toBe(U);
      expect(valueOf('c[@name]', {}, { values: { '@name': name } }), name).toBe(U);
      const own = JSON.parse(`{"${name}": {"x": 1}}`) as Record<string, never>;
      expect(valueOf(`c["${name}"].x`, own), name).toBe(1);
    }
  });
});

describe('constructors', () => {
  test('leave undefined members and elements out', () => {
    expect(valueOf('{"a": c.missing, "b": null, "c": [1, undefined, 2]}')).toEqual({ b: null, c: [1, 2] });
  });

  test('keep members such as __proto__ as their own', () => {
    const row = valueOf('{"__proto__": 1, "constructor": 2}') as object;
    expect(Object.keys(row)).toEqual(['__proto__', 'constructor']);
    expect(Object.keys(rowsOf('SELECT 1 AS __proto__ FROM c', [{}])[0] as object)).toEqual(['__proto__']);
  });

  test('of two members with one name the last wins', () => {
    expect(rowsOf('SELECT c.a, c.b AS a FROM c', [{ a: 1, b: 2 }])).toEqual([{ a: 2 }]);
  });
});

describe('SELECT', () => {
  test('names what has no alias, counting unnamed items only', () => {
    expect(rowsOf('SELECT c.a, 1, c["b c"], 2 FROM c', [{ a: 1, 'b c': 3 }])).toEqual([{ a: 1, $1: 1, 'b c': 3, $2: 2 }]);
  });

  test('VALUE drops rows without a value, a list keeps them as empty objects', () => {
    expect(rowsOf('SELECT VALUE c.a FROM c', [{ a: 1 }, {}, { a: null }])).toEqual([1, null]);
    expect(rowsOf('SELECT c.a FROM c', [{ a: 1 }, {}])).toEqual([{ a: 1 }, {}]);
  });

  test('* is the document itself', () => {
    const documents = [{ id: '1', b: [1] }];
    expect(rowsOf('SELECT * FROM c', documents)[0]).toBe(documents[0]);
  });

  test('without FROM there is one row', () => {
    expect(rowsOf('SELECT 1 AS one', [{}, {}])).toEqual([{ one: 1 }]);
    expect(rowsOf('SELECT VALUE @p', [], { values: { '@p': [1] } })).toEqual([[1]]);
    expect(rowsOf('SELECT VALUE @p', [])).toEqual([]);
  });

  test('DISTINCT compares whole rows deeply', () => {
    const documents = [{ a: { x: 1, y: 2 } }, { a: { y: 2, x: 1 } }, { a: 0 }, { a: -0 }, { a: '0' }, {}, {}, { a: false }, { a: null }];
    expect(rowsOf('SELECT DISTINCT VALUE c.a FROM c', documents)).toEqual([{ x: 1, y: 2 }, 0, '0', false, null]);
    expect(rowsOf('SELECT DISTINCT c.a FROM c', documents)).toHaveLength(6);
  });
});

describe('functions in queries', () => {
  test('are not called with an undefined argument, but for those that want to know', () => {
    expect(valueOf('LOWER(c.missing)')).toBe(U);
    expect(valueOf('CONCAT("a", c.missing, "b")')).toBe(U);
    expect(valueOf('IS_DEFINED(c.missing)')).toBe(false);
    expect(valueOf('is_string(c.a)', { a: '' })).toBe(true);
    expect(valueOf('Array_Contains([1, 2], 2)')).toBe(true);
    expect(valueOf('PI() > 3')).toBe(true);
    expect(valueOf('IIF(c.sold, "yes", c.missing)', { sold: true })).toBe('yes');
  });

  test('user-defined functions get undefined arguments too; a missing one is named', () => {
    const udfs = new Map([['twice', (value: unknown) => (typeof value === 'number' ? value * 2 : 'none')]]);
    expect(valueOf('udf.twice(c.n)', { n: 4 }, { udfs })).toBe(8);
    expect(valueOf('udf.twice(c.missing)', {}, { udfs })).toBe('none');
    expect(() => valueOf('udf.Twice(1)', {}, { udfs })).toThrow(expect.objectContaining({ code: 'QUERY_INVALID' }));
  });

  test('DOCUMENTID is the place of a document in the order of creation', () => {
    expect(rowsOf('SELECT VALUE DOCUMENTID(c) FROM c WHERE DOCUMENTID(c) > 1', [{}, {}, {}])).toEqual([2, 3]);
    expect(valueOf('DOCUMENTID(c.a)', { a: {} })).toBe(U);
  });

  test('computed properties stand before stored ones, but not in SELECT *', () => {
    const computedProperties = [{ name: 'lower', query: prepareQuery('SELECT VALUE LOWER(r.name) FROM r') }];
    const documents = [{ name: 'ADA', lower: 'stored' }, { name: 1 }];
    expect(rowsOf('SELECT VALUE c.lower FROM c', documents, { computedProperties })).toEqual(['ada']);
    expect(rowsOf('SELECT VALUE c["lower"] FROM c WHERE c.lower = "ada"', documents, { computedProperties })).toEqual(['ada']);
    expect(rowsOf('SELECT * FROM c', documents, { computedProperties })).toEqual(documents);
    expect(rowsOf('SELECT VALUE c.x.lower FROM c', [{ x: { lower: 'inner' } }], { computedProperties })).toEqual(['inner']);
  });

  test('LET names a value', () => {
    expect(valueOf('(LET twice = c.n * 2 IN twice + twice)', { n: 3 })).toBe(12);
  });
});
