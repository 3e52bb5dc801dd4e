import { PerigeeError } from '../../core/errors.ts';
import { getOwn, type JsonObject } from '../../core/json.ts';
import type { ContainerDefinition } from '../../store/container-definition.ts';
import type { BatchOperation, OperationOutcome } from '../../store/operations.ts';
import { all, get, run, type Program } from '../../stores/sqlite/driver.ts';
import { deleteBase } from '../state/base-versions.ts';
import { readScope, type Scope } from '../state/scope.ts';
import type { SyncContext } from '../sync-context.ts';
import { tombstoneBody } from '../push/tombstone.ts';
import { MARKER_ID, stampedDocument, type RemoteVersion } from '../remote/wire-stamp.ts';

/** What is known of the marker that a device keeps in a partition key. */
export interface Marker {
  readonly id: string;
  readonly etag: string;
  /** Seconds, by the server's clock. */
  readonly ts: number;
  /** Seconds that the remote keeps it, where it lets documents expire. */
  readonly ttl: number;
  /** Epoch of the remote in which it was written: text order is the order of epochs; empty for the first. */
  readonly epoch: string;
  /** Grows by one with each writing. The fraction is drawn when the marker is made, and tells it from one that the device made before. */
  readonly count: number;
}

/** A marker about to be written. */
export interface MarkerWrite {
  readonly operation: BatchOperation<JsonObject>;
  readonly marker: Omit<Marker, 'etag' | 'ts'>;
  readonly bytes: number;
}

/** Parts of one from which the fraction of a count is drawn; sums stay exact. */
const FRACTIONS = 2 ** 20;

const COLUMNS = 'id, etag, ts, ttl, epoch, count';

/** Whether an id is that of a marker. */
export function isMarker(id: string): boolean {
  return id.startsWith(MARKER_ID);
}

/** What a remote version says as a marker; one that an earlier version of the engine wrote is the first of the first epoch. */
export function markerOf({ id, etag, ts, body }: RemoteVersion): Marker {
  const [epoch, count, ttl] = [getOwn(body, 'epoch'), getOwn(body, 'count'), getOwn(body, 'ttl')];
  return {
    id,
    etag,
    ts,
    ttl: typeof ttl === 'number' ? ttl : 0,
    epoch: typeof epoch === 'string' ? epoch : '',
    count: typeof count === 'number' ? count : 0,
  };
}

/** Negative, zero or positive as `left` was written before, as, or after `right`; both of one device. */
export function compareMarkers(left: Pick<Marker, 'epoch' | 'count'>, right: Pick<Marker, 'epoch' | 'count'>): number {
  return left.epoch === right.epoch ? left.count - right.count : left.epoch < right.epoch ? -1 : 1;
}

/** All markers known in a scope, the newest first. */
export function* listMarkers(scope: number): Program<readonly Marker[]> {
  return yield* all<Marker>(`SELECT ${COLUMNS} FROM sync_marker WHERE scope = ? ORDER BY ts DESC, count DESC, id`, scope);
}

function* readMarker(scope: number, id: string): Program<Marker | undefined> {
  return yield* get<Marker>(`SELECT ${COLUMNS} FROM sync_marker WHERE scope = ? AND id = ?`, scope, id);
}

/** Takes note of a marker as the remote holds it, unless a newer one is known of its device. */
export function* noteMarker(scope: Scope, marker: Marker): Program<void> {
  const known = yield* readMarker(scope.number, marker.id);
  if (known !== undefined && compareMarkers(marker, known) < 0) {
    return;
  }
  const { id, etag, ts, ttl, epoch, count } = marker;
  yield* run(
    `INSERT INTO sync_marker (scope, id, etag, ts, ttl, epoch, count) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (scope, id) DO UPDATE SET etag = excluded.etag, ts = excluded.ts, ttl = excluded.ttl, epoch = excluded.epoch, count = excluded.count`,
    scope.number,
    id,
    etag,
    ts,
    ttl,
    epoch,
    count,
  );
}

/** Forgets a marker that the remote no longer holds. */
export function* dropMarker(scope: Scope, id: string): Program<void> {
  yield* run('DELETE FROM sync_marker WHERE scope = ? AND id = ?', scope.number, id);
  yield* deleteBase(scope.number, id);
}

/**
 * The device's marker in a partition key, one further. It is a tombstone of a document that never was, so every engine passes over it. Written on
 * condition, so that a request that arrives late cannot set it back.
 */
export function* nextMarker(context: SyncContext, scope: Scope, definition: ContainerDefinition): Program<MarkerWrite> {
  const id = MARKER_ID + context.device;
  const known = yield* readMarker(scope.number, id);
  const { epoch } = yield* readScope(scope.number);
  const marker = {
    id,
    ttl: context.tombstoneTtlSeconds,
    epoch,
    count: (known?.count ?? Math.floor(context.runtime.random() * FRACTIONS) / FRACTIONS) + 1,
  };
  const body = {
    ...tombstoneBody(id, scope.partitionKey, definition, marker.ttl),
    ...(epoch === '' ? {} : { epoch }),
    count: marker.count,
  };
  const stamp = context.clock.next();
  const document = stampedDocument(body, stamp, `${stamp.timeMs}.${stamp.counter}-${scope.life}`, true);
  return {
    operation: known === undefined ? { type: 'create', document } : { type: 'replace', document, ifMatch: known.etag },
    marker,
    bytes: JSON.stringify(document).length,
  };
}

/** A marker as the remote acknowledged it. @throws BAD_RESPONSE */
export function writtenMarker({ marker }: MarkerWrite, outcome: OperationOutcome<JsonObject> | undefined): Marker {
  if (outcome?.ok !== true || outcome.document === undefined || outcome.etag === undefined) {
    throw new PerigeeError('BAD_RESPONSE', 'The remote store took a marker and gave no document for it.');
  }
  return { ...marker, etag: outcome.etag, ts: outcome.document._ts };
}
