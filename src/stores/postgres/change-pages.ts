import { throwIfAborted } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import { feedUnits } from '../../query/cost/request-units.ts';
import { cursorBindings, formatCursor, parseCursor } from '../../store/change-cursor.ts';
import { latestChange, type Change, type ChangePage } from '../../store/changes.ts';
import type { StoredDocument } from '../../store/document.ts';
import type { ChangesRequest } from '../../store/store-hooks.ts';
import type { PostgresContainer } from './postgres-container.ts';
import type { PostgresDatabase } from './postgres-database.ts';
import { piece, scopeCondition, statementOf, value, type SqlPiece } from './scan-scope.ts';
import { boundedRows, nextRows, readBounded, type Run } from './scan-slices.ts';

const WHAT = 'read the change feed of the PostgreSQL store';

/** Changes behind one position and up to another, in order, at most some. Documents never written again have their ordinal as position. */
function changesStatement(documents: string, condition: SqlPiece, behind: number, upTo: number, limit: number): SqlPiece {
  const half = (column: string, kind: string): SqlPiece =>
    piece`(SELECT ordinal, position, ts, body FROM ${documents} WHERE ${column} > ${value('bigint', behind)} AND ${column} <= ${value('bigint', upTo)} AND position ${kind} ordinal AND ${condition} ORDER BY ${column} LIMIT ${value('bigint', limit)})`;
  return boundedRows(
    piece`${half('ordinal', '=')} UNION ALL ${half('position', '<>')} ORDER BY position LIMIT ${value('bigint', limit)}`,
    'position',
  );
}

/** Where a feed is read. */
export interface FeedPlace {
  readonly database: PostgresDatabase;
  /** Up to where a replica has all; it cannot tell itself, as the locks that say so are in the primary. */
  readonly horizon: number | undefined;
}

/** Whether a replica can give a page: where a feed begins now, or at a time, the primary says. */
export function startsOnReplica({ from, mode }: ChangesRequest): boolean {
  return mode === 'latest' && (from === 'beginning' || (typeof from === 'object' && 'cursor' in from));
}

/**
 * Reads one page of the latest-version change feed: living documents in the order of their last write.
 *
 * It stays below what a transaction of this container has taken as a position and not yet committed; an open transaction that writes elsewhere holds
 * nothing up.
 */
export async function readChanges<T extends object = JsonObject>(
  container: PostgresContainer,
  request: ChangesRequest,
  pathCount: number,
  place: FeedPlace = { database: container.database, horizon: undefined },
): Promise<ChangePage<T>> {
  const { names, statements } = container;
  const { database } = place;
  const { maxItemCount, partitionKey, range, signal } = request;
  const { issued, next } = cursorBindings(container.source, request);
  const run: Run = (statement) => database.read(WHAT, statement);
  const horizon = place.horizon ?? (await run<{ horizon: number }>({ text: statements.horizon, values: [] }))[0]?.horizon ?? 0;
  let position = await startPosition(container, request, issued, { horizon, isReplica: place.horizon !== undefined });
  const scope = { partitionKeys: partitionKey === undefined ? undefined : [partitionKey], pathCount, range };
  const changes: Change<T>[] = [];
  let bytes = 0;
  let limit = Math.min(maxItemCount, 100);
  while (position < horizon && changes.length < maxItemCount) {
    const condition = scopeCondition(scope, container.nowSeconds());
    const asked = Math.min(limit, maxItemCount - changes.length);
    const slice = await readBounded(run, changesStatement(names.documents, condition, position, horizon, asked), asked);
    for (const { ordinal, position: at, ts, body } of slice.rows) {
      changes.push(latestChange(container.documentOf(body, ordinal, at, ts) as unknown as StoredDocument<T>, at));
    }
    bytes += slice.characters;
    position = slice.isLast ? horizon : (slice.rows.at(-1)?.position ?? horizon);
    limit = nextRows(limit, slice);
    throwIfAborted(signal);
  }
  container.seen(position);
  const session = place.horizon === undefined ? undefined : Number(request.session ?? 0);
  return changePage(container, { changes, bytes, position, horizon, binding: next, session });
}

/** What was read of a change feed: up to a position, on the way to the horizon. */
interface ReadFeed<T extends object> {
  readonly changes: readonly Change<T>[];
  readonly bytes: number;
  readonly position: number;
  readonly horizon: number;
  /** What its cursor says of the feed. */
  readonly binding: string;
  /** Of a replica: the position that the reader has seen before. */
  readonly session?: number | undefined;
}

/** A page of a change feed. */
export function changePage<T extends object>(container: PostgresContainer, read: ReadFeed<T>): ChangePage<T> {
  const { changes, bytes, position, horizon, binding, session } = read;
  return {
    changes,
    cursor: formatCursor(binding, position),
    caughtUp: position >= horizon,
    requestUnits: feedUnits(changes.length, bytes),
    session: String(Math.max(session ?? container.position, position)),
  };
}

/** The position behind which a feed starts. */
async function startPosition(
  container: PostgresContainer,
  { from }: ChangesRequest,
  binding: string,
  { horizon, isReplica }: { readonly horizon: number; readonly isReplica: boolean },
): Promise<number> {
  if (from === 'beginning') {
    return 0;
  }
  if (from === 'now') {
    return horizon;
  }
  if ('cursor' in from) {
    return parseCursor(from.cursor, binding, isReplica ? horizon : Math.max(horizon, await container.head()));
  }
  // The clock of documents counts seconds, so the whole second of the given time is delivered.
  const seconds = Math.floor(from.timeMs / 1000);
  const [row] = await container.database.read<{ first: number | null }>(
    WHAT,
    statementOf(piece`SELECT min(position) AS first FROM ${container.names.documents} WHERE ts >= ${value('bigint', seconds)}`),
  );
  return Math.min((row?.first ?? horizon + 1) - 1, horizon);
}
