import { PerigeeError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { IndexedTerms } from '../../query/cost/indexed-terms.ts';
import { storedText, type StoredDocument, type SystemProperties } from '../../store/document.ts';
import { DocumentText, wantsText } from '../../store/document-text.ts';
import type { WriteOutcome } from '../../store/hooked-transaction.ts';
import type { CallOptions, OperationOutcome, ReadOptions, ReadResult } from '../../store/operations.ts';
import type { ReadOperation, WriteOperation } from '../../store/write-rules.ts';
import type { AppliedWrite } from './applied-write.ts';
import { isUnchanged, missingToRead, notModified } from './read-outcome.ts';
import { readCharge, refusalCharge, writeCharge } from './write-charge.ts';
import { writeOutcome } from './write-outcome.ts';

/** What of a container its results are made with. */
export interface ResultContainer {
  readonly terms: IndexedTerms;
  etagOf(position: number, ts: number): string;
  systemProperties(ordinal: number, position: number, ts: number): SystemProperties;
  documentOf(body: string, ordinal: number, position: number, ts: number): JsonObject & SystemProperties;
}

/** A living document as a statement has read it. */
export interface ResultRow {
  readonly ordinal: number;
  readonly position: number;
  readonly ts: number;
  readonly body?: string | undefined;
}

/** What the calls of a store give for rows that were read and writes that were applied, where rows are texts with ordinal, position and time. */
export class StoreResults<T extends object> {
  readonly #container: ResultContainer;

  constructor(container: ResultContainer) {
    this.#container = container;
  }

  /** The document of a row, or its text where the caller reads that. */
  documentOf(row: ResultRow, options: CallOptions = {}): StoredDocument<T> {
    const body = row.body as string;
    const { ordinal, position, ts } = row;
    if (!wantsText(options)) {
      return this.#container.documentOf(body, ordinal, position, ts) as unknown as StoredDocument<T>;
    }
    const system = this.#container.systemProperties(ordinal, position, ts);
    return new DocumentText(storedText(body, system), system._etag, ts) as unknown as StoredDocument<T>;
  }

  /** What a point read gives. @throws NOT_MODIFIED */
  read(row: ResultRow, id: string, options: ReadOptions, session: string): ReadResult<T> {
    const document = this.documentOf(row, options);
    if (isUnchanged(document._etag, options.ifNoneMatch)) {
      throw notModified(id, document._etag);
    }
    return { document, etag: document._etag, ts: row.ts, position: row.position, requestUnits: readCharge(row.body), session };
  }

  /** What a read within a batch or bulk gives. */
  readOutcome(row: ResultRow | undefined, operation: ReadOperation): OperationOutcome<T> {
    const { id } = operation.key;
    if (row === undefined) {
      return { ok: false, error: missingToRead(id), requestUnits: refusalCharge(operation) };
    }
    const etag = this.#container.etagOf(row.position, row.ts);
    if (isUnchanged(etag, operation.ifNoneMatch)) {
      return { ok: false, error: notModified(id, etag), requestUnits: refusalCharge(operation) };
    }
    return { ok: true, document: this.documentOf(row), etag, created: false, position: undefined, requestUnits: readCharge(row.body) };
  }

  /** What a write within a batch or bulk gives. */
  outcome(applied: AppliedWrite | PerigeeError, operation: WriteOperation): OperationOutcome<T> {
    return applied instanceof PerigeeError
      ? { ok: false, error: applied, requestUnits: refusalCharge(operation) }
      : writeOutcome<T>(this.#container, applied, operation);
  }

  /** What a write by itself gives. */
  single(applied: AppliedWrite, operation: WriteOperation, options: CallOptions): WriteOutcome<T> {
    const outcome = writeOutcome<T>(this.#container, applied, operation);
    const { etag, created, position } = outcome;
    const session = String(position);
    const { document } = applied;
    if (document === undefined || !wantsText(options)) {
      return { ok: true, document: outcome.document, etag, created, position, requestUnits: outcome.requestUnits, session };
    }
    const requestUnits = writeCharge(applied, operation, this.#container.terms, document.isPlain ? document.value : undefined);
    const stored = this.documentOf({ ...applied, body: document.text }, options);
    return { ok: true, document: stored, etag, created, position, requestUnits, session };
  }
}
