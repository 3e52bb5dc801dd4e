import type { BulkOperation } from '../../store/operations.ts';
import { check, checkEqual } from '../checks.ts';
import { codesOf } from './batch.suite.ts';
import { checkContent, withoutSystem, type ConformanceContext } from './conformance-context.ts';

/** Bulk operations: any number, each for itself. */
export function bulkSuite({ test, withStore }: ConformanceContext): void {
  test('each operation of a bulk call has its own outcome in its own place', () =>
    withStore(async ({ store }) => {
      const { etag } = await store.create({ id: 'old', pk: 'a', n: 1 });
      const result = await store.bulk([
        { type: 'create', document: { id: 'new', pk: 'b' } },
        { type: 'create', document: { id: 'old', pk: 'a' } },
        { type: 'replace', document: { id: 'no', pk: 'a' } },
        { type: 'replace', document: { id: 'old', pk: 'a', n: 2 }, ifMatch: etag },
        { type: 'upsert', document: { id: 'old', pk: 'a', n: 9 }, ifMatch: etag },
        { type: 'read', id: 'old', partitionKey: 'a' },
        { type: 'read', id: 'no', partitionKey: 'a' },
        { type: 'patch', id: 'old', partitionKey: 'a', operations: [{ op: 'incr', path: '/n', value: 1 }] },
        { type: 'delete', id: 'no', partitionKey: 7 },
        { type: 'create', document: { id: 'a/b', pk: 'a' } },
        { type: 'create', document: { id: 'bad', pk: 'a', n: Number.NaN } },
        { type: 'delete', id: 'new', partitionKey: 'b' },
      ]);
      checkEqual(
        codesOf(result),
        [
          'ok',
          'CONFLICT',
          'NOT_FOUND',
          'ok',
          'PRECONDITION_FAILED',
          'ok',
          'NOT_FOUND',
          'ok',
          'NOT_FOUND',
          'INVALID_ID',
          'INVALID_DOCUMENT',
          'ok',
        ],
        'the outcomes',
      );
      check(result.requestUnits > 0, 'a charge');
      await checkContent(store, [{ id: 'old', pk: 'a', n: 3 }], 'the documents');
    }));

  test('operations on one document run in the order given', () =>
    withStore(async ({ store }) => {
      const operations: BulkOperation[] = [{ type: 'create', document: { id: 'x', pk: 'p', n: 0 } }];
      for (let n = 1; n <= 20; n += 1) {
        operations.push({
          type: 'patch',
          id: 'x',
          partitionKey: 'p',
          operations: [{ op: 'set', path: '/n', value: n }],
          condition: `from c where c.n = ${n - 1}`,
        });
      }
      const result = await store.bulk(operations);
      check(
        codesOf(result).every((code) => code === 'ok'),
        'every operation to succeed',
      );
      checkEqual((await store.read('x', 'p'))?.document['n'], 20, 'the value');
    }));

  test('more operations than a batch holds, on many partition keys, keep their order', () =>
    withStore(async ({ store }) => {
      const count = 350;
      const result = await store.bulk(
        Array.from({ length: count }, (_, index) => ({ type: 'create', document: { id: `${index}`, pk: index % 17, index } })),
      );
      checkEqual(
        result.outcomes.map((outcome) => (outcome.ok ? outcome.document?.['index'] : outcome.error.code)),
        Array.from({ length: count }, (_, index) => index),
        'index of each outcome',
      );
    }));

  test('a large document does not hold back others, and one over the limit fails alone', () =>
    withStore(async ({ store }) => {
      const text = 'x'.repeat(900_000);
      const result = await store.bulk([
        { type: 'create', document: { id: 'a', pk: 'p', text } },
        { type: 'create', document: { id: 'b', pk: 'p', text } },
        { type: 'create', document: { id: 'c', pk: 'p', text: text + text + text } },
        { type: 'create', document: { id: 'd', pk: 'p', text } },
      ]);
      checkEqual(codesOf(result), ['ok', 'ok', 'TOO_LARGE', 'ok'], 'the outcomes');
    }));

  test('an empty bulk call has no outcomes', () =>
    withStore(async ({ store }) => {
      checkEqual((await store.bulk([])).outcomes, [], 'the outcomes');
    }));

  test('documents with a missing, null and typed partition key go to their own places', () =>
    withStore(async ({ store }) => {
      const items = [{ id: 'x' }, { id: 'x', pk: null }, { id: 'x', pk: 1 }, { id: 'x', pk: '1' }];
      await store.bulk(items.map((document) => ({ type: 'create', document })));
      const { documents } = await store.readMany([undefined, null, 1, '1'].map((partitionKey) => ({ id: 'x', partitionKey })));
      checkEqual(documents.map(withoutSystem), items, 'the documents');
    }));
}
