import type { JsonObject } from '../../core/json.ts';
import { get, type Program } from '../../stores/sqlite/driver.ts';
import { readBase } from '../state/base-versions.ts';
import { appendJournal } from '../state/journal.ts';
import { readPending } from '../push/outbox.ts';
import { keyIn, type Scope } from '../state/scope.ts';
import type { SyncContext } from '../sync-context.ts';
import { takeRemote } from '../decide/take-remote.ts';
import type { DefectKind } from './verify-report.ts';
import { digestOf, remoteOrder, type RemoteVersion } from '../remote/wire-stamp.ts';

/** The remote version as far as it is in scope and no tombstone. */
function livingIn(scope: Scope, remote: RemoteVersion | undefined): RemoteVersion | undefined {
  return remote === undefined || remote.deleted || scope.types?.accepts(remote.body) === false ? undefined : remote;
}

function* readBody(scope: Scope, id: string): Program<JsonObject | undefined> {
  const stored = yield* scope.store.readProgram(keyIn(scope, id));
  return stored === undefined ? undefined : (JSON.parse(stored.text) as JsonObject);
}

/** How what the device holds differs from what the remote does; `undefined` where it does not, or where something is pending. */
export function* defectOf(scope: Scope, id: string, remote: RemoteVersion | undefined): Program<DefectKind | undefined> {
  if ((yield* readPending(scope.number, id)) !== undefined) {
    return undefined;
  }
  const living = livingIn(scope, remote);
  const body = yield* readBody(scope, id);
  if (living === undefined) {
    return body === undefined || scope.types?.accepts(body) === false ? undefined : 'missing-at-remote';
  }
  if (body === undefined) {
    return 'missing-on-device';
  }
  const base = yield* readBase(scope.number, id);
  return base?.deleted === 0 && base.etag === living.etag && digestOf(scope.form.shared(body)) === digestOf(living.body)
    ? undefined
    : 'different';
}

/**
 * Brings a document with nothing pending to what the remote holds. The version of the device is written down first where its content is neither at the
 * remote nor in the journal. Gives whether it was.
 */
export function* reload(context: SyncContext, scope: Scope, id: string, remote: RemoteVersion | undefined): Program<boolean> {
  const base = yield* readBase(scope.number, id);
  const journaled = yield* keepLocal(context, scope, id, remote);
  yield* takeRemote(context, scope, id, base, remote);
  return journaled;
}

function* keepLocal(context: SyncContext, scope: Scope, id: string, remote: RemoteVersion | undefined): Program<boolean> {
  const stored = yield* scope.store.readProgram(keyIn(scope, id));
  if (stored === undefined) {
    return false;
  }
  const document = JSON.parse(stored.text) as JsonObject;
  if (remote !== undefined && !remote.deleted && digestOf(scope.form.shared(document)) === digestOf(remote.body)) {
    return false;
  }
  const known = yield* get(
    'SELECT 1 AS one FROM sync_journal WHERE scope = ? AND id = ? AND document = ?',
    scope.number,
    id,
    JSON.stringify(document),
  );
  if (known !== undefined) {
    return false;
  }
  yield* appendJournal({
    scope: scope.number,
    id,
    reason: 'repaired',
    losingSide: 'local',
    document,
    // Nobody knows when what the device holds was made; the file knows when it was stored.
    losingStamp: { timeMs: stored.ts * 1000, counter: 0, device: '' },
    winningStamp: remote === undefined ? undefined : remoteOrder(remote, context.toleranceMs).stamp,
    atMs: context.runtime.nowMs(),
  });
  return true;
}
