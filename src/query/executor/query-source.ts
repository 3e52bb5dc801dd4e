import type { JsonObject, JsonValue } from '../../core/json.ts';

/** A document and its place in the order of creation. */
export interface SourceRow {
  /** Unique in the source, a whole number above 0, and the same for the whole life of the document. */
  readonly ordinal: number;
  readonly document: JsonObject;
}

/** What a source has read in one go. */
export interface SourceBatch {
  /** By ordinal, ascending, and above those of earlier batches. */
  readonly rows: readonly SourceRow[];
  /** Everything up to this ordinal has been looked at. */
  readonly scannedTo: number;
  /** How many documents were looked at to find these rows. */
  readonly looked: number;
  /** How many documents were left out since {@link SourceScan.skippable} allowed it. */
  readonly skipped?: number | undefined;
}

/**
 * Where a query takes its documents from. A store implements it; {@link executeQuery} calls it.
 *
 * `scan` gives every document with an ordinal above `afterOrdinal`, but may leave out documents that WHERE would drop. A batch is small enough
 * to be worked through within a few milliseconds, or the executor pauses in the middle of it: rows must stay valid, and documents must not
 * change, until the next batch is asked for. The iterator is closed when the page is complete. Aborting the signal makes it throw the
 * signal's reason.
 */
export interface QuerySource {
  scan(request: SourceScan): AsyncIterable<SourceBatch>;
  /**
   * Counts the documents of the scope that the caller asked for, whatever WHERE says of them, with an ordinal above `behind` and up to `upTo`: what
   * a query is charged for that no index of the policy serves. Without it such a query is charged as any other.
   */
  readonly count?: ((behind: number, upTo: number, signal: AbortSignal | undefined) => Promise<number>) | undefined;
  /**
   * Gives documents in the order of ORDER BY, equal ones in that of creation, where the source has an index for it. As with `scan`, documents that
   * WHERE would drop may be left out. It may give up at any time, having been right so far: then the executor makes the page by `scan`.
   */
  readonly ordered?: ((request: OrderedScan) => AsyncIterable<OrderedBatch>) | undefined;
}

/** What the executor asks of a source in the order of the query. */
export interface OrderedScan {
  /** The place to start at, itself included: the values of ORDER BY, and the document's ordinal. From the start when undefined. */
  readonly from: { readonly keys: readonly (JsonValue | undefined)[]; readonly ordinal: number } | undefined;
  /** How many rows the executor is likely to take. */
  readonly expectedRows: number;
  readonly signal: AbortSignal | undefined;
}

/** What an ordered source has read in one go; `'gave-up'` ends it. */
export type OrderedBatch = Pick<SourceBatch, 'rows' | 'looked'> | 'gave-up';

/** What the executor asks of a source. */
export interface SourceScan {
  readonly afterOrdinal: number;
  readonly signal: AbortSignal | undefined;
  /** Only so many of the first rows in the order of ORDER BY are needed: of any batch the source may leave out what cannot be among them. */
  readonly firstInOrder?: number | undefined;
  /** So many of the first documents that satisfy WHERE may be counted instead of given. The source has to know exactly which these are. */
  readonly skippable?: number | undefined;
}

/** The source of a query that reads no container: one empty document. */
export const virtualSource: QuerySource = {
  async *scan({ afterOrdinal }) {
    if (afterOrdinal < 1) {
      yield await Promise.resolve({ rows: [{ ordinal: 1, document: {} }], scannedTo: 1, looked: 0 });
    }
  },
};
