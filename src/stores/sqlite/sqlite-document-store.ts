import type { Unsubscribe } from '../../core/emitter.ts';
import { PerigeeError, throwIfAborted } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import { BaseDocumentStore, type BulkItem } from '../../store/base-document-store.ts';
import type { StoreCapabilities } from '../../store/capabilities.ts';
import type { ChangePage } from '../../store/changes.ts';
import type { StoredDocument } from '../../store/document.ts';
import type { StoreTransaction } from '../../store/document-store.ts';
import type { WriteOutcome } from '../../store/hooked-transaction.ts';
import type {
  BatchResult,
  BulkResult,
  CallOptions,
  OperationOutcome,
  ReadManyResult,
  ReadOptions,
  ReadResult,
} from '../../store/operations.ts';
import type { PreparedDocument } from '../../store/prepared-document.ts';
import type { QueryPage } from '../../store/queries.ts';
import type { QueryExplanation } from '../../store/query-explanation.ts';
import type { StandardSchemaLike } from '../../store/standard-schema.ts';
import type { ChangesRequest, QueryRequest } from '../../store/store-hooks.ts';
import type { PreparedKey, StoreOperation, WriteOperation, WriteRules } from '../../store/write-rules.ts';
import { readChanges } from './change-pages.ts';
import { all, type Program } from './driver.ts';
import { explainQuery } from './explain-query.ts';
import type { Read } from './scan-slices.ts';
import type { DocumentRow } from './container-row.ts';
import type { SqliteContainer } from './sqlite-container.ts';
import type { SqliteDatabase } from './sqlite-database.ts';
import { runQueryPage } from './sqlite-query.ts';
import type { AppliedWrite } from '../common/applied-write.ts';
import { conditionMatcher } from '../common/condition-matcher.ts';
import { bulkResult, sessionNotReached, sessionPosition, totalUnits } from '../common/read-outcome.ts';
import { failedOutcomes, RefusedBatch } from '../common/refused-batch.ts';
import { readVersions } from './versions/version-pages.ts';
import { StoreResults } from '../common/store-results.ts';
import { readCharge } from '../common/write-charge.ts';
import type { ProgramWriteOptions, StoredRow, WriteJournal } from './write-journal.ts';

/** Operations of a bulk call that share a transaction; others have their turn between two. */
const BULK_TRANSACTION = 500;
/** Documents of a readMany call that are read before others have their turn. */
const READ_MANY_TURN = 500;

/** How a {@link SqliteDocumentStore} is opened. */
export interface SqliteStoreSettings {
  readonly capabilities: StoreCapabilities;
  readonly schema: StandardSchemaLike | undefined;
  readonly journal: WriteJournal | undefined;
  /** How often commits of other processes are looked for while anybody watches. */
  readonly pollIntervalMs: number;
}

/**
 * One container of a {@link SqliteBackend}.
 *
 * For the sync layer it also gives programs: {@link readProgram}, {@link putProgram} and {@link deleteProgram} are composed with others in one
 * `database.write(…)`, so that documents and what is known of them commit together.
 */
export class SqliteDocumentStore<T extends object = JsonObject> extends BaseDocumentStore<T> {
  readonly capabilities: StoreCapabilities;
  readonly database: SqliteDatabase;
  readonly #container: SqliteContainer;
  readonly #journal: WriteJournal | undefined;
  readonly #rules: WriteRules;
  readonly #results: StoreResults<T>;
  readonly #pollIntervalMs: number;
  readonly #readOutside: Read = (create) => {
    this.leaveWhenClosing();
    return this.database.read(create);
  };

  constructor(container: SqliteContainer, settings: SqliteStoreSettings) {
    super(container.info, container.database.runtime, settings.schema);
    this.capabilities = settings.capabilities;
    this.database = container.database;
    this.#container = container;
    this.#journal = settings.journal;
    this.#pollIntervalMs = settings.pollIntervalMs;
    this.#results = new StoreResults(container);
    this.#rules = { paths: this.partitionKeyPaths, matches: conditionMatcher(this.runtime) };
  }

  /** Reads a stored document; one that has expired and is still in the file only where asked for. Run it within `database.read` or `database.write`. */
  readProgram(key: PreparedKey, options: { readonly expired?: boolean | undefined } = {}): Program<StoredRow | undefined> {
    return this.#container.read(key, options.expired === true);
  }

  /** Gives some ids of a partition key behind one, in the order of their bytes; expired ones that are still in the file too. Run it as {@link readProgram}. */
  *idsProgram(key: Omit<PreparedKey, 'id'>, after: string, limit: number): Program<readonly string[]> {
    const rows = yield* all<{ id: string }>(this.#container.statements.idsAfter, key.partitionKeyText, after, limit);
    return rows.map(({ id }) => id);
  }

  /**
   * Creates or replaces a document without conditions. Run it within `database.write`.
   *
   * @throws CONFLICT when a unique key is taken, having changed nothing, so that a program may catch it and go on; SYNC_SCOPE, NOT_FOUND
   */
  *putProgram(document: PreparedDocument, options: ProgramWriteOptions = {}): Program<AppliedWrite> {
    yield* this.#container.enter(this.#journal);
    const expiresAt = 'expiresAtSeconds' in options ? options.expiresAtSeconds : 'rules';
    return yield* this.#container.put(
      document,
      expiresAt,
      options.journal === false ? undefined : this.#journal,
      options.expectNew === true,
    );
  }

  /** Deletes a document without conditions; gives `undefined` where there is none. Run it within `database.write`. @throws SYNC_SCOPE, NOT_FOUND */
  *deleteProgram(key: PreparedKey, options: Pick<ProgramWriteOptions, 'journal'> = {}): Program<AppliedWrite | undefined> {
    yield* this.#container.enter(this.#journal);
    return yield* this.#container.delete(key, options.journal === false ? undefined : this.#journal);
  }

  /**
   * Sets the second at and after which a stored document counts as missing, and changes nothing else: no etag, no position. Gives whether there
   * is a row, be it expired. Run it within `database.write`. @throws SYNC_SCOPE, NOT_FOUND
   */
  *expireProgram(key: PreparedKey, expiresAtSeconds: number | undefined): Program<boolean> {
    yield* this.#container.enter(this.#journal);
    return yield* this.#container.expire(key, expiresAtSeconds);
  }

  protected async _read(key: PreparedKey, options: ReadOptions): Promise<ReadResult<T> | undefined> {
    if (options.session !== undefined) {
      await this.#checkSession(options.session);
    }
    const answer = this.database.readStep({
      mode: 'get',
      sql: this.#container.statements.findText,
      parameters: [key.partitionKeyText, key.id],
    });
    return this.#readResult((answer instanceof Promise ? await answer : answer) as DocumentRow | undefined, key.id, options);
  }

  protected override async _readMany(keys: readonly PreparedKey[], options: CallOptions): Promise<ReadManyResult<T>> {
    await this.#checkSession(options.session);
    const documents: (StoredDocument<T> | undefined)[] = [];
    let requestUnits = 0;
    const container = this.#container;
    for (let start = 0; start < keys.length; start += READ_MANY_TURN) {
      const some = keys.slice(start, start + READ_MANY_TURN);
      const rows = await this.database.read(function* (): Program<(DocumentRow | undefined)[]> {
        const found: (DocumentRow | undefined)[] = [];
        for (const key of some) {
          found.push(yield* container.find(key, true));
        }
        return found;
      });
      for (const row of rows) {
        documents.push(row === undefined ? undefined : this.#results.documentOf(row));
        requestUnits += readCharge(row?.body);
      }
      await this.#giveWay(options.signal);
    }
    return { documents, requestUnits, session: this.#session() };
  }

  protected async _write(operation: WriteOperation, options: CallOptions): Promise<WriteOutcome<T>> {
    const applied = await this.database.write(() => this.#writeProgram(operation), options.signal);
    if (applied instanceof PerigeeError) {
      throw applied;
    }
    return this.#results.single(applied, operation, options);
  }

  protected async _batch(_key: unknown, operations: readonly StoreOperation[], options: CallOptions): Promise<BatchResult<T>> {
    await this.#checkSession(options.session);
    try {
      const outcomes = await this.database.write(() => this.#batchProgram(operations), options.signal);
      return this.#batchResult(outcomes, true);
    } catch (error) {
      if (error instanceof RefusedBatch) {
        return this.#batchResult(failedOutcomes(operations, error.index, error.refusal), false);
      }
      throw error;
    }
  }

  protected async _bulk(items: readonly BulkItem[], options: CallOptions): Promise<BulkResult<T>> {
    await this.#checkSession(options.session);
    const outcomes: OperationOutcome<T>[] = [];
    for (let start = 0; start < items.length; start += BULK_TRANSACTION) {
      const some = items.slice(start, start + BULK_TRANSACTION);
      for (const outcome of await this.database.write(() => this.#bulkProgram(some), options.signal)) {
        outcomes.push(outcome);
      }
      await this.#giveWay(options.signal);
    }
    return bulkResult(outcomes, this.#session());
  }

  protected async _queryPage(request: QueryRequest): Promise<QueryPage<unknown>> {
    await this.#checkSession(request.session);
    return { ...(await runQueryPage(this.#container, request, this.#readOutside)), session: this.#session() };
  }

  protected async _explain(request: QueryRequest): Promise<QueryExplanation> {
    await this.#checkSession(request.session);
    return explainQuery(this.#container, request, this.#readOutside);
  }

  protected async _changesPage(request: ChangesRequest): Promise<ChangePage<T>> {
    await this.#checkSession(request.session);
    return request.mode === 'all'
      ? readVersions<T>(this.#container, request, this.partitionKeyPaths.length)
      : readChanges<T>(this.#container, request, this.partitionKeyPaths.length);
  }

  protected override async _transact<R>(
    key: Omit<PreparedKey, 'id'>,
    work: (transaction: StoreTransaction<T>) => Promise<R>,
    options: CallOptions,
  ): Promise<R> {
    await this.#checkSession(options.session);
    const writes: AppliedWrite[] = [];
    return this.database.transaction(async (runProgram) => {
      const result = await this.runTransaction(
        key,
        {
          read: async (one) => {
            const found = this.#readResult(await runProgram(this.#container.find(one, true)), one.id, {});
            return found === undefined ? undefined : { ...found, session: this.#sessionWithin() };
          },
          write: async (operation) => {
            const applied = await runProgram(this.#writeProgram(operation));
            if (applied instanceof PerigeeError) {
              throw applied;
            }
            writes.push(applied);
            return this.#results.single(applied, operation, {});
          },
          queryPage: async (request) => ({
            ...(await runQueryPage(this.#container, request, (create) => runProgram(create()))),
            session: this.#sessionWithin(),
          }),
        },
        work,
      );
      await runProgram(this.#togetherProgram(writes));
      return result;
    }, options.signal);
  }

  protected override get continuationSource(): string {
    return `${this.rid} ${this.#container.incarnation}`;
  }

  protected override _subscribe(listener: () => void): Unsubscribe {
    const unsubscribe = this.#container.onCommit(listener);
    const stopPolling = this.#pollCommits(listener);
    return () => {
      unsubscribe();
      stopPolling();
    };
  }

  protected override _flush(): Promise<void> {
    return this.database.flush();
  }

  protected _close(): Promise<void> {
    return Promise.resolve();
  }

  *#writeProgram(operation: WriteOperation): Program<AppliedWrite | PerigeeError> {
    yield* this.#container.enter(this.#journal);
    return yield* this.#container.apply(operation, this.#rules, this.#journal);
  }

  /** Tells the journal what a batch or a transaction has written. */
  *#togetherProgram(writes: readonly AppliedWrite[]): Program<void> {
    if (this.#journal?.recordedTogether !== undefined) {
      yield* this.#journal.recordedTogether(writes);
    }
  }

  *#batchProgram(operations: readonly StoreOperation[]): Program<OperationOutcome<T>[]> {
    yield* this.#container.enter(this.#journal);
    const writes: AppliedWrite[] = [];
    const outcomes: OperationOutcome<T>[] = [];
    for (const operation of operations) {
      const outcome = yield* this.#operationProgram(operation, writes);
      if (!outcome.ok) {
        throw new RefusedBatch(outcomes.length, outcome.error);
      }
      outcomes.push(outcome);
    }
    yield* this.#togetherProgram(writes);
    return outcomes;
  }

  *#bulkProgram(items: readonly BulkItem[]): Program<OperationOutcome<T>[]> {
    yield* this.#container.enter(this.#journal);
    const outcomes: OperationOutcome<T>[] = [];
    for (const item of items) {
      outcomes.push(item instanceof PerigeeError ? { ok: false, error: item, requestUnits: 0 } : yield* this.#operationProgram(item));
    }
    return outcomes;
  }

  /** @param writes takes what was written */
  *#operationProgram(operation: StoreOperation, writes?: AppliedWrite[]): Program<OperationOutcome<T>> {
    if (operation.type === 'read') {
      return this.#results.readOutcome(yield* this.#container.find(operation.key, true), operation);
    }
    const applied = yield* this.#container.apply(operation, this.#rules, this.#journal);
    if (!(applied instanceof PerigeeError)) {
      writes?.push(applied);
    }
    return this.#results.outcome(applied, operation);
  }

  #readResult(row: DocumentRow | undefined, id: string, options: ReadOptions): ReadResult<T> | undefined {
    return row === undefined || this.#container.isExpired(row)
      ? undefined
      : this.#results.read(row, id, options, this.#session(row.position));
  }

  #batchResult(outcomes: readonly OperationOutcome<T>[], committed: boolean): BatchResult<T> {
    return { committed, outcomes, requestUnits: totalUnits(outcomes), session: this.#session() };
  }

  /** What a transaction has done so far counts for itself. */
  #sessionWithin(): string {
    return String(this.#container.position);
  }

  #session(seen = 0): string {
    return String(Math.max(seen, this.#container.committedPosition));
  }

  /** @throws SESSION_NOT_AVAILABLE for a session that the file has not reached, as after a restore; BAD_REQUEST for one of another store */
  async #checkSession(session: string | undefined): Promise<void> {
    if (session === undefined) {
      return;
    }
    const asked = sessionPosition(session);
    if (asked > this.#container.committedPosition && asked > (await this.database.read(() => this.#container.head()))) {
      throw sessionNotReached(this.definition.id);
    }
  }

  async #giveWay(signal: AbortSignal | undefined): Promise<void> {
    await this.runtime.yieldTask();
    throwIfAborted(signal);
  }

  /** Looks for commits of other processes until it is stopped. */
  #pollCommits(listener: () => void): () => void {
    if (!this.capabilities.multiProcess) {
      return () => undefined;
    }
    let stopped = false;
    let cancel = (): void => undefined;
    const poll = async (): Promise<void> => {
      try {
        if ((await this.database.pollCommits()) && !stopped) {
          listener();
        }
      } catch (error) {
        this.database.logger.log('warn', 'Looking for commits of other processes failed; it is tried again.', { error });
      }
      schedule();
    };
    const schedule = (): void => {
      if (!stopped && !this.calls.closed) {
        cancel = this.runtime.setTimer(this.#pollIntervalMs, () => void poll());
      }
    };
    schedule();
    return () => {
      stopped = true;
      cancel();
    };
  }
}
