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
