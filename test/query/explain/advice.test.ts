import { describe, expect, test } from 'vitest';
import { indexText, type IndexDefinition } from '../../../src/query/access/index-definition.ts';
import { chooseAccess } from '../../../src/query/access/choose-access.ts';
import { adviseIndex, type AdviceQuestion } from '../../../src/query/explain/advise-index.ts';
import { adviseOrderBy } from '../../../src/query/explain/advise-order-by.ts';
import { entriesQuery } from '../../../src/query/explain/entries-query.ts';
import { prepareQuery } from '../../../src/query/prepare-query.ts';
import { defineContainer } from '../../../src/store/container-definition.ts';
import type { IndexTrial, PlannedAccess } from '../../../src/store/query-explanation.ts';
import { openMemoryBackend } from '../../../src/stores/memory/index.ts';

const SCAN: PlannedAccess = { access: 'container', index: undefined, documentsScanned: 10_000 };

function question(text: string, more: Partial<AdviceQuestion> = {}): AdviceQuestion {
  return {
    prepared: prepareQuery(text),
    parameters: [],
    indexes: [],
    options: { documents: 10_000 },
    before: SCAN,
    canIndex: () => true,
    accepts: () => true,
    count: () => Promise.resolve(60),
    ...more,
  };
}

describe('the index that would help', () => {
  const both = 'SELECT * FROM c WHERE c.a = 1 AND c.b > 2 ORDER BY c.b';

  test('is the planner’s choice, and what it says of it', async () => {
    const [advice] = await adviseIndex(question('SELECT * FROM c WHERE c.a = "x"'));
    expect(advice).toMatchObject({ kind: 'single', reason: 'an index on /a would serve the filter.', before: SCAN });
    expect(advice?.after).toEqual({ access: 'index', index: '/a', documentsScanned: 60 });
    const [composite] = await adviseIndex(
      question(both, { count: ({ parameters }) => Promise.resolve(parameters.length === 1 ? 900 : 30) }),
    );
    expect(composite).toMatchObject({ kind: 'composite', reason: 'a composite index on /a, /b would serve the filter and the order.' });
  });

  test('is none that is there already, that the store cannot have, would not go through with, or that saves little', async () => {
    const existing: IndexDefinition = { name: 'x', columns: [{ path: ['a'], descending: false }] };
    const text = 'SELECT * FROM c WHERE c.a = "x"';
    const refused: readonly Partial<AdviceQuestion>[] = [
      { indexes: [existing] },
      { canIndex: () => false },
      { accepts: () => false },
      { count: () => Promise.resolve(6000) },
      { before: { ...SCAN, documentsScanned: 99 } },
    ];
    for (const more of refused) {
      expect(await adviseIndex(question(text, more))).toEqual([]);
    }
    for (const unserved of [
      'SELECT * FROM c',
      'SELECT * FROM c WHERE UPPER(c.a) = "X"',
      'SELECT VALUE 1',
      'SELECT * FROM t IN c.a WHERE t = 1',
    ]) {
      expect([unserved, await adviseIndex(question(unserved))]).toEqual([unserved, []]);
    }
  });

  test('is the next best where a trial finds no use for the best, and none where two were tried in vain', async () => {
    const before = { rows: 1, documentsRead: 9, planningMs: 1, executionMs: 1, pagesCached: 1, pagesRead: 0, indexes: [], steps: [] };
    const trial: IndexTrial = { documents: 10, before, after: { ...before, documentsRead: 1 } };
    const tried: string[] = [];
    const tryOut =
      (refused: number): AdviceQuestion['tryOut'] =>
      (access) => {
        tried.push(indexText(access.index));
        return Promise.resolve(tried.length <= refused ? 'unused' : trial);
      };
    const entries: AdviceQuestion['count'] = ({ parameters }) => Promise.resolve(parameters.length === 1 ? 900 : 30);
    const [best] = await adviseIndex(question(both, { count: entries, tryOut: tryOut(0) }));
    expect([best?.provenBy, best?.trial]).toEqual(['trial', trial]);
    const [first] = tried.splice(0);
    const [second] = await adviseIndex(question(both, { count: entries, tryOut: tryOut(1) }));
    expect([tried[0], second?.after.index]).toEqual([first, tried[1]]);
    expect(tried[1]).not.toBe(first);
    tried.length = 0;
    expect(await adviseIndex(question(both, { count: entries, tryOut: tryOut(9) }))).toEqual([]);
    expect(tried).toHaveLength(2);
    const [untried] = await adviseIndex(question(both, { count: entries, tryOut: () => Promise.resolve(undefined) }));
    expect([untried?.provenBy, untried !== undefined && 'trial' in untried]).toEqual(['planner', false]);
  });

  test('is counted by a query over what it leads to', async () => {
    const backend = openMemoryBackend();
    await backend.createDatabase('d');
    await backend.createContainer('d', { id: 'c', partitionKey: '/pk' });
    const store = await backend.container('d', 'c');
    const values = [null, true, 1, 2.5, 'x', 'y', ['x'], { a: 1 }, undefined, -1];
    await store.bulk(
      values.map((a, n) => ({
        type: 'create' as const,
        document: { id: `${n}`, pk: 'p', ...(a === undefined ? {} : { 'odd "name': a }), n },
      })),
    );
    const columns = ['odd "name', 'n'].map((name) => ({ path: [name], descending: false }));
    const cases: readonly (readonly [string, number | undefined])[] = [
      ['c["odd \\"name"] IN ("x", 1, null)', 3],
      ['NOT IS_DEFINED(c["odd \\"name"])', 1],
      ['c["odd \\"name"] >= 1 AND c["odd \\"name"] < 3', 2],
      ['STARTSWITH(c["odd \\"name"], "x")', 1],
      ['c["odd \\"name"] = "x" AND c.n > 3', 1],
      ['c["odd \\"name"] = true AND c["odd \\"name"] = 1', 0],
    ];
    for (const [condition, expected] of cases) {
      const access = chooseAccess(prepareQuery(`SELECT * FROM c WHERE ${condition}`), [], [{ name: 'i', columns }], { documents: 1e6 });
      const counting = access === undefined ? undefined : entriesQuery(access);
      expect([condition, counting === undefined ? undefined : (await store.query<number>(counting).toArray())[0]]).toEqual([
        condition,
        expected,
      ]);
    }
    await backend.close();
  });
});

describe('the index that an ORDER BY needs on the service', () => {
  const definition = defineContainer({ id: 'c', partitionKey: '/pk' });
  const excluding = defineContainer({
    id: 'c',
    partitionKey: '/pk',
    indexingPolicy: { includedPaths: [{ path: '/kept/?' }], excludedPaths: [{ path: '/*' }] },
  });

  test('is a composite one for several keys, and an included path for one that is excluded', () => {
    const composite = adviseOrderBy(prepareQuery('SELECT * FROM c ORDER BY c.a, c["b c"] DESC'), definition, SCAN);
    expect(composite).toMatchObject([
      {
        provenBy: 'policy',
        policy: {
          compositeIndexes: [
            [
              { path: '/a', order: 'ascending' },
              { path: '/"b c"', order: 'descending' },
            ],
          ],
        },
      },
    ]);
    const single = adviseOrderBy(prepareQuery('SELECT * FROM c ORDER BY c.a.b'), excluding, SCAN);
    expect(single).toMatchObject([{ kind: 'single', policy: { includedPaths: [{ path: '/a/b/?' }] } }]);
  });

  test('is none where the service runs it, or no index would help', () => {
    for (const text of ['SELECT * FROM c', 'SELECT * FROM c ORDER BY c.kept', 'SELECT * FROM c ORDER BY c.list[0], c.a']) {
      expect(adviseOrderBy(prepareQuery(text), excluding, SCAN)).toEqual([]);
    }
    expect(adviseOrderBy(prepareQuery('SELECT * FROM c ORDER BY c.a'), definition, SCAN)).toEqual([]);
  });
});
