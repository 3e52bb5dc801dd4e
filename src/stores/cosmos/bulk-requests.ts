import type { ErrorCode } from '../../core/error-codes.ts';
import { PerigeeError, isPerigeeError } from '../../core/errors.ts';
import type { BulkItem } from '../../store/base-document-store.ts';
import type { BatchResult, BulkResult, CallOptions, OperationOutcome } from '../../store/operations.ts';
import { STORE_LIMITS } from '../../store/limits.ts';
import { keyOf, type StoreOperation } from '../../store/write-rules.ts';
import { runBatch } from './batch-requests.ts';
import type { ContainerLink } from './container-link.ts';
import { readDocument, writeDocument } from './document-requests.ts';
import { badResponse } from './cosmos-errors.ts';
import { forEachBounded } from './for-each-bounded.ts';

/** Characters of documents in one batch: their envelope, and characters of several bytes, must fit into 2 MB beside them. */
const CHUNK_CHARACTERS = 600_000;
/** After this many refused operations, those left of a partition key are sent one by one: each refusal costs a batch. */
const REFUSALS_BEFORE_SINGLE = 3;

/** Refusals of one partition key's credential: nothing more of that key is sent. */
const ENDS_KEY: ReadonlySet<ErrorCode> = new Set(['UNAUTHORIZED', 'FORBIDDEN', 'TOKEN_EXPIRED']);
/** Refusals that the rest of the call would meet as well. */
const ENDS_CALL: ReadonlySet<ErrorCode> = new Set(['UNREACHABLE', 'THROTTLED']);
/** Refusals of a whole batch that may be one operation's fault. */
const MAY_BE_ONE: ReadonlySet<ErrorCode> = new Set(['BAD_REQUEST', 'TOO_LARGE', 'PARTITION_KEY_MISMATCH', 'INVALID_PATCH']);

interface Pending {
  readonly index: number;
  readonly operation: StoreOperation;
}

/**
 * A bulk call: operations of one partition key go in their order, in atomic batches that carry the partition-key header; those that fail are taken
 * out and the rest is sent again. Different partition keys go side by side.
 *
 * The SDK's own bulk addresses ranges, which a token for one partition key does not permit.
 */
export class BulkRun<T extends object> {
  readonly #link: ContainerLink;
  readonly #options: CallOptions;
  readonly #outcomes: OperationOutcome<T>[];
  #requestUnits = 0;
  #session: string | undefined;
  /** The error that ends the call. */
  #end: PerigeeError | undefined;

  constructor(link: ContainerLink, items: readonly BulkItem[], options: CallOptions) {
    this.#link = link;
    this.#options = options;
    this.#session = options.session;
    this.#outcomes = Array.from({ length: items.length });
  }

  async run(items: readonly BulkItem[], maxConcurrency: number): Promise<BulkResult<T>> {
    const groups = new Map<string, Pending[]>();
    for (const [index, item] of items.entries()) {
      if (item instanceof PerigeeError) {
        this.#refuse({ index }, item);
        continue;
      }
      const { partitionKeyText } = keyOf(item);
      const group = groups.get(partitionKeyText);
      if (group === undefined) {
        groups.set(partitionKeyText, [{ index, operation: item }]);
      } else {
        group.push({ index, operation: item });
      }
    }
    await forEachBounded(Array.from(groups.values()), maxConcurrency, (group) => this.#runGroup(group));
    return { outcomes: this.#outcomes, requestUnits: this.#requestUnits, session: this.#session };
  }

  async #runGroup(group: Pending[]): Promise<void> {
    let pending = group;
    let refusals = 0;
    while (pending.length > 0) {
      const count = refusals < REFUSALS_BEFORE_SINGLE ? chunkLength(pending) : 1;
      const chunk = pending.slice(0, count);
      const rest = pending.slice(count);
      let end = this.#end;
      let again: readonly Pending[] = [];
      if (end === undefined) {
        ({ end, again } = count === 1 ? await this.#runSingle(chunk[0] as Pending) : await this.#runChunk(chunk));
      } else {
        this.#refuseAll(chunk, end);
      }
      if (end !== undefined) {
        this.#refuseAll([...again, ...rest], end);
        return;
      }
      refusals += again.length > 0 ? 1 : 0;
      pending = again.length === 0 ? rest : [...again, ...rest];
    }
  }

  /** Sends operations as one batch; gives those to send again, or the error that ends the partition key. */
  async #runChunk(chunk: readonly Pending[]): Promise<{ end: PerigeeError | undefined; again: readonly Pending[] }> {
    const key = keyOf((chunk[0] as Pending).operation);
    let result: BatchResult<T>;
    try {
      result = await runBatch<T>(
        this.#link,
        key,
        chunk.map(({ operation }) => operation),
        this.#options,
      );
    } catch (error) {
      if (!isPerigeeError(error)) {
        throw error;
      }
      if (MAY_BE_ONE.has(error.code)) {
        return this.#runEach(chunk);
      }
      this.#refuseAll(chunk, error);
      return { end: this.#endingOf(error), again: [] };
    }
    this.#requestUnits += result.requestUnits;
    this.#session = result.session ?? this.#session;
    const again: Pending[] = [];
    for (const [at, outcome] of result.outcomes.entries()) {
      const one = chunk[at] as Pending;
      if (result.committed || (!outcome.ok && outcome.error.code !== 'FAILED_DEPENDENCY')) {
        this.#outcomes[one.index] = outcome;
      } else {
        again.push(one);
      }
    }
    if (again.length === chunk.length) {
      const error = badResponse(
        { kind: 'batch', attempt: `run a bulk call of the container ${JSON.stringify(this.#link.info.definition.id)}`, continued: false },
        'a batch that failed without a failing operation',
      );
      this.#refuseAll(chunk, error);
      return { end: undefined, again: [] };
    }
    return { end: undefined, again };
  }

  async #runEach(chunk: readonly Pending[]): Promise<{ end: PerigeeError | undefined; again: readonly Pending[] }> {
    for (const [at, one] of chunk.entries()) {
      const { end } = await this.#runSingle(one);
      if (end !== undefined) {
        return { end, again: chunk.slice(at + 1) };
      }
    }
    return { end: undefined, again: [] };
  }

  async #runSingle(one: Pending): Promise<{ end: PerigeeError | undefined; again: readonly Pending[] }> {
    try {
      const outcome = await this.#single(one.operation);
      this.#outcomes[one.index] = outcome;
      this.#requestUnits += outcome.requestUnits;
      return { end: undefined, again: [] };
    } catch (error) {
      if (!isPerigeeError(error)) {
        throw error;
      }
      this.#refuse(one, error);
      return { end: this.#endingOf(error), again: [] };
    }
  }

  async #single(operation: StoreOperation): Promise<OperationOutcome<T>> {
    if (operation.type !== 'read') {
      const { session, ...outcome } = await writeDocument<T>(this.#link, operation, this.#options);
      this.#session = session ?? this.#session;
      return outcome;
    }
    const found = await readDocument<T>(this.#link, operation.key, { ...this.#options, ifNoneMatch: operation.ifNoneMatch });
    if (found === undefined) {
      throw new PerigeeError(
        'NOT_FOUND',
        `Cannot read the document ${JSON.stringify(operation.key.id)}: there is none in the partition key.`,
      );
    }
    this.#session = found.session ?? this.#session;
    return { ok: true, document: found.document, etag: found.etag, created: false, position: undefined, requestUnits: found.requestUnits };
  }

  #endingOf(error: PerigeeError): PerigeeError | undefined {
    if (ENDS_CALL.has(error.code)) {
      this.#end = error;
      return error;
    }
    return ENDS_KEY.has(error.code) ? error : undefined;
  }

  #refuse(one: Pick<Pending, 'index'>, error: PerigeeError): void {
    this.#outcomes[one.index] = { ok: false, error, requestUnits: 0 };
  }

  #refuseAll(chunk: readonly Pending[], error: PerigeeError): void {
    for (const one of chunk) {
      this.#refuse(one, error);
    }
  }
}

function chunkLength(pending: readonly Pending[]): number {
  let characters = 0;
  let count = 0;
  for (const { operation } of pending) {
    characters += 'document' in operation ? operation.document.text.length : 1000;
    if (count > 0 && (characters > CHUNK_CHARACTERS || count === STORE_LIMITS.batchOperations)) {
      break;
    }
    count += 1;
  }
  return count;
}
