import type { RemoteVersion } from './wire-stamp.ts';

/** What a name looks like; strangers may write anything. */
const NAME = /^[\w.-]{20,128}$/u;
/** Devices of which a document names the newest write. */
const MAX_WRITES = 32;
/** Length of a stamp's time and counter with their dashes; the device follows. */
const DEVICE_AT = 18;

/** The device that made a write. A name is its stamp, a dot and its generation, and devices have no dots. */
function deviceOf(name: string): string {
  return name.slice(DEVICE_AT, name.lastIndexOf('.'));
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
