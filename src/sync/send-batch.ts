import type { JsonObject } from '../core/json.ts';
import { utf8Length } from '../store/limits.ts';
import type { BatchOperation } from '../store/operations.ts';
import type { Program } from '../stores/sqlite/driver.ts';
import { readBase, type BaseRow } from './base-versions.ts';
import { lineageAfter, parseLineage } from './lineage.ts';
import { nextMarker, type MarkerWrite } from './markers.ts';
import { noteLife } from './meta.ts';
import { clearPending, markSent, readPending, rowStamp, writeName } from './outbox.ts';
import { readPendingVersion } from './pending-version.ts';
import type { RemoteSession } from './remote-session.ts';
import type { Scope } from './scope.ts';
import type { SyncContext } from './sync-context.ts';
import { tombstoneBody } from './tombstone.ts';
import { clampStamp, stampedDocument } from './wire-stamp.ts';

/** Below the limit of 2 MB, which counts more than the documents. */
const MAX_BATCH_BYTES = 1_900_000;

/** One write about to be sent. */
export interface SendItem {
  readonly id: string;
  readonly generation: number;
  readonly deleted: boolean;
  readonly body: JsonObject;
  /** Names of the writes in it, newest first; only where the policy merges. */
  readonly lineage: readonly string[] | undefined;
  readonly operation: BatchOperation<JsonObject>;
  readonly bytes: number;
}

/** What goes into one batch. */
export interface LoadedBatch {
  readonly items: readonly SendItem[];
  /** The device's marker, where it is due; it goes before the items. */
  readonly marker: MarkerWrite | undefined;
  /** Ids looked at; the others did not fit. */
  readonly consumed: number;
}

/** Reads what is to be sent of some documents, as much as one batch holds, and notes durably that it is. */
export function* loadBatch(context: SyncContext, remote: RemoteSession, ids: readonly string[]): Program<LoadedBatch> {
  const { scope } = remote;
  const items: SendItem[] = [];
  let bytes = 0;
  let consumed = 0;
  for (const id of ids) {
    const row = yield* readPending(scope.number, id);
    if (row !== undefined && row.rejected_code === null) {
      const base = yield* readBase(scope.number, id);
      const local = yield* readPendingVersion(scope, row, base);
      if (local === undefined || (local.deleted && row.sent === null && base?.deleted !== 0)) {
        // Gone, or deleted and never there: nothing is left to send.
        yield* clearPending(scope.number, id, row.generation);
      } else {
        const body = local.body ?? tombstoneBody(id, scope.partitionKey, remote.store.definition, context.tombstoneTtlSeconds);
        const stamp = clampStamp(rowStamp(row), context.clock.serverNowMs() + context.toleranceMs);
        const name = writeName(row, scope.life);
        const lineage = scope.needsBase ? lineageAfter(name, parseLineage(base?.lineage)) : undefined;
        const document = stampedDocument(body, stamp, name, local.deleted, lineage?.slice(1));
        const size = utf8Length(JSON.stringify(document));
        if (items.length > 0 && bytes + size > MAX_BATCH_BYTES) {
          break;
        }
        bytes += size;
        yield* markSent(scope.number, row, name, scope.needsBase ? (local.body ?? null) : undefined);
        const { generation } = row;
        items.push({ id, generation, deleted: local.deleted, body, lineage, operation: operationOf(document, base), bytes: size });
      }
    }
    consumed += 1;
  }
  if (items.length === 0) {
    return { items, marker: undefined, consumed };
  }
  yield* noteLife(scope.life);
  return { items, marker: isMarkerDue(context, scope) ? yield* nextMarker(context, scope, remote.store.definition) : undefined, consumed };
}

/** Whether the next batch of a scope carries the device's marker. */
export function isMarkerDue({ runtime, markerIntervalMs }: SyncContext, { markedAtMs, paths }: Scope): boolean {
  // Where a partition key is an id, it has room for one document.
  const hasRoom = !paths.some((path) => path.length === 1 && path[0] === 'id');
  return hasRoom && (markedAtMs === undefined || runtime.monotonicMs() - markedAtMs >= markerIntervalMs);
}

/**
 * Create where the remote has nothing; otherwise replace that very version. Never a blind upsert.
 *
 * That holds for tombstones too: where the answer to a create was lost and the document was then deleted, a created tombstone fails if the document
 * arrived, and otherwise keeps a request that is still under way from bringing it back.
 */
function operationOf(document: JsonObject & { readonly id: string }, base: BaseRow | undefined): BatchOperation<JsonObject> {
  return base === undefined ? { type: 'create', document } : { type: 'replace', document, ifMatch: base.etag };
}
