import type { SourceRow } from '../../query/executor/query-source.ts';
import type { OrderEntry } from './order-log.ts';
import type { ResidentRow } from './resident-container.ts';

/**
 * The creation of a document, for as long as the document lives: later versions take the place of its row.
 *
 * A scan reads from it what it needs of every document, so that it need not go to the row: in a large container that is most of its time.
 */
export interface CreationEntry extends OrderEntry {
  /** The committed row, expired or not; `undefined` once it was removed. */
  row: ResidentRow | undefined;
  /** Length of the row's text. */
  bytes: number;
  /** What a query has parsed of the row. */
  parsed: SourceRow | undefined;
}

/** A write of a document: living for as long as the row of its entry is the one that it wrote. */
export interface CommitEntry extends OrderEntry {
  readonly of: CreationEntry;
}

/** The row that a write left, unless it was written again or removed since. */
export function rowOfCommit({ of, order }: CommitEntry): ResidentRow | undefined {
  return of.row?.position === order ? of.row : undefined;
}
