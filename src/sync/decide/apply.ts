import type { Program } from '../../stores/sqlite/driver.ts';
import { compareWithBase, readBase, type BaseRow } from '../state/base-versions.ts';
import { dropMarker, isMarker, markerOf, noteMarker } from '../pull/markers.ts';
import { readFirst } from '../push/groups.ts';
import { clearPending } from '../push/outbox.ts';
import { readPendingVersion } from '../push/pending-version.ts';
import type { reclaim } from '../pull/reclaim.ts';
import { beginEpoch, keyIn, readScope, updateScope, type Scope } from '../state/scope.ts';
import { isBehind, type Unsettled } from './judge.ts';
import { settle } from './settle.ts';
import type { SyncContext } from '../sync-context.ts';
import { NOTHING, setBase, takeRemote, type Applied } from './take-remote.ts';
import type { RemoteVersion } from '../remote/wire-stamp.ts';

/** How a remote version came to be known. */
export interface ApplyOptions {
  /** It is what the remote holds now; otherwise it is from a feed, which may be behind what is known. */
  readonly authoritative: boolean;
  /** Whether anything may be pending in the scope. */
  readonly mayBePending: boolean;
  /** What is pending stays whatever the policy says, and a document that is gone is made again. */
  readonly forced?: boolean | undefined;
  /** The remote was restored from a backup, and what it is behind with is sent to it again: how a document with nothing pending is dealt with. */
  readonly restored?: typeof reclaim | undefined;
  /** Remote versions known of all documents at hand, read in the same transaction; otherwise each is looked up. */
  readonly bases?: ReadonlyMap<string, BaseRow> | undefined;
  /** Nothing is done unless this is still the version known. */
  readonly expectedEtag?: string | undefined;
}

/**
 * Brings one remote version (`undefined`: the remote has no such document) together with what the device holds: taken over where nothing is
 * pending, decided where something is. Runs in the caller's transaction.
 */
export function* applyRemote(
  context: SyncContext,
  scope: Scope,
  id: string,
  remote: RemoteVersion | undefined,
  options: ApplyOptions,
): Program<Applied> {
  if (isMarker(id)) {
    yield* applyMarker(scope, id, remote, options);
    return NOTHING;
  }
  const base = options.bases === undefined ? yield* readBase(scope.number, id) : options.bases.get(id);
  if (options.expectedEtag !== undefined && base?.etag !== options.expectedEtag) {
    return NOTHING;
  }
  const row = options.mayBePending ? yield* readFirst(scope.number, id) : undefined;
  if (row !== undefined && row.group_id !== null) {
    return yield* applyToMember(context, scope, { row, base, remote }, options);
  }
  if (remote !== undefined && base !== undefined) {
    if (remote.etag === base.etag) {
      if (row !== undefined) {
        return { change: 'none', decision: 'follows', advanced: false };
      }
      return (yield* isInPlace(scope, remote, options.authoritative)) ? NOTHING : yield* takeRemote(context, scope, id, base, remote);
    }
    const order = options.authoritative ? 'newer' : compareWithBase(remote, base);
    if (order !== 'newer') {
      return order === 'older' ? NOTHING : { change: 'none', unsure: true };
    }
  }
  if (row === undefined) {
    return options.restored !== undefined && base !== undefined
      ? yield* options.restored(context, scope, id, base, remote)
      : yield* takeRemote(context, scope, id, base, remote);
  }
  const local = yield* readPendingVersion(scope, row, base);
  if (local === undefined) {
    yield* clearPending(scope.number, id, row.generation);
    return yield* takeRemote(context, scope, id, base, remote);
  }
  return yield* settle(context, scope, { row, local, base, remote }, options);
}

/**
 * What is pending in a group is decided with all of the group, when it is sent. Only what a restored remote is behind with is known to stay, and must not be taken for
 * deleted by then.
 */
function* applyToMember(
  context: SyncContext,
  scope: Scope,
  { row, base, remote }: Omit<Unsettled, 'local'>,
  options: ApplyOptions,
): Program<Applied> {
  if (options.restored === undefined || !isBehind(base, remote) || remote?.etag === base.etag) {
    return NOTHING;
  }
  const local = yield* readPendingVersion(scope, row, base);
  return local === undefined ? NOTHING : yield* settle(context, scope, { row, local, base, remote }, options);
}

/** Takes note of a marker. One of a later epoch than the device knows says that another device has found the remote restored. */
function* applyMarker(scope: Scope, id: string, remote: RemoteVersion | undefined, { authoritative }: ApplyOptions): Program<void> {
  if (remote === undefined) {
    yield* dropMarker(scope, id);
    return;
  }
  const marker = markerOf(remote);
  const { epoch, first_load_done: loaded } = yield* readScope(scope.number);
  if (marker.epoch > epoch) {
    yield* loaded === 1 ? beginEpoch(scope.number, marker.epoch) : updateScope(scope.number, { epoch: marker.epoch });
  }
  yield* noteMarker(scope, marker);
  const base = yield* readBase(scope.number, id);
  if (base === undefined || authoritative || compareWithBase(remote, base) !== 'older') {
    yield* setBase(scope, id, remote);
  }
}

/**
 * Whether a version that is known is on the device as it should be. It is not where the types in scope are others than when it came, nor where the
 * device lost it by a clock that was ahead or by an earlier time to live; the latter is looked for only where `thoroughly`, for it costs a look-up.
 */
function* isInPlace(scope: Scope, remote: RemoteVersion, thoroughly: boolean): Program<boolean> {
  if (remote.deleted) {
    return true;
  }
  if (scope.types?.accepts(remote.body) === false) {
    return false;
  }
  return !thoroughly || (yield* scope.store.readProgram(keyIn(scope, remote.id))) !== undefined;
}
