import type { JsonObject } from '../../core/json.ts';
import { STORE_LIMITS, utf8Length } from '../../store/limits.ts';
import type { BatchOperation, OperationOutcome } from '../../store/operations.ts';
import type { Program } from '../../stores/sqlite/driver.ts';
import { readBase, type BaseRow } from '../state/base-versions.ts';
import { lineageAfter, parseLineage } from '../remote/lineage.ts';
import { nextMarker, type MarkerWrite } from '../pull/markers.ts';
import { noteLife } from '../state/meta.ts';
import { documentOf, hasGroups, isGroup, readFirst, readUnit, unitOf, type SentVersion, type Unit } from './groups.ts';
import { clearPending, markSent, rowStamp, writeName, type OutboxRow } from './outbox.ts';
import { partialUpdate, type PartialUpdate } from './partial-update.ts';
import { readPendingVersion } from './pending-version.ts';
import type { RemoteSession } from '../remote/remote-session.ts';
import type { Scope } from '../state/scope.ts';
import type { SyncContext } from '../sync-context.ts';
import { tombstoneBody } from './tombstone.ts';
import { clampStamp, stampedDocument } from '../remote/wire-stamp.ts';

/** Below the limit of 2 MB, which counts more than the documents. */
const MAX_BATCH_BYTES = 1_900_000;

/** One write about to be sent. */
export interface SendItem extends SentVersion {
  /** Id of the document. */
  readonly id: string;
  readonly deleted: boolean;
  readonly body: JsonObject;
  /** Names of the writes in it, newest first; only where the policy merges. */
  readonly lineage: readonly string[] | undefined;
  /** One, or several patches of the document. */
  readonly operations: readonly BatchOperation<JsonObject>[];
  readonly bytes: number;
}

/** How a batch is filled. */
export interface BatchOptions {
  /** Whether patches may travel as such. */
  readonly patches: boolean;
}

/** What goes into one batch. */
export interface LoadedBatch {
  readonly items: readonly SendItem[];
  /** The device's marker, where it is due and there is room; it goes before the items. */
  readonly marker: MarkerWrite | undefined;
  /** Units looked at; the others did not fit. */
  readonly consumed: number;
  /** Units among them that wait for another one. */
  readonly behind: readonly { readonly unit: Unit; readonly first: Unit }[];
}

/** A write that would go into a batch. */
interface Candidate {
  readonly row: OutboxRow;
  readonly name: string;
  /** UTF-8 bytes of the whole document. */
  readonly size: number;
  readonly sent: JsonObject | null;
  readonly item: SendItem;
}

/** Reads what is to be sent of some units, as much as one batch holds, and notes durably that it is. */
export function* loadBatch(
  context: SyncContext,
  remote: RemoteSession,
  units: readonly Unit[],
  options: BatchOptions,
): Program<LoadedBatch> {
  const { scope } = remote;
  const items: SendItem[] = [];
  const behind: { readonly unit: Unit; readonly first: Unit }[] = [];
  const loaded = new Set<Unit>();
  const isMarked = isMarkerDue(context, scope);
  const mayWait = yield* hasGroups(scope.number);
  let places = STORE_LIMITS.batchOperations - (isMarked ? 1 : 0);
  let bytes = 0;
  let consumed = 0;
  for (const unit of units) {
    const rows = yield* readUnit(scope.number, unit);
    const first = mayWait ? yield* waitsFor(scope, rows) : undefined;
    if (first !== undefined && loaded.has(first)) {
      break;
    }
    if (first !== undefined) {
      behind.push({ unit, first });
    } else if (rows.every((row) => row.rejected_code === null)) {
      const candidates = yield* candidatesOf(context, remote, unit, rows, options);
      const count = candidates.reduce((sum, { item }) => sum + item.operations.length, 0);
      // Whole documents count, however little of them is sent: they all come back.
      const size = candidates.reduce((sum, candidate) => sum + candidate.size, 0);
      if (items.length > 0 && (bytes + size > MAX_BATCH_BYTES || count > places)) {
        break;
      }
      bytes += size;
      places -= count;
      loaded.add(unit);
      for (const { row, name, sent, item } of candidates) {
        yield* markSent(scope.number, row, name, scope.needsBase ? sent : undefined);
        items.push(item);
      }
    }
    consumed += 1;
  }
  if (items.length === 0) {
    return { items, marker: undefined, consumed, behind };
  }
  yield* noteLife(scope.life);
  // A group may need the marker's place as well; it then follows alone.
  const marker = isMarked && places >= 0 ? yield* nextMarker(context, scope, remote.store.definition) : undefined;
  return { items, marker, consumed, behind };
}

/** The unit that has to be sent before some rows, since it holds an older version of one of their documents. */
function* waitsFor(scope: Scope, rows: readonly OutboxRow[]): Program<Unit | undefined> {
  for (const { id } of rows) {
    const first = yield* readFirst(scope.number, documentOf(id));
    if (first !== undefined && first.id !== id) {
      return unitOf(first);
    }
  }
  return undefined;
}

/** What is to be sent of a unit; rows of which nothing is left to send go. */
function* candidatesOf(
  context: SyncContext,
  { scope, store }: RemoteSession,
  unit: Unit,
  rows: readonly OutboxRow[],
  { patches }: BatchOptions,
): Program<readonly Candidate[]> {
  const candidates: Candidate[] = [];
  for (const row of rows) {
    const id = documentOf(row.id);
    const base = yield* readBase(scope.number, id);
    const local = yield* readPendingVersion(scope, row, base);
    if (local === undefined || (local.deleted && row.sent === null && base?.deleted !== 0)) {
      // Gone, or deleted and never there: nothing is left to send.
      yield* clearPending(scope.number, row.id, row.generation);
      continue;
    }
    const body = local.body ?? tombstoneBody(id, scope.partitionKey, store.definition, context.tombstoneTtlSeconds);
    const stamp = clampStamp(rowStamp(row), context.clock.serverNowMs() + context.toleranceMs);
    const name = writeName(row, scope.life);
    const lineage = scope.needsBase ? lineageAfter(name, parseLineage(base?.lineage)) : undefined;
    const document = stampedDocument(body, stamp, name, local.deleted, lineage?.slice(1));
    const size = utf8Length(JSON.stringify(document));
    const partial = patches && !local.deleted && !isGroup(unit) ? patchesOf(row, base, document, size, scope) : undefined;
    const { generation } = row;
    const item = {
      unit,
      rowId: row.id,
      id,
      generation,
      deleted: local.deleted,
      body,
      lineage,
      operations: partial?.operations ?? [operationOf(document, base)],
      bytes: partial?.bytes ?? size,
    };
    candidates.push({ row, name, size, sent: local.body ?? null, item });
  }
  return candidates;
}

/** The pending write as patches, where patches have led to it and they are the shorter way. */
function patchesOf(
  { touched }: OutboxRow,
  base: BaseRow | undefined,
  document: JsonObject & { readonly id: string },
  size: number,
  { form }: Scope,
): PartialUpdate | undefined {
  return touched === null || base?.deleted !== 0
    ? undefined
    : partialUpdate(document, size, JSON.parse(touched) as readonly string[], base.etag, form);
}

/** One outcome for each write: what refused it, otherwise the last of its operations. */
export function outcomesOf(
  items: readonly SendItem[],
  outcomes: readonly OperationOutcome<JsonObject>[],
): readonly (OperationOutcome<JsonObject> | undefined)[] {
  let at = 0;
  return items.map(({ operations }) => {
    const own = outcomes.slice(at, at + operations.length);
    at += operations.length;
    return own.find((outcome) => !outcome.ok && outcome.error.code !== 'FAILED_DEPENDENCY') ?? own.at(-1);
  });
}

/** Whether a write travels as patches. */
export function isPartial({ operations }: SendItem): boolean {
  return operations[0]?.type === 'patch';
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
