import type { RemoteVersion } from './wire-stamp.ts';

/** What the remote holds under an id, as it is kept with a dead letter. */
export type RemoteSnapshot =
  | { readonly state: 'known'; readonly version: RemoteVersion }
  /** It has no such document, not even a tombstone. */
  | { readonly state: 'missing' }
  /** It could not be asked yet. */
  | { readonly state: 'unknown' };

/** A snapshot as text. */
export function snapshotText(remote: RemoteVersion | undefined): string {
  const snapshot: RemoteSnapshot = remote === undefined ? { state: 'missing' } : { state: 'known', version: remote };
  return JSON.stringify(snapshot);
}

/** Reads {@link snapshotText}; nothing written yet is unknown. */
export function parseSnapshot(text: string | null): RemoteSnapshot {
  return text === null ? { state: 'unknown' } : (JSON.parse(text) as RemoteSnapshot);
}
