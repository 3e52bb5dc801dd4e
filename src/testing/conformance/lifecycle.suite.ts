import type { DocumentStore } from '../../store/document-store.ts';
import { check, checkAborts, checkEqual, checkRejects } from '../checks.ts';
import { checkContent, checkNotSupported, CONTAINER, DATABASE, settleAll, type ConformanceContext } from './conformance-context.ts';
import { load } from './queries.suite.ts';

function everyCall(store: DocumentStore, signal?: AbortSignal): readonly (readonly [string, () => Promise<unknown>])[] {
  const options = { signal };
  return [
    ['read', () => store.read('x', 'p', options)],
    ['readMany', () => store.readMany([{ id: 'x', partitionKey: 'p' }], options)],
    ['create', () => store.create({ id: 'new', pk: 'p' }, options)],
    ['upsert', () => store.upsert({ id: 'new', pk: 'p' }, options)],
    ['replace', () => store.replace({ id: 'x', pk: 'p', n: 2 }, options)],
    ['patch', () => store.patch('x', 'p', [{ op: 'set', path: '/n', value: 2 }], options)],
    ['delete', () => store.delete('x', 'p', options)],
    ['batch', () => store.batch('p', [{ type: 'delete', id: 'x' }], options)],
    ['bulk', () => store.bulk([{ type: 'delete', id: 'x', partitionKey: 'p' }], options)],
    ['query', () => store.query('SELECT * FROM c', options).nextPage()],
    ['changes', () => store.changes(options).nextPage()],
    ['explain', () => store.explain('SELECT * FROM c', options)],
    ['transact', () => store.transact('p', (transaction) => transaction.delete('x'), options)],
  ];
}

/** Closing, aborting, opening again, and the catalog. */
export function lifecycleSuite(context: ConformanceContext): void {
  const { test, withStore } = context;

  test('every call after close is refused with CLOSED, and closing twice is allowed', () =>
    withStore(async ({ store, openStore }) => {
      await store.create({ id: 'x', pk: 'p' });
      const other = await openStore();
      await Promise.all([store.close(), store.close()]);
      await store.close();
      for (const [name, call] of everyCall(store)) {
        await checkRejects(call, 'CLOSED', name);
      }
      await checkRejects(store.flush(), 'CLOSED', 'flush');
      check((await other.read('x', 'p')) !== undefined, 'another store on the container to go on');
    }));

  test('closing waits for the calls under way, which succeed', () =>
    withStore(async ({ store, openStore }) => {
      await load(store, 500);
      const busy = [
        ...Array.from({ length: 20 }, (_, index) => store.create({ id: `busy-${index}`, pk: index })),
        store.bulk(Array.from({ length: 50 }, (_, index) => ({ type: 'create', document: { id: `bulk-${index}`, pk: 'p' } }))),
        store.batch('p', [{ type: 'create', document: { id: 'batch', pk: 'p' } }]),
        // Short ones: a scan that would go on for long is ended by closing, and on a busy machine a page of hundreds is long.
        store.query('SELECT * FROM c WHERE c.index >= 0', { maxItemCount: 10 }).nextPage(),
        store.changes({ maxItemCount: 10 }).nextPage(),
      ];
      let settled = 0;
      const results = settleAll(
        busy.map(async (call) => {
          await call;
          settled += 1;
        }),
      );
      await store.close();
      checkEqual(settled, busy.length, 'calls that had settled when close resolved');
      checkEqual(
        (await results).filter((result) => result.status === 'rejected'),
        [],
        'calls that failed',
      );
      const again = await openStore();
      const found = await again.readMany([
        { id: 'busy-19', partitionKey: 19 },
        { id: 'bulk-49', partitionKey: 'p' },
        { id: 'batch', partitionKey: 'p' },
      ]);
      check(
        found.documents.every((document) => document !== undefined),
        'what was written to be there',
      );
    }));

  test('a query and a feed that are half read when their store closes end with CLOSED', () =>
    withStore(async ({ store }) => {
      await load(store, 30);
      const query = store.query('SELECT * FROM c', { maxItemCount: 10 });
      const feed = store.changes({ maxItemCount: 10 });
      await query.nextPage();
      await feed.nextPage();
      await store.close();
      await checkRejects(query.nextPage(), 'CLOSED', 'the next page of the query');
      await checkRejects(feed.nextPage(), 'CLOSED', 'the next page of the feed');
    }));

  test('closing a backend closes its stores and refuses later calls', () =>
    withStore(async ({ backend, store }) => {
      const writes = settleAll(Array.from({ length: 10 }, (_, index) => store.create({ id: `${index}`, pk: 'p' })));
      await Promise.all([backend.close(), backend.close()]);
      checkEqual(
        (await writes).map((result) => result.status),
        Array.from({ length: 10 }, () => 'fulfilled'),
        'writes under way',
      );
      await checkRejects(store.read('x', 'p'), 'CLOSED', 'a call on the store');
      await checkRejects(backend.container(DATABASE, CONTAINER), 'CLOSED', 'container');
      await checkRejects(backend.listDatabases(), 'CLOSED', 'listDatabases');
      await checkRejects(backend.createDatabase('late'), 'CLOSED', 'createDatabase');
      await checkRejects(backend.flush(), 'CLOSED', 'flush');
    }));

  test('flush resolves, with work under way and without', () =>
    withStore(async ({ backend, store }) => {
      await store.flush();
      const write = store.create({ id: 'x', pk: 'p' });
      await Promise.all([write, store.flush(), backend.flush()]);
      check((await store.read('x', 'p')) !== undefined, 'the document to be there');
    }));

  abortSuite(context);
  reopenSuite(context);
}

function abortSuite({ test, withStore }: ConformanceContext): void {
  test('a call with an aborted signal rejects with its reason and does nothing', () =>
    withStore(async ({ store }) => {
      await store.create({ id: 'x', pk: 'p' });
      const reason = new Error('stop');
      for (const [name, call] of everyCall(store, AbortSignal.abort(reason))) {
        await checkAborts(call(), reason, name);
      }
      await checkContent(store, [{ id: 'x', pk: 'p' }], 'the documents');
    }));

  test('calls aborted while under way reject with the reason, and the store goes on', () =>
    withStore(async ({ store }) => {
      await load(store, 1000);
      const controller = new AbortController();
      const { signal } = controller;
      const reason = { name: 'AbortError', message: 'a reason of any kind' };
      const calls = [
        store.query('SELECT * FROM c WHERE c.index < -1', { signal, maxItemCount: 1000 }).toArray(),
        store.bulk(
          Array.from({ length: 300 }, (_, index) => ({ type: 'upsert', document: { id: `late-${index}`, pk: 'late' } })),
          { signal },
        ),
        store.changes({ signal, maxItemCount: 1000 }).nextPage(),
      ];
      controller.abort(reason);
      await Promise.all(calls.map((call) => checkAborts(call, reason, 'a call under way')));
      await store.create({ id: 'x', pk: 'p' });
      check((await store.read('item-999', 999 % 7)) !== undefined, 'the store to answer');
    }));

  test('an iteration whose signal aborts between pages ends with the reason', () =>
    withStore(async ({ store }) => {
      await load(store, 30);
      const controller = new AbortController();
      const reason = new Error('stop');
      const query = store.query('SELECT * FROM c', { maxItemCount: 10, signal: controller.signal });
      await query.nextPage();
      controller.abort(reason);
      await checkAborts(query.nextPage(), reason, 'the next page');
    }));
}

function reopenSuite({ test, withStore, withBackend, leaveOut }: ConformanceContext): void {
  test('everything acknowledged is there when the data is opened again', () =>
    withStore(async ({ backend, store, opened }) => {
      if (opened.reopen === undefined) {
        checkEqual(backend.capabilities.durability, 'none', 'the durability of a backend that cannot be opened again');
        leaveOut('opening the data again: the backend keeps nothing');
        return;
      }
      await load(store, 50);
      const { document } = await store.create({ id: 'x', pk: 'p', u: 1, text: 'nul \u0000 and 😀' });
      await store.delete('item-7', 0);
      const { cursor } = await store.changes({ from: 'now' }).nextPage();
      const before = await backend.readContainer(DATABASE, CONTAINER);
      const next = await opened.reopen();
      checkEqual(await next.readContainer(DATABASE, CONTAINER), before, 'the container');
      const again = await next.container(DATABASE, CONTAINER);
      checkEqual((await again.read('x', 'p'))?.document, document, 'the document, system properties included');
      check((await again.read('item-7', 0)) === undefined, 'the deleted document to stay deleted');
      const later = await again.replace({ id: 'x', pk: 'p', u: 1 }, { ifMatch: document._etag });
      check(later.etag !== document._etag, 'a new etag');
      checkEqual(
        (await again.changes({ from: { cursor } }).nextPage()).changes.map((change) => change.document.id),
        ['x'],
        'the feed behind the cursor of before',
      );
    }, {}));

  test('the catalog keeps system documents by scope, or is refused', () =>
    withBackend(async ({ backend }) => {
      if (!backend.capabilities.catalog) {
        await checkNotSupported(() => backend.catalog(), 'catalog');
        return;
      }
      const catalog = await backend.catalog();
      const { etag } = await catalog.create({ id: 'ada', scope: 'users', mode: 'all' });
      await catalog.create({ id: 'ada', scope: 'permissions' });
      await checkRejects(catalog.create({ id: 'ada', scope: 'users' }), 'CONFLICT', 'a second of the same id and scope');
      await catalog.replace({ id: 'ada', scope: 'users', mode: 'read' }, { ifMatch: etag });
      await checkRejects(catalog.replace({ id: 'ada', scope: 'users' }, { ifMatch: etag }), 'PRECONDITION_FAILED', 'a stale etag');
      checkEqual((await catalog.read('ada', 'users'))?.document['mode'], 'read', 'the document');
      const scoped = await catalog.query('SELECT VALUE c.id FROM c', { partitionKey: 'permissions' }).toArray();
      checkEqual(scoped, ['ada'], 'the documents of one scope');
      checkEqual(await backend.listDatabases(), [], 'the databases, of which the catalog is none');
      const second = await backend.catalog();
      check((await second.read('ada', 'users')) !== undefined, 'the catalog opened again to hold the same');
    }));
}
