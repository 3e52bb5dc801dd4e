import { throwIfAborted } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Runtime } from '../../core/runtime.ts';
import { feedUnits } from '../../query/cost/request-units.ts';
import { cursorBindings, formatCursor } from '../../store/change-cursor.ts';
import type { Change, ChangePage } from '../../store/changes.ts';
import { deletedDocument } from '../../store/deleted-document.ts';
import { parsePropertyPath } from '../../store/partition-key.ts';
import { documentRid, documentSelf } from '../../store/resource-id.ts';
import type { ChangesRequest } from '../../store/store-hooks.ts';
import { startOfVersions } from '../../store/version-retention.ts';
import type { ResidentContainer, ResidentRow } from './resident-container.ts';
import { scopeFilter } from './resident-scan.ts';
import { documentOf } from './resident-writes.ts';
import type { RecordedChange, VersionLog } from './version-log.ts';

/** Entries looked at before others get a turn. */
const TURN_ENTRIES = 10_000;

/** Reads one page of the change feed of all versions and deletes, in commit order. @throws OUTSIDE_RETENTION, INVALID_CONTINUATION */
export async function readVersions<T extends object = JsonObject>(
  container: ResidentContainer,
  request: ChangesRequest,
  runtime: Runtime,
): Promise<ChangePage<T>> {
  await container.tidyVersions(request.signal);
  container.assertExists();
  const { issued, next } = cursorBindings(container.incarnation, request);
  const { definition } = container.info;
  const log = container.versions?.log;
  const window = { definition, floor: log?.floor, head: container.position, nowMs: container.nowMs() };
  const start = startOfVersions(request.from, window, issued);
  const { changes, bytes, position, caughtUp } = await collect<T>(container, log as VersionLog, start, request, runtime);
  return {
    changes,
    cursor: formatCursor(next, position),
    caughtUp,
    requestUnits: feedUnits(changes.length, bytes),
    session: String(container.position),
  };
}

interface Collected<T extends object> {
  readonly changes: readonly Change<T>[];
  readonly bytes: number;
  readonly position: number;
  readonly caughtUp: boolean;
}

async function collect<T extends object>(
  container: ResidentContainer,
  log: VersionLog,
  start: ReturnType<typeof startOfVersions>,
  request: ChangesRequest,
  runtime: Runtime,
): Promise<Collected<T>> {
  const matches = scopeFilter(container, request);
  const changeOf = changeReader<T>(container);
  const changes: Change<T>[] = [];
  let position = 'position' in start ? start.position : (log.positionBefore(start.seconds * 1000) ?? container.position);
  let bytes = 0;
  let looked = 0;
  for (;;) {
    for (const entry of log.behind(position)) {
      position = entry.position;
      if (matches((entry.row ?? entry.previous) as ResidentRow)) {
        changes.push(changeOf(entry));
        bytes += (entry.row?.text.length ?? 0) + (entry.previous?.text.length ?? 0);
      }
      looked += 1;
      if (changes.length === request.maxItemCount || looked === TURN_ENTRIES) {
        break;
      }
    }
    if (changes.length === request.maxItemCount || looked < TURN_ENTRIES) {
      // Behind the last entry there may be positions that were recorded before the log began, or that nobody took.
      const caughtUp = changes.length < request.maxItemCount || log.behind(position).next().done === true;
      return { changes, bytes, position: caughtUp ? Math.max(position, container.position) : position, caughtUp };
    }
    looked = 0;
    await runtime.yieldTask();
    throwIfAborted(request.signal);
    if (position < log.floor.position) {
      // What comes next has left the log meanwhile: the next page is refused for that.
      return { changes, bytes, position, caughtUp: false };
    }
  }
}

/** Makes changes of the entries of a log. */
function changeReader<T extends object>(container: ResidentContainer): (entry: RecordedChange) => Change<T> {
  const { rid, definition } = container.info;
  const paths = definition.partitionKey.paths.map(parsePropertyPath);
  return ({ position, atMs, row, previous, expired }) => {
    const known = {
      position,
      previous: previous === undefined ? undefined : documentOf<T>(previous),
      previousPosition: previous?.position,
      timeToLiveExpired: expired,
    };
    if (row !== undefined) {
      return { ...known, document: documentOf<T>(row), ts: row.ts, operation: previous === undefined ? 'create' : 'replace' };
    }
    const deleted = previous as ResidentRow;
    const ts = Math.floor(atMs / 1000);
    const documentId = documentRid(rid, deleted.ordinal);
    const document = deletedDocument<T>(deleted.id, deleted.partitionKey, paths, {
      _rid: documentId,
      _self: documentSelf(container.self, documentId),
      _etag: deleted.etag,
      _attachments: 'attachments/',
      _ts: ts,
    });
    return { ...known, document, ts, operation: 'delete' };
  };
}
