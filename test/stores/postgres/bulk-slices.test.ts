import { expect, test } from 'vitest';
import { PerigeeError } from '../../../src/core/errors.ts';
import type { BulkItem } from '../../../src/store/base-document-store.ts';
import { prepareDocument } from '../../../src/store/prepared-document.ts';
import { bulkSlices } from '../../../src/stores/postgres/bulk-slices.ts';

interface Wanted {
  readonly pk: string;
  readonly type?: 'create' | 'upsert';
  readonly text?: string;
}

function item(index: number, { pk, type = 'create', text = '' }: Wanted): BulkItem {
  const document = prepareDocument({ id: String(index), pk, text }, [['pk']]);
  return type === 'create' ? { type, document } : { type, document, ifMatch: undefined };
}

/** Lengths of the slices, of which it is seen that they are all of the operations, in order. */
function lengths(items: readonly BulkItem[]): readonly number[] {
  const slices = [...bulkSlices(items)];
  expect(slices.flatMap((slice) => slice.items)).toEqual(items);
  for (const slice of slices) {
    const keys = slice.items.flatMap((one) => (one instanceof PerigeeError || !('document' in one) ? [] : [one.document.partitionKeyText]));
    expect(slice.partitionKeys).toBe(new Set(keys).size);
  }
  return slices.map((slice) => slice.items.length);
}

const many = (amount: number, wanted: (index: number) => Wanted): readonly BulkItem[] =>
  Array.from({ length: amount }, (_, index) => item(index, wanted(index)));

test('transactions of a bulk call end by operations, by partition keys, or by the length of documents, and an operation is never left out', () => {
  expect(lengths([])).toEqual([]);
  expect(lengths(many(5001, () => ({ pk: 'p' })))).toEqual([5000, 1]);
  expect(lengths(many(2500, () => ({ pk: 'p', type: 'upsert' })))).toEqual([1000, 1000, 500]);
  expect(lengths([...many(1500, () => ({ pk: 'p' })), ...many(3, () => ({ pk: 'p', type: 'upsert' }))])).toEqual([1500, 3]);
  expect(lengths([...many(3, () => ({ pk: 'p', type: 'upsert' })), ...many(1500, () => ({ pk: 'p' }))])).toEqual([1000, 503]);
  expect(lengths(many(2002, (index) => ({ pk: `p${index % 1001}` })))).toEqual([1000, 1000, 2]);
  expect(lengths(many(2000, (index) => ({ pk: `p${index % 1000}` })))).toEqual([2000]);
  expect(lengths(many(20, () => ({ pk: 'p', text: 'x'.repeat(1_000_000) })))).toEqual([8, 8, 4]);
  expect(lengths([new PerigeeError('BAD_REQUEST', 'refused'), ...many(2, () => ({ pk: 'p' }))])).toEqual([3]);
});
