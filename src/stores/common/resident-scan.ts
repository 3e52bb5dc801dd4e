import { partitionKeyText, type PartitionKey, type PartitionKeyText } from '../../store/partition-key.ts';
import { isInEpkRange } from '../../store/effective-partition-key.ts';
import type { EpkRange } from '../../store/queries.ts';
import type { CreationEntry } from './creation-entry.ts';
import type { ResidentContainer, ResidentRow } from './resident-container.ts';
import type { ResidentDraft } from './resident-draft.ts';

/** Which rows a query or a change feed is restricted to. */
export interface RowScope {
  readonly partitionKey: PartitionKey | undefined;
  readonly range: EpkRange | undefined;
}

/** Whether a row lies in a scope: a full partition key, or a prefix of one, and a range of effective partition keys. */
export function scopeFilter(container: ResidentContainer, scope: RowScope): (row: ResidentRow) => boolean {
  const { partitionKey, range } = scope;
  const inRange = (row: ResidentRow): boolean => range === undefined || isInEpkRange(row.epk, range);
  if (partitionKey === undefined) {
    return inRange;
  }
  const text = partitionKeyText(partitionKey);
  if (fullPartitionKeyText(container, scope) !== undefined) {
    return (row) => row.partitionKeyText === text && inRange(row);
  }
  return (row) => partitionKeyText(row.partitionKey.slice(0, partitionKey.length)) === text && inRange(row);
}

function fullPartitionKeyText(container: ResidentContainer, { partitionKey }: RowScope): PartitionKeyText | undefined {
  const isFull = partitionKey?.length === container.info.definition.partitionKey.paths.length;
  return isFull ? partitionKeyText(partitionKey) : undefined;
}

/** Where a step of a scan ended. */
export interface ScanStep {
  /** The creation order to go on from. */
  readonly ordinal: number;
  readonly done: boolean;
}

/** Takes a row of a scan. `entry` is that of its creation, where the row is the committed one. */
export type RowVisitor = (row: ResidentRow, entry: CreationEntry | undefined) => void;

/**
 * Visits up to `limit` rows behind `ordinal` in creation order, as a draft sees them: its own writes included, expired rows not. With a full partition
 * key only its rows are looked at; {@link scopeFilter} is still the caller's part.
 */
export function scanRows(draft: ResidentDraft, scope: RowScope, ordinal: number, limit: number, visit: RowVisitor): ScanStep {
  // The clock is asked once for all: asking it takes as long as looking at a row.
  const nowSeconds = draft.container.mayExpire ? draft.container.nowSeconds() : undefined;
  const log = draft.container.rows.createdIn(fullPartitionKeyText(draft.container, scope));
  const { size } = log;
  let count = 0;
  let last = ordinal;
  let index = log.indexAfter(ordinal);
  for (; index < size && count < limit; index += 1) {
    const entry = log.at(index) as CreationEntry;
    const row = draft.rowOf(entry, nowSeconds);
    if (row !== undefined) {
      count += 1;
      last = entry.order;
      visit(row, row === entry.row ? entry : undefined);
    }
  }
  if (index < size) {
    return { ordinal: last, done: false };
  }
  // What the draft created comes behind all that is committed.
  for (const row of draft.createdRows()) {
    if (row.ordinal > ordinal && count < limit) {
      count += 1;
      last = row.ordinal;
      visit(row, undefined);
    }
  }
  return { ordinal: last, done: count < limit };
}
