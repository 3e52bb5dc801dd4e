import { RawDatabase as Database } from '../../support/raw-database.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareValues } from '../../../src/core/json-order.ts';
import type { JsonObject, JsonValue } from '../../../src/core/json.ts';
import { compileAggregates } from '../../../src/query/compile/sqlite/compile-aggregates.ts';
import { compileOrderBy } from '../../../src/query/compile/sqlite/compile-order-by.ts';
import { isOddText } from '../../../src/query/compile/sqlite/odd-documents.ts';
import { compileProjection } from '../../../src/query/compile/sqlite/compile-projection.ts';
import { compileSqlitePlan } from '../../../src/query/compile/sqlite/sqlite-plan.ts';
import { prepareQuery } from '../../../src/query/prepare-query.ts';
import { openSqliteBackend } from '../../../src/stores/sqlite/sqlite-backend.ts';
import { arbitraryBody } from './arbitrary-document.ts';
import { COMPILED_AGGREGATES } from './compiled-aggregates.ts';

describe('ORDER BY', () => {
  test('in SQLite is the order of the language, unless an array or object is among the keys', () => {
    const database = new Database(':memory:');
    database.exec('CREATE TABLE c1 (ordinal INTEGER PRIMARY KEY, body TEXT NOT NULL)');
    const insert = database.prepare('INSERT INTO c1 VALUES (?, ?)');
    const orderBy = compileOrderBy(prepareQuery('SELECT * FROM c ORDER BY c.a DESC, c.n'), []);
    expect(orderBy?.exact).toBe(false);
    const rows = database.prepare(`SELECT ordinal FROM c1 ORDER BY ${orderBy?.sql}`).pluck();
    const blocked = database.prepare(`SELECT EXISTS (SELECT 1 FROM c1 WHERE ${orderBy?.unless?.sql})`).pluck();
    let compared = 0;
    fc.assert(
      fc.property(fc.array(arbitraryBody, { maxLength: 20, size: 'max' }), (documents) => {
        database.exec('DELETE FROM c1');
        documents.forEach((document, index) => insert.run(index, JSON.stringify(document)));
        const isContainer = (document: JsonObject): boolean =>
          isOddText(JSON.stringify(document)) ||
          [document['a'], document['n']].some((value) => typeof value === 'object' && value !== null);
        expect(blocked.get()).toBe(Number(documents.some(isContainer)));
        if (blocked.get() === 0) {
          compared += 1;
          const sorted = documents
            .map((document, index) => ({ document, index }))
            .sort(
              (x, y) =>
                compareValues(y.document['a'], x.document['a']) || compareValues(x.document['n'], y.document['n']) || x.index - y.index,
            );
          expect(rows.all()).toEqual(sorted.map(({ index }) => index));
        }
      }),
      { numRuns: 200 },
    );
    expect(compared).toBeGreaterThan(20);
    database.close();
  });

  test('is left to the executor where rows are not documents', () => {
    for (const text of ['SELECT VALUE x FROM c JOIN x IN c.list ORDER BY c.a', 'SELECT * FROM c', 'SELECT * FROM c ORDER BY c["q\\"q"]']) {
      expect(compileOrderBy(prepareQuery(text), []), text).toBeUndefined();
    }
    const columns = { columns: { body: 'body', id: 'id', ts: 'ts' } };
    expect(compileOrderBy(prepareQuery('SELECT * FROM c ORDER BY c._ts DESC, c.id'), [], columns)?.exact).toBe(true);
  });
});

describe('aggregates', () => {
  test.each(COMPILED_AGGREGATES)('%s: %s', (text, isCompiled) => {
    expect(compileAggregates(prepareQuery(text), []) !== undefined).toBe(isCompiled);
  });

  test('of slices add up, unless an odd document was among them', () => {
    const aggregates = compileAggregates(prepareQuery('SELECT COUNT(c.a) AS a, COUNT(1) AS n FROM c'), []);
    const merged = (...rows: (readonly number[])[]): readonly JsonValue[] | undefined => {
      const merger = aggregates?.merger();
      rows.forEach((row) => merger?.add(row));
      return merger?.result();
    };
    expect(merged()).toEqual([{ a: 0, n: 0 }]);
    expect(merged([0, 2, 7], [0, 1, 3])).toEqual([{ a: 3, n: 10 }]);
    expect(merged([1, 2, 7])).toBeUndefined();
  });
});

describe('the properties that a query reads', () => {
  test.each<[string, boolean, readonly string[] | undefined]>([
    ['SELECT VALUE COUNT(1) FROM c', false, []],
    ['SELECT c.a, c.b.x FROM c WHERE c.d = 1', false, ['a', 'b.x', 'd']],
    ['SELECT c.a, c.b.x FROM c WHERE c.d = 1', true, ['a', 'b.x']],
    ['SELECT c.b.x, c.b.y.z, c["b"].y, c.b.y.w FROM c', false, ['b.x', 'b.y']],
    ['SELECT c.a[0].b, c.d[c.e].f, c.g.h[c.i.j] FROM c', false, ['a', 'd', 'e', 'g.h', 'i.j']],
    ['SELECT VALUE t FROM c JOIN t IN c.o.tags WHERE c.o.n = 1', false, ['o.tags', 'o.n']],
    ['SELECT VALUE c[0] FROM c', false, undefined],
    ['SELECT VALUE t FROM c JOIN t IN c.tags ORDER BY c.n', false, ['tags', 'n']],
    ['SELECT VALUE t.x FROM t IN c.tags', false, ['tags']],
    ['SELECT c.a FROM c WHERE EXISTS(SELECT VALUE x FROM x IN c.list WHERE x = c.z)', false, ['a', 'list', 'z']],
    ['SELECT VALUE x FROM (SELECT VALUE c.a FROM c WHERE c.b = 1) AS x', false, ['b', 'a']],
    ['SELECT c[@p] FROM c', false, ['named']],
    ['SELECT * FROM c', false, undefined],
    ['SELECT VALUE c FROM c', false, undefined],
    ['SELECT VALUE {"doc": c} FROM c', false, undefined],
    ['SELECT VALUE (LET d = c IN d.a) FROM c', false, undefined],
    ['SELECT VALUE c[c.a] FROM c', false, undefined],
    ['SELECT c["q\\"q"] FROM c', false, undefined],
    ['SELECT c.a, c.b, c.d, c.e, c.f, c.g, c.h FROM c', false, undefined],
  ])('%s (exact filter: %s)', (text, isFilterExact, paths) => {
    const projection = compileProjection(prepareQuery(text), [{ name: '@p', value: 'named' }], isFilterExact);
    expect(projection?.paths.map((path) => path.join('.')).toSorted()).toEqual(paths?.toSorted());
  });

  test('hidden ones are read from the document', () => {
    const computedProperties = new Set(['low']);
    expect(compileProjection(prepareQuery('SELECT c.low FROM c'), [], false, { computedProperties })).toBeUndefined();
    expect(compileProjection(prepareQuery('SELECT c.a, c._etag FROM c'), [], false)).toMatchObject({
      paths: [['a']],
      readsSystemProperties: true,
    });
  });
});

test('a plan says all that SQLite does, and the store explains it', async () => {
  const plan = compileSqlitePlan(prepareQuery('SELECT c.a FROM c WHERE c.n > 1 ORDER BY c.b'), []);
  expect(plan).toMatchObject({
    filter: { exact: true },
    orderBy: { exact: false },
    aggregates: undefined,
    projection: { paths: [['a'], ['b']] },
  });

  const backend = await openSqliteBackend({ path: ':memory:' });
  await backend.createDatabase('test');
  await backend.createContainer('test', { id: 'items', partitionKey: '/pk' });
  const store = await backend.container('test', 'items');
  const explained = await Promise.all(
    [
      'SELECT * FROM c WHERE c.n > 1',
      'SELECT * FROM c WHERE c.n > 1 AND REVERSE(c.s) = "ba"',
      'SELECT * FROM c WHERE REVERSE(c.s) = "ba"',
      'SELECT VALUE COUNT(1) FROM c WHERE c.n > 1',
      'SELECT c.a FROM c',
    ].map(async (text) => {
      const { filter, pushedDown } = await store.explain(text);
      return [filter, ...pushedDown];
    }),
  );
  expect(explained).toEqual([
    ['exact', 'WHERE'],
    ['superset', 'WHERE'],
    ['evaluated'],
    ['exact', 'WHERE', 'aggregates'],
    ['none', 'properties'],
  ]);
  await backend.close();
});
