import { PerigeeError } from '../../core/errors.ts';
import type { BulkItem } from '../../store/base-document-store.ts';
import { keyOf } from '../../store/write-rules.ts';

/** Operations of a bulk call that share a transaction. */
const MOST_OPERATIONS = 1000;
/** As many, where all of them create documents: each takes less time, and the fewer commits there are, the less the server waits for its disk. */
const MOST_CREATES = 5000;
/** Characters of documents in a transaction, but for the last one. */
const MOST_CHARACTERS = 8_000_000;
/** Partition keys of a transaction, each of which takes a lock. */
const MOST_PARTITION_KEYS = 1000;

/** Operations that share a transaction, in order. */
export interface BulkSlice {
  readonly items: readonly BulkItem[];
  /** How many partition keys they have. */
  readonly partitionKeys: number;
}

function sliceFrom(items: readonly BulkItem[], start: number): BulkSlice {
  const keys = new Set<string>();
  let most = MOST_CREATES;
  let characters = 0;
  let end = start;
  for (; end < items.length && end - start < most && characters < MOST_CHARACTERS; end += 1) {
    const item = items[end] as BulkItem;
    if (item instanceof PerigeeError) {
      continue;
    }
    if (item.type !== 'create') {
      most = MOST_OPERATIONS;
    }
    const key = keyOf(item).partitionKeyText;
    if (end - start >= most || (keys.size === MOST_PARTITION_KEYS && !keys.has(key))) {
      break;
    }
    keys.add(key);
    characters += 'document' in item ? item.document.text.length : 0;
  }
  return { items: items.slice(start, end), partitionKeys: keys.size };
}

/** Divides the operations of a bulk call among transactions that are neither long, nor large, nor hold many locks. */
export function* bulkSlices(items: readonly BulkItem[]): Generator<BulkSlice> {
  for (let start = 0; start < items.length;) {
    const slice = sliceFrom(items, start);
    start += slice.items.length;
    yield slice;
  }
}
