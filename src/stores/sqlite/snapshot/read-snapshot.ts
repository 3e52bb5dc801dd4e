import { throwIfAborted } from '../../../core/errors.ts';
import type { Runtime } from '../../../core/runtime.ts';
import type { SnapshotBody } from '../../../store/snapshot/backend-snapshots.ts';
import { SNAPSHOT_VERSION, type SnapshotContainer, type SnapshotDocument } from '../../../store/snapshot/snapshot-record.ts';
import { databaseRid } from '../../../store/resource-id.ts';
import { erasUpTo } from '../../../store/version-etag.ts';
import { pastOutsideRetention, reachesBack, type RetentionFloor } from '../../../store/version-retention.ts';
import { erasOf } from '../../common/stored-container.ts';
import type { ContainerRow } from '../container-row.ts';
import { containerStatements, tableNames } from '../container-statements.ts';
import { readDefinition } from '../../common/definition-text.ts';
import { all, get, type Program } from '../driver.ts';
import { CATALOG_DATABASE } from '../../common/stored-container.ts';
import type { Read } from '../scan-slices.ts';
import { SliceSize } from '../slice-size.ts';
import { floorOf, type RecordingColumns } from '../versions/version-recorder.ts';
import { changeRecord, type ChangeRow } from '../../common/change-record.ts';
import { RECORDED_EXPIRY } from '../versions/version-statements.ts';
import { PastState } from './past-state.ts';

/** How the records of a file are read. */
export interface SnapshotSource {
  /** Runs a program in the one transaction of the snapshot. */
  readonly read: Read;
  readonly runtime: Runtime;
  readonly takenAtMs: number;
  readonly asOfMs: number | undefined;
  readonly signal: AbortSignal | undefined;
}

type StoredContainer = ContainerRow & RecordingColumns;

interface StoredDatabase {
  readonly number: number;
  readonly id: string;
  readonly etag: string;
  readonly ts: number;
  readonly containers: number;
}

interface DocumentRow {
  readonly ordinal: number;
  readonly position: number;
  readonly ts: number;
  readonly expires_at: number | null;
  /** `null` for a document that has expired. */
  readonly body: string | null;
}

function* containersIn(database: number): Program<readonly StoredContainer[]> {
  const rows: StoredContainer[] = [];
  for (const { number } of yield* all<{ number: number }>('SELECT number FROM containers WHERE database = ? ORDER BY number', database)) {
    const row = (yield* get<Omit<StoredContainer, 'number'>>(containerStatements(number).load)) as Omit<StoredContainer, 'number'>;
    rows.push({ ...row, number });
  }
  return rows;
}

function containerRecord(row: StoredContainer, database: string | null): SnapshotContainer {
  const { rid, etag, ts, head: position, incarnation } = row;
  return {
    kind: 'container',
    database,
    rid,
    etag,
    ts,
    definition: readDefinition(row.definition),
    position,
    etags: erasUpTo(erasOf(row), incarnation, position),
    recorded: floorOf(row) ?? null,
  };
}

/** Reads everything in a file, in pieces of bounded size; others have their turn between two. @throws OUTSIDE_RETENTION */
export async function* readSnapshot(source: SnapshotSource): AsyncGenerator<Iterable<SnapshotBody>> {
  const { read, takenAtMs, asOfMs } = source;
  const databases = await read(() => all<StoredDatabase>('SELECT number, id, etag, ts, containers FROM databases ORDER BY number'));
  if (asOfMs !== undefined) {
    await assertReaches(source, databases, asOfMs);
  }
  const last = await read(() => get<{ seq: number }>("SELECT seq FROM sqlite_sequence WHERE name = 'databases'"));
  yield [{ kind: 'perigee-snapshot', version: SNAPSHOT_VERSION, takenAtMs, lastDatabase: last?.seq ?? 0 }];
  for (const { number, id, etag, ts, containers: lastContainer } of databases) {
    yield [{ kind: 'database', id, rid: databaseRid(number), etag, ts, lastContainer }];
    for (const row of await read(() => containersIn(number))) {
      yield* readContainer(source, row, id);
    }
  }
  for (const row of await read(() => containersIn(CATALOG_DATABASE))) {
    if (row.head > 0) {
      yield* readContainer({ ...source, asOfMs: undefined }, row, null);
    }
  }
}

async function assertReaches({ read, runtime }: SnapshotSource, databases: readonly StoredDatabase[], asOfMs: number): Promise<void> {
  const missing: string[] = [];
  for (const { number, id } of databases) {
    for (const row of await read(() => containersIn(number))) {
      const window: { readonly floor: RetentionFloor | undefined; readonly nowMs: number } = {
        floor: floorOf(row),
        nowMs: runtime.nowMs(),
      };
      if (!reachesBack({ definition: readDefinition(row.definition), ...window }, asOfMs)) {
        missing.push(`${id}/${row.id}`);
      }
    }
  }
  if (missing.length > 0) {
    throw pastOutsideRetention(missing);
  }
}

async function* readContainer(
  source: SnapshotSource,
  row: StoredContainer,
  database: string | null,
): AsyncGenerator<Iterable<SnapshotBody>> {
  const record = containerRecord(row, database);
  yield [record];
  const { number } = row;
  const past = source.asOfMs === undefined ? undefined : await PastState.find(source, number, source.asOfMs);
  const cut = past?.cut ?? record.position;
  const documentsOf =
    past === undefined
      ? currentDocuments(record, number, source.takenAtMs)
      : (behind: number, size: number) => past.documents(behind, size);
  yield* pages(source, 0, documentsOf, documentRecord);
  if (record.recorded !== null) {
    yield* pages(source, record.recorded.position, changesOf(number, cut), changeRecord);
  }
}

/** Rows behind an ordinal or a position, and where they end; `undefined` for the last ones. */
export interface RowPage<R> {
  readonly rows: readonly R[];
  readonly next: number | undefined;
}

async function* pages<R extends { readonly body: string | null }>(
  { read, runtime, signal }: SnapshotSource,
  start: number,
  page: (behind: number, size: number) => Program<RowPage<R>>,
  recordOf: (row: R) => SnapshotBody | undefined,
): AsyncGenerator<Iterable<SnapshotBody>> {
  const size = new SliceSize(runtime);
  for (let behind: number | undefined = start; behind !== undefined;) {
    const from: number = behind;
    const rows = size.begin();
    const found = await read(() => page(from, rows));
    size.end(found.rows.reduce((sum, { body }) => sum + (body?.length ?? 0), 0));
    yield found.rows.map(recordOf).filter((record) => record !== undefined);
    behind = found.next;
    await runtime.yieldTask();
    throwIfAborted(signal);
  }
}

function currentDocuments(
  { recorded }: SnapshotContainer,
  container: number,
  takenAtMs: number,
): (behind: number, size: number) => Program<RowPage<DocumentRow>> {
  const { documents } = tableNames(container);
  const sql =
    'SELECT ordinal, position, ts, expires_at, CASE WHEN expires_at <= ? THEN NULL ELSE json(body) END AS body' +
    ` FROM ${documents} WHERE ordinal > ? ORDER BY ordinal LIMIT ?`;
  // Where versions are recorded, one that has expired is there until that is recorded, which it cannot be where nothing is written.
  const takenAt = recorded === null ? Math.floor(takenAtMs / 1000) : RECORDED_EXPIRY;
  return function* (behind, size) {
    const rows = yield* all<DocumentRow>(sql, takenAt, behind, size);
    return { rows, next: rows.length === size ? rows.at(-1)?.ordinal : undefined };
  };
}

function documentRecord({ ordinal, position, ts, expires_at: expiresAt, body }: DocumentRow): SnapshotDocument | undefined {
  return body === null || expiresAt === RECORDED_EXPIRY ? undefined : { kind: 'document', ordinal, position, ts, expiresAt, text: body };
}

function changesOf(container: number, cut: number): (behind: number, size: number) => Program<RowPage<ChangeRow>> {
  const { versions } = tableNames(container);
  const sql =
    'SELECT position, ordinal, kind, at_ms, pk, id, previous, previous_ts, previous_expires_at, json(previous_body) AS body' +
    ` FROM ${versions} WHERE position > ? AND position <= ? ORDER BY position LIMIT ?`;
  return function* (behind, size) {
    const rows = yield* all<ChangeRow>(sql, behind, cut, size);
    return { rows, next: rows.length === size ? rows.at(-1)?.position : undefined };
  };
}
