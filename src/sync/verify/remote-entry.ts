import { getOwn, isJsonObject, type JsonObject } from '../../core/json.ts';
import type { StoredDocument } from '../../store/document.ts';
import type { DocumentForm } from '../form/document-form.ts';
import { digestOf, readRemote, readWire, RESERVED_PROPERTY } from '../remote/wire-stamp.ts';

/** What a comparison of both sides needs of a remote document. */
export interface RemoteEntry {
  readonly id: string;
  readonly etag: string;
  /** Digest of the body; of a stamped document as its stamp has it, which a stranger who keeps the stamp does not keep true. */
  readonly digest: string;
  /** A tombstone: the remote holds no such document. */
  readonly deleted: boolean;
}

const WHOLE = 'whole';

/**
 * What to select for {@link remoteEntry}. A document whose stamp tells its digest is named by it; one without, and a tombstone, which is small and of
 * which the digest decides whether it is one, come whole, and so does one that the device has in another form.
 */
export function remoteEntryOf(form: DocumentForm): string {
  const stamp = `c.${RESERVED_PROPERTY}`;
  const isTold = `IS_STRING(${stamp}.digest) AND NOT IS_DEFINED(${stamp}.deleted)${form.sameCondition}`;
  return `c.id, c._etag, ${stamp}, (${isTold} ? null : c) AS ${WHOLE}`;
}

/** Reads an item of a query for {@link remoteEntryOf}. */
export function remoteEntry(item: JsonObject, form: DocumentForm): RemoteEntry {
  const id = item['id'] as string;
  const etag = item['_etag'] as string;
  const whole = getOwn(item, WHOLE);
  if (isJsonObject(whole)) {
    const { body, deleted } = readRemote(whole as StoredDocument<JsonObject>, undefined, form);
    return { id, etag, digest: digestOf(body), deleted };
  }
  // A stamp that cannot be read has no digest that would fit; the document is then read to find out.
  return { id, etag, digest: readWire(getOwn(item, RESERVED_PROPERTY))?.digest ?? '', deleted: false };
}
