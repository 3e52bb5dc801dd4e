import type { JsonObject } from '../core/json.ts';
import type { StoredDocument } from './document.ts';
import type { CallOptions, ResultInfo } from './operations.ts';
import type { PartitionKeyInput } from './partition-key.ts';
import type { EpkRange } from './queries.ts';

/**
 * Where a change feed starts: at the first change, behind the last, at a time, or behind an earlier page.
 *
 * Mode `all` goes back as far as the container's change feed policy says, and has no beginning: OUTSIDE_RETENTION.
 */
export type ChangesFrom = 'beginning' | 'now' | { readonly timeMs: number } | { readonly cursor: string };

export interface ChangesOptions extends CallOptions {
  /** `'beginning'` unless said otherwise. */
  readonly from?: ChangesFrom | undefined;
  /** One partition key, or a prefix of one. A missing value is written `[undefined]`; an absent member means all. */
  readonly partitionKey?: PartitionKeyInput | undefined;
  /** A range of effective partition keys. */
  readonly range?: EpkRange | undefined;
  /** The range that the cursor was issued for, `'all'` for none, where it is wider than {@link range}. */
  readonly issuedFor?: EpkRange | 'all' | undefined;
  /** `latest` (the default): each changed document once, in its latest version. `all`: every version and delete, where the backend can and the container has a change feed policy. */
  readonly mode?: 'latest' | 'all' | undefined;
  readonly maxItemCount?: number | undefined;
}

/** One entry of the change feed. */
export interface Change<T extends object = JsonObject> {
  /**
   * The document after the change. For a delete (mode `all` only): what is left of it, which is its id, its partition key, and the system properties
   * of the version deleted, but that `_ts` is the time of the delete.
   */
  readonly document: StoredDocument<T>;
  /** Place in commit order, where the backend has positions. */
  readonly position: number | undefined;
  /** Seconds since 1970: `_ts` of the document. For one that expired, when it did. */
  readonly ts: number;
  /** Known in mode `all` only. */
  readonly operation: 'create' | 'replace' | 'delete' | undefined;
  /** The document before the change, in mode `all`: for each replace and delete, where the backend keeps it. */
  readonly previous: StoredDocument<T> | undefined;
  /** Position of the version before the change; known in mode `all` only, for each replace and delete. */
  readonly previousPosition: number | undefined;
  /** Whether it was deleted because its time to live had run out; known in mode `all` only. */
  readonly timeToLiveExpired: boolean | undefined;
}

/** An entry of the latest-version feed: a document and its place. */
export function latestChange<T extends object>(document: StoredDocument<T>, position: number | undefined): Change<T> {
  return {
    document,
    position,
    ts: document._ts,
    operation: undefined,
    previous: undefined,
    previousPosition: undefined,
    timeToLiveExpired: undefined,
  };
}

export interface ChangePage<T extends object = JsonObject> extends ResultInfo {
  readonly changes: readonly Change<T>[];
  /** Where the next page starts; valid also when the page is empty. Opaque, bound to the container and the scope it was read with. */
  readonly cursor: string;
  /** Nothing further had changed when the page was read. */
  readonly caughtUp: boolean;
}

/**
 * The change feed from a cursor. In mode `latest` every document changed after the cursor is delivered at least once, in its latest version, in commit order
 * within a partition key; in mode `all` every version and delete, exactly once. The cursor never passes a change that can still become visible.
 */
export interface ChangeFeed<T extends object = JsonObject> extends AsyncIterable<Change<T>> {
  /** The next page. When caught up it is empty; reading on later delivers what changed since. */
  nextPage(): Promise<ChangePage<T>>;
}
