import fc from 'fast-check';
import { expect } from 'vitest';
import { isPerigeeError } from '../../src/core/errors.ts';
import type { JsonObject, JsonValue } from '../../src/core/json.ts';
import type { DocumentStore } from '../../src/store/document-store.ts';
import { arbitraryNumber, arbitraryText } from '../query/compile/arbitrary-document.ts';

const asc = (path: string): JsonObject => ({ path, order: 'ascending' });
const desc = (path: string): JsonObject => ({ path, order: 'descending' });

/** A policy with explicit paths and composite indexes of mixed directions over what documents of these tests hold. */
export const INDEXING_POLICY: JsonObject = {
  indexingMode: 'consistent',
  includedPaths: ['/*', '/n/?', '/s/?', '/a/?', '/o/a/?', '/_ts/?', '/id/?'].map((path) => ({ path })),
  excludedPaths: [],
  compositeIndexes: [
    [asc('/a'), asc('/n')],
    [desc('/s'), asc('/n')],
    [asc('/pk'), desc('/n')],
    [asc('/b'), desc('/a'), asc('/s')],
    [asc('/b'), asc('/n')],
  ],
};

const path = fc.constantFrom('c.n', 'c.n', 'c.s', 'c.s', 'c.a', 'c.b', 'c.o.a', 'c.pk', 'c.id', 'c._ts', 'c.list');
const constant = fc.oneof(
  fc.constantFrom('@p0', '@p1', '@p2', 'null', 'true', 'false', 'undefined', '"x"', '1', '0', '"d3"'),
  arbitraryNumber.map((value) => `(${value})`),
  arbitraryText.map((value) => JSON.stringify(value)),
);
const condition: fc.Arbitrary<string> = fc.oneof(
  fc.tuple(path, fc.constantFrom('=', '=', '=', '<', '<=', '>', '>=', '!='), constant).map((parts) => parts.join(' ')),
  fc.tuple(constant, fc.constantFrom('=', '<', '>='), path).map((parts) => parts.join(' ')),
  fc.tuple(path, fc.array(constant, { minLength: 1, maxLength: 8 })).map(([one, items]) => `${one} IN (${items.join(', ')})`),
  fc.tuple(path, constant, constant).map(([one, low, high]) => `${one} BETWEEN ${low} AND ${high}`),
  fc
    .tuple(path, fc.constantFrom('a', 'ab', 'a_', 'é', '', 'b', '[a]', '\u{10ffff}', '\ud7ff'))
    .map(([one, text]) => `${one} LIKE ${JSON.stringify(`${text}%`)}`),
  fc.tuple(path, arbitraryText).map(([one, text]) => `STARTSWITH(${one}, ${JSON.stringify(text)})`),
  fc.tuple(path, fc.array(constant, { maxLength: 4 })).map(([one, items]) => `ARRAY_CONTAINS([${items.join(', ')}], ${one})`),
  fc
    .tuple(fc.constantFrom('IS_NULL', 'IS_BOOL', 'IS_NUMBER', 'IS_STRING', 'NOT IS_DEFINED', 'IS_DEFINED'), path)
    .map(([name, one]) => `${name}(${one})`),
  fc.tuple(path, constant, constant).map(([one, left, right]) => `(${one} = ${left} OR ${one} = ${right})`),
  fc.tuple(path, path, constant).map(([one, other, right]) => `(${one} = ${right} OR ${other} = ${right})`),
  path,
  path.map((one) => `NOT ${one}`),
);
const where = fc
  .array(condition, { maxLength: 3 })
  .map((conditions) => (conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`));
const order = fc.oneof(
  fc.constant(''),
  fc.tuple(path, fc.constantFrom('', ' DESC')).map(([one, way]) => ` ORDER BY ${one}${way}`),
  fc
    .constantFrom(
      'c.a, c.n',
      'c.a DESC, c.n DESC',
      'c.s DESC, c.n',
      'c.s, c.n DESC',
      'c.b, c.n',
      'c.b DESC, c.n DESC',
      'c.b, c.a DESC, c.s',
      'c.b DESC, c.a, c.s DESC',
      'c.a DESC, c.s',
    )
    .map((terms) => ` ORDER BY ${terms}`),
);
/** Queries that an index answers by itself. */
const direct = fc
  .tuple(
    fc.constantFrom('SELECT *', 'SELECT TOP 3 *', 'SELECT TOP @n *'),
    fc.constantFrom(
      ' WHERE c.n = $',
      ' WHERE c.s = $',
      ' WHERE $ = c.o.a',
      ' WHERE c.a = $ AND c.n = $',
      ' WHERE c.n > $ ORDER BY c.n',
      ' WHERE c.n >= $ AND c.n < $ ORDER BY c.n',
      ' WHERE $ < c.s ORDER BY c.s',
      ' ORDER BY c.n',
      ' ORDER BY c.s',
      ' ORDER BY c._ts',
      ' WHERE c.a = $ ORDER BY c.n',
      ' WHERE c.a = $ AND c.n <= $ ORDER BY c.n',
      ' WHERE c.b = $ ORDER BY c.a DESC, c.s',
      ' WHERE c.b = $ AND c.a < $ ORDER BY c.a DESC, c.s',
      ' ORDER BY c.s DESC, c.n',
      ' ORDER BY c.a, c.n',
    ),
    fc.array(constant, { minLength: 2, maxLength: 2 }),
  )
  .map(([select, rest, constants]) => {
    const values = [...constants];
    return `${select} FROM c${rest.replaceAll('$', () => values.pop() as string)}`;
  });
/** Queries over these paths. */
export const indexedQuery: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: direct },
  {
    weight: 4,
    arbitrary: fc
      .tuple(
        fc.constantFrom('SELECT * FROM c', 'SELECT TOP 4 * FROM c', 'SELECT c.id, c.n FROM c', 'SELECT VALUE c.s FROM c'),
        where,
        order,
      )
      .map((parts) => parts.join('')),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(where, order, fc.constantFrom(' OFFSET 2 LIMIT 5', ' OFFSET 0 LIMIT 3'))
      .map((parts) => `SELECT * FROM c${parts.join('')}`),
  },
  { weight: 1, arbitrary: fc.tuple(where, order).map((parts) => `SELECT c.id, x FROM c JOIN x IN c.list${parts.join('')}`) },
  { weight: 1, arbitrary: where.map((one) => `SELECT VALUE COUNT(1) FROM c${one}`) },
  { weight: 1, arbitrary: where.map((one) => `SELECT c.a, COUNT(1) AS n, SUM(c.n) AS s FROM c${one} GROUP BY c.a`) },
);

/** A query that is read in pages. */
export interface IndexCase {
  readonly text: string;
  readonly values: Readonly<Record<string, JsonValue>>;
  readonly maxItemCount: number;
  readonly partitionKey: JsonValue;
}

/** All rows as text in their order, or the code of the error. */
export async function outcomeOf(store: DocumentStore, { text: query, values, maxItemCount, partitionKey }: IndexCase): Promise<string> {
  const parameters = Object.entries(values).map(([name, value]) => ({ name, value }));
  const options = partitionKey === 'all' ? { maxItemCount } : { maxItemCount, partitionKey: partitionKey as string };
  try {
    const items: JsonValue[] = [];
    for await (const page of store.query<JsonValue>({ query, parameters }, options).pages()) {
      items.push(...page.items);
    }
    return JSON.stringify(items, (name, value: unknown) => (['_etag', '_rid', '_self'].includes(name) ? undefined : value));
  } catch (error) {
    if (isPerigeeError(error) && error.code.startsWith('QUERY_')) {
      return error.code;
    }
    throw error;
  }
}

/** Creates documents with ids in their order, in three partition keys. */
export async function createAll(store: DocumentStore, bodies: readonly JsonObject[]): Promise<void> {
  const { outcomes } = await store.bulk(
    bodies.map((one, index) => ({ type: 'create' as const, document: { ...one, id: `d${index}`, pk: `p${index % 3}` } })),
  );
  expect(outcomes.every(({ ok }) => ok)).toBe(true);
}
