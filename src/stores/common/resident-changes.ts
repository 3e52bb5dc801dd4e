import { throwIfAborted } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Runtime } from '../../core/runtime.ts';
import { feedUnits } from '../../query/cost/request-units.ts';
import { cursorBindings, formatCursor, parseCursor } from '../../store/change-cursor.ts';
import { latestChange, type Change, type ChangePage } from '../../store/changes.ts';
import type { ChangesRequest } from '../../store/store-hooks.ts';
import { rowOfCommit } from './creation-entry.ts';
import type { ResidentContainer, ResidentRow } from './resident-container.ts';
import { scopeFilter } from './resident-scan.ts';
import { documentOf } from './resident-writes.ts';

/** Entries looked at before others get a turn. */
const TURN_ENTRIES = 10_000;

/** Reads one page of the latest-version change feed: living rows in commit order. */
export async function readChanges<T extends object = JsonObject>(
  container: ResidentContainer,
  request: ChangesRequest,
  runtime: Runtime,
): Promise<ChangePage<T>> {
  const { issued, next } = cursorBindings(container.incarnation, request);
  let position = startPosition(container, request, issued);
  const matches = scopeFilter(container, request);
  const changes: Change<T>[] = [];
  let bytes = 0;
  let caughtUp = false;
  while (!caughtUp && changes.length < request.maxItemCount) {
    // A turn of its own index: the log may be rewritten while others have theirs.
    const start = container.committed.indexAfter(position);
    const end = Math.min(start + TURN_ENTRIES, container.committed.size);
    let index = start;
    for (; index < end && changes.length < request.maxItemCount; index += 1) {
      const row = livingRow(container, index);
      position = container.committed.at(index)?.order ?? position;
      if (row !== undefined && matches(row)) {
        bytes += row.text.length;
        changes.push(latestChange(documentOf<T>(row), row.position));
      }
    }
    caughtUp = index >= container.committed.size;
    if (index === end && !caughtUp) {
      await runtime.yieldTask();
      throwIfAborted(request.signal);
    }
  }
  // Behind the last entry there may be deletes; they have positions and no entries.
  const last = caughtUp ? Math.max(position, container.position) : position;
  return {
    changes,
    cursor: formatCursor(next, last),
    caughtUp,
    requestUnits: feedUnits(changes.length, bytes),
    session: String(container.position),
  };
}

/** The position behind which a feed starts. */
function startPosition(container: ResidentContainer, request: ChangesRequest, binding: string): number {
  const { from } = request;
  if (from === 'beginning') {
    return 0;
  }
  if (from === 'now') {
    return container.position;
  }
  if ('cursor' in from) {
    return parseCursor(from.cursor, binding, container.position);
  }
  // The clock of documents counts seconds, so the whole second of the given time is delivered.
  const seconds = Math.floor(from.timeMs / 1000);
  for (let index = 0; index < container.committed.size; index += 1) {
    if ((livingRow(container, index)?.ts ?? -1) >= seconds) {
      return (container.committed.at(index)?.order ?? 1) - 1;
    }
  }
  return container.position;
}

/** The row of an entry of the commit log, unless it was written again, deleted, or has expired. */
function livingRow(container: ResidentContainer, index: number): ResidentRow | undefined {
  const entry = container.committed.at(index);
  const row = entry === undefined ? undefined : rowOfCommit(entry);
  return row === undefined || container.isExpired(row, container.nowSeconds()) ? undefined : row;
}
