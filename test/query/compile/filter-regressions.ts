import type { JsonObject, JsonValue } from '../../../src/core/json.ts';

/** A case that once was wrong, as the generators found and shrank it. */
export interface FilterRegression {
  readonly what: string;
  readonly text: string;
  readonly values?: Readonly<Record<string, JsonValue>> | undefined;
  readonly documents: readonly JsonObject[];
}

/** Kept for good. Both ways must agree on each. */
export const filterRegressions: readonly FilterRegression[] = [
  {
    what: 'an empty text ends with an empty text: SQLite takes a part of no bytes for NULL',
    text: 'SELECT VALUE 1 FROM c WHERE ENDSWITH(c.s, "", true) OR ENDSWITH(c.s, c.s)',
    documents: [{ s: '' }, { s: 'a' }, { s: null }, {}],
  },
  {
    what: 'two equal constants in IN, with an object among them',
    text: 'SELECT VALUE 1 FROM c WHERE (@p0 NOT IN (@p0, c.a))',
    values: { '@p0': {} },
    documents: [{ a: null }, {}],
  },
  {
    what: 'REPLACE of a text that starts with NUL, which SQLite leaves as it is',
    text: 'SELECT VALUE 1 FROM c WHERE IS_DEFINED(REPLACE(c.a, c.a, c.b))',
    documents: [
      { a: '\u0000', b: 0 },
      { a: '\u0000', b: 'x' },
      { a: 'y', b: 'x' },
    ],
  },
  {
    what: 'a LET that names an element of a loop, which may be a plain value',
    text: 'SELECT VALUE 1 FROM c JOIN x IN c.list WHERE (LET y = x IN y) NOT LIKE "a%"',
    documents: [{ list: ['\ud7ff'] }, { list: ['a'] }, { list: [1, null] }],
  },
  {
    what: 'a constant array with a NaN, which JSON text would make null',
    text: 'SELECT VALUE 1 FROM c WHERE ARRAY_CONTAINS(c.list, [NaN]) OR c.list = [[Infinity]]',
    documents: [{ list: [[null]] }, { list: [] }],
  },
  {
    what: 'a place in what is no array: PostgreSQL takes a lone value for its own first element',
    text: 'SELECT VALUE 1 FROM c WHERE c.a[0] != null OR c.a[0][0] = "x"',
    documents: [{ a: 0 }, { a: 'x' }, { a: null }, { a: [0] }, { a: [['x']] }, { a: ['x'] }, { a: { 0: 1 } }],
  },
];
