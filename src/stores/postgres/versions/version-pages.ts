import { throwIfAborted } from '../../../core/errors.ts';
import type { JsonObject } from '../../../core/json.ts';
import { cursorBindings } from '../../../store/change-cursor.ts';
import type { Change, ChangePage } from '../../../store/changes.ts';
import { parsePartitionKeyText, parsePropertyPath } from '../../../store/partition-key.ts';
import type { ChangesRequest } from '../../../store/store-hooks.ts';
import { startOfVersions } from '../../../store/version-retention.ts';
import { changeOfRecord, type RecordedChange } from '../../common/recorded-change.ts';
import { unescapeText } from '../../../query/compile/postgres/nul-text.ts';
import type { PostgresContainer } from '../postgres-container.ts';
import type { PgRow } from '../postgres-database.ts';
import { boundedRows, type Run } from '../scan-slices.ts';
import { piece, keyConditions, statementOf, value, type SqlPiece } from '../scan-scope.ts';
import { changePage } from '../change-pages.ts';
import { readWindow, tidyVersions } from './tidy-versions.ts';

const WHAT = 'read the versions of the PostgreSQL store';
const PAGE_ROWS = 200;

interface VersionRow extends PgRow, RecordedChange {
  readonly key: string;
  readonly total: number;
}

/** Changes behind one position and up to another, in order, at most some, with the version before and after each. */
function versionsStatement(container: PostgresContainer, scope: SqlPiece, behind: number, upTo: number, limit: number): SqlPiece {
  const { versions, documents } = container.names;
  const found = piece`SELECT * FROM ${versions} WHERE position > ${value('bigint', behind)} AND position <= ${value('bigint', upTo)}${scope} ORDER BY position LIMIT ${value('bigint', limit)}`;
  const rows = piece`SELECT l.position, l.ordinal, l.kind, l.at_ms, l.id, l.key, l.previous, l.previous_ts, l.previous_body AS previous_text,
    coalesce(n.previous_ts, d.ts) AS ts, coalesce(n.previous_body, d.body) AS body
    FROM (${found}) AS l LEFT JOIN ${versions} n ON n.previous = l.position LEFT JOIN ${documents} d ON d.ordinal = l.ordinal AND d.position = l.position`;
  return boundedRows(rows, 'position', {
    columns: 'position, ordinal, kind, at_ms, id, key, previous, previous_ts, previous_text, ts, body',
    bytes: 'coalesce(octet_length(body), 0) + coalesce(octet_length(previous_text), 0)',
  });
}

/** Reads one page of the change feed of all versions and deletes, in commit order. @throws OUTSIDE_RETENTION, INVALID_CONTINUATION */
export async function readVersions<T extends object = JsonObject>(
  container: PostgresContainer,
  request: ChangesRequest,
  pathCount: number,
): Promise<ChangePage<T>> {
  const { database, statements } = container;
  const { maxItemCount, partitionKey, range, signal } = request;
  const run: Run = (statement) => database.read(WHAT, statement);
  await container.reload();
  await tidyVersions(container, signal);
  const horizon =
    (await run<{ horizon: number }>({ text: container.isRecording ? statements.versionsHorizon : statements.horizon, values: [] }))[0]
      ?.horizon ?? 0;
  // A cursor may stand above a horizon that is lower for a moment than it was.
  const isResumed = typeof request.from === 'object' && 'cursor' in request.from;
  const window = await readWindow(container, isResumed ? Math.max(horizon, await container.head()) : horizon);
  const { issued, next } = cursorBindings(container.source, request);
  const start = startOfVersions(request.from, window, issued);
  const scope = keyConditions({ partitionKeys: partitionKey === undefined ? undefined : [partitionKey], pathCount, range });
  const paths = container.info.definition.partitionKey.paths.map(parsePropertyPath);
  let position = 'position' in start ? start.position : await positionBefore(container, start.seconds * 1000, horizon, run);
  const changes: Change<T>[] = [];
  let bytes = 0;
  while (position < horizon && changes.length < maxItemCount) {
    const limit = Math.min(PAGE_ROWS, maxItemCount - changes.length);
    const rows = await run<VersionRow>(statementOf(versionsStatement(container, scope, position, horizon, limit)));
    for (const row of rows) {
      const keyOf = () => parsePartitionKeyText(row.key);
      changes.push(changeOfRecord<T>(container, { ...row, id: unescapeText(row.id) }, keyOf, paths));
      bytes += (row.body?.length ?? 0) + (row.previous_text?.length ?? 0);
    }
    const total = rows[0]?.total ?? 0;
    position = total < limit && rows.length === total ? horizon : (rows.at(-1)?.position ?? horizon);
    throwIfAborted(signal);
  }
  return changePage(container, { changes, bytes, position, horizon, binding: next });
}

/** The position before the first change of a time or later; the horizon where there is none. */
async function positionBefore(container: PostgresContainer, atMs: number, horizon: number, run: Run): Promise<number> {
  const found = piece`SELECT position FROM ${container.names.versions} WHERE at_ms >= ${value('bigint', atMs)} ORDER BY position LIMIT 1`;
  const [row] = await run<{ position: number }>(statementOf(found));
  return Math.min((row?.position ?? horizon + 1) - 1, horizon);
}
