/*
 * The request-unit model. Cosmos DB publishes examples, not formulas; these formulas meet its published figures, and depend on nothing but the
 * sizes given, so that the same work always has the same charge:
 *
 *   point read            1 KB = 1, 100 KB = 10, in a straight line; never less than 1
 *   create, delete        5 times the read of the same size, and 0.2 a term of the index
 *   replace               delete and create, but only terms that change
 *   patch                 replace, and 0.4 an operation
 *   query                 2.3 a query, 0.01 a document read, 0.02 an item and 0.95 a KB returned: 1,000 items of 1 KB are about 1,000
 *   feed                  as a query of one page that reads what it returns
 *
 * What a query pays for being there at all is paid once: by its first page, and of that by each range as much as it is of the hash space. So a
 * query costs the same in one page as in many, and asked range by range as asked at once.
 */

const BYTES_PER_KB = 1024;
const READ_PER_KB = 9 / 99;
const WRITE_FACTOR = 5;
const PER_TERM = 0.2;
const PER_PATCH_OPERATION = 0.4;
const PER_QUERY = 2.3;
const PER_DOCUMENT_READ = 0.01;
const PER_ITEM = 0.02;
const PER_KB_RETURNED = 0.95;

/** Two decimals, as the service charges. */
function rounded(units: number): number {
  return Math.round(units * 100) / 100;
}

function readUnits(bytes: number): number {
  return 1 + Math.max(bytes / BYTES_PER_KB - 1, 0) * READ_PER_KB;
}

/** The charge of reading one document by its key; `bytes` of its JSON text, 0 for one that is missing. */
export function pointReadUnits(bytes: number): number {
  return rounded(readUnits(bytes));
}

/** The charge of creating a document, or of deleting it, by its size and its terms in the index. */
export function writeUnits(bytes: number, terms: number): number {
  return rounded(WRITE_FACTOR * readUnits(bytes) + PER_TERM * terms);
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

function rawReplaceUnits({ bytesBefore, bytesAfter, termsRemoved, termsAdded }: ReplaceCost): number {
  return WRITE_FACTOR * (readUnits(bytesBefore) + readUnits(bytesAfter)) + PER_TERM * (termsRemoved + termsAdded);
}

/** The charge of replacing a document. */
export function replaceUnits(cost: ReplaceCost): number {
  return rounded(rawReplaceUnits(cost));
}

/** The charge of patching a document. */
export function patchUnits(cost: ReplaceCost, operations: number): number {
  return rounded(rawReplaceUnits(cost) + PER_PATCH_OPERATION * operations);
}

/** What a page of a query did. */
export interface PageCost {
  /** Documents that the model takes it to have read: see `query-work`. */
  readonly documentsRead: number;
  readonly itemsReturned: number;
  readonly bytesReturned: number;
  /** Which part of the query begins with this page: 1 with the first page, 0 with later ones, a fraction with the first page of a range. */
  readonly share: number;
}

/** No answer is free: it takes a connection, a check of rights and a place in the throughput. */
const LEAST = 0.01;

/** The charge of one page of a query. */
export function queryUnits({ documentsRead, itemsReturned, bytesReturned, share }: PageCost): number {
  const returned = PER_ITEM * itemsReturned + (PER_KB_RETURNED * bytesReturned) / BYTES_PER_KB;
  return Math.max(LEAST, rounded(PER_QUERY * share + PER_DOCUMENT_READ * documentsRead + returned));
}

/** The charge of one page of a feed (a change feed, or the documents of a container), which reads what it returns; 1 for an empty one. */
export function feedUnits(itemsReturned: number, bytesReturned: number): number {
  return itemsReturned === 0 ? 1 : queryUnits({ documentsRead: itemsReturned, itemsReturned, bytesReturned, share: 1 });
}
