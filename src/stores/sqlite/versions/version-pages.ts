import { throwIfAborted } from '../../../core/errors.ts';
import type { JsonObject } from '../../../core/json.ts';
import { cursorBindings } from '../../../store/change-cursor.ts';
import type { Change, ChangePage } from '../../../store/changes.ts';
import { parsePartitionKeyText, parsePropertyPath } from '../../../store/partition-key.ts';
import type { ChangesRequest } from '../../../store/store-hooks.ts';
import { startOfVersions } from '../../../store/version-retention.ts';
import { tableNames } from '../container-statements.ts';
import { get, type Program } from '../driver.ts';
import { readFeedPage, type FeedSlice } from '../feed-page.ts';
import { scanStatements, type ScanStatements } from '../scan-statements.ts';
import type { SqliteContainer } from '../sqlite-container.ts';
import { readWindow, tidyVersions } from './tidy-versions.ts';
import { changeOfRecord, type RecordedChange } from '../../common/recorded-change.ts';
import { AFTER_COLUMNS, joinAfter, PREVIOUS_TEXT } from './version-statements.ts';

/** Changes that are looked through for a time before others have their turn. */
const SEARCH_ROWS = 2000;

interface VersionRow extends RecordedChange {
  readonly pk: string;
}

interface FeedStatements {
  readonly scan: ScanStatements;
  readonly rows: string;
  readonly bound: string;
}

function feedStatements(container: number, scan: ScanStatements): FeedStatements {
  const { versions } = tableNames(container);
  const from = scan.lookup === undefined ? `${versions} WHERE` : `${versions} INDEXED BY ${versions}_pk WHERE ${scan.lookup.sql} AND`;
  return {
    scan,
    // The condition of the scope stands on the table alone, whose columns it names.
    rows:
      `SELECT l.position, l.ordinal, l.kind, l.at_ms, l.pk, l.id, l.previous, l.previous_ts, ${PREVIOUS_TEXT} AS previous_text, ${AFTER_COLUMNS}` +
      ` FROM (SELECT * FROM ${from} position > ? AND position <= ?${scan.where.sql} ORDER BY position LIMIT ?) l${joinAfter(container)} ORDER BY l.position`,
    bound: `SELECT position FROM ${from} position > ? ORDER BY position LIMIT 1 OFFSET ?`,
  };
}

/** Reads the changes behind a position, looking at about `size` of them and giving at most `limit`. */
function* readSlice(
  container: SqliteContainer,
  { scan, rows, bound }: FeedStatements,
  behind: number,
  size: number,
  limit: number,
): Program<FeedSlice<VersionRow>> {
  const keys = scan.lookup?.parameters ?? [];
  const head = yield* container.head();
  const place = (yield { mode: 'get', sql: bound, parameters: [...keys, behind, size - 1] }) as { readonly position: number } | undefined;
  // Not beyond the head: with a driver that answers later, more may have been committed since it was read.
  const end = Math.min(place?.position ?? head, head);
  const found = (yield {
    mode: 'all',
    sql: rows,
    parameters: [...keys, behind, end, ...scan.where.parameters, limit],
  }) as readonly VersionRow[];
  return { rows: found, head, next: found.length === limit ? (found.at(-1) as VersionRow).position : end };
}

/** Reads one page of the change feed of all versions and deletes, in commit order. @throws OUTSIDE_RETENTION, INVALID_CONTINUATION */
export async function readVersions<T extends object = JsonObject>(
  container: SqliteContainer,
  request: ChangesRequest,
  pathCount: number,
): Promise<ChangePage<T>> {
  await tidyVersions(container, request.signal);
  const window = await readWindow(container, request.signal);
  const { issued, next } = cursorBindings(container.incarnation, request);
  const start = startOfVersions(request.from, window, issued);
  const scan = scanStatements(container.number, {
    partitionKeys: request.partitionKey === undefined ? undefined : [request.partitionKey],
    pathCount,
    range: request.range,
  });
  const statements = feedStatements(container.number, scan);
  return readFeedPage<T, VersionRow>(container, request, {
    start: 'position' in start ? start.position : await positionBefore(container, start.seconds * 1000, window.head, request.signal),
    binding: next,
    slice: (behind, size, limit) => readSlice(container, statements, behind, size, limit),
    changeOf: changeReader<T>(container),
    lengthOf: (row) => (row.body?.length ?? 0) + (row.previous_text?.length ?? 0),
  });
}

/** The position before the first change of a time or later; the head where there is none. */
async function positionBefore(container: SqliteContainer, atMs: number, head: number, signal: AbortSignal | undefined): Promise<number> {
  const { versions } = tableNames(container.number);
  const sql =
    'SELECT max(position) AS last, min(CASE WHEN at_ms >= ? THEN position END) AS first' +
    ` FROM (SELECT position, at_ms FROM ${versions} WHERE position > ? ORDER BY position LIMIT ${SEARCH_ROWS})`;
  for (let behind = 0; ;) {
    const from = behind;
    const found = await container.database.read(() => get<{ last: number | null; first: number | null }>(sql, atMs, from));
    if (found === undefined || found.last === null || found.last > head) {
      return Math.min((found?.first ?? head + 1) - 1, head);
    }
    if (found.first !== null) {
      return found.first - 1;
    }
    behind = found.last;
    await container.database.runtime.yieldTask();
    throwIfAborted(signal);
  }
}

/** Makes changes of recorded rows. */
function changeReader<T extends object>(container: SqliteContainer): (row: VersionRow) => Change<T> {
  const paths = container.info.definition.partitionKey.paths.map(parsePropertyPath);
  return (row) => changeOfRecord<T>(container, row, () => parsePartitionKeyText(row.pk), paths);
}
