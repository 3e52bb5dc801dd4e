/*
 * The request-unit model. Cosmos DB publishes figures, not formulas: a point read of 1 KB costs 1 request unit and of 100 KB about 10; a create of
 * 1 KB costs 5 and 0.2 for each term of the index, and of 100 KB about 50; a delete as much as a create; a replace both, with the terms that
 * change; a patch 0.4 more for each operation; loading 1,000 documents of 1 KB in a query about 1,000. What is in between is a straight line. The
 * same work always has the same charge. It is for comparing calls with each other, not for forecasting a bill.
 */

const KILOBYTE = 1024;
const READ_PER_KB = 9 / 99;
const INSERT_BASE = 5;
const INSERT_PER_KB = 44.5 / 99;
const PER_TERM = 0.2;
/** Terms of a document whose terms nobody has counted: they make the often quoted 5.5 request units of an insert. */
const USUAL_TERMS = 2.5;
const PER_PATCH_OPERATION = 0.4;
const QUERY_BASE = 2.3;
const QUERY_PER_DOCUMENT_SCANNED = 0.02;

/** Kilobytes beyond the first. */
function furtherKilobytes(bytes: number): number {
  return Math.max(0, bytes / KILOBYTE - 1);
}

/** Two decimals, as the service charges. */
function rounded(units: number): number {
  return Math.round(units * 100) / 100;
}

function insertUnits(bytes: number, terms: number): number {
  return INSERT_BASE + furtherKilobytes(bytes) * INSERT_PER_KB + PER_TERM * terms;
}

/** Charge of reading a document by its key; `bytes` is its JSON, 0 for a missing one. */
export function readUnits(bytes: number): number {
  return rounded(1 + furtherKilobytes(bytes) * READ_PER_KB);
}

/**
 * Charge of a write; `bytes` is the JSON of the document written, or of the one deleted, and `terms` what `IndexedTerms` counts in it.
 *
 * For a replace this takes the old document as if it were like the new one; {@link replaceUnits} knows both.
 */
export function writeUnits(kind: 'create' | 'replace' | 'delete', bytes: number, terms: number = USUAL_TERMS): number {
  const insert = insertUnits(bytes, terms);
  return rounded(kind === 'replace' ? 2 * insert : insert);
}

/** What a replacement changes. */
export interface ReplaceCost {
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  /** Terms that leave the index. */
  readonly termsRemoved: number;
  /** Terms that come into the index. */
  readonly termsAdded: number;
}

/** Charge of replacing a document by another; with the number of its operations, that of a patch. */
export function replaceUnits({ bytesBefore, bytesAfter, termsRemoved, termsAdded }: ReplaceCost, patchOperations: number = 0): number {
  return rounded(insertUnits(bytesBefore, termsRemoved) + insertUnits(bytesAfter, termsAdded) + PER_PATCH_OPERATION * patchOperations);
}

/** Charge of one page of a query or of a change feed. */
export function pageUnits(page: { readonly documentsScanned: number; readonly bytesReturned: number }): number {
  return rounded(QUERY_BASE + page.documentsScanned * QUERY_PER_DOCUMENT_SCANNED + page.bytesReturned / KILOBYTE);
}
