/** Limits of the contract; the same on every backend, and those of Cosmos DB. */
export interface StoreLimits {
  /** UTF-8 bytes of an id. */
  readonly idBytes: number;
  /** UTF-8 bytes of a document's JSON text without system properties; also of all documents of one batch. */
  readonly documentBytes: number;
  /** Nesting of a document. */
  readonly documentDepth: number;
  /** UTF-8 bytes of one partition key component. */
  readonly partitionKeyBytes: number;
  readonly batchOperations: number;
  readonly patchOperations: number;
  /** Items of a page when the caller names no number. */
  readonly defaultPageItems: number;
}

/** The limits that every store enforces. @see https://learn.microsoft.com/azure/cosmos-db/concepts-limits */
export const STORE_LIMITS: StoreLimits = {
  idBytes: 1023,
  documentBytes: 2 * 1024 * 1024,
  documentDepth: 128,
  partitionKeyBytes: 2048,
  batchOperations: 100,
  patchOperations: 10,
  defaultPageItems: 100,
};

const encoder = new TextEncoder();

/** Length of `text` in UTF-8 bytes. */
export function utf8Length(text: string): number {
  return encoder.encode(text).length;
}

/** Whether `text` is longer than `limit` UTF-8 bytes; looks at the text only when its length leaves a doubt. */
export function exceedsBytes(text: string, limit: number): boolean {
  return text.length > limit || (text.length * 3 > limit && utf8Length(text) > limit);
}
