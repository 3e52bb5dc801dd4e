import type { JsonValue } from '../../core/json.ts';
import type { ErrorCode } from '../../core/error-codes.ts';
import type { DocumentStore } from '../../store/document-store.ts';
import type { BulkOperation } from '../../store/operations.ts';
import type { QueryInput, QueryOptions } from '../../store/queries.ts';
import { check, checkEqual, checkRejects } from '../checks.ts';
import { checkNotSupported, DATABASE, type ConformanceContext } from './conformance-context.ts';

/** Writes `count` documents `{ id, pk: index % 7, index }` in bulk. */
export async function load(store: DocumentStore, count: number): Promise<void> {
  const chunk = 1000;
  for (let start = 0; start < count; start += chunk) {
    const operations: BulkOperation[] = [];
    for (let index = start; index < Math.min(count, start + chunk); index += 1) {
      operations.push({ type: 'create', document: { id: `item-${index}`, pk: index % 7, index } });
    }
    const { outcomes } = await store.bulk(operations);
    check(
      outcomes.every((outcome) => outcome.ok),
      'every document to be loaded',
    );
  }
}

/** All items, each page asked for by a query of its own with the continuation of the page before, as across requests of a server. */
async function readByContinuation<R>(
  store: DocumentStore,
  query: QueryInput,
  options: QueryOptions,
): Promise<{ items: R[]; pages: number }> {
  const items: R[] = [];
  let pages = 0;
  let { continuation } = options;
  do {
    const page = await store.query<R>(query, { ...options, continuation }).nextPage();
    check(page !== undefined && page.items.length <= (options.maxItemCount ?? 100), 'a page of at most maxItemCount items');
    items.push(...page.items);
    continuation = page.continuation;
    pages += 1;
  } while (continuation !== undefined);
  return { items, pages };
}

/** Queries: pages, continuations, scopes and errors. What the language means is the business of other tests. */
export function queriesSuite(context: ConformanceContext): void {
  const { test, withStore } = context;

  test('10,000 documents are read back page by page, each once', () =>
    withStore(async ({ store }) => {
      await load(store, 10_000);
      const { items, pages } = await readByContinuation<number>(store, 'SELECT VALUE c.index FROM c', { maxItemCount: 700 });
      check(pages >= 15, 'at least 15 pages');
      checkEqual(items.length, 10_000, 'items');
      checkEqual(new Set(items).size, 10_000, 'different items');
      const ordered = await readByContinuation<number>(store, 'SELECT VALUE c.index FROM c ORDER BY c.index DESC', { maxItemCount: 3000 });
      checkEqual(
        ordered.items,
        Array.from({ length: 10_000 }, (_, index) => 9999 - index),
        'items in descending order',
      );
    }));

  test('continuing goes on where the page ended, whatever changed in between', () =>
    withStore(async ({ store }) => {
      await load(store, 70);
      const first = await store.query<{ id: string; pk: number; index: number }>('SELECT * FROM c', { maxItemCount: 20 }).nextPage();
      check(first !== undefined && first.items.length > 0 && first.continuation !== undefined, 'a first page with a continuation');
      for (const item of first.items.slice(0, 10)) {
        await store.delete(item.id, item.pk);
      }
      const last = first.items.at(-1);
      check(last !== undefined, 'a last item');
      await store.upsert({ id: last.id, pk: last.pk, index: last.index, touched: true });
      const rest = await readByContinuation<{ index: number }>(store, 'SELECT * FROM c', {
        maxItemCount: 20,
        continuation: first.continuation,
      });
      const seen = [...first.items, ...rest.items].map((item) => item.index).sort((left, right) => left - right);
      checkEqual(
        seen,
        Array.from({ length: 70 }, (_, index) => index),
        'index of every document that was there all along, once',
      );
    }));

  test('pages, items one by one and toArray give the same', () =>
    withStore(async ({ store }) => {
      await load(store, 50);
      const query = 'SELECT VALUE c.index FROM c ORDER BY c.index';
      const expected = Array.from({ length: 50 }, (_, index) => index);
      checkEqual(await store.query(query, { maxItemCount: 7 }).toArray(), expected, 'toArray');
      const single: unknown[] = [];
      for await (const item of store.query(query, { maxItemCount: 7 })) {
        single.push(item);
      }
      checkEqual(single, expected, 'items one by one');
      const paged: unknown[] = [];
      for await (const page of store.query(query, { maxItemCount: 7 }).pages()) {
        check(page.requestUnits > 0 && page.documentsScanned >= 0, 'a charge and a count of each page');
        paged.push(...page.items);
      }
      checkEqual(paged, expected, 'pages');
      const result = store.query(query, { maxItemCount: 100 });
      checkEqual((await result.nextPage())?.items.length, 50, 'the only page');
      check((await result.nextPage()) === undefined, 'undefined after the last page');
    }));

  test('a query brings functions along, which no other query sees', () =>
    withStore(async ({ store }) => {
      const query = 'SELECT VALUE udf.shift(c.index) FROM c';
      const by = (n: number): QueryOptions => ({ userDefinedFunctions: { shift: (value) => Number(value) + n } });
      if (!store.capabilities.userDefinedFunctions) {
        await checkNotSupported(() => store.query(query, by(1)).toArray(), 'userDefinedFunctions');
        return;
      }
      await load(store, 30);
      const shifted = (n: number): number[] => Array.from({ length: 30 }, (_, index) => index + n);
      const both = await Promise.all([
        readByContinuation(store, query, { ...by(100), maxItemCount: 7 }),
        readByContinuation(store, query, { ...by(200), maxItemCount: 7 }),
      ]);
      checkEqual(
        both.map(({ items }) => items),
        [shifted(100), shifted(200)],
        'the items of two queries with one text',
      );
      checkEqual(
        await store.query('SELECT VALUE c.index FROM c WHERE udf.shift(c.index) = 12 OR c.index = 29', by(10)).toArray(),
        [2, 29],
        'a filter',
      );
      checkEqual((await store.explain(query, by(1))).itemsReturned, 30, 'explain');
      await checkRejects(store.query(query).toArray(), 'QUERY_INVALID', 'a query that brings none');
      if (store.capabilities.transact) {
        const { items } = await store.transact(0, (transaction) => transaction.queryPage(query, { ...by(1), maxItemCount: 2 }));
        checkEqual(items, [1, 8], 'a page in a transaction');
      }
    }));

  test('a query is scoped to a partition key of any type, to a missing one, or to none', () =>
    withStore(async ({ store }) => {
      const keys = ['a', 'A', 1, '1', true, null, undefined];
      for (const [index, pk] of keys.entries()) {
        await store.create(pk === undefined ? { id: 'same', index } : { id: 'same', pk, index });
      }
      for (const [index, pk] of keys.entries()) {
        checkEqual(
          await store.query('SELECT VALUE c.index FROM c', { partitionKey: [pk] }).toArray(),
          [index],
          `scope ${JSON.stringify(pk)}`,
        );
      }
      const all = await store.query<number>('SELECT VALUE c.index FROM c').toArray();
      checkEqual(
        all.sort((left, right) => left - right),
        keys.map((_, index) => index),
        'no scope',
      );
    }));

  test('a prefix of a hierarchical partition key scopes a query', () =>
    withStore(
      async ({ store }) => {
        for (const [index, [a, b]] of [
          ['x', 'y'],
          ['x', 'z'],
          ['q', 'y'],
          ['x', 'y'],
        ].entries()) {
          await store.create({ id: `${index}`, a: a as string, b: b as string, c: index, index });
        }
        const scoped = async (partitionKey: readonly (string | number)[]): Promise<number[]> =>
          (await store.query<number>('SELECT VALUE c.index FROM c', { partitionKey }).toArray()).sort((left, right) => left - right);
        checkEqual(await scoped(['x']), [0, 1, 3], 'one level');
        checkEqual(await scoped(['x', 'y']), [0, 3], 'two levels');
        checkEqual(await scoped(['x', 'y', 3]), [3], 'three levels');
        checkEqual(await scoped(['nobody']), [], 'a prefix without documents');
      },
      { partitionKey: ['/a', '/b', '/c'] },
    ));

  test('ranges of effective partition keys cut a container into parts that make up the whole', () =>
    withStore(async ({ store }) => {
      await load(store, 60);
      const ranges = [
        { min: '', max: '15' },
        { min: '15', max: '2A' },
        { min: '2A', max: 'FF' },
      ];
      const parts = await Promise.all(ranges.map((range) => store.query<number>('SELECT VALUE c.index FROM c', { range }).toArray()));
      checkEqual(
        parts.flat().sort((left, right) => left - right),
        Array.from({ length: 60 }, (_, index) => index),
        'the parts together',
      );
    }));

  test('filters, parameters, projections and aggregates', () =>
    withStore(async ({ store }) => {
      await load(store, 40);
      const run = async (query: string, parameters: { name: string; value: JsonValue }[] = []): Promise<unknown[]> =>
        store.query<unknown>({ query, parameters }).toArray();
      checkEqual(
        await run('SELECT VALUE c.index FROM c WHERE c.index >= @low AND c.index < @high ORDER BY c.index', [
          { name: '@low', value: 10 },
          { name: '@high', value: 13 },
        ]),
        [10, 11, 12],
        'a range by parameters',
      );
      checkEqual(await run('SELECT c.index AS i FROM c WHERE c.id = "item-3"'), [{ i: 3 }], 'a projection');
      checkEqual(await run('SELECT VALUE COUNT(1) FROM c'), [40], 'a count');
      checkEqual(await run('SELECT VALUE SUM(c.index) FROM c WHERE c.pk = 1'), [1 + 8 + 15 + 22 + 29 + 36], 'a sum');
      checkEqual(await run('SELECT VALUE c.nothing FROM c'), [], 'undefined rows');
    }));

  errorSuite(context);
}

function errorSuite({ test, withStore }: ConformanceContext): void {
  const wrong: readonly (readonly [string, ErrorCode])[] = [
    ['SELECT * FROM', 'QUERY_SYNTAX'],
    ['', 'QUERY_SYNTAX'],
    ['SELECT VALUE NO_SUCH_FUNCTION(c.a) FROM c', 'QUERY_INVALID'],
  ];
  for (const [query, code] of wrong) {
    test(`the query ${JSON.stringify(query)} is refused with ${code}, from the first page on`, () =>
      withStore(async ({ store }) => {
        const result = store.query(query);
        await checkRejects(result.nextPage(), [code, 'QUERY_NOT_SUPPORTED'], 'the first page');
        await checkRejects(store.query(query).toArray(), [code, 'QUERY_NOT_SUPPORTED'], 'toArray');
      }));
  }

  test('a continuation that was never issued is refused', () =>
    withStore(async ({ backend, store, openStore }) => {
      await load(store, 10);
      await checkRejects(store.query('SELECT * FROM c', { continuation: 'garbage' }).nextPage(), 'INVALID_CONTINUATION', 'garbage');
      await checkRejects(store.query('SELECT * FROM c', { continuation: '' }).nextPage(), 'INVALID_CONTINUATION', 'an empty text');
      const page = await store.query('SELECT * FROM c', { maxItemCount: 2 }).nextPage();
      check(page?.continuation !== undefined, 'a continuation');
      await backend.createContainer(DATABASE, { id: 'other', partitionKey: '/pk' });
      const other = await openStore('other');
      await load(other, 3);
      await checkRejects(
        other.query('SELECT * FROM c', { continuation: page.continuation }).nextPage(),
        'INVALID_CONTINUATION',
        'that of another container',
      );
    }));

  test('options out of range are refused', () =>
    withStore(async ({ store }) => {
      for (const maxItemCount of [0, -1, 1.5, Number.NaN]) {
        await checkRejects(store.query('SELECT * FROM c', { maxItemCount }).nextPage(), 'INVALID_OPTION', `maxItemCount ${maxItemCount}`);
      }
      await checkRejects(
        store.query('SELECT * FROM c', { partitionKey: ['a', 'b'] }).nextPage(),
        'PARTITION_KEY_MISMATCH',
        'too long a key',
      );
      await checkRejects(store.query(7 as unknown as string).nextPage(), 'BAD_REQUEST', 'a number as query');
    }));
}
