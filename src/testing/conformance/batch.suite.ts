import type { ErrorCode } from '../../core/error-codes.ts';
import type { BatchOperation, BatchResult, OperationOutcome } from '../../store/operations.ts';
import { check, checkEqual, checkRejects } from '../checks.ts';
import { checkContent, withoutSystem, type ConformanceContext } from './conformance-context.ts';

/** `ok`, or the code of each outcome. */
export function codesOf(result: { readonly outcomes: readonly OperationOutcome[] }): ('ok' | ErrorCode)[] {
  return result.outcomes.map((outcome) => (outcome.ok ? 'ok' : outcome.error.code));
}

function documentAt(result: BatchResult, index: number): unknown {
  const outcome = result.outcomes[index];
  return outcome?.ok === true && outcome.document !== undefined ? withoutSystem(outcome.document) : undefined;
}

const make = (id: string, n = 0): BatchOperation => ({ type: 'create', document: { id, pk: 'p', n } });

/** Atomic batches on one partition key. */
export function batchSuite({ test, withStore }: ConformanceContext): void {
  test('a batch of every operation takes effect as a whole, each seeing those before it', () =>
    withStore(async ({ store }) => {
      const { etag } = await store.create({ id: 'old', pk: 'p', n: 1 });
      const result = await store.batch('p', [
        make('new', 5),
        { type: 'patch', id: 'new', operations: [{ op: 'incr', path: '/n', value: 1 }], condition: 'from c where c.n = 5' },
        { type: 'read', id: 'new' },
        { type: 'replace', document: { id: 'old', pk: 'p', n: 2 }, ifMatch: etag },
        { type: 'upsert', document: { id: 'old', pk: 'p', n: 3 } },
        { type: 'upsert', document: { id: 'other', pk: 'p' } },
        { type: 'delete', id: 'other' },
      ]);
      check(result.committed, 'the batch to be committed');
      checkEqual(
        codesOf(result),
        Array.from({ length: 7 }, () => 'ok'),
        'the outcomes',
      );
      checkEqual(documentAt(result, 2), { id: 'new', pk: 'p', n: 6 }, 'what the read within the batch saw');
      check(result.requestUnits > 0, 'a charge');
      await checkContent(
        store,
        [
          { id: 'new', pk: 'p', n: 6 },
          { id: 'old', pk: 'p', n: 3 },
        ],
        'the documents',
      );
    }));

  test('outcomes carry document, etag and whether it was created', () =>
    withStore(async ({ store }) => {
      const result = await store.batch('p', [
        make('a'),
        { type: 'upsert', document: { id: 'a', pk: 'p', n: 1 } },
        make('b'),
        { type: 'delete', id: 'b' },
      ]);
      const seen = result.outcomes.map((outcome) =>
        outcome.ok ? [outcome.created, outcome.etag === outcome.document?._etag, outcome.document?.id] : undefined,
      );
      checkEqual(
        seen,
        [
          [true, true, 'a'],
          [false, true, 'a'],
          [true, true, 'b'],
          [false, true, undefined],
        ],
        'created, etag and id',
      );
      const positions = result.outcomes.map((outcome) => (outcome.ok ? outcome.position : undefined));
      if (store.capabilities.positions) {
        check(
          positions.every((position, index) => position !== undefined && position > (positions[index - 1] ?? 0)),
          'rising positions',
        );
      } else {
        checkEqual(positions, [undefined, undefined, undefined, undefined], 'positions without the capability');
      }
      checkEqual((await store.read('a', 'p'))?.etag, (result.outcomes[1] as { etag?: string }).etag, 'the etag stored');
    }));

  const failing: readonly (readonly [string, BatchOperation, ErrorCode])[] = [
    ['a create of what exists', make('old'), 'CONFLICT'],
    ['a replace of nothing', { type: 'replace', document: { id: 'no', pk: 'p' } }, 'NOT_FOUND'],
    ['a delete of nothing', { type: 'delete', id: 'no' }, 'NOT_FOUND'],
    ['a read of nothing', { type: 'read', id: 'no' }, 'NOT_FOUND'],
    ['a stale etag', { type: 'replace', document: { id: 'old', pk: 'p' }, ifMatch: '"stale"' }, 'PRECONDITION_FAILED'],
    ['a stale etag for a delete', { type: 'delete', id: 'old', ifMatch: '"stale"' }, 'PRECONDITION_FAILED'],
    ['a stale etag for an upsert', { type: 'upsert', document: { id: 'old', pk: 'p' }, ifMatch: '"stale"' }, 'PRECONDITION_FAILED'],
    ['a patch that does not apply', { type: 'patch', id: 'old', operations: [{ op: 'remove', path: '/no' }] }, 'INVALID_PATCH'],
    [
      'a patch whose condition is false',
      { type: 'patch', id: 'old', operations: [{ op: 'set', path: '/a', value: 1 }], condition: 'from c where c.n = 9' },
      'PRECONDITION_FAILED',
    ],
  ];
  for (const [what, operation, code] of failing) {
    test(`${what} undoes the whole batch: its own code, FAILED_DEPENDENCY for all others`, () =>
      withStore(async ({ store }) => {
        const { document } = await store.create({ id: 'old', pk: 'p', n: 1 });
        const result = await store.batch('p', [
          make('new'),
          { type: 'patch', id: 'old', operations: [{ op: 'set', path: '/touched', value: true }] },
          ...(operation.type === 'read' ? [] : [{ type: 'read', id: 'old' } as const]),
          operation,
          make('after'),
        ]);
        check(!result.committed, 'committed to be false');
        const expected = result.outcomes.map((_, index) => (index === result.outcomes.length - 2 ? code : 'FAILED_DEPENDENCY'));
        checkEqual(codesOf(result), expected, 'the outcomes');
        checkEqual(
          result.outcomes.map((outcome) => !outcome.ok && outcome.error.status === 424),
          expected.map((one) => one === 'FAILED_DEPENDENCY'),
          'status 424',
        );
        checkEqual((await store.read('old', 'p'))?.document, document, 'the document of before');
        await checkContent(store, [{ id: 'old', pk: 'p', n: 1 }], 'the documents');
      }));
  }

  test('a batch that fails leaves no trace in the change feed', () =>
    withStore(async ({ store }) => {
      await store.create({ id: 'old', pk: 'p' });
      const { cursor } = await store.changes({ from: 'now' }).nextPage();
      await store.batch('p', [{ type: 'upsert', document: { id: 'old', pk: 'p', n: 1 } }, make('new'), { type: 'delete', id: 'no' }]);
      checkEqual((await store.changes({ from: { cursor } }).nextPage()).changes, [], 'changes');
    }));

  test('100 operations are one batch, and 101 or none are refused', () =>
    withStore(async ({ store }) => {
      const hundred = Array.from({ length: 100 }, (_, index) => make(`${index}`));
      await checkRejects(store.batch('p', [...hundred, make('100')]), 'BAD_REQUEST', '101 operations');
      await checkRejects(store.batch('p', []), 'BAD_REQUEST', 'no operation');
      const result = await store.batch('p', hundred);
      checkEqual([result.committed, result.outcomes.length], [true, 100], 'the batch of 100');
    }));

  test('a batch of more than 2 MB is refused whole', () =>
    withStore(async ({ store }) => {
      const large = (id: string): BatchOperation => ({ type: 'create', document: { id, pk: 'p', text: 'x'.repeat(800_000) } });
      await checkRejects(store.batch('p', [large('a'), large('b'), large('c')]), 'TOO_LARGE', 'three times 800 kB');
      await checkContent(store, [], 'the documents');
    }));

  test('an operation on another partition key is refused before anything is written', () =>
    withStore(async ({ store }) => {
      const foreign: BatchOperation = { type: 'create', document: { id: 'b', pk: 'q' } };
      await checkRejects(store.batch('p', [make('a'), foreign]), 'PARTITION_KEY_MISMATCH', 'a document of another key');
      await checkContent(store, [], 'the documents');
    }));

  test('a batch works on a missing partition key as on any other', () =>
    withStore(async ({ store }) => {
      const result = await store.batch(
        [undefined],
        [
          { type: 'create', document: { id: 'a' } },
          { type: 'read', id: 'a' },
        ],
      );
      checkEqual([result.committed, documentAt(result, 1)], [true, { id: 'a' }], 'the batch');
    }));

  test('concurrent batches on the same documents do not mix', () =>
    withStore(async ({ store }) => {
      const both = (n: number): Promise<BatchResult> =>
        store.batch('p', [
          { type: 'upsert', document: { id: 'left', pk: 'p', n } },
          { type: 'upsert', document: { id: 'right', pk: 'p', n } },
        ]);
      await Promise.all(Array.from({ length: 10 }, (_, n) => both(n)));
      const [left, right] = (
        await store.readMany([
          { id: 'left', partitionKey: 'p' },
          { id: 'right', partitionKey: 'p' },
        ])
      ).documents;
      checkEqual(left?.['n'], right?.['n'], 'the values of both documents');
    }));
}
