import { throwIfAborted } from '../../../core/errors.ts';
import { isOutsideRetention, raiseFloor, retentionMs, type RecordedWindow } from '../../../store/version-retention.ts';
import { tableNames } from '../container-statements.ts';
import { all, get, type Program } from '../driver.ts';
import type { ContainerRow } from '../container-row.ts';
import type { SqliteContainer } from '../sqlite-container.ts';
import { floorOf, type RecordingColumns } from './version-recorder.ts';

/** Documents that expire, and changes that are dropped, in one transaction; others have their turn between two. */
const TURN_ROWS = 500;

/** What the file says of the container and its recording; the container takes over its definition. */
function* load(container: SqliteContainer): Program<ContainerRow & RecordingColumns> {
  // A container that was deleted has no head, and says so.
  yield* container.head();
  const row = (yield* get<ContainerRow & RecordingColumns>(container.statements.load)) as ContainerRow & RecordingColumns;
  container.notice(row);
  return row;
}

/** Whether anything has to be written before versions are read. */
function* isTidy(container: SqliteContainer): Program<boolean> {
  const row = yield* load(container);
  const { definition } = container.info;
  const keptMs = retentionMs(definition);
  if (keptMs === undefined) {
    return true;
  }
  const { isDue, oldest } = container.recorder.statements;
  if (floorOf(row) === undefined) {
    return false;
  }
  if (definition.defaultTtl !== undefined && (yield* get(isDue, container.nowSeconds())) !== undefined) {
    return false;
  }
  const first = yield* get<{ at_ms: number }>(oldest, 1);
  return first === undefined || !isOutsideRetention(first.at_ms, container.database.runtime.nowMs(), keptMs);
}

/**
 * Records what has expired, and drops what is older than it is kept, so that the file says what is there by the time of now. Writes nothing where
 * that is so already, nor where nothing can be written.
 */
export async function tidyVersions(container: SqliteContainer, signal: AbortSignal | undefined): Promise<void> {
  const { database } = container;
  for (let isDone = database.isReadOnly || (await database.read(() => isTidy(container))); !isDone;) {
    isDone = await database.write(function* (): Program<boolean> {
      yield* container.refresh();
      const dueLeft = yield* container.expired.recordDue(TURN_ROWS, undefined);
      const oldLeft = yield* container.recorder.trimSome(database.runtime.nowMs());
      return !dueLeft && !oldLeft;
    }, signal);
    if (!isDone) {
      await database.runtime.yieldTask();
      throwIfAborted(signal);
    }
  }
}

/** What the versions of a container can be read from, by the time of now. */
export async function readWindow(container: SqliteContainer, signal: AbortSignal | undefined): Promise<RecordedWindow> {
  const { database } = container;
  const row = await database.read(() => load(container));
  const { definition } = container.info;
  const nowMs = database.runtime.nowMs();
  let floor = floorOf(row);
  const keptMs = retentionMs(definition);
  const { versions } = tableNames(container.number);
  const sql = `SELECT position, at_ms FROM ${versions} WHERE position > ? ORDER BY position LIMIT ${TURN_ROWS}`;
  // Where nothing can be written, old changes are still there, and count as gone.
  for (let more = database.isReadOnly; more && floor !== undefined && keptMs !== undefined;) {
    const behind: number = floor.position;
    const rows = await database.read(() => all<{ position: number; at_ms: number }>(sql, behind));
    const gone = rows.findIndex(({ at_ms }) => !isOutsideRetention(at_ms, nowMs, keptMs as number));
    for (const { position, at_ms } of gone === -1 ? rows : rows.slice(0, gone)) {
      floor = raiseFloor(floor, position, at_ms, nowMs);
    }
    more = gone === -1 && rows.length === TURN_ROWS;
    await database.runtime.yieldTask();
    throwIfAborted(signal);
  }
  return { definition, floor, head: row.head, nowMs };
}
