import { isPerigeeError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import { prepareDocument, type PreparedDocument } from '../../store/prepared-document.ts';
import { expiresAtSeconds } from '../../store/write-rules.ts';
import type { Program } from '../../stores/sqlite/driver.ts';
import { deleteBase, writeBase, type BaseRow } from '../state/base-versions.ts';
import type { Decision } from './conflict.ts';
import { lineageText, writesIn } from '../remote/lineage.ts';
import { forgetMigrated } from '../form/migration-progress.ts';
import { keyIn, type Scope } from '../state/scope.ts';
import type { SyncContext } from '../sync-context.ts';
import type { ConflictReport } from '../sync-report.ts';
import type { RemoteVersion } from '../remote/wire-stamp.ts';

/** What became of one remote version, for the report. */
export interface Applied {
  /** What happened to the local document. */
  readonly change: 'none' | 'taken' | 'deleted';
  /** Present where a write was pending. */
  readonly decision?: Decision | undefined;
  /** Whether what is pending now follows another remote version than before. */
  readonly advanced?: boolean | undefined;
  readonly conflict?: ConflictReport | undefined;
  /** Nothing was done, since it may be older than what is known: the document has to be read. */
  readonly unsure?: boolean | undefined;
  /** Length of the JSON taken over. */
  readonly bytes?: number | undefined;
}

/** Nothing became of it. */
export const NOTHING: Applied = { change: 'none' };

/** Takes note of the newest remote version known, or that there is none. What is in it, as far as it names it itself, unless `lineage` says more. */
export function* setBase(scope: Scope, id: string, remote: RemoteVersion | undefined, lineage?: string | null): Program<void> {
  if (remote === undefined) {
    yield* deleteBase(scope.number, id);
  } else {
    const { etag, ts, position, deleted } = remote;
    const names = scope.needsBase ? (lineage ?? lineageText(writesIn(remote))) : null;
    yield* writeBase(scope.number, id, { etag, ts, position, deleted, lineage: names }, scope.reconcileRun);
  }
}

/**
 * Takes a remote version over without asking. One that is outside the scope's types, or that the device cannot store, leaves the device and is not
 * known any more.
 */
export function* takeRemote(
  context: SyncContext,
  scope: Scope,
  id: string,
  base: BaseRow | undefined,
  remote: RemoteVersion | undefined,
): Program<Applied> {
  if (remote?.deleted === true) {
    yield* setBase(scope, id, remote);
    return yield* removeLocal(scope, id);
  }
  const document = remote === undefined ? undefined : prepare(context, scope, remote, yield* readOwn(scope, id));
  if (remote === undefined || document === undefined) {
    if (base !== undefined) {
      yield* deleteBase(scope.number, id);
    }
    return yield* removeLocal(scope, id);
  }
  if (scope.form.isOlder(remote.body)) {
    yield* forgetMigrated(scope.number);
  }
  yield* putLocal(scope, document, remote.ts, base === undefined);
  yield* setBase(scope, id, remote);
  return { change: 'taken', bytes: document.text.length };
}

function* removeLocal(scope: Scope, id: string): Program<Applied> {
  const removed = yield* scope.store.deleteProgram(keyIn(scope, id), { journal: false });
  return removed === undefined ? NOTHING : { change: 'deleted' };
}

/** Stores a document that the remote holds since `ts`; where documents expire, it does so when the remote's does. */
export function* putLocal(scope: Scope, document: PreparedDocument, ts: number, expectNew: boolean): Program<void> {
  const { defaultTtl } = scope;
  yield* scope.store.putProgram(
    document,
    defaultTtl === undefined
      ? { journal: false, expectNew }
      : { journal: false, expectNew, expiresAtSeconds: expiresAtSeconds(ts, document.ttl, defaultTtl) },
  );
}

/** Lets a document that the remote holds since `ts` expire on the device when it does there; its local version stays the same. */
export function* expireWith(scope: Scope, document: PreparedDocument, ts: number): Program<void> {
  if (scope.defaultTtl === undefined) {
    return;
  }
  const expiresAt = expiresAtSeconds(ts, document.ttl, scope.defaultTtl);
  if (!(yield* scope.store.expireProgram(document, expiresAt))) {
    yield* putLocal(scope, document, ts, true);
  }
}

/** What the device has of a document, where some of it may be the device's own; be it expired, for the remote knows better. */
function* readOwn(scope: Scope, id: string): Program<JsonObject | undefined> {
  const stored = scope.form.hasLocalFields ? yield* scope.store.readProgram(keyIn(scope, id), { expired: true }) : undefined;
  return stored === undefined ? undefined : (JSON.parse(stored.text) as JsonObject);
}

/** A remote document as the local store takes it, with the device's own fields. One that it cannot take is told of and must not hold up the others. */
function prepare(context: SyncContext, scope: Scope, remote: RemoteVersion, own: JsonObject | undefined): PreparedDocument | undefined {
  if (scope.types !== undefined && !scope.types.accepts(remote.body)) {
    return undefined;
  }
  const container = JSON.stringify(scope.container);
  const carried = scope.form.carried(remote.body, own);
  const document = prepareSafely(scope, carried);
  if (document !== undefined || carried === remote.body) {
    if (document === undefined) {
      context.warn(`A document of the container ${container} cannot be stored on the device and is left out.`);
    }
    return document;
  }
  context.warn(
    `A document of the container ${container} was replaced by the remote's without its local fields: with them it cannot be stored.`,
  );
  return prepare(context, scope, remote, undefined);
}

function prepareSafely(scope: Scope, body: JsonObject): PreparedDocument | undefined {
  try {
    const document = prepareDocument(body, scope.paths);
    return document.partitionKeyText === scope.partitionKeyText ? document : undefined;
  } catch (error) {
    if (isPerigeeError(error)) {
      return undefined;
    }
    throw error;
  }
}
