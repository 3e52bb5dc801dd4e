import type { JsonObject } from '../../core/json.ts';
import type { IndexedTerms } from '../../query/cost/indexed-terms.ts';
import type { StoredDocument, SystemProperties } from '../../store/document.ts';
import type { OperationOutcome } from '../../store/operations.ts';
import type { WriteOperation } from '../../store/write-rules.ts';
import type { AppliedWrite } from './applied-write.ts';
import { writeCharge } from './write-charge.ts';

/** What of a container an outcome is made with. */
export interface OutcomeContainer {
  readonly terms: IndexedTerms;
  documentOf(body: string, ordinal: number, position: number, ts: number): JsonObject & SystemProperties;
}

/** Outcome of an operation that succeeded. */
export type SuccessfulOutcome<T extends object> = Extract<OperationOutcome<T>, { readonly ok: true }>;

/**
 * The outcome of a write. Document and charge are worked out when they are first looked at: of a bulk of thousands hardly anybody reads them, and
 * they cost as much as the write.
 *
 * The document is parsed from the text that was stored, not taken from the caller's object: what was stored is what is shown, and nobody shares it.
 */
export function writeOutcome<T extends object>(
  container: OutcomeContainer,
  applied: AppliedWrite,
  operation: WriteOperation,
): SuccessfulOutcome<T> {
  return new LazyOutcome<T>(container, applied, operation);
}

class LazyOutcome<T extends object> implements SuccessfulOutcome<T> {
  readonly ok = true;
  readonly etag: string | undefined;
  readonly created: boolean;
  readonly position: number;
  readonly #container: OutcomeContainer;
  readonly #applied: AppliedWrite;
  readonly #operation: WriteOperation;
  #document: StoredDocument<T> | undefined;

  constructor(container: OutcomeContainer, applied: AppliedWrite, operation: WriteOperation) {
    this.etag = applied.etag;
    this.created = applied.document !== undefined && applied.previous === undefined;
    this.position = applied.position;
    this.#container = container;
    this.#applied = applied;
    this.#operation = operation;
  }

  get document(): StoredDocument<T> | undefined {
    const { document, ordinal, position, ts } = this.#applied;
    if (this.#document === undefined && document !== undefined) {
      this.#document = this.#container.documentOf(document.text, ordinal, position, ts) as unknown as StoredDocument<T>;
    }
    return this.#document;
  }

  get requestUnits(): number {
    return writeCharge(this.#applied, this.#operation, this.#container.terms, this.document as JsonObject | undefined);
  }

  /** As JSON it is what any other outcome is. */
  toJSON(): SuccessfulOutcome<T> {
    const { ok, document, etag, created, position, requestUnits } = this;
    return { ok, document, etag, created, position, requestUnits };
  }
}
