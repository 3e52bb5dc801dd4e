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
import type { QueryPage } from '../../store/queries.ts';
import type { QueryExplanation } from '../../store/query-explanation.ts';
import type { StandardSchemaLike } from '../../store/standard-schema.ts';
import type { ChangesRequest, ExplainRequest, QueryRequest } from '../../store/store-hooks.ts';
import { keyOf, type PreparedKey, type StoreOperation, type WriteOperation, type WriteRules } from '../../store/write-rules.ts';
import { conditionMatcher } from '../common/condition-matcher.ts';
import type { AppliedWrite } from '../common/applied-write.ts';
import { documentKey } from '../common/document-key.ts';
import { bulkResult, sessionNotReached, sessionPosition, totalUnits } from '../common/read-outcome.ts';
import { failedOutcomes, RefusedBatch } from '../common/refused-batch.ts';
import { StoreResults } from '../common/store-results.ts';
import { readCharge } from '../common/write-charge.ts';
import { bulkSlices } from './bulk-slices.ts';
import { readChanges, startsOnReplica } from './change-pages.ts';
import { needsCare, unlessRefused } from './columns/apply-carefully.ts';
import type { DocumentRow } from './container-row.ts';
import { explainQuery } from './explain-query.ts';
import { createMany, isCreateMany } from './create-many.ts';
import { textArray } from './pg-arrays.ts';
import type { PostgresContainer } from './postgres-container.ts';
import type { PostgresDatabase } from './postgres-database.ts';
import { runQueryPage, type Run } from './postgres-query.ts';
import type { ReadTerms } from './replicas/replica-set.ts';
import { canWriteAlone, findRow, singleWrite } from './single-write.ts';
import { recordSome } from './versions/tidy-versions.ts';
import { readVersions } from './versions/version-pages.ts';
import { partitionKeysOf, WriteUnit } from './write-unit.ts';

/** Operations of a bulk call that are checked before the event loop has its turn. */
const BULK_CHECKED = 100;
/** Documents of a readMany call that are read by one statement. */
const READ_MANY_ROWS = 200;

/** A page that takes no more statements is finished when the store closes meanwhile. */
const SHORT_STATEMENTS = 4;

const READING = 'read from the PostgreSQL store';
const WRITING = 'write to the PostgreSQL store';

/** How a {@link PostgresDocumentStore} is opened. */
export interface PostgresStoreSettings {
  readonly capabilities: StoreCapabilities;
  readonly schema: StandardSchemaLike | undefined;
  /** Calls `listener` when any server may have committed to the container. */
  readonly watch: (container: PostgresContainer, listener: () => void) => Unsubscribe;
}

/** One container of a {@link PostgresBackend}. */
export class PostgresDocumentStore<T extends object = JsonObject> extends BaseDocumentStore<T> {
  readonly capabilities: StoreCapabilities;
  readonly #container: PostgresContainer;
  readonly #rules: WriteRules;
  readonly #results: StoreResults<T>;
  readonly #watch: PostgresStoreSettings['watch'];

  constructor(container: PostgresContainer, settings: PostgresStoreSettings) {
    super(container.info, container.database.runtime, settings.schema);
    this.capabilities = settings.capabilities;
    this.#container = container;
    this.#watch = settings.watch;
    this.#results = new StoreResults(container);
    this.#rules = { paths: this.partitionKeyPaths, matches: conditionMatcher(this.runtime) };
  }

  protected override get bulkCheckedAtOnce(): number {
    return BULK_CHECKED;
  }

  protected async _read(key: PreparedKey, options: ReadOptions): Promise<ReadResult<T> | undefined> {
    const replica = this.#container.replicas?.pick(this.#container, options);
    const found =
      replica === undefined ? undefined : await replica.read(options.signal, (database) => findRow(this.#container, key, database));
    if (found !== undefined) {
      const session = Math.max(found.position, Number(options.session ?? 0));
      return this.#readResult(found, key.id, options, String(session));
    }
    await this.#checkSession(options.session);
    return this.#readResult(await findRow(this.#container, key), key.id, options);
  }

  protected override async _readMany(keys: readonly PreparedKey[], options: CallOptions): Promise<ReadManyResult<T>> {
    const result = await this.#onReplica(options, (database) => this.#readManyFrom(database, keys, options));
    if (result !== undefined) {
      return result;
    }
    await this.#checkSession(options.session);
    return { ...(await this.#readManyFrom(this.#container.database, keys, options)), session: this.#session() };
  }

  async #readManyFrom(
    database: PostgresDatabase,
    keys: readonly PreparedKey[],
    options: CallOptions,
  ): Promise<Omit<ReadManyResult<T>, 'session'>> {
    const documents: (StoredDocument<T> | undefined)[] = [];
    let requestUnits = 0;
    for (let start = 0; start < keys.length; start += READ_MANY_ROWS) {
      const some = keys.slice(start, start + READ_MANY_ROWS);
      const rowKeys = some.map((key) => this.#container.rowKey(key));
      const rows = await database.read<DocumentRow & { n: number }>(READING, {
        text: this.#container.statements.findMany,
        values: [textArray(rowKeys.map(({ pk }) => pk)), textArray(rowKeys.map(({ id }) => id))],
        name: this.#container.statementName('findMany'),
      });
      const found = new Map(rows.map((row) => [row.n, row]));
      for (const index of some.keys()) {
        const row = found.get(index + 1);
        const living = row === undefined || this.#container.isExpired(row) ? undefined : row;
        documents.push(living === undefined ? undefined : this.#results.documentOf(living));
        requestUnits += readCharge(living?.body);
      }
      throwIfAborted(options.signal);
    }
    return { documents, requestUnits };
  }

  protected async _write(operation: WriteOperation, options: CallOptions): Promise<WriteOutcome<T>> {
    const applied = (await this.#writeAlone(operation)) ?? (await this.#writeLocked(operation, options));
    this.#container.committed(applied.position);
    return this.#results.single(applied, operation, options);
  }

  protected async _batch(
    _key: Omit<PreparedKey, 'id'>,
    operations: readonly StoreOperation[],
    options: CallOptions,
  ): Promise<BatchResult<T>> {
    await this.#checkSession(options.session);
    try {
      const outcomes = await this.#inUnit(operations, options, (unit) => this.#batchIn(unit, operations));
      return { committed: true, outcomes, requestUnits: totalUnits(outcomes), session: this.#session() };
    } catch (error) {
      if (error instanceof RefusedBatch) {
        const outcomes = failedOutcomes<T>(operations, error.index, error.refusal);
        return { committed: false, outcomes, requestUnits: totalUnits(outcomes), session: this.#session() };
      }
      throw error;
    }
  }

  protected async _bulk(items: readonly BulkItem[], options: CallOptions): Promise<BulkResult<T>> {
    await this.#checkSession(options.session);
    const outcomes: OperationOutcome<T>[] = [];
    for (const { items: some, partitionKeys } of bulkSlices(items)) {
      const operations = some.filter((item): item is StoreOperation => !(item instanceof PerigeeError));
      const { locks } = this.#container.database;
      const done = operations.length === 0 ? [] : await locks.run(partitionKeys, () => this.#bulkSome(operations, options));
      let next = 0;
      for (const item of some) {
        outcomes.push(item instanceof PerigeeError ? { ok: false, error: item, requestUnits: 0 } : (done[next++] as OperationOutcome<T>));
      }
      throwIfAborted(options.signal);
    }
    return bulkResult(outcomes, this.#session());
  }

  protected async _queryPage(request: QueryRequest): Promise<QueryPage<unknown>> {
    const page = await this.#onReplica(request, async (database) => {
      // A replica is behind what is known of indexes.
      await this.#container.indexes.refresh(this.#container, this.#runOutside(request.signal));
      return runQueryPage(this.#container, request, this.#runOutside(request.signal, database));
    });
    if (page !== undefined) {
      return page;
    }
    await this.#checkSession(request.session);
    return { ...(await runQueryPage(this.#container, request, this.#runOutside(request.signal))), session: this.#session() };
  }

  protected async _explain(request: ExplainRequest): Promise<QueryExplanation> {
    await this.#checkSession(request.session);
    return explainQuery(this.#container, request, this.#runOutside(request.signal));
  }

  protected async _changesPage(request: ChangesRequest): Promise<ChangePage<T>> {
    const replica = startsOnReplica(request) ? this.#container.replicas?.pick(this.#container, request, true) : undefined;
    const horizon = replica?.horizonOf(this.#container.number);
    const page = await replica?.read(request.signal, (database) =>
      readChanges<T>(this.#container, request, this.partitionKeyPaths.length, { database, horizon }),
    );
    if (page !== undefined) {
      return page;
    }
    await this.#checkSession(request.session);
    const read = request.mode === 'all' ? readVersions<T> : readChanges<T>;
    return read(this.#container, request, this.partitionKeyPaths.length);
  }

  protected override async _transact<R>(
    key: Omit<PreparedKey, 'id'>,
    work: (transaction: StoreTransaction<T>) => Promise<R>,
    options: CallOptions,
  ): Promise<R> {
    await this.#checkSession(options.session);
    await this.#recordDue();
    let position = 0;
    const result = await this.#container.withDefinition(() =>
      this.#container.database.transaction(
        WRITING,
        async (session) => {
          const partitionKeys = [this.#container.rowKey({ ...key, id: '' }).pk];
          const hasColumns = this.#container.row.columns !== null;
          const unit = await WriteUnit.begin(this.#container, session, this.#rules, [], partitionKeys, 0, hasColumns);
          const run: Run = (statement) => session.rows(statement);
          const within = (): string => String(Math.max(this.#container.position, unit.lastPosition));
          return this.runTransaction(
            key,
            {
              read: async (one) => {
                const found = this.#readResult(await unit.find(one), one.id, {});
                return found === undefined ? undefined : { ...found, session: within() };
              },
              write: async (operation) => {
                await unit.recordDue();
                const applied = await unit.apply(operation);
                if (applied instanceof PerigeeError) {
                  throw applied;
                }
                await unit.flush();
                position = applied.position;
                return this.#results.single(applied, operation, {});
              },
              queryPage: async (request) => ({ ...(await runQueryPage(this.#container, request, run)), session: within() }),
            },
            work,
          );
        },
        { mode: 'once', signal: options.signal },
      ),
    );
    if (position > 0) {
      this.#container.committed(position);
    }
    return result;
  }

  protected override get continuationSource(): string {
    return `${this.rid} ${this.#container.source}`;
  }

  protected override _subscribe(listener: () => void): Unsubscribe {
    const unsubscribe = this.#container.onCommit(listener);
    const unwatch = this.#watch(this.#container, listener);
    return () => {
      unsubscribe();
      unwatch();
    };
  }

  protected _close(): Promise<void> {
    return Promise.resolve();
  }

  /** What a replica answers, where one may and does. */
  async #onReplica<R extends object>(
    terms: ReadTerms & Pick<CallOptions, 'signal'>,
    work: (database: PostgresDatabase) => Promise<R>,
  ): Promise<(R & { readonly session: string | undefined }) | undefined> {
    const { replicas } = this.#container;
    const result = await replicas?.pick(this.#container, terms)?.read(terms.signal, work);
    if (result === undefined) {
      return undefined;
    }
    // What was seen there may be newer than the session; nothing is newer than this.
    const seen = terms.consistency === 'eventual' ? undefined : await this.#container.head();
    const session = seen === undefined ? terms.session : String(Math.max(seen, Number(terms.session ?? 0)));
    return { ...result, session };
  }

  #runOutside(signal: AbortSignal | undefined, database = this.#container.database): Run {
    let statements = 0;
    return (statement) => {
      statements += 1;
      if (statements > SHORT_STATEMENTS) {
        this.leaveWhenClosing();
      }
      throwIfAborted(signal);
      return database.read(READING, statement);
    };
  }

  /** By single statements, where these can do it, and no column refuses it. */
  async #writeAlone(operation: WriteOperation): Promise<AppliedWrite | undefined> {
    // Asked again for every definition: one that another server has put in place may have versions recorded.
    return this.#container.withDefinition(async () =>
      canWriteAlone(this.#container)
        ? unlessRefused(this.#container, () => singleWrite(this.#container, operation, this.#rules))
        : undefined,
    );
  }

  #writeLocked(operation: WriteOperation, options: CallOptions): Promise<AppliedWrite> {
    return this.#inUnit([operation], options, async (unit) => {
      const applied = await unit.apply(operation);
      if (applied instanceof PerigeeError) {
        throw applied;
      }
      return applied;
    });
  }

  /** Runs `work` in a transaction that holds the partition keys of operations, and writes what it leaves. */
  async #inUnit<R>(operations: readonly StoreOperation[], options: CallOptions, work: (unit: WriteUnit) => Promise<R>): Promise<R> {
    const keys = [...new Map(operations.map((operation) => [documentKey(keyOf(operation)), keyOf(operation)])).values()];
    const amount = operations.filter(({ type }) => type !== 'read').length;
    await this.#recordDue();
    let position = 0;
    const run = (careful: boolean): Promise<R> =>
      this.#container.withDefinition(() =>
        this.#container.database.transaction(
          WRITING,
          async (session) => {
            const partitionKeys = partitionKeysOf(this.#container, operations);
            const isOneByOne = careful || needsCare(this.#container, operations);
            const unit = await WriteUnit.begin(this.#container, session, this.#rules, keys, partitionKeys, amount, isOneByOne);
            const result = await work(unit);
            await unit.flush();
            position = unit.lastPosition;
            return result;
          },
          { signal: options.signal },
        ),
      );
    // Once more one by one where a column refuses something, so that what it refuses is told.
    const { done } = (await unlessRefused(this.#container, async () => ({ done: await run(false) }))) ?? { done: await run(true) };
    if (position > 0) {
      this.#container.committed(position);
    }
    return done;
  }

  /** Where versions are recorded, what has expired by now comes before what is written now. */
  async #recordDue(): Promise<void> {
    for (let more = this.#container.isRecording; more;) {
      more = await recordSome(this.#container);
    }
  }

  async #bulkSome(operations: readonly StoreOperation[], options: CallOptions): Promise<readonly OperationOutcome<T>[]> {
    // Asked again for every definition, as for single writes.
    const applied = await this.#container.withDefinition(async () =>
      isCreateMany(this.#container, operations) ? unlessRefused(this.#container, () => createMany(this.#container, operations)) : undefined,
    );
    if (applied !== undefined) {
      const last = applied.findLast((one) => !(one instanceof PerigeeError));
      if (last !== undefined) {
        this.#container.committed((last as AppliedWrite).position);
      }
      return applied.map((one, index) => this.#results.outcome(one, operations[index] as WriteOperation));
    }
    return this.#inUnit(operations, options, async (unit) => {
      const outcomes: OperationOutcome<T>[] = [];
      for (const operation of operations) {
        outcomes.push(await this.#operationIn(unit, operation));
      }
      return outcomes;
    });
  }

  async #batchIn(unit: WriteUnit, operations: readonly StoreOperation[]): Promise<OperationOutcome<T>[]> {
    const outcomes: OperationOutcome<T>[] = [];
    for (const operation of operations) {
      const outcome = await this.#operationIn(unit, operation);
      if (!outcome.ok) {
        throw new RefusedBatch(outcomes.length, outcome.error);
      }
      outcomes.push(outcome);
    }
    return outcomes;
  }

  async #operationIn(unit: WriteUnit, operation: StoreOperation): Promise<OperationOutcome<T>> {
    if (operation.type === 'read') {
      return this.#results.readOutcome(await unit.find(operation.key), operation);
    }
    return this.#results.outcome(await unit.apply(operation), operation);
  }

  #readResult(row: DocumentRow | undefined, id: string, options: ReadOptions, session?: string): ReadResult<T> | undefined {
    if (row === undefined) {
      return undefined;
    }
    this.#container.seen(row.position);
    return this.#results.read(row, id, options, session ?? this.#session());
  }

  #session(): string {
    return String(this.#container.position);
  }

  /** @throws SESSION_NOT_AVAILABLE for a session that the database has not reached, as after a restore; BAD_REQUEST for one of another store */
  async #checkSession(session: string | undefined): Promise<void> {
    if (session === undefined) {
      return;
    }
    if (!(await this.#container.hasReached(sessionPosition(session)))) {
      throw sessionNotReached(this.definition.id);
    }
  }
}
