import { compareStamps, formatStamp, parseStamp, type HlcStamp } from '../../core/hybrid-logical-clock.ts';
import { equalValues } from '../../core/json-order.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Program } from '../../stores/sqlite/driver.ts';
import { deleteBase, type BaseRow } from '../state/base-versions.ts';
import { appendJournal } from '../state/journal.ts';
import { parseLineage } from '../remote/lineage.ts';
import { NO_BASE, recordForgotten } from '../push/outbox.ts';
import { keyIn, type Scope } from '../state/scope.ts';
import type { SyncContext } from '../sync-context.ts';
import { NOTHING, setBase, takeRemote, type Applied } from '../decide/take-remote.ts';
import { remoteOrder, type RemoteVersion } from '../remote/wire-stamp.ts';

/** What the device holds of a document that is in step with a remote version, as a write of that time. */
interface Held {
  /** As others see it; `undefined` for a deletion. */
  readonly body: JsonObject | undefined;
  /** As the device has it. */
  readonly whole: JsonObject | undefined;
  readonly stamp: HlcStamp;
  readonly generation: number;
}

/**
 * Brings a remote version together with what the device holds, with nothing pending, after the remote was restored: what the remote acknowledged and no
 * longer has is pending again. A version that was written since, by whomever, is in conflict with it, and the later write wins whatever the policy says.
 */
export function* reclaim(
  context: SyncContext,
  scope: Scope,
  id: string,
  base: BaseRow,
  remote: RemoteVersion | undefined,
): Program<Applied> {
  const held = yield* heldVersion(context, scope, id, base);
  if (held === undefined) {
    return yield* takeRemote(context, scope, id, base, remote);
  }
  if (remote === undefined) {
    yield* deleteBase(scope.number, id);
    if (held.body !== undefined) {
      yield* pendAgain(context, scope, id, 'create', held, base, undefined);
    }
    return NOTHING;
  }
  if (remote.deleted ? held.body === undefined : held.body !== undefined && equalValues(held.body, remote.body)) {
    yield* setBase(scope, id, remote);
    return NOTHING;
  }
  const order = remoteOrder(remote, context.toleranceMs);
  const isLater = remote.ts <= base.ts || compareStamps(held.stamp, order.stamp) > 0;
  const journalSeq = yield* appendJournal({
    scope: scope.number,
    id,
    reason: 'restored',
    losingSide: isLater ? 'remote' : 'local',
    document: isLater ? (remote.deleted ? undefined : remote.body) : held.whole,
    losingStamp: isLater ? order.stamp : held.stamp,
    winningStamp: isLater ? held.stamp : order.stamp,
    atMs: context.runtime.nowMs(),
  });
  const { container, partitionKey } = scope;
  const conflict = { container, partitionKey, id, outcome: isLater ? 'local-wins' : 'remote-wins', journalSeq } as const;
  if (!isLater) {
    return { ...(yield* takeRemote(context, scope, id, base, remote)), conflict };
  }
  // What the version was made of is in it, whatever the remote has forgotten.
  yield* setBase(scope, id, remote, base.lineage);
  yield* pendAgain(context, scope, id, held.body === undefined ? 'delete' : 'put', held, base, remote);
  return { ...NOTHING, conflict };
}

function* heldVersion(context: SyncContext, scope: Scope, id: string, base: BaseRow): Program<Held | undefined> {
  // Where writes have no names, the server's time stands for the stamp: it orders them as the server did.
  const named = parseStamp(parseLineage(base.lineage)[0]?.split('.')[0] ?? '');
  const stamp = named ?? { timeMs: base.ts * 1000, counter: 0, device: context.device };
  if (base.deleted === 1) {
    return { body: undefined, whole: undefined, stamp, generation: 1 };
  }
  const stored = yield* scope.store.readProgram(keyIn(scope, id));
  if (stored === undefined) {
    return undefined;
  }
  const whole = JSON.parse(stored.text) as JsonObject;
  return { body: scope.form.shared(whole), whole, stamp, generation: stored.position };
}

function* pendAgain(
  context: SyncContext,
  scope: Scope,
  id: string,
  kind: 'create' | 'put' | 'delete',
  { body, stamp, generation }: Held,
  { lineage }: BaseRow,
  remote: RemoteVersion | undefined,
): Program<void> {
  const [name] = parseLineage(lineage);
  yield* recordForgotten(scope.number, id, {
    kind,
    generation,
    stamp: formatStamp(stamp),
    nowMs: context.runtime.nowMs(),
    base: scope.needsBase ? (remote === undefined || remote.deleted ? NO_BASE : JSON.stringify(remote.body)) : null,
    // Another device may bring back the same version, or has built on it.
    sent: scope.needsBase && name !== undefined ? { name, body: body ?? null } : undefined,
  });
}
