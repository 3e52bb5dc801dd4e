import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../../src/core/json.ts';
import type { DocumentStore } from '../../../../src/store/document-store.ts';
import { betterSqlite3Driver } from '../../../../src/stores/sqlite/better-sqlite3-driver.ts';
import type { SqliteDriver, SqliteStep } from '../../../../src/stores/sqlite/driver.ts';
import type { SqliteBackend } from '../../../../src/stores/sqlite/sqlite-backend.ts';
import { drivers, openBackend as open, temporaryFolder } from '../test-files.ts';

const INDEXED: JsonObject = { fullTextIndexes: [{ path: '/t' }, { path: '/deep/"two words"' }] };

const FRENCH: JsonObject = { fullTextPolicy: { defaultLanguage: 'fr-FR', fullTextPaths: [{ path: '/t', language: 'fr-FR' }] } };

interface Item extends JsonObject {
  readonly id: string;
  readonly pk: string;
}

async function notes(backend: SqliteBackend, indexingPolicy?: JsonObject, extra?: JsonObject): Promise<DocumentStore> {
  const id = indexingPolicy === undefined ? 'plain' : 'indexed';
  if ((await backend.readDatabase('app')) === undefined) {
    await backend.createDatabase('app');
  }
  await backend.createContainer('app', { id, partitionKey: '/pk', indexingPolicy, extra });
  return backend.container('app', id);
}

const words = fc.constantFrom(
  'river',
  'rivers',
  'lake',
  'running',
  'the',
  "don't",
  'U.S.',
  '3,5',
  'foo_bar',
  '東京',
  'été',
  'x"y',
  '-',
  "o'clock",
);
const text = fc.array(words, { maxLength: 7 }).map((list) => list.join(' '));
const value = fc.oneof({ weight: 5, arbitrary: text }, { weight: 1, arbitrary: fc.constantFrom(null, 7, ['river'], 'a\u0000 river') });
const item = fc.record({ pk: fc.constantFrom('a', 'b'), t: value, deep: fc.record({ 'two words': value }) });

const path = fc.constantFrom('c.t', 'c.deep["two words"]', 'c.other');
const term = fc.oneof(
  { weight: 6, arbitrary: fc.array(words, { minLength: 1, maxLength: 2 }).map((list) => JSON.stringify(list.join(' '))) },
  { weight: 1, arbitrary: fc.constantFrom('{"term": "rivar", "distance": 1}', '@term', '7', 'c.t') },
);
const call = fc
  .tuple(
    fc.constantFrom('FULLTEXTCONTAINS', 'FullText_Contains_All', 'FULLTEXTCONTAINSANY'),
    path,
    fc.array(term, { minLength: 1, maxLength: 3 }),
  )
  .map(([name, at, terms]) => `${name}(${[at, ...(name === 'FULLTEXTCONTAINS' ? terms.slice(0, 1) : terms)].join(', ')})`);
const condition = fc.letrec<{ node: string }>((tie) => ({
  node: fc.oneof(
    { weight: 3, arbitrary: call },
    { weight: 1, arbitrary: fc.constantFrom('c.n > 2', 'IS_DEFINED(c.n)') },
    { weight: 1, arbitrary: fc.tuple(tie('node'), fc.constantFrom('AND', 'OR'), tie('node')).map((parts) => `(${parts.join(' ')})`) },
    { weight: 1, arbitrary: tie('node').map((node) => `(NOT ${node})`) },
  ),
})).node;

const explained = async (store: DocumentStore, query: string): Promise<{ readonly access: string; readonly text: string }> =>
  store.explain(query);

describe('full text indexes', () => {
  test('give the rows that are found without them, through any writes', { timeout: 30_000 }, async () => {
    const backend = await open({ path: ':memory:' });
    const stores = [await notes(backend), await notes(backend, INDEXED)];
    const queries = fc.array(condition, { minLength: 3, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(item, { minLength: 1, maxLength: 8 }),
        fc.array(item, { maxLength: 3 }),
        queries,
        async (items, again, conditions) => {
          for (const store of stores) {
            await store.bulk(items.map((one, n) => ({ type: 'upsert' as const, document: { ...one, pk: 'a', id: String(n), n } })));
            await store.bulk(again.map((one, n) => ({ type: 'upsert' as const, document: { ...one, pk: 'a', id: String(n * 2), n } })));
            await store.bulk([{ type: 'delete' as const, id: '1', partitionKey: 'a' }]);
          }
          for (const where of conditions) {
            const query = { query: `SELECT c.id, c.t FROM c WHERE ${where}`, parameters: [{ name: '@term', value: 'river' }] };
            const [plain, indexed] = await Promise.all(stores.map((store) => store.query(query).toArray()));
            expect(indexed, where).toEqual(plain);
            const ranked = { ...query, query: `${query.query} ORDER BY RANK FullTextScore(c.t, 'river', 'été')` };
            const [first, second] = await Promise.all(stores.map((store) => store.query(ranked).toArray()));
            expect(second, where).toEqual(first);
          }
        },
      ),
      { seed: 61, numRuns: 60 },
    );
  });

  test('are what explain says', async () => {
    const store = await notes(await open({ path: ':memory:' }), INDEXED);
    for (const [id, t] of [
      ['1', 'one river'],
      ['2', 'two lakes'],
      ['3', 'three rivers and a lake'],
    ]) {
      await store.create({ id, pk: 'a', t } as Item);
    }
    const found = await explained(
      store,
      "SELECT * FROM c WHERE FULLTEXTCONTAINS(c.t, 'river') AND FULLTEXTCONTAINSANY(c.t, 'lake', 'sea')",
    );
    expect(found.access).toBe('index');
    expect(found.text).toContain('full text /t');
    for (const where of [
      "FULLTEXTCONTAINS(c.other, 'river')",
      "NOT FULLTEXTCONTAINS(c.t, 'river')",
      "FULLTEXTCONTAINS(c.t, 'river') OR c.n = 1",
      'FULLTEXTCONTAINS(c.t, {"term": "river", "distance": 1})',
      'FULLTEXTCONTAINS(c.t, c.pk)',
    ]) {
      expect((await explained(store, `SELECT * FROM c WHERE ${where}`)).access, where).toBe('container');
    }
  });

  test('are missed where SQLite has no FTS5, and then explain says so', async () => {
    const better = betterSqlite3Driver();
    /** A SQLite that does not know the module. */
    const driver: SqliteDriver = {
      name: better.name,
      async open(options) {
        const connection = await better.open(options);
        const hide = (step: SqliteStep): SqliteStep => ({ ...step, sql: step.sql.replace("name = 'fts5'", "name = 'none'") });
        return {
          executeSync: (step) => connection.executeSync?.(hide(step)),
          execute: (step) => connection.execute(hide(step)),
          close: () => connection.close(),
        };
      },
    };
    const store = await notes(await open({ path: ':memory:', driver }), INDEXED);
    await store.create({ id: '1', pk: 'a', t: 'rivers' } as Item);
    const query = "SELECT VALUE c.id FROM c WHERE FULLTEXTCONTAINS(c.t, 'river') ORDER BY RANK FullTextScore(c.t, 'river')";
    expect(await store.query(query).toArray()).toEqual(['1']);
    const { access, filterReasons } = await store.explain(query);
    expect(access).toBe('container');
    expect(filterReasons).toContain('the full text index of /t is not there, since this SQLite has no FTS5');
  });

  test('tell what a score has to know of all texts, so that these are not read', async () => {
    const backend = await open({ path: ':memory:' });
    const scanned = async (store: DocumentStore, term: string): Promise<unknown> => {
      const query = `SELECT VALUE c.id FROM c WHERE FULLTEXTCONTAINS(c.t, 'river') ORDER BY RANK FullTextScore(c.t, 'lake', ${term})`;
      const page = await store.query<string>(query).nextPage();
      return [page?.items, page?.documentsScanned];
    };
    const all = Array.from({ length: 30 }, (_, n): Item => ({ id: String(n), pk: 'a', t: n < 3 ? `river ${'lake '.repeat(n)}` : 'bread' }));
    for (const store of [await notes(backend), await notes(backend, INDEXED)]) {
      await store.bulk(all.map((document) => ({ type: 'create' as const, document })));
    }
    const [plain, indexed] = [await backend.container('app', 'plain'), await backend.container('app', 'indexed')];
    expect(await scanned(plain, "'sea'")).toEqual([['2', '1', '0'], 60]);
    expect(await scanned(indexed, "'sea'")).toEqual([['2', '1', '0'], 3]);
    expect(await scanned(indexed, '{"term": "sae", "distance": 2}')).toEqual([['2', '1', '0'], 33]);
  });

  test.each(drivers)('are made for documents that are there, follow the policy, and outlive the store ($name)', async ({ driver }) => {
    const file = join(temporaryFolder(), 'store.db');
    const backend = await open({ path: file, driver: driver() });
    const store = await notes(backend, {});
    await store.bulk(
      Array.from({ length: 450 }, (_, n) => ({
        type: 'create' as const,
        document: { id: String(n), pk: 'a', t: n % 9 === 0 ? 'les chevaux' : 'rien' },
      })),
    );
    const query = "SELECT VALUE c.id FROM c WHERE FULLTEXTCONTAINS(c.t, 'cheval')";
    expect(await store.query(query).toArray()).toEqual([]);
    await backend.replaceContainer('app', { id: 'indexed', partitionKey: '/pk', indexingPolicy: INDEXED, extra: FRENCH });
    await backend.indexesReady();
    const again = await backend.container('app', 'indexed');
    expect(await again.query(query).toArray()).toHaveLength(50);
    expect((await explained(again, query)).access).toBe('index');
    await again.delete('0', 'a');
    await backend.close();

    const reopened = await open({ path: file, driver: driver() });
    const last = await reopened.container('app', 'indexed');
    expect(await last.query(query).toArray()).toHaveLength(49);
    expect((await explained(last, query)).access).toBe('index');
    await reopened.replaceContainer('app', { id: 'indexed', partitionKey: '/pk', indexingPolicy: {} });
    expect((await explained(await reopened.container('app', 'indexed'), query)).access).toBe('container');
  });
});
