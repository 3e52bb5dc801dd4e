import { PerigeeError } from '../core/errors.ts';
import { parseCursor } from './change-cursor.ts';
import type { ChangesFrom } from './changes.ts';
import type { ContainerDefinition } from './container-definition.ts';

/** What is gone of the recorded versions of a container: everything up to a position. */
export interface RetentionFloor {
  /** Position of the last change that is gone; of the head when recording began. */
  readonly position: number;
  /** Time from which on every change is there, in milliseconds since 1970. */
  readonly atMs: number;
}

/** How long a container keeps every version, in milliseconds; `undefined` where it has no change feed policy. */
export function retentionMs(definition: ContainerDefinition): number | undefined {
  return definition.changeFeedPolicy === undefined ? undefined : definition.changeFeedPolicy.retentionDuration * 60_000;
}

/**
 * Whether a change is older than it is kept. One that is as far in the future counts too: only a clock that was wrong can have written it, and it
 * would hold up all behind it.
 */
export function isOutsideRetention(atMs: number, nowMs: number, keptMs: number): boolean {
  return Math.abs(nowMs - atMs) > keptMs;
}

/**
 * The floor that is left when the changes up to one are gone. Its second is incomplete then, so the next one is the first that is whole; a change from
 * the future says nothing of that.
 */
export function raiseFloor(floor: RetentionFloor, position: number, atMs: number, nowMs: number): RetentionFloor {
  const wholeFrom = atMs > nowMs ? floor.atMs : (Math.floor(atMs / 1000) + 1) * 1000;
  return { position, atMs: Math.max(floor.atMs, wholeFrom) };
}

/** The refusal of a change feed, or of a past state, that goes back further than versions are kept. */
export function outsideRetention(containerId: string, why: string): PerigeeError {
  return new PerigeeError(
    'OUTSIDE_RETENTION',
    `You must read the change feed from within the retention period. The container ${JSON.stringify(containerId)} ${why}.`,
    { details: { containers: [containerId] } },
  );
}

/** Containers that are named in one message; all of them are in its details. */
const MAX_NAMED = 5;

/** The refusal of a past state, by the containers (`database/container`) that do not reach back to it. */
export function pastOutsideRetention(containers: readonly string[]): PerigeeError {
  const named = containers.slice(0, MAX_NAMED).map((name) => JSON.stringify(name));
  const others = containers.length > MAX_NAMED ? ` and ${containers.length - MAX_NAMED} more` : '';
  return new PerigeeError(
    'OUTSIDE_RETENTION',
    `Cannot go back to that time: versions since then are not kept in ${named.join(', ')}${others}. A container keeps them while it has a change feed policy, as long as that says.`,
    { details: { containers } },
  );
}

/**
 * Whether the state of a container at a past time can be told. One that was recorded from its beginning, and of which nothing is gone, was empty
 * before.
 */
export function reachesBack({ definition, floor, nowMs }: Omit<RecordedWindow, 'head'>, asOfMs: number): boolean {
  const keptMs = retentionMs(definition);
  return keptMs !== undefined && floor !== undefined && asOfMs >= nowMs - keptMs && (floor.position === 0 || asOfMs >= floor.atMs);
}

/** What a change feed of all versions can be read from. */
export interface RecordedWindow {
  readonly definition: ContainerDefinition;
  /** `undefined` while nothing is recorded. */
  readonly floor: RetentionFloor | undefined;
  /** Newest position. */
  readonly head: number;
  readonly nowMs: number;
}

/**
 * Where a feed of all versions starts: behind a position, or at the first change of a second.
 *
 * @throws OUTSIDE_RETENTION, INVALID_CONTINUATION
 */
export function startOfVersions(
  from: ChangesFrom,
  { definition, floor, head, nowMs }: RecordedWindow,
  binding: string,
): { readonly position: number } | { readonly seconds: number } {
  const { id } = definition;
  const keptMs = retentionMs(definition);
  if (keptMs === undefined || floor === undefined) {
    throw outsideRetention(id, 'has no change feed policy, so its versions are not recorded');
  }
  if (from === 'now') {
    return { position: head };
  }
  if (from === 'beginning') {
    throw outsideRetention(id, 'keeps versions for a time, so they have no beginning: start from now, from a time or from a cursor');
  }
  if ('cursor' in from) {
    const position = parseCursor(from.cursor, binding, head);
    if (position < floor.position) {
      throw outsideRetention(id, 'no longer keeps the changes behind the cursor');
    }
    return { position };
  }
  const seconds = Math.floor(from.timeMs / 1000);
  if (from.timeMs < nowMs - keptMs || seconds < Math.floor(floor.atMs / 1000)) {
    throw outsideRetention(id, 'does not keep the changes since that time');
  }
  return { seconds };
}
