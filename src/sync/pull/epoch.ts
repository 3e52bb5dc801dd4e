import { toHex } from '../../core/runtime.ts';
import type { Program } from '../../stores/sqlite/driver.ts';
import { loadPart } from '../load-part.ts';
import { readWithoutDoubt } from '../remote/read-without-doubt.ts';
import { compareMarkers, dropMarker, listMarkers, markerOf, noteMarker, type Marker } from './markers.ts';
import type { RemoteSession } from '../remote/remote-session.ts';
import { beginEpoch, readScope } from '../state/scope.ts';
import type { SyncContext } from '../sync-context.ts';
import type { ReportBuilder } from '../sync-report.ts';
import { MARKER_ID, type RemoteVersion } from '../remote/wire-stamp.ts';

/** Markers asked for at once: those of the devices that wrote last. */
const MAX_ASKED = 20;
const TIME_DIGITS = 12;
const RANDOM_BYTES = 4;

/**
 * Looks whether the remote is still the one that the device knows, where that is due, and has it reconciled where it is not: a remote that was restored
 * from a backup, or a container that was made again, holds less than it has acknowledged.
 *
 * Each device keeps a marker in each partition key that it writes to, counted up with what it sends. A marker that is gone before its time, or
 * behind what was seen of it, can only have been restored.
 *
 * @param when `at-once` where the device's marker is not what the device knows, and has to be read in any case
 */
export async function settleEpoch(
  context: SyncContext,
  remote: RemoteSession,
  report: ReportBuilder,
  when: 'due' | 'at-once' = 'due',
): Promise<void> {
  const { scope } = remote;
  const nowMs = context.runtime.monotonicMs();
  if (when === 'at-once' || scope.epochCheckedAtMs === undefined || nowMs - scope.epochCheckedAtMs > context.markerIntervalMs) {
    await checkEpoch(context, remote, when);
    scope.epochCheckedAtMs = nowMs;
  }
  if ((await context.database.read(() => readScope(scope.number))).restored === 1) {
    const { Reconciliation } = await loadPart(context.late.reconciliation, remote.signal);
    await new Reconciliation(context, remote, report).run();
  }
}

/** Reads the markers and takes note of them; where the newest is not what it was, a new epoch begins. */
async function checkEpoch(context: SyncContext, remote: RemoteSession, when: 'due' | 'at-once'): Promise<void> {
  const { scope } = remote;
  const { database } = context;
  const known = (await database.read(() => listMarkers(scope.number))).filter((marker) => isKept(context, scope.defaultTtl, marker));
  const [newest] = known;
  if (newest === undefined && when === 'due') {
    return;
  }
  const asked = new Set([MARKER_ID + context.device, ...known.slice(0, MAX_ASKED).map(({ id }) => id)]);
  const versions = await readWithoutDoubt(remote, [...asked]);
  // Any one tells: the newest may be there again, since its device has begun anew as well.
  const isRestored = known.some(
    (marker) => asked.has(marker.id) && marker.epoch === newest?.epoch && isBehind(versions.get(marker.id), marker),
  );
  const cursor = isRestored ? (await remote.changes('now')).cursor : undefined;
  await database.write(function* (): Program<void> {
    const gone = isRestored ? known.map(({ id }) => id) : [...asked].filter((id) => versions.get(id) === undefined);
    for (const id of gone) {
      yield* dropMarker(scope, id);
    }
    const markers = [...versions.values()].filter((version): version is RemoteVersion => version !== undefined).map(markerOf);
    for (const marker of markers) {
      yield* noteMarker(scope, marker);
    }
    if (cursor !== undefined) {
      const { epoch } = yield* readScope(scope.number);
      yield* beginEpoch(scope.number, epochAfter(context, epoch, [...known, ...markers]), cursor);
    }
  });
  if (isRestored) {
    context.warn(
      `The remote container ${JSON.stringify(scope.container)} was restored from a backup or made again. What it forgot is sent to it again.`,
    );
  }
}

/** Whether a marker is gone, was made anew, or is older than it was. */
function isBehind(found: RemoteVersion | undefined, known: Marker): boolean {
  const marker = found && markerOf(found);
  return marker === undefined || compareMarkers(marker, known) < 0 || (marker.count - known.count) % 1 !== 0;
}

/** Whether the remote should still hold a marker, whatever a clock that is not quite right says. */
function isKept(context: SyncContext, defaultTtl: number | undefined, { ts, ttl }: Marker): boolean {
  return defaultTtl === undefined || ttl <= 0 || (ts + ttl / 2) * 1000 > context.clock.serverNowMs();
}

/** The epoch that another device has already begun, or a new one behind all that are known. */
function epochAfter(context: SyncContext, current: string, markers: readonly Marker[]): string {
  const highest = markers.reduce((max, { epoch }) => (epoch > max ? epoch : max), current);
  if (highest > current) {
    return highest;
  }
  const timeMs = Math.max(context.clock.serverNowMs(), Number.parseInt(highest.slice(0, TIME_DIGITS) || '0', 16) + 1);
  return `${Math.floor(timeMs).toString(16).padStart(TIME_DIGITS, '0')}-${toHex(context.runtime.randomBytes(RANDOM_BYTES))}`;
}
