import type { Unsubscribe } from '../../core/emitter.ts';
import { isPerigeeError, PerigeeError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Runtime } from '../../core/runtime.ts';
import { pointReadUnits } from '../../query/cost/request-units.ts';
import { BaseDocumentStore, type BulkItem } from '../../store/base-document-store.ts';
import type { StoreCapabilities } from '../../store/capabilities.ts';
import type { ChangePage } from '../../store/changes.ts';
import { wantsText } from '../../store/document-text.ts';
import type { StoreTransaction } from '../../store/document-store.ts';
import type { WriteOutcome } from '../../store/hooked-transaction.ts';
import type { BatchResult, BulkResult, CallOptions, OperationOutcome, ReadOptions, ReadResult } from '../../store/operations.ts';
import type { QueryPage } from '../../store/queries.ts';
import type { QueryExplanation } from '../../store/query-explanation.ts';
import type { StandardSchemaLike } from '../../store/standard-schema.ts';
import type { ChangesRequest, QueryRequest } from '../../store/store-hooks.ts';
import type { PreparedKey, StoreOperation, WriteOperation, WriteRules } from '../../store/write-rules.ts';
import { hasCondition, loadedEngine, QUERY_ENGINE } from './query-engine.ts';
import { sessionNotReached, sessionPosition, totalUnits } from './read-outcome.ts';
import { failedOutcomes } from './refused-batch.ts';
import { readChanges } from './resident-changes.ts';
import { documentKey } from './document-key.ts';
import type { ResidentContainer } from './resident-container.ts';
import { ResidentDraft } from './resident-draft.ts';
import { readVersions } from './resident-version-feed.ts';
import {
  applyOperation,
  applyWrite,
  checkIfNoneMatch,
  documentOf,
  documentTextOf,
  type GiveDocument,
  type SuccessfulOutcome,
} from './resident-writes.ts';
import { refusalCharge } from './write-charge.ts';

/** Operations of a bulk call that run before others get a turn. */
const BULK_TURN = 1000;

/** A store on a container whose rows are all in memory: the plain, readable meaning of the contract. */
export class ResidentDocumentStore<T extends object = JsonObject> extends BaseDocumentStore<T> {
  readonly capabilities: StoreCapabilities;
  readonly #container: ResidentContainer;
  readonly #rules: WriteRules;

  constructor(container: ResidentContainer, runtime: Runtime, schema: StandardSchemaLike | undefined, capabilities: StoreCapabilities) {
    super(container.info, runtime, schema);
    this.capabilities = capabilities;
    this.#container = container;
    this.#rules = {
      paths: this.partitionKeyPaths,
      matches: (condition, document) => loadedEngine().conditionMatcher(runtime)(condition, document),
    };
  }

  protected async _read(key: PreparedKey, options: ReadOptions): Promise<ReadResult<T> | undefined> {
    this.#checkSession(options.session);
    return this.#readIn(new ResidentDraft(this.#container), key, options.ifNoneMatch, giverFor<T>(options));
  }

  protected _write(operation: WriteOperation, options: CallOptions): Promise<WriteOutcome<T>> {
    return hasCondition(operation)
      ? QUERY_ENGINE.load().then(() => this.#writeOne(operation, options))
      : this.#writeOne(operation, options);
  }

  protected async _batch(_key: unknown, operations: readonly StoreOperation[], options: CallOptions): Promise<BatchResult<T>> {
    if (operations.some(hasCondition)) {
      await QUERY_ENGINE.load();
    }
    this.#checkSession(options.session);
    const outcomes: OperationOutcome<T>[] = [];
    try {
      await this.#container.write(options.signal, (draft) => {
        for (const operation of operations) {
          outcomes.push(applyOperation<T>(draft, operation, this.#rules));
        }
      });
    } catch (error) {
      // A refusal before the first operation, for one of a deleted container, or behind the last, for one by the medium, is the whole batch's.
      const isWhole = (outcomes.length === 0 && this.#container.isDeleted) || outcomes.length === operations.length;
      if (!isPerigeeError(error) || isWhole) {
        throw error;
      }
      return this.#batchResult(failedOutcomes(operations, outcomes.length, error), false);
    }
    return this.#batchResult(outcomes, true);
  }

  protected async _bulk(items: readonly BulkItem[], options: CallOptions): Promise<BulkResult<T>> {
    if (items.some((item) => !(item instanceof PerigeeError) && hasCondition(item))) {
      await QUERY_ENGINE.load();
    }
    this.#checkSession(options.session);
    const outcomes: OperationOutcome<T>[] = [];
    for (const item of items) {
      outcomes.push(item instanceof PerigeeError ? { ok: false, error: item, requestUnits: 0 } : await this.#bulkOne(item, options));
      if (outcomes.length % BULK_TURN === 0) {
        await this.runtime.yieldTask();
      }
    }
    return { outcomes, requestUnits: totalUnits(outcomes), session: this.#session() };
  }

  protected async _queryPage(request: QueryRequest): Promise<QueryPage<unknown>> {
    if (QUERY_ENGINE.loaded === undefined) {
      await QUERY_ENGINE.load();
    }
    this.#checkSession(request.session);
    return this.#queryIn(new ResidentDraft(this.#container), request, () => this.leaveWhenClosing());
  }

  protected async _explain(request: QueryRequest): Promise<QueryExplanation> {
    const { explainQuery } = await QUERY_ENGINE.load();
    this.#checkSession(request.session);
    return explainQuery(new ResidentDraft(this.#container), request, this.runtime, () => this.leaveWhenClosing());
  }

  protected async _changesPage(request: ChangesRequest): Promise<ChangePage<T>> {
    this.#checkSession(request.session);
    return request.mode === 'all'
      ? readVersions<T>(this.#container, request, this.runtime)
      : readChanges<T>(this.#container, request, this.runtime);
  }

  protected override _transact<R>(
    key: Omit<PreparedKey, 'id'>,
    work: (transaction: StoreTransaction<T>) => Promise<R>,
    options: CallOptions,
  ): Promise<R> {
    this.#checkSession(options.session);
    return this.#container.transact(options.signal, (draft) =>
      this.runTransaction(
        key,
        {
          read: async (one) => this.#readIn(draft, one, undefined, documentOf),
          write: async (operation) => {
            if (hasCondition(operation)) {
              await QUERY_ENGINE.load();
            }
            return this.#withSession(applyWrite<T>(draft, operation, this.#rules));
          },
          queryPage: async (request) => {
            await QUERY_ENGINE.load();
            return this.#queryIn(draft, request);
          },
        },
        work,
      ),
    );
  }

  protected override get continuationSource(): string {
    return `${this.rid} ${this.#container.incarnation}`;
  }

  protected override _subscribe(listener: () => void): Unsubscribe {
    return this.#container.onCommit(listener);
  }

  protected _close(): Promise<void> {
    return Promise.resolve();
  }

  #writeOne(operation: WriteOperation, options: CallOptions): Promise<WriteOutcome<T>> {
    const give = giverFor<T>(options);
    return this.#container.write(options.signal, (draft) => this.#withSession(applyWrite<T>(draft, operation, this.#rules, give)));
  }

  #readIn(draft: ResidentDraft, key: PreparedKey, ifNoneMatch: string | undefined, give: GiveDocument<T>): ReadResult<T> | undefined {
    const row = draft.get(documentKey(key));
    if (row === undefined) {
      return undefined;
    }
    checkIfNoneMatch(row, ifNoneMatch);
    return {
      document: give(row),
      etag: row.etag,
      ts: row.ts,
      position: row.position,
      requestUnits: pointReadUnits(row.text.length),
      session: this.#session(),
    };
  }

  async #queryIn(draft: ResidentDraft, request: QueryRequest, between?: () => void): Promise<QueryPage<unknown>> {
    return { ...(await loadedEngine().runQueryPage(draft, request, this.runtime, between)), session: this.#session() };
  }

  async #bulkOne(operation: StoreOperation, options: CallOptions): Promise<OperationOutcome<T>> {
    try {
      return await this.#container.write(options.signal, (draft) => applyOperation<T>(draft, operation, this.#rules));
    } catch (error) {
      if (!isPerigeeError(error)) {
        throw error;
      }
      return { ok: false, error, requestUnits: refusalCharge(operation) };
    }
  }

  #batchResult(outcomes: readonly OperationOutcome<T>[], committed: boolean): BatchResult<T> {
    return { committed, outcomes, requestUnits: totalUnits(outcomes), session: this.#session() };
  }

  #withSession(outcome: SuccessfulOutcome<T>): WriteOutcome<T> {
    const { document, etag, created, position, requestUnits } = outcome;
    return { ok: true, document, etag, created, position, requestUnits, session: String(position) };
  }

  #session(): string {
    return String(this.#container.position);
  }

  /** Raises NOT_FOUND for a deleted container, SESSION_NOT_AVAILABLE for a session that this store has not reached. */
  #checkSession(session: string | undefined): void {
    this.#container.assertExists();
    if (session === undefined) {
      return;
    }
    if (sessionPosition(session) > this.#container.position) {
      throw sessionNotReached(this.definition.id);
    }
  }
}

function giverFor<T extends object>(options: CallOptions): GiveDocument<T> {
  return wantsText(options) ? documentTextOf : documentOf;
}
