import type { JsonObject } from '../core/json.ts';

/**
 * What every store adds to a document, after the document's own properties and in this order.
 *
 * `_rid` is given at creation, kept on replace, and its order is creation order; `_etag` is opaque, quoted, and changes with every write;
 * `_ts` is the store's own clock in seconds. `_self` and `_attachments` follow from `_rid` and are there because Cosmos DB has them.
 */
export interface SystemProperties {
  readonly _rid: string;
  readonly _self: string;
  readonly _etag: string;
  readonly _attachments: string;
  readonly _ts: number;
}

/** A document as it is read: the caller's properties and the store's. */
export type StoredDocument<T extends object = JsonObject> = T & { readonly id: string } & SystemProperties;

/** Names of the properties that a store writes itself; a caller's values for them are ignored. */
export const SYSTEM_PROPERTY_NAMES: readonly (keyof SystemProperties)[] = ['_rid', '_self', '_etag', '_attachments', '_ts'];

/** The system properties as JSON members, ready to follow the last member of a document's text. */
export function systemPropertiesText(system: SystemProperties): string {
  // The etag is the only value with characters to escape: its own quotes.
  return `"_rid":"${system._rid}","_self":"${system._self}","_etag":${JSON.stringify(system._etag)},"_attachments":"${system._attachments}","_ts":${system._ts}}`;
}

/** The text of a stored document: `text` is the JSON of a non-empty object without system properties. */
export function storedText(text: string, system: SystemProperties): string {
  return `${text.slice(0, -1)},${systemPropertiesText(system)}`;
}
