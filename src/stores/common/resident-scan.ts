import { partitionKeyText, type PartitionKey, type PartitionKeyText } from '../../store/partition-key.ts';
import { isInEpkRange } from '../../store/effective-partition-key.ts';
import type { EpkRange } from '../../store/queries.ts';
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

/** Rows of one step of a scan, and the creation order to go on from. */
export interface RowBatch {
  readonly rows: readonly ResidentRow[];
  readonly done: boolean;
}

/**
 * Up to `limit` rows behind `ordinal` in creation order, as a draft sees them: its own writes included, expired rows not. With a full partition
 * key only its rows are looked at; {@link scopeFilter} is still the caller's part.
 */
export function scanRows(draft: ResidentDraft, scope: RowScope, ordinal: number, limit: number): RowBatch {
  const rows: ResidentRow[] = [];
  // The clock is asked once for all: asking it takes as long as looking at a row.
  const nowSeconds = draft.container.nowSeconds();
  const log = draft.container.createdIn(fullPartitionKeyText(draft.container, scope));
  let index = log.indexAfter(ordinal);
  for (; index < log.size && rows.length < limit; index += 1) {
    const entry = log.at(index);
    const row = entry === undefined ? undefined : draft.get(entry.key, nowSeconds);
    if (row !== undefined && row.ordinal === entry?.order) {
      rows.push(row);
    }
  }
  if (index < log.size) {
    return { rows, done: false };
  }
  // What the draft created comes behind all that is committed.
  for (const row of draft.createdRows()) {
    if (row.ordinal > ordinal && rows.length < limit) {
      rows.push(row);
    }
  }
  return { rows, done: rows.length < limit };
}
