import { check, checkEqual, checkRejects } from '../checks.ts';
import { CONTAINER, DATABASE, withoutSystem, type ConformanceContext } from './conformance-context.ts';

/** Reading by key, reading many, and sessions. */
export function readsSuite({ test, withStore, leaveOut }: ConformanceContext): void {
  test('reading what is not there gives undefined', () =>
    withStore(async ({ store }) => {
      check((await store.read('x', 'p')) === undefined, 'undefined');
      await store.create({ id: 'x', pk: 'p' });
      check((await store.read('x', 'q')) === undefined, 'undefined under another partition key');
      check((await store.read('X', 'p')) === undefined, 'undefined for another case');
    }));

  test('ifNoneMatch refuses a read while the document has that etag', () =>
    withStore(async ({ store }) => {
      const { etag } = await store.create({ id: 'x', pk: 'p' });
      await checkRejects(store.read('x', 'p', { ifNoneMatch: etag }), 'NOT_MODIFIED', 'a read with the current etag');
      await store.replace({ id: 'x', pk: 'p', n: 1 });
      checkEqual((await store.read('x', 'p', { ifNoneMatch: etag }))?.document['n'], 1, 'the document after a change');
      check((await store.read('gone', 'p', { ifNoneMatch: etag })) === undefined, 'undefined for a missing document');
    }));

  test('readMany answers each key in its place, repeated and missing ones included', () =>
    withStore(async ({ store }) => {
      for (let index = 0; index < 30; index += 1) {
        await store.create({ id: `id-${index}`, pk: index % 3, index });
      }
      const wanted = [29, 0, 7, 99, 7, 15, 1];
      const result = await store.readMany(wanted.map((index) => ({ id: `id-${index}`, partitionKey: index % 3 })));
      checkEqual(
        result.documents.map((document) => document?.['index']),
        [29, 0, 7, undefined, 7, 15, 1],
        'the documents by key',
      );
      const misplaced = await store.readMany([{ id: 'id-1', partitionKey: 2 }]);
      checkEqual(misplaced.documents, [undefined], 'a key with the wrong partition key');
      checkEqual((await store.readMany([])).documents, [], 'no keys');
    }));

  test('readMany serves hundreds of keys', () =>
    withStore(async ({ store }) => {
      const count = 300;
      await store.bulk(Array.from({ length: count }, (_, index) => ({ type: 'create', document: { id: `${index}`, pk: index % 7 } })));
      const keys = Array.from({ length: count }, (_, index) => ({ id: `${index}`, partitionKey: index % 7 })).reverse();
      const { documents } = await store.readMany(keys);
      checkEqual(
        documents.map((document) => document?.id),
        keys.map((key) => key.id),
        'ids in the order of the keys',
      );
    }));

  test('a read, a query page and a feed page with the session of a write see that write', () =>
    withStore(async ({ store, openStore }) => {
      const reader = await openStore();
      for (let round = 0; round < 10; round += 1) {
        const { session } = await store.upsert({ id: 'x', pk: 'p', round });
        checkEqual((await reader.read('x', 'p', { session }))?.document['round'], round, 'the value read');
        const rows = await reader.query('SELECT VALUE c.round FROM c', { session }).toArray();
        checkEqual(rows, [round], 'the value queried');
        const page = await reader.changes({ session }).nextPage();
        checkEqual(
          page.changes.map((change) => withoutSystem(change.document)),
          [{ id: 'x', pk: 'p', round }],
          'the feed',
        );
      }
    }));

  test('a session that the store has not reached is refused, not answered with old data', () =>
    withStore(async ({ backend, store, openStore }) => {
      await store.create({ id: 'x', pk: 'p' });
      await backend.createContainer(DATABASE, { id: 'ahead', partitionKey: '/pk' });
      const ahead = await openStore('ahead');
      let session: string | undefined;
      for (let round = 0; round < 5; round += 1) {
        session = (await ahead.upsert({ id: 'x', pk: 'p', round })).session;
      }
      if (session === undefined || !store.capabilities.positions) {
        leaveOut(`a session ahead of the store: ${backend.name} sessions cannot be made to run ahead from outside`);
        return;
      }
      await checkRejects(store.read('x', 'p', { session }), 'SESSION_NOT_AVAILABLE', 'read');
      await checkRejects(store.query('SELECT * FROM c', { session }).nextPage(), 'SESSION_NOT_AVAILABLE', 'query');
      await checkRejects(store.changes({ session }).nextPage(), 'SESSION_NOT_AVAILABLE', 'changes');
      await checkRejects(store.read('x', 'p', { session: 'no session' }), 'BAD_REQUEST', 'a text that is no session');
    }));

  test('a store knows its container', () =>
    withStore(async ({ backend, store }) => {
      const info = await backend.readContainer(DATABASE, CONTAINER);
      checkEqual(store.databaseId, DATABASE, 'database id');
      checkEqual(store.definition, info?.definition, 'definition');
      checkEqual(store.rid, info?.rid, 'resource id');
      checkEqual(store.capabilities, backend.capabilities, 'capabilities');
    }));
}
