import type { RemoteVersion } from './wire-stamp.ts';

/** What a name looks like: stamp, generation, life. Strangers may write anything. */
const NAME = /^[\w.-]{20,128}$/u;
/** Devices of which a document names the newest write. */
const MAX_WRITES = 32;
/** Begins the life of a name that says: it was pending when that life was over. */
const MARK = '?';
const LIFE_DIGITS = 6;
/** Length of a stamp's time and counter with their dashes; the device follows. */
const DEVICE_AT = 18;

/** The device that made a write; devices have no dots. */
function deviceOf(name: string): string {
  return name.slice(DEVICE_AT, name.lastIndexOf('.'));
}

function generationOf(name: string): number {
  return Number.parseInt(name.slice(name.lastIndexOf('.') + 1), 10);
}

/** The life of the device in which a write was sent, or after which it was marked. */
function lifeOf(name: string): string {
  return name.slice(name.lastIndexOf('-') + 1).replace(MARK, '');
}

/** Lives are counted; where a loss of power took back a life whole, the next one has the same number. */
export function numberOfLife(life: string): number {
  return Number.parseInt(life.slice(0, LIFE_DIGITS), 16);
}

/** A life as it stands in names: its number, then what chance gave. */
export function lifeText(number: number, random: string): string {
  return `${number.toString(16).padStart(LIFE_DIGITS, '0')}${random}`;
}

/** Marks what was pending when a life was over, the newest that was noted: it may have been sent before, with a note of it that is gone. */
export function markOf(life: string): string {
  return `${MARK}${life}`;
}

/** Whether a name is such a mark. */
export function isMark(name: string): boolean {
  return name.includes(`-${MARK}`);
}

/**
 * Which of the pending writes that a device has noted is in a remote version, `undefined` for none: the one that is named there. Where another write of
 * the device is named there, a loss of power has taken that one back; then the newest of which it can have been made: noted in an earlier life or in
 * its own, or pending when that or an earlier life was over. A life of the same number as its own that is noted came when the loss had taken it back whole.
 *
 * @param write name of the pending write as it would be sent now
 * @param noted names of its writes that were sent or marked, oldest first
 */
export function notedWithin(remote: Pick<RemoteVersion, 'wire'>, write: string, noted: readonly string[]): string | undefined {
  const within = writesIn(remote);
  const exact = within.find((name) => noted.includes(name));
  const lost = within.find((name) => deviceOf(name) === deviceOf(write) && lifeOf(name) !== lifeOf(write));
  if (exact !== undefined || lost === undefined) {
    return exact;
  }
  const life = lifeOf(lost);
  // What is newer than the one named there was written on top of it: that one was acknowledged.
  return noted.findLast(
    (name) => generationOf(name) <= generationOf(lost) && (lifeOf(name) === life || numberOfLife(lifeOf(name)) < numberOfLife(life)),
  );
}

/**
 * Names of the writes that are in a remote version: its own, and the newest of each other device that it was built on. A stranger who edits a document
 * and leaves the property alone has built on them too, so the digest is not asked.
 */
export function writesIn(remote: Pick<RemoteVersion, 'wire'>): readonly string[] {
  return remote.wire === undefined ? [] : lineageAfter(remote.wire.write, remote.wire.seen).filter((name) => NAME.test(name));
}

/** The lineage of a write on top of a version with the lineage `seen`: itself first, and no older write of its device. */
export function lineageAfter(write: string, seen: readonly string[] = []): readonly string[] {
  const device = deviceOf(write);
  const others = seen.filter((name) => deviceOf(name) !== device);
  return [write, ...others.slice(0, MAX_WRITES - 1)];
}

/** A lineage as it is stored, newest first. */
export function lineageText(names: readonly string[]): string {
  return names.join(' ');
}

/** Reads {@link lineageText}. */
export function parseLineage(text: string | null | undefined): readonly string[] {
  return text === null || text === undefined || text === '' ? [] : text.split(' ');
}
