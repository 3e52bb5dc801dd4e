import { throwIfAborted } from '../../../core/errors.ts';
import { isOutsideRetention, raiseFloor, retentionMs, type RecordedWindow, type RetentionFloor } from '../../../store/version-retention.ts';
import type { ContainerRow } from '../container-row.ts';
import { quoteName } from '../names.ts';
import type { PostgresContainer } from '../postgres-container.ts';
import type { PgRow } from '../postgres-database.ts';
import { recordSomeExpired } from './record-expired.ts';

/** Partition keys whose expired documents are recorded in one transaction, and changes that are dropped in one. */
const TURN_KEYS = 100;
const TURN_ROWS = 1000;

const WHAT = 'tidy the recorded versions of the PostgreSQL store';

/** Where the recording of a row stands; `undefined` where nothing is recorded. */
export function floorOf({
  versions_floor,
  versions_from_ms,
}: Pick<ContainerRow, 'versions_floor' | 'versions_from_ms'>): RetentionFloor | undefined {
  return versions_floor === null || versions_from_ms === null ? undefined : { position: versions_floor, atMs: versions_from_ms };
}

/** Records what has expired, and drops what is older than it is kept, so that the tables say what is there by the time of now. */
export async function tidyVersions(container: PostgresContainer, signal: AbortSignal | undefined): Promise<void> {
  while ((await recordSome(container)) || (await trimSome(container))) {
    throwIfAborted(signal);
  }
}

/** What the versions of a container can be read from, by the time of now. @param head up to where everything that will ever be is there */
export async function readWindow(container: PostgresContainer, head: number): Promise<RecordedWindow> {
  await container.reload();
  const { info, row, database } = container;
  return { definition: info.definition, floor: floorOf(row), head, nowMs: database.runtime.nowMs() };
}

/** Records expired documents of some partition keys, each under its lock; gives whether others may be left. */
export async function recordSome(container: PostgresContainer): Promise<boolean> {
  const { definition } = container.info;
  if (definition.defaultTtl === undefined || definition.changeFeedPolicy === undefined) {
    return false;
  }
  const { database, names, statements } = container;
  const due = await database.read<{ pk: string }>(WHAT, {
    text: `SELECT DISTINCT pk FROM (SELECT pk FROM ${names.documents} WHERE expires_at <= $1 ORDER BY expires_at, ordinal LIMIT $2) AS due`,
    values: [container.nowSeconds(), TURN_KEYS],
  });
  if (due.length === 0) {
    return false;
  }
  const keys = due.map(({ pk }) => pk);
  await container.withDefinition(() =>
    database.transaction(WHAT, async (session) => {
      await session.rows({ text: statements.enter, values: [container.info.etag, keys, 0] });
      // By the definition of now, which may be another than that of a moment ago.
      if (!container.isRecording) {
        return;
      }
      await recordSomeExpired(container, session, keys);
    }),
  );
  return true;
}

interface OldRow extends PgRow {
  readonly position: number;
  readonly at_ms: number;
}

/** Drops some changes that are older than they are kept; gives whether more may be. */
export async function trimSome(container: PostgresContainer): Promise<boolean> {
  const { database, names, number, info } = container;
  const keptMs = retentionMs(info.definition);
  if (keptMs === undefined) {
    return false;
  }
  const nowMs = database.runtime.nowMs();
  const oldest = await database.read<OldRow>(WHAT, {
    text: `SELECT position, at_ms FROM ${names.versions} ORDER BY position LIMIT $1`,
    values: [TURN_ROWS],
  });
  const kept = oldest.findIndex(({ at_ms }) => !isOutsideRetention(at_ms, nowMs, keptMs));
  const gone = kept === -1 ? oldest : oldest.slice(0, kept);
  if (gone.length === 0) {
    return false;
  }
  await database.transaction(WHAT, async (session) => {
    const s = quoteName(database.prefix);
    const [row] = await session.rows<ContainerRow>({
      text: `SELECT versions_floor, versions_from_ms FROM ${s}.containers WHERE number = $1 FOR UPDATE`,
      values: [number],
    });
    let floor = row === undefined ? undefined : floorOf(row);
    if (floor === undefined) {
      return;
    }
    for (const { position, at_ms } of gone) {
      floor = position > floor.position ? raiseFloor(floor, position, at_ms, nowMs) : floor;
    }
    await session.rows({ text: `DELETE FROM ${names.versions} WHERE position <= $1`, values: [floor.position] });
    await session.rows({
      text: `UPDATE ${s}.containers SET versions_floor = $2, versions_from_ms = $3 WHERE number = $1`,
      values: [number, floor.position, floor.atMs],
    });
  });
  return gone.length === TURN_ROWS;
}
