import { afterAll, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../../src/core/json.ts';
import type { DocumentStore } from '../../../../src/store/document-store.ts';
import type { IndexProgress } from '../../../../src/stores/postgres/indexes/index-builder.ts';
import type { PostgresBackend } from '../../../../src/stores/postgres/postgres-backend.ts';
import { openFreshPostgres } from '../../../support/open-postgres.ts';
import { openedPostgres, type OpenedPostgres } from './opened-postgres.ts';

const indexed = (...paths: readonly string[]): JsonObject => ({ fullTextIndexes: paths.map((path) => ({ path })) });
const inLanguage = (language: string): JsonObject => ({
  fullTextPolicy: { defaultLanguage: language, fullTextPaths: [{ path: '/t', language }] },
});

async function opened(): Promise<Omit<OpenedPostgres, 'open'> & { readonly backend: PostgresBackend }> {
  const { open, ...rest } = await openedPostgres();
  const backend = await open();
  await backend.createDatabase('app');
  return { backend, ...rest };
}

async function load(store: DocumentStore, count: number, more: (n: number) => JsonObject = () => ({})): Promise<void> {
  const { outcomes } = await store.bulk(
    Array.from({ length: count }, (_, n) => ({
      type: 'create' as const,
      document: {
        id: `d${n}`,
        pk: 'p',
        n,
        t: `Everywhere stands volcano${n % 200 === 0 ? 's and RIVERS' : ''}`,
        u: `word${100 + (n % 200)}`,
        ...more(n),
      },
    })),
  );
  expect(outcomes.every(({ ok }) => ok)).toBe(true);
}

describe('an index of words', () => {
  let filled: Promise<DocumentStore> | undefined;
  let shared: PostgresBackend | undefined;
  afterAll(() => shared?.close());

  async function fill(): Promise<DocumentStore> {
    shared = await openFreshPostgres();
    await shared.createDatabase('app');
    await shared.createContainer('app', { id: 'notes', partitionKey: '/pk', indexingPolicy: indexed('/t', '/u') });
    const store = await shared.container('app', 'notes');
    await load(store, 2000);
    // So that PostgreSQL knows how often words are.
    await shared.replaceContainer('app', { id: 'notes', partitionKey: '/pk', indexingPolicy: {} });
    await shared.indexesReady();
    await shared.replaceContainer('app', { id: 'notes', partitionKey: '/pk', indexingPolicy: indexed('/t', '/u') });
    await shared.indexesReady();
    return store;
  }

  test.each<readonly [where: string, indexes: readonly string[], rows: number]>([
    ["FULLTEXTCONTAINS(c.t, 'river')", ['full text /t'], 10],
    ['FULLTEXTCONTAINS(c.t, @v)', ['full text /t'], 10],
    ["FULLTEXTCONTAINS(c.t, 'volcanos and rivers')", ['full text /t'], 10],
    ["FULLTEXTCONTAINSALL(c.t, 'river', 'volcano')", ['full text /t'], 10],
    ["FULLTEXTCONTAINSANY(c.u, 'word107', 'word108')", ['full text /u'], 20],
    ["FULLTEXTCONTAINS(c.t, 'river') AND c.n > 1000", ['full text /t'], 4],
    ["FULLTEXTCONTAINS(c.t, 'river') OR FULLTEXTCONTAINS(c.u, 'word108')", ['full text /t', 'full text /u'], 20],
  ])('leads PostgreSQL to the documents: %s', async (where, indexes, rows) => {
    const store = await (filled ??= fill());
    const input = { query: `SELECT * FROM c WHERE ${where}`, parameters: [{ name: '@v', value: 'rivers' }] };
    const found = await store.explain(input, { analyze: true });
    expect({ access: found.access, indexes: found.indexes, rows: found.itemsReturned }).toEqual({ access: 'index', indexes, rows });
    expect(found.documentsScanned).toBeLessThanOrEqual(20);
    expect(found.measured?.documentsRead).toBeLessThanOrEqual(40);
    expect(found.measured?.indexes.toSorted()).toEqual(expect.arrayContaining([...indexes]));
    expect(found.text).toContain(`${indexes[0]}: words and beginnings of words`);
  });

  test('is not read where it says nothing', async () => {
    const store = await (filled ??= fill());
    for (const where of [
      "NOT FULLTEXTCONTAINS(c.t, 'river')",
      "FULLTEXTCONTAINS(c.t, 'river') OR c.n = 1",
      "FULLTEXTCONTAINS(c.other, 'river')",
      'FULLTEXTCONTAINS(c.t, {"term": "river", "distance": 1})',
      'FULLTEXTCONTAINS(c.t, c.pk)',
      "FULLTEXTCONTAINS(c.t, '\u0e20\u0e32')",
      "FULLTEXTCONTAINS(c.t, 'q')",
    ]) {
      expect([where, (await store.explain(`SELECT * FROM c WHERE ${where}`)).indexes]).toEqual([where, []]);
    }
  });

  test('leads to nothing where a term has stop words only', async () => {
    const store = await (filled ??= fill());
    const { itemsReturned, documentsScanned } = await store.explain("SELECT * FROM c WHERE FULLTEXTCONTAINS(c.t, 'the')");
    expect({ itemsReturned, documentsScanned }).toEqual({ itemsReturned: 0, documentsScanned: 0 });
  });
});

describe('indexes of words', () => {
  test('follow the policy in the background, and stay as the language changes', async () => {
    const { backend, client, schema } = await opened();
    await backend.createContainer('app', { id: 'notes', partitionKey: '/pk' });
    const store = await backend.container('app', 'notes');
    await load(store, 1200, (n) => ({ t: n % 100 === 0 ? 'les chevaux' : 'rien' }));
    const progress: string[] = [];
    backend.onIndexProgress(({ index, state, build }: IndexProgress) => build ?? progress.push(`${index} ${state}`));
    const redefine = async (indexingPolicy: JsonObject, extra: JsonObject = {}): Promise<readonly unknown[]> => {
      await backend.replaceContainer('app', { id: 'notes', partitionKey: '/pk', indexingPolicy, extra });
      await backend.indexesReady();
      return (await backend.indexStatus()).map(({ index, kind, isReady }) => [index, kind, isReady]);
    };
    const numbers = async (): Promise<readonly unknown[]> => (await client.query(`SELECT number FROM ${schema}.indexes`)).rows;
    const query = "SELECT VALUE c.id FROM c WHERE FULLTEXTCONTAINS(c.t, 'cheval')";
    const answer = async (): Promise<readonly unknown[]> => {
      const { itemsReturned, indexes } = await store.explain(query);
      return [itemsReturned, ...indexes];
    };
    expect(await redefine(indexed('/t'))).toEqual([['full text /t', 'full-text', true]]);
    expect(progress).toEqual(['full text /t building', 'full text /t ready']);
    const made = await numbers();
    expect(await answer()).toEqual([0, 'full text /t']);
    expect(await redefine(indexed('/t'), inLanguage('fr-FR'))).toEqual([['full text /t', 'full-text', true]]);
    expect(await numbers()).toEqual(made);
    expect(await answer()).toEqual([12, 'full text /t']);
    expect(await redefine(indexed('/u', '/deep/"two words"'), inLanguage('fr-FR'))).toEqual([
      ['full text /u', 'full-text', true],
      ['full text /deep/"two words"', 'full-text', true],
    ]);
    expect(await answer()).toEqual([12]);
    expect(await redefine({})).toEqual([]);
    const { rows } = await client.query(
      `SELECT relname FROM pg_class WHERE relname LIKE 'c1_x%' AND relnamespace = '${schema}_1'::regnamespace`,
    );
    expect(rows).toEqual([]);
  });

  test('are none for computed properties, system properties, and more than are worth it', async () => {
    const { backend } = await opened();
    await backend.createContainer('app', {
      id: 'notes',
      partitionKey: '/pk',
      computedProperties: [{ name: 'lower', query: 'SELECT VALUE LOWER(c.t) FROM c' }],
      indexingPolicy: indexed('/lower', '/_etag', ...Array.from({ length: 70 }, (_, n) => `/t${n}`), '/t0'),
    });
    const status = await backend.indexStatus();
    expect(status).toHaveLength(64);
    expect(status[0]).toMatchObject({ index: 'full text /t0', isReady: true });
  });

  test('take any text', { timeout: 60_000 }, async () => {
    const { backend } = await opened();
    await backend.createContainer('app', { id: 'notes', partitionKey: '/pk', indexingPolicy: indexed('/t') });
    const store = await backend.container('app', 'notes');
    const long = (piece: string, bytes: number): string => piece.repeat(Math.floor(bytes / Buffer.byteLength(piece)));
    await store.create({
      id: 'largest',
      pk: 'p',
      t: `${long('The river runs past the houses, and happily so. ', 1_000_000)}${long('\u00e9t\u00e9 ', 500_000)}`,
    });
    const texts = [
      `${long('\u0590\u05b0', 100_000)} river`,
      `${Array.from({ length: 20_010 }, (_, n) => `w${n.toString(36)}`).join(' ')} rivers`,
      `river ${long('x', 100_000)}`,
      `${long("'a", 100_000)}' river`,
    ];
    const write = async (type: 'create' | 'upsert', again: boolean): Promise<void> => {
      const { outcomes } = await store.bulk(texts.map((t, n) => ({ type, document: { id: `d${n}`, pk: 'p', t, again } })));
      expect(outcomes.every(({ ok }) => ok)).toBe(true);
    };
    await write('create', false);
    await write('upsert', true);
    const query = "SELECT VALUE c.id FROM c WHERE FULLTEXTCONTAINS(c.t, 'river')";
    expect(await store.query(query).toArray()).toEqual(['largest', 'd0', 'd1', 'd2', 'd3']);
    // What has too many words may have any.
    expect((await store.explain("SELECT VALUE c.id FROM c WHERE FULLTEXTCONTAINS(c.t, 'lake')")).documentsScanned).toBe(1);
  });

  test('of a kind that only a newer server knows are left to it', async () => {
    const { backend, client, schema } = await opened();
    await backend.createContainer('app', { id: 'notes', partitionKey: '/pk', indexingPolicy: indexed('/t') });
    await client.query(
      `INSERT INTO ${schema}.indexes (container, kind, key, form, ready) SELECT container, 'new', 'k', 'f', false FROM ${schema}.indexes`,
    );
    await backend.replaceContainer('app', { id: 'notes', partitionKey: '/pk', indexingPolicy: indexed('/u') });
    await backend.indexesReady();
    expect((await backend.indexStatus()).map(({ index, isReady }) => [index, isReady])).toEqual([
      ['new k', false],
      ['full text /u', true],
    ]);
  });
});
