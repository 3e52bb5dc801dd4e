import { throwIfAborted } from '../../../core/errors.ts';
import type { Runtime } from '../../../core/runtime.ts';
import { unescapeText } from '../../../query/compile/postgres/nul-text.ts';
import { databaseRid } from '../../../store/resource-id.ts';
import type { SnapshotBody } from '../../../store/snapshot/backend-snapshots.ts';
import { SNAPSHOT_VERSION, type SnapshotContainer, type SnapshotDocument } from '../../../store/snapshot/snapshot-record.ts';
import { erasUpTo } from '../../../store/version-etag.ts';
import { pastOutsideRetention, reachesBack } from '../../../store/version-retention.ts';
import { readDefinition } from '../../common/definition-text.ts';
import { changeRecord, type ChangeRow } from '../../common/change-record.ts';
import { erasOf } from '../../common/stored-container.ts';
import type { ContainerRow } from '../container-row.ts';
import { containerNames, quoteName, type ContainerNames } from '../names.ts';
import type { PgRow, Session } from '../postgres-database.ts';
import { Resources } from '../resource-statements.ts';
import { boundedRows } from '../scan-slices.ts';
import { piece, statementOf, value, type SqlPiece } from '../scan-scope.ts';
import { floorOf } from '../versions/tidy-versions.ts';

/** How the records of a store are read. */
export interface SnapshotSource {
  /** The one transaction of the snapshot. */
  readonly session: Session;
  readonly prefix: string;
  readonly runtime: Runtime;
  readonly takenAtMs: number;
  readonly asOfMs: number | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Rows of one statement; what they hold together is bounded too. */
const PAGE_ROWS = 1000;

interface DocumentRow extends PgRow {
  readonly ordinal: number;
  readonly position: number;
  readonly ts: number;
  readonly expires_at: number | null;
  readonly body: string;
}

/** Reads everything in a store, in pieces of bounded size. @throws OUTSIDE_RETENTION */
export async function* readSnapshot(source: SnapshotSource): AsyncGenerator<Iterable<SnapshotBody>> {
  const { session, prefix, takenAtMs, asOfMs } = source;
  const s = quoteName(prefix);
  const resources = new Resources(session, prefix);
  const databases = await resources.databaseRows();
  const containers = await resources.listAllContainers();
  if (asOfMs !== undefined) {
    assertReaches(source, containers, asOfMs);
  }
  const [last] = await session.rows<{ last: number }>({
    text: 'SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence($1, $2)::regclass), 0) AS last',
    values: [`${s}.databases`, 'number'],
  });
  yield [{ kind: 'perigee-snapshot', version: SNAPSHOT_VERSION, takenAtMs, lastDatabase: last?.last ?? 0 }];
  for (const { number, id, etag, ts, containers: lastContainer } of databases) {
    yield [{ kind: 'database', id: unescapeText(id), rid: databaseRid(number), etag, ts, lastContainer }];
    for (const { row } of containers.filter((one) => one.row.database === number)) {
      yield* readContainer(source, row, unescapeText(id));
    }
  }
  const catalog = await resources.findCatalog();
  if (catalog !== undefined && (await resources.headOf(catalog)) > 0) {
    yield* readContainer({ ...source, asOfMs: undefined }, catalog, null);
  }
}

function namesOf({ prefix }: SnapshotSource, { database, number }: ContainerRow): ContainerNames {
  return containerNames(prefix, database, number);
}

function assertReaches(
  { runtime }: SnapshotSource,
  containers: readonly { readonly databaseId: string; readonly row: ContainerRow }[],
  asOfMs: number,
): void {
  const nowMs = runtime.nowMs();
  const missing = containers.filter(
    ({ row }) => !reachesBack({ definition: readDefinition(row.definition), floor: floorOf(row), nowMs }, asOfMs),
  );
  if (missing.length > 0) {
    throw pastOutsideRetention(missing.map(({ databaseId, row }) => `${databaseId}/${row.id}`));
  }
}

/** The highest position that was ever given. */
async function* readContainer(source: SnapshotSource, row: ContainerRow, database: string | null): AsyncGenerator<Iterable<SnapshotBody>> {
  const names = namesOf(source, row);
  const record = containerRecord(row, database, await new Resources(source.session, source.prefix).headOf(row));
  yield [record];
  const cut = source.asOfMs === undefined ? undefined : await cutAt(source, names, source.asOfMs);
  yield* documentPages(source, cut === undefined ? currentDocuments(source, names, record) : pastDocuments(names, cut));
  if (record.recorded !== null) {
    yield* changePages(source, names, record.recorded.position, cut ?? record.position);
  }
}

function containerRecord(row: ContainerRow, database: string | null, position: number): SnapshotContainer {
  const { rid, etag, ts, incarnation } = row;
  const etags = erasUpTo(erasOf(row), incarnation, position);
  const definition = readDefinition(row.definition);
  return { kind: 'container', database, rid, etag, ts, definition, position, etags, recorded: floorOf(row) ?? null };
}

/** Position of the last change that belongs to the state of a time. */
async function cutAt({ session }: SnapshotSource, { versions }: ContainerNames, asOfMs: number): Promise<number> {
  const first = piece`SELECT min(position) AS first FROM ${versions} WHERE at_ms > ${value('bigint', Math.floor(asOfMs))}`;
  const [row] = await session.rows<{ first: number | null }>(statementOf(first));
  return row === undefined || row.first === null ? Number.MAX_SAFE_INTEGER : row.first - 1;
}

/** Documents behind an ordinal, in the order of creation, at most so many. */
type DocumentsBehind = (behind: number, limit: number) => SqlPiece;

function currentDocuments({ takenAtMs }: SnapshotSource, { documents }: ContainerNames, { recorded }: SnapshotContainer): DocumentsBehind {
  // Where versions are recorded, one that has expired is there until that is recorded.
  const living = recorded === null ? piece` AND (expires_at IS NULL OR expires_at > ${value('bigint', Math.floor(takenAtMs / 1000))})` : '';
  return (behind, limit) =>
    piece`SELECT ordinal, position, ts, expires_at, body FROM ${documents} WHERE ordinal > ${value('bigint', behind)}${living} ORDER BY ordinal LIMIT ${value('bigint', limit)}`;
}

/**
 * The documents as they were: those that were not written since, and the version before the first change since of all others. Both are versions whose
 * position is not behind the cut.
 */
function pastDocuments({ documents, versions }: ContainerNames, cut: number): DocumentsBehind {
  const upTo = value('bigint', cut);
  return (behind, limit) => {
    const from = value('bigint', behind);
    const most = value('bigint', limit);
    return piece`(SELECT ordinal, position, ts, expires_at, body FROM ${documents} WHERE ordinal > ${from} AND position <= ${upTo} ORDER BY ordinal LIMIT ${most})
      UNION ALL (SELECT ordinal, previous AS position, previous_ts AS ts, previous_expires_at AS expires_at, previous_body AS body FROM ${versions}
        WHERE position > ${upTo} AND previous <= ${upTo} AND ordinal > ${from} ORDER BY ordinal LIMIT ${most})
      ORDER BY ordinal LIMIT ${most}`;
  };
}

const DOCUMENT_SHAPE = { columns: 'ordinal, position, ts, expires_at, body', bytes: 'octet_length(body)' };

async function* documentPages(
  { session, signal }: SnapshotSource,
  documentsBehind: DocumentsBehind,
): AsyncGenerator<Iterable<SnapshotBody>> {
  for (let behind: number | undefined = 0; behind !== undefined;) {
    const statement: SqlPiece = boundedRows(documentsBehind(behind, PAGE_ROWS), 'ordinal', DOCUMENT_SHAPE);
    const rows: readonly DocumentRow[] = await session.rows<DocumentRow>(statementOf(statement));
    yield rows.map(documentRecord);
    behind = rows.at(-1)?.ordinal;
    throwIfAborted(signal);
  }
}

function documentRecord({ ordinal, position, ts, expires_at: expiresAt, body }: DocumentRow): SnapshotDocument {
  return { kind: 'document', ordinal, position, ts, expiresAt, text: body };
}

const CHANGE_SHAPE = {
  columns: 'position, ordinal, kind, at_ms, key, id, previous, previous_ts, previous_expires_at, previous_body',
  bytes: 'coalesce(octet_length(previous_body), 0)',
};

async function* changePages(
  { session, signal }: SnapshotSource,
  { versions }: ContainerNames,
  floor: number,
  cut: number,
): AsyncGenerator<Iterable<SnapshotBody>> {
  for (let behind: number | undefined = floor; behind !== undefined;) {
    const found: SqlPiece = piece`SELECT ${CHANGE_SHAPE.columns} FROM ${versions} WHERE position > ${value('bigint', behind)} AND position <= ${value('bigint', cut)} ORDER BY position LIMIT ${value('bigint', PAGE_ROWS)}`;
    const rows = await session.rows<PgRow & Omit<ChangeRow, 'pk' | 'body'> & { key: string; previous_body: string | null }>(
      statementOf(boundedRows(found, 'position', CHANGE_SHAPE)),
    );
    yield rows.map((row) => changeRecord({ ...row, id: unescapeText(row.id), pk: row.key, body: row.previous_body }));
    behind = rows.at(-1)?.position;
    throwIfAborted(signal);
  }
}
