import { canonicalJson } from '../../core/json-order.ts';
import { PerigeeError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { IndexedTerms } from '../../query/cost/indexed-terms.ts';
import { patchUnits, pointReadUnits, replaceUnits, writeUnits } from '../../query/cost/request-units.ts';
import { DocumentText } from '../../store/document-text.ts';
import { storedText, type StoredDocument, type SystemProperties } from '../../store/document.ts';
import type { OperationOutcome } from '../../store/operations.ts';
import { valueAtPath } from '../../store/partition-key.ts';
import type { PreparedDocument } from '../../store/prepared-document.ts';
import { documentRid, documentSelf } from '../../store/resource-id.ts';
import { decideWrite, keyOf, type StoreOperation, type WriteOperation, type WriteRules } from '../../store/write-rules.ts';
import { documentKey } from './document-key.ts';
import type { ResidentContainer, ResidentRow } from './resident-container.ts';
import { isUnchanged, notModified } from './read-outcome.ts';
import type { ResidentDraft } from './resident-draft.ts';

/** Outcome of an operation that succeeded. */
export type SuccessfulOutcome<T extends object> = Extract<OperationOutcome<T>, { readonly ok: true }>;

/** How a document is given to those who asked for it. */
export type GiveDocument<T extends object> = (row: ResidentRow) => StoredDocument<T>;

/** The document of a row as text. */
export function documentTextOf<T extends object>(row: ResidentRow): StoredDocument<T> {
  return new DocumentText(row.text, row.etag, row.ts) as unknown as StoredDocument<T>;
}

/** The document of a row, parsed anew. */
export function documentOf<T extends object>(row: ResidentRow): StoredDocument<T> {
  return JSON.parse(row.text) as StoredDocument<T>;
}

/** Carries out one operation on a draft. @throws what {@link decideWrite} throws, CONFLICT (unique key), and NOT_FOUND, NOT_MODIFIED for a read */
export function applyOperation<T extends object>(draft: ResidentDraft, operation: StoreOperation, rules: WriteRules): SuccessfulOutcome<T> {
  return operation.type === 'read' ? readRow(draft, operation) : applyWrite(draft, operation, rules);
}

function readRow<T extends object>(draft: ResidentDraft, operation: Extract<StoreOperation, { type: 'read' }>): SuccessfulOutcome<T> {
  const row = draft.get(documentKey(operation.key));
  if (row === undefined) {
    throw new PerigeeError(
      'NOT_FOUND',
      `Cannot read the document ${JSON.stringify(operation.key.id)}: there is none in the partition key.`,
    );
  }
  checkIfNoneMatch(row, operation.ifNoneMatch);
  return {
    ok: true,
    document: documentOf<T>(row),
    etag: row.etag,
    created: false,
    position: undefined,
    requestUnits: pointReadUnits(row.text.length),
  };
}

/** Raises NOT_MODIFIED while a row has the etag. */
export function checkIfNoneMatch(row: ResidentRow, ifNoneMatch: string | undefined): void {
  if (isUnchanged(row.etag, ifNoneMatch)) {
    throw notModified(row.id, row.etag);
  }
}

/** Carries out one write on a draft. */
export function applyWrite<T extends object>(
  draft: ResidentDraft,
  operation: WriteOperation,
  rules: WriteRules,
  give: GiveDocument<T> = documentOf,
): SuccessfulOutcome<T> {
  const { partitionKeyText, id } = keyOf(operation);
  const key = documentKey({ partitionKeyText, id });
  const nowSeconds = draft.expireDue();
  const before = draft.get(key, nowSeconds);
  const current = before === undefined ? undefined : { etag: before.etag, read: () => JSON.parse(before.text) as JsonObject };
  const decision = decideWrite(operation, current, rules);
  if (decision.action === 'delete') {
    const position = draft.container.takePosition();
    const removed = before as ResidentRow;
    draft.remove(removed, position);
    return {
      ok: true,
      document: undefined,
      etag: undefined,
      created: false,
      position,
      requestUnits: deleteCharge(draft.container, removed),
    };
  }
  const { document } = decision;
  const uniqueTexts = uniqueTextsOf(draft.container, document);
  if (uniqueTexts.some((text) => draft.isTaken(text, key, nowSeconds))) {
    throw new PerigeeError(
      'CONFLICT',
      `Cannot ${operation.type} the document ${JSON.stringify(id)}: another one in the partition key has the same unique key value.`,
    );
  }
  const version = newVersion(draft.container, before, document.text);
  const row = buildRow(
    draft.container,
    document,
    version,
    before === undefined ? { key, uniqueTexts } : { key, epk: before.epk, uniqueTexts },
  );
  draft.put(row);
  const given = give(row);
  // What the caller was given is parsed already, unless it is the text.
  const valueAfter = (): JsonObject =>
    given instanceof DocumentText ? (document.isPlain ? document.value : documentOf(row)) : (given as JsonObject);
  return {
    ok: true,
    document: given,
    etag: row.etag,
    created: decision.created,
    position: row.position,
    requestUnits: chargeOf(draft.container, operation, { before, after: row, text: document.text }, valueAfter),
  };
}

/** One text for each unique key. A missing value counts as null, as in Cosmos DB. */
function uniqueTextsOf(container: ResidentContainer, document: RowDocument): string[] {
  if (container.uniquePaths.length === 0) {
    return [];
  }
  const value = document.value ?? (JSON.parse(document.text) as JsonObject);
  return container.uniquePaths.map((paths, index) => {
    const values = paths.map((path) => valueAtPath(value, path) ?? null);
    return `${index}${document.partitionKeyText}${canonicalJson(values)}`;
  });
}

/** What a store adds to a document to make a row of it. */
export interface RowVersion {
  readonly ordinal: number;
  readonly position: number;
  readonly ts: number;
  readonly etag: string;
}

/** A document as a row is made of it; it is parsed again where its value is needed and not there. */
export type RowDocument = Omit<PreparedDocument, 'value' | 'isPlain'> & { readonly value?: JsonObject | undefined };

/** The row of a document in a version; what is known of it already is not worked out again. */
export function buildRow(
  container: ResidentContainer,
  document: RowDocument,
  { ordinal, position, ts, etag }: RowVersion,
  known: Partial<Pick<ResidentRow, 'key' | 'epk' | 'uniqueTexts' | 'expiresAt'>> = {},
): ResidentRow {
  const rid = documentRid(container.info.rid, ordinal);
  const system: SystemProperties = {
    _rid: rid,
    _self: documentSelf(container.self, rid),
    _etag: etag,
    _attachments: 'attachments/',
    _ts: ts,
  };
  return {
    key: known.key ?? documentKey(document),
    id: document.id,
    partitionKey: document.partitionKey,
    partitionKeyText: document.partitionKeyText,
    epk: known.epk ?? container.epks.of(document, container.info.definition.partitionKey),
    ordinal,
    position,
    etag,
    ts,
    ttl: document.ttl,
    expiresAt: known.expiresAt,
    text: storedText(document.text, system),
    uniqueTexts: known.uniqueTexts ?? uniqueTextsOf(container, document),
  };
}

/** The JSON of a row's document without system properties, which are its last members. */
export function bodyOf(row: ResidentRow): string {
  return `${row.text.slice(0, row.text.lastIndexOf(',"_rid":"'))}}`;
}

function newVersion(container: ResidentContainer, before: ResidentRow | undefined, body: string): RowVersion {
  const ordinal = before?.ordinal ?? container.takeOrdinal();
  const position = container.takePosition();
  const ts = container.nowSeconds();
  return { ordinal, position, ts, etag: container.etagOf({ ordinal, position, ts, body }) };
}

/** Charge of a write that left a document; `before` is the version that it replaced, and `text` what it is now without system properties. */
function chargeOf(
  { terms }: ResidentContainer,
  operation: WriteOperation,
  { before, after, text }: { readonly before: ResidentRow | undefined; readonly after: ResidentRow; readonly text: string },
  valueAfter: () => JsonObject,
): number {
  if (before === undefined) {
    return writeUnits(after.text.length, termsOf(terms, after, valueAfter));
  }
  const { removed, added } = bodyOf(before) === text ? terms.changesOfNothing() : terms.changes(documentOf(before), valueAfter());
  if (before.counted?.by === terms) {
    after.counted = { by: terms, terms: before.counted.terms - removed + added };
  }
  const cost = { bytesBefore: before.text.length, bytesAfter: after.text.length, termsRemoved: removed, termsAdded: added };
  return operation.type === 'patch' ? patchUnits(cost, operation.operations.length) : replaceUnits(cost);
}

/** Charge of a write that removed a document. */
function deleteCharge({ terms }: ResidentContainer, before: ResidentRow): number {
  return writeUnits(
    before.text.length,
    termsOf(terms, before, () => documentOf(before)),
  );
}

/** How many terms a row has, which its document keeps for as long as the policy does. */
function termsOf(by: IndexedTerms, row: ResidentRow, value: () => JsonObject): number {
  if (row.counted?.by !== by) {
    row.counted = { by, terms: by.count(value()) };
  }
  return row.counted.terms;
}
