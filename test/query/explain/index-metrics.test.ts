import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { compositeSpec, indexSpec, queryIndexMetrics } from '../../../src/query/explain/index-metrics.ts';
import { prepareQuery } from '../../../src/query/prepare-query.ts';
import { defineContainer } from '../../../src/store/container-definition.ts';

const DEFAULT: JsonObject = { includedPaths: [{ path: '/*' }], excludedPaths: [] };

interface Found {
  readonly used: readonly string[];
  readonly missing: readonly string[];
}

function metricsOf(query: string, indexingPolicy: JsonObject = DEFAULT, parameters: { name: string; value: string }[] = []): Found {
  const definition = defineContainer({ id: 'c', partitionKey: '/pk', indexingPolicy });
  const { utilized, potential } = queryIndexMetrics(prepareQuery(query), parameters, definition);
  const texts = ({ single, composite }: typeof utilized): string[] => [
    ...single.map(indexSpec),
    ...composite.map((columns) => columns.map(compositeSpec).join(', ')),
  ];
  return { used: texts(utilized), missing: texts(potential) };
}

/** As the service answered the .NET SDK's tests (`IndexUtilizationClientSideExistenceTest`), under the default policy. */
const AS_THE_SERVICE: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ['SELECT * FROM c WHERE c.id = "1"', ['/id/?'], []],
  ['SELECT * FROM c WHERE c.id = "1" AND c.name = "Abc"', ['/name/?', '/id/?'], []],
  ['SELECT * FROM c WHERE c.id = "1" AND c.name > "Abc"', ['/name/?', '/id/?'], ['/id ASC, /name ASC']],
  ['SELECT * FROM c WHERE c.id > "1" AND c.name > "Abc"', ['/name/?', '/id/?'], []],
  ['SELECT COUNT(1) FROM c WHERE c.id = "1" AND c.name > "Abc"', ['/name/?', '/id/?'], ['/id ASC, /name ASC']],
  ['SELECT * FROM c WHERE c.id = "1" ORDER BY c.id ASC', ['/id/?'], []],
  ['SELECT * FROM c WHERE c.id = "1" AND c.name > "Abc" ORDER BY c.id', ['/name/?', '/id/?'], ['/id ASC, /name ASC']],
  ['SELECT COUNT(1) FROM c WHERE c.id = "1" AND c.name = "Abc" GROUP BY c.id', ['/name/?', '/id/?'], []],
  ['SELECT COUNT(1) FROM c WHERE c.id = "1" AND c.name = "Abc" GROUP BY c.id, c.name', ['/name/?', '/id/?'], ['/id ASC, /name ASC']],
  ['SELECT COUNT(1) FROM c WHERE c.id = "1" AND c.name > "Abc" GROUP BY c.id, c.name', ['/name/?', '/id/?'], ['/id ASC, /name ASC']],
  ['SELECT COUNT(1) FROM c WHERE c.id > "1" AND c.name > "Abc" GROUP BY c.id, c.name', ['/name/?', '/id/?'], []],
  ['SELECT * FROM c WHERE STARTSWITH(c.statement, "The quick brown fox", false)', ['/statement/?'], []],
  [String.raw`SELECT * FROM c WHERE c['a "b"'] = 1`, [String.raw`/"a \"b\""/?`], []],
];

describe('index metrics', () => {
  test.each(AS_THE_SERVICE)('%s', (query, used, missing) => {
    expect(metricsOf(query)).toEqual({ used, missing });
  });

  test('name indexes that the policy leaves out as potential ones', () => {
    const policy: JsonObject = { includedPaths: [{ path: '/a/?' }], excludedPaths: [{ path: '/*' }] };
    expect(metricsOf('SELECT * FROM c WHERE c.a = 1 AND c.b.c = 2', policy)).toEqual({ used: ['/a/?'], missing: ['/b/c/?'] });
    expect(metricsOf('SELECT * FROM c WHERE c.a = 1', { indexingMode: 'none' })).toEqual({ used: [], missing: ['/a/?'] });
  });

  test('tell of a composite index instead of the single ones that it stands for', () => {
    const policy: JsonObject = {
      ...DEFAULT,
      compositeIndexes: [
        [{ path: '/name' }, { path: '/age', order: 'descending' }],
        [{ path: '/pk' }, { path: '/age' }],
      ],
    };
    expect(metricsOf('SELECT * FROM c ORDER BY c.name DESC, c.age', policy)).toEqual({ used: ['/name ASC, /age DESC'], missing: [] });
    expect(metricsOf('SELECT * FROM c WHERE c.x = 1 AND c.pk = "a" AND c.age > 3', policy)).toEqual({
      used: ['/age/?', '/pk/?', '/x/?'],
      missing: ['/x ASC, /pk ASC, /age ASC'],
    });
    expect(metricsOf('SELECT * FROM c WHERE c.pk = @pk ORDER BY c.age', policy, [{ name: '@pk', value: 'a' }])).toEqual({
      used: ['/pk ASC, /age ASC'],
      missing: [],
    });
    expect(metricsOf('SELECT * FROM c ORDER BY c.name, c.age', policy)).toEqual({
      used: ['/age/?', '/name/?'],
      missing: ['/name ASC, /age ASC'],
    });
  });

  test('see into arrays, subqueries and long chains, and leave out what no index serves', () => {
    expect(metricsOf('SELECT * FROM c WHERE ARRAY_CONTAINS(c.tags, "a") OR NOT c.done').used).toEqual(['/done/?', '/tags/[]/?']);
    expect(metricsOf('SELECT t FROM c JOIN t IN c.tags WHERE t.name = "a"').used).toEqual(['/tags/[]/name/?']);
    expect(metricsOf('SELECT * FROM c WHERE EXISTS (SELECT VALUE t FROM t IN c.tags WHERE t = "a")').used).toEqual(['/tags/[]/?']);
    expect(metricsOf('SELECT * FROM c WHERE LOWER(c.name) = "a" AND udf.f(c.x) AND c.n + 1 = 2')).toEqual({ used: [], missing: [] });
    const chain = Array.from({ length: 5000 }, (_, n) => `c.a = ${n}`).join(' OR ');
    expect(metricsOf(`SELECT * FROM c WHERE ${chain}`).used).toEqual(['/a/?']);
  });
});
