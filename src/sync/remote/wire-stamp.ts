import { formatStamp, parseStamp, type HlcStamp } from '../../core/hybrid-logical-clock.ts';
import { canonicalJson } from '../../core/json-order.ts';
import { getOwn, isJsonObject, setOwn, type JsonObject } from '../../core/json.ts';
import { SYSTEM_PROPERTY_NAMES, type StoredDocument } from '../../store/document.ts';
import { hashV2 } from '../../store/effective-partition-key.ts';
import type { DocumentForm } from '../form/document-form.ts';

/** The one property that sync reserves in remote documents. It never appears in a local one. */
export const RESERVED_PROPERTY = '_perigee';

/** Begins the ids of markers; the device is named behind. No document of a user has such an id. */
export const MARKER_ID = '_perigee.marker.';

/** Value of {@link RESERVED_PROPERTY} in a remote document. */
export interface WireStamp {
  /** When the write was made: text of a hybrid logical clock's stamp, not later than server time when it was sent. */
  readonly clock: string;
  /** Names the write, so that its device recognises it after an unknown outcome. */
  readonly write: string;
  /** Digest of the document without this property and the store's own; another writer who keeps the property does not keep it true. */
  readonly digest: string;
  /** The document is a tombstone. */
  readonly deleted?: true;
  /** Names of writes of other devices that this version was built on, the newest of each, newest first; only where a policy merges. */
  readonly seen?: readonly string[];
}

/** A remote version of a document, read once. */
export interface RemoteVersion {
  readonly id: string;
  readonly etag: string;
  /** Seconds, by the server's clock. */
  readonly ts: number;
  readonly position: number | undefined;
  /** The document without {@link RESERVED_PROPERTY} and system properties, in the form of the device; a tombstone's remains are there too. */
  readonly body: JsonObject;
  /** The same as the remote has it, where that is something else; the digest of the stamp is of this. */
  readonly original?: JsonObject | undefined;
  /** A tombstone that an engine wrote and nobody changed since. */
  readonly deleted: boolean;
  /** The value of {@link RESERVED_PROPERTY}, verified or not. */
  readonly wire: WireStamp | undefined;
}

/** Digest of a document without system properties: the store's 128-bit key hash over its canonical JSON. Equal for equal content, whatever the order of properties. */
export function digestOf(body: JsonObject): string {
  return hashV2([canonicalJson(body)]);
}

/** A copy without the reserved property and the system properties. */
export function bodyOf(document: JsonObject): JsonObject {
  const body = {};
  for (const key of Object.keys(document)) {
    if (key !== RESERVED_PROPERTY && !(SYSTEM_PROPERTY_NAMES as readonly string[]).includes(key)) {
      setOwn(body, key, document[key]);
    }
  }
  return body;
}

/** The document to send: the body, then the stamp. */
export function stampedDocument(
  body: JsonObject,
  stamp: HlcStamp,
  write: string,
  deleted: boolean,
  seen: readonly string[] = [],
): JsonObject & { readonly id: string } {
  const wire: WireStamp = {
    clock: formatStamp(stamp),
    write,
    digest: digestOf(body),
    ...(deleted ? { deleted: true } : {}),
    ...(seen.length > 0 ? { seen } : {}),
  };
  const document = {};
  for (const key of Object.keys(body)) {
    setOwn(document, key, body[key]);
  }
  setOwn(document, RESERVED_PROPERTY, wire);
  return document as JsonObject & { readonly id: string };
}

/** Reads a value of {@link RESERVED_PROPERTY}; `undefined` for one that no engine wrote. */
export function readWire(value: unknown): WireStamp | undefined {
  if (!isJsonObject(value)) {
    return undefined;
  }
  const clock = getOwn(value, 'clock');
  const write = getOwn(value, 'write');
  const digest = getOwn(value, 'digest');
  if (typeof clock !== 'string' || typeof write !== 'string' || typeof digest !== 'string') {
    return undefined;
  }
  const seen = getOwn(value, 'seen');
  return {
    clock,
    write,
    digest,
    ...(getOwn(value, 'deleted') === true ? { deleted: true } : {}),
    ...(Array.isArray(seen) ? { seen: seen.filter((name) => typeof name === 'string') } : {}),
  };
}

/** Reads a remote document, as it is unless a form is given. The digest is computed only where it decides something at once: whether a tombstone is one. */
export function readRemote(document: StoredDocument<JsonObject>, position: number | undefined, form?: DocumentForm): RemoteVersion {
  const wire = readWire(getOwn(document, RESERVED_PROPERTY));
  const whole = bodyOf(document);
  const deleted = wire?.deleted === true && wire.digest === digestOf(whole);
  const body = deleted || form === undefined ? whole : form.received(whole);
  return {
    id: document.id,
    etag: document._etag,
    ts: document._ts,
    position,
    body,
    deleted,
    wire,
    ...(body === whole ? {} : { original: whole }),
  };
}

/** A remote version in the form of the device, whatever form it was read in. */
export function inForm(form: DocumentForm, version: RemoteVersion): RemoteVersion {
  const { original, ...rest } = version;
  const whole = original ?? version.body;
  const body = version.deleted ? whole : form.received(whole);
  return { ...rest, body, ...(body === whole ? {} : { original: whole }) };
}

/** A remote version's place in the order of writes. */
export interface RemoteOrder {
  readonly stamp: HlcStamp;
  /** The write's name where its stamp is believed; otherwise empty: a foreign write. */
  readonly write: string;
}

/**
 * The effective stamp of a remote version; every device computes the same.
 *
 * A stamp is believed when it can be read and its digest fits the body; otherwise the version is a foreign write at `_ts`, before every stamped
 * write of the same millisecond. A believed stamp counts no later than `_ts` plus the tolerance: the server's clock saw the write arrive then.
 */
export function remoteOrder(remote: RemoteVersion, toleranceMs: number): RemoteOrder {
  const stamp = remote.wire === undefined ? undefined : parseStamp(remote.wire.clock);
  if (remote.wire === undefined || stamp === undefined || remote.wire.digest !== digestOf(remote.original ?? remote.body)) {
    return { stamp: { timeMs: remote.ts * 1000, counter: 0, device: '' }, write: '' };
  }
  return { stamp: clampStamp(stamp, remote.ts * 1000 + toleranceMs), write: remote.wire.write };
}

/** The stamp, but not later than `limitMs`. */
export function clampStamp(stamp: HlcStamp, limitMs: number): HlcStamp {
  return stamp.timeMs <= limitMs ? stamp : { timeMs: limitMs, counter: 0, device: stamp.device };
}
