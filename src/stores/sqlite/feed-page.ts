import { throwIfAborted } from '../../core/errors.ts';
import { feedUnits } from '../../query/cost/request-units.ts';
import { formatCursor } from '../../store/change-cursor.ts';
import type { Change, ChangePage } from '../../store/changes.ts';
import type { ChangesRequest } from '../../store/store-hooks.ts';
import type { Program } from './driver.ts';
import { SliceSize } from './slice-size.ts';
import type { SqliteContainer } from './sqlite-container.ts';

/** Changes of one read transaction. */
export interface FeedSlice<R> {
  readonly rows: readonly R[];
  /** The position up to which everything was looked at. */
  readonly next: number;
  /** The newest position when the slice was read; the slice is the last one when it reaches it. */
  readonly head: number;
}

/** How a feed is read: where it starts, a slice of it, and what a row of a slice is. */
export interface FeedReading<T extends object, R> {
  /** Position behind which it starts. */
  readonly start: number;
  /** Binding of the cursor that the page gives. */
  readonly binding: string;
  /** The changes behind a position, looking at about `size` of them and giving at most `limit`. */
  readonly slice: (behind: number, size: number, limit: number) => Program<FeedSlice<R>>;
  readonly changeOf: (row: R) => Change<T>;
  /** How much text a row is made of, in UTF-16 units. */
  readonly lengthOf: (row: R) => number;
}

/** Reads one page of a change feed slice by slice, so that others have their turn between two of them. */
export async function readFeedPage<T extends object, R>(
  { database }: SqliteContainer,
  { maxItemCount, signal }: Pick<ChangesRequest, 'maxItemCount' | 'signal'>,
  { start, binding, slice: readSlice, changeOf, lengthOf }: FeedReading<T, R>,
): Promise<ChangePage<T>> {
  const size = new SliceSize(database.runtime);
  const changes: Change<T>[] = [];
  let position = start;
  let head = start;
  let bytes = 0;
  let caughtUp = false;
  while (!caughtUp && changes.length < maxItemCount) {
    const from = position;
    const rows = size.begin();
    const limit = Math.min(rows, maxItemCount - changes.length);
    const slice = await database.read(() => readSlice(from, rows, limit));
    let characters = 0;
    for (const row of slice.rows) {
      changes.push(changeOf(row));
      characters += lengthOf(row);
    }
    bytes += characters;
    size.end(characters);
    position = slice.next;
    head = slice.head;
    caughtUp = position >= head;
    if (!caughtUp && changes.length < maxItemCount) {
      await database.runtime.yieldTask();
      throwIfAborted(signal);
    }
  }
  return {
    changes,
    cursor: formatCursor(binding, position),
    caughtUp,
    requestUnits: feedUnits(changes.length, bytes),
    session: String(head),
  };
}
