import { describe, expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../../../../src/core/json.ts';
import { chooseAccess } from '../../../../src/query/access/choose-access.ts';
import { readIndexKey } from '../../../../src/query/access/index-definition.ts';
import { prepareQuery } from '../../../../src/query/prepare-query.ts';
import { all } from '../../../../src/stores/sqlite/driver.ts';
import { indexesOf, physicalName } from '../../../../src/stores/sqlite/indexes/index-catalog.ts';
import { indexExpressions } from '../../../../src/stores/sqlite/indexes/index-expressions.ts';
import { seekConditions } from '../../../../src/stores/sqlite/indexes/index-seek.ts';
import type { SqliteBackend } from '../../../../src/stores/sqlite/sqlite-backend.ts';
import { openBackend } from '../test-files.ts';

const POLICY: JsonObject = {
  includedPaths: [{ path: '/*' }, { path: '/a/?' }],
  excludedPaths: [],
  compositeIndexes: [
    [
      { path: '/b', order: 'ascending' },
      { path: '/a', order: 'ascending' },
    ],
  ],
};

/** How SQLite would find the entries of the access that is chosen. */
async function seeksOf(backend: SqliteBackend, query: string, x: JsonValue): Promise<readonly string[]> {
  const rows = await backend.database.read(() => indexesOf(1));
  const definitions = rows.map((row) => ({ name: physicalName(row), columns: readIndexKey(row.key) }));
  const access = chooseAccess(prepareQuery(query), [{ name: '@x', value: x }], definitions);
  if (access === undefined) {
    return ['scan'];
  }
  const conditions = seekConditions(access, indexExpressions(access.index.columns) ?? []) ?? [];
  const plans: string[] = [];
  for (const { text, values } of conditions) {
    const sql = `EXPLAIN QUERY PLAN SELECT ordinal FROM c1 INDEXED BY ${access.index.name} WHERE ${text}`;
    plans.push(...(await backend.database.read(() => all<{ detail: string }>(sql, ...values))).map(({ detail }) => detail));
  }
  return plans.filter((detail) => detail.includes(access.index.name)).map((detail) => /\((.*)\)$/u.exec(detail)?.[1] ?? detail);
}

describe('SQLite finds the entries of an index by all of its expressions', () => {
  // An affinity on one side of a comparison, as CAST brings, makes SQLite leave the index after the type's rank.
  test.each<readonly [string, string, JsonValue, readonly string[]]>([
    ['a number', 'c.a = @x', 5, ['<expr>=? AND <expr>=?']],
    ['a large whole number', 'c.a = @x', 2 ** 60, ['<expr>=? AND <expr>=?']],
    ['a fraction', 'c.a = @x', 0.1, ['<expr>=? AND <expr>=?']],
    ['a string', 'c.a = @x', 'text', ['<expr>=? AND <expr>=?']],
    ['null', 'c.a = @x', null, ['<expr>=? AND <expr>=?']],
    ['a long list', 'ARRAY_CONTAINS(@x, c.a)', [1, 2, 3, 4, 5, 6], ['<expr>=? AND <expr>=?']],
    ['a list of two types', 'ARRAY_CONTAINS(@x, c.a)', [1, 'x'], ['<expr>=? AND <expr>=?', '<expr>=? AND <expr>=?']],
    ['a range', 'c.a > @x', 5, ['<expr>=? AND <expr>>?']],
    ['a range of strings', 'STARTSWITH(c.a, @x)', 'pre', ['<expr>=? AND <expr>>? AND <expr><?']],
    ['two columns', 'c.b = 1 AND c.a = @x', 2, ['<expr>=? AND <expr>=? AND <expr>=? AND <expr>=?']],
    ['a value and a range', 'c.b = 1 AND c.a > @x', 2, ['<expr>=? AND <expr>=? AND <expr>=? AND <expr>>?']],
  ])('%s', async (_, condition, x, expected) => {
    const backend = await openBackend({ path: ':memory:' });
    await backend.createDatabase('app');
    await backend.createContainer('app', { id: 'c', partitionKey: '/pk', indexingPolicy: POLICY });
    expect(await seeksOf(backend, `SELECT * FROM c WHERE ${condition}`, x)).toEqual(expected);
  });
});
