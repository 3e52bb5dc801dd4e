import { throwIfAborted } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import { cursorBindings, parseCursor } from '../../store/change-cursor.ts';
import { latestChange, type ChangePage } from '../../store/changes.ts';
import type { StoredDocument } from '../../store/document.ts';
import type { ChangesRequest } from '../../store/store-hooks.ts';
import { BODY_TEXT, tableNames } from './container-statements.ts';
import { get, type Program } from './driver.ts';
import { readFeedPage, type FeedSlice } from './feed-page.ts';
import { scanStatements, type ScanStatements } from './scan-statements.ts';
import type { ScannedRow } from './scan-slices.ts';
import { SliceSize } from './slice-size.ts';
import type { SqliteContainer } from './sqlite-container.ts';

/** Changes behind one position and up to another, in order, at most some. */
function changesStatement(container: SqliteContainer, { lookup, where }: ScanStatements): string {
  const { documents } = tableNames(container.number);
  const columns = `SELECT ordinal, position, ts, ${BODY_TEXT} AS body FROM ${documents}`;
  const living = `(expires_at IS NULL OR expires_at > ?)${where.sql}`;
  const key = lookup === undefined ? '' : 'pk = ? AND ';
  const byKey = lookup === undefined ? '' : ` INDEXED BY ${documents}_pk`;
  const byPosition = `${documents}${lookup === undefined ? '' : '_pk'}_position`;
  // Documents never written again have their ordinal as position; only the others are in the indexes on positions.
  return (
    `SELECT * FROM (${columns}${byKey} WHERE ${key}ordinal > ? AND ordinal <= ? AND position = ordinal AND ${living} ORDER BY ordinal LIMIT ?)` +
    ` UNION ALL SELECT * FROM (${columns} INDEXED BY ${byPosition} WHERE ${key}position > ? AND position <= ? AND position <> ordinal AND ${living} ORDER BY position LIMIT ?)` +
    ' ORDER BY position LIMIT ?'
  );
}

/** The position `size` rewritten documents behind another. */
function rewrittenBound(container: SqliteContainer, { lookup }: ScanStatements): string {
  const { documents } = tableNames(container.number);
  return lookup === undefined
    ? `SELECT position FROM ${documents} INDEXED BY ${documents}_position WHERE position > ? AND position <> ordinal ORDER BY position LIMIT 1 OFFSET ?`
    : `SELECT position FROM ${documents} INDEXED BY ${documents}_pk_position WHERE pk = ? AND position > ? AND position <> ordinal ORDER BY position LIMIT 1 OFFSET ?`;
}

interface FeedStatements {
  readonly scan: ScanStatements;
  readonly changes: string;
  readonly bound: string;
}

/** The ordinal at which a slice of the scope ends; `undefined` for the last slice. */
function* boundOf(scan: ScanStatements, behind: number, size: number): Program<number | undefined> {
  const bound = scan.bound(behind, size);
  return bound === undefined ? undefined : (yield* get<{ ordinal: number }>(bound.sql, ...bound.parameters))?.ordinal;
}

/** Reads the changes behind a position, looking at about `size` documents and giving at most `limit`. */
function* readSlice(
  container: SqliteContainer,
  { scan, changes, bound }: FeedStatements,
  behind: number,
  size: number,
  limit: number,
): Program<FeedSlice<ScannedRow>> {
  const keys = scan.lookup?.parameters ?? [];
  const head = yield* container.head();
  const created = yield* boundOf(scan, behind, size);
  const rewritten = (yield { mode: 'get', sql: bound, parameters: [...keys, behind, size - 1] }) as
    | { readonly position: number }
    | undefined;
  // Not beyond the head: with a driver that answers later, more may have been committed since it was read.
  const end = Math.min(created ?? head, rewritten?.position ?? head, head);
  const one = [...keys, behind, end, container.nowSeconds(), ...scan.where.parameters, limit];
  const rows = (yield { mode: 'all', sql: changes, parameters: [...one, ...one, limit] }) as readonly ScannedRow[];
  return { rows, head, next: rows.length === limit ? (rows.at(-1) as ScannedRow).position : end };
}

/** Reads one page of the latest-version change feed: living documents in the order of their last write. */
export async function readChanges<T extends object = JsonObject>(
  container: SqliteContainer,
  request: ChangesRequest,
  pathCount: number,
): Promise<ChangePage<T>> {
  const { issued, next } = cursorBindings(container.incarnation, request);
  const scan = scanStatements(container.number, {
    partitionKeys: request.partitionKey === undefined ? undefined : [request.partitionKey],
    pathCount,
    range: request.range,
  });
  const statements = { scan, changes: changesStatement(container, scan), bound: rewrittenBound(container, scan) };
  return readFeedPage<T, ScannedRow>(container, request, {
    start: await startPosition(container, request, issued),
    binding: next,
    slice: (behind, size, limit) => readSlice(container, statements, behind, size, limit),
    changeOf: (row) =>
      latestChange(container.documentOf(row.body, row.ordinal, row.position, row.ts) as unknown as StoredDocument<T>, row.position),
    lengthOf: (row) => row.body.length,
  });
}

/** The position behind which a feed starts. */
async function startPosition(container: SqliteContainer, request: ChangesRequest, binding: string): Promise<number> {
  const { from } = request;
  if (from === 'beginning') {
    return 0;
  }
  const head = await container.database.read(() => container.head());
  if (from === 'now') {
    return head;
  }
  if ('cursor' in from) {
    return parseCursor(from.cursor, binding, head);
  }
  // The clock of documents counts seconds, so the whole second of the given time is delivered.
  return positionAtTime(container, Math.floor(from.timeMs / 1000), head, request.signal);
}

/** The position before that of the first document last written at `seconds` or later; the head where there is none. */
async function positionAtTime(container: SqliteContainer, seconds: number, head: number, signal: AbortSignal | undefined): Promise<number> {
  const { documents } = tableNames(container.number);
  const statements = scanStatements(container.number, { partitionKeys: undefined, pathCount: 1, range: undefined });
  const sql = `SELECT min(position) AS first FROM ${documents} WHERE ordinal > ? AND ordinal <= ? AND ts >= ?`;
  const size = new SliceSize(container.database.runtime);
  let first = head + 1;
  for (let behind = 0; ;) {
    const from = behind;
    const rows = size.begin();
    const slice = await container.database.read(function* (): Program<{ first: number | null; next: number | undefined }> {
      const bound = yield* boundOf(statements, from, rows);
      const end = bound ?? Number.MAX_SAFE_INTEGER;
      const found = (yield { mode: 'get', sql, parameters: [from, end, seconds] }) as { readonly first: number | null };
      return { first: found.first, next: bound };
    });
    size.end(0);
    first = Math.min(first, slice.first ?? first);
    // Positions of what was created later are higher still.
    if (slice.next === undefined || slice.next >= first) {
      return Math.min(first - 1, head);
    }
    behind = slice.next;
    await container.database.runtime.yieldTask();
    throwIfAborted(signal);
  }
}
