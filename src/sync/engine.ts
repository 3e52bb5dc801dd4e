import { Emitter, type Unsubscribe } from '../core/emitter.ts';
import { PerigeeError } from '../core/errors.ts';
import type { JsonObject } from '../core/json.ts';
import type { LazyModule } from '../core/lazy-module.ts';
import { silentLogger } from '../core/logger.ts';
import { CallTracker } from '../store/call-tracker.ts';
import type { PartitionKeyInput } from '../store/partition-key.ts';
import type { Program } from '../stores/sqlite/driver.ts';
import { DeadLetters } from './dead-letters/dead-letters.ts';
import { checkOptions, type FilledOptions } from './filled-options.ts';
import type { ForcedPush } from './push/forced-push.ts';
import { ForeignWrites } from './run/foreign-writes.ts';
import { GuardedWork } from './run/guarded-work.ts';
import { hasJournal, type JournalEntry, type JournalQuery } from './state/journal.ts';
import { LATE } from './late-parts.ts';
import type * as Lists from './lists.ts';
import { loadPart } from './load-part.ts';
import { bindFile } from './state/meta.ts';
import { doubtUnsent, parkUnknown } from './push/outbox.ts';
import { RemoteStores } from './remote/remote-stores.ts';
import { RequestUnitBudget } from './run/request-unit-budget.ts';
import { RunQueue } from './run/run-queue.ts';
import { RunState } from './run-state.ts';
import { Runner } from './run/runner.ts';
import { Scheduler } from './run/scheduler.ts';
import { SYNC_MIGRATIONS } from './state/schema.ts';
import { ScopeSet } from './scope-set.ts';
import { countStatus, type PendingDocument, type PendingQuery } from './status.ts';
import { SyncClock } from './state/sync-clock.ts';
import type { SyncContext } from './sync-context.ts';
import type { SyncEvents, SyncStatus } from './sync-events.ts';
import type {
  CaughtUpOptions,
  ReconcileOptions,
  RepairOptions,
  SyncOptions,
  SyncRunOptions,
  SyncSchedule,
  VerifyOptions,
} from './sync-options.ts';
import type { SyncReport } from './sync-report.ts';
import { SyncRun } from './run/sync-run.ts';
import { syncedStore, type SyncedStore, type WrittenDocument } from './writes/synced-store.ts';
import type { Verifier } from './verify/verifier.ts';
import type { RepairReport, VerifyReport } from './verify/verify-report.ts';
import { Watchdog } from './run/watchdog.ts';
import type { ReachedOptions } from './writes/write-handle.ts';

/** Binds a file to its user, and looks at what an earlier life has left pending in it. @throws SYNC_SCOPE */
function* takeOver({ user, device, runtime }: FilledOptions): Program<{ readonly device: string; readonly parked: number }> {
  const bound = yield* bindFile(user, device, runtime);
  yield* doubtUnsent();
  return { device: bound, parked: yield* parkUnknown(runtime.nowMs()) };
}

/**
 * Keeps some partition keys of a remote store on a device, both ways: local writes are pending in the very transaction that makes them, a run sends
 * them with conditions, follows the remote's change feed, and decides conflicts; nothing acknowledged is lost, and the losing version of a conflict
 * is in the journal.
 *
 * The stores that {@link SyncOptions.remote} opens and the backend stay the caller's; close them after the engine.
 *
 * @example
 * ```ts
 * import { openMemoryBackend } from 'perigee/memory';
 * import { openSqliteBackend } from 'perigee/sqlite';
 * import { SyncEngine } from 'perigee/sync';
 *
 * const cloud = openMemoryBackend();
 * await cloud.createDatabase('app');
 * await cloud.createContainer('app', { id: 'notes', partitionKey: '/owner', defaultTtl: -1 });
 * const backend = await openSqliteBackend({ path: ':memory:' });
 * const engine = await SyncEngine.open({
 *   backend,
 *   user: 'ada',
 *   scope: [{ container: 'notes', partitionKey: 'ada' }],
 *   remote: (container) => cloud.container('app', container),
 * });
 * await engine.store('notes').create({ id: '1', owner: 'ada', text: 'written offline' });
 * const report = await engine.sync();
 * console.log(report.outcome, report.pushed); // -> complete 1
 * await engine.close();
 * await backend.close();
 * await cloud.close();
 * ```
 */
export class SyncEngine {
  /** Writes that the remote refused for a reason of their own, and what to do about each. */
  readonly deadLetters: DeadLetters;
  readonly #options: FilledOptions;
  readonly #context: SyncContext;
  readonly #state: RunState;
  readonly #scopes: ScopeSet;
  readonly #remotes: RemoteStores;
  readonly #calls = new CallTracker('sync engine');
  readonly #queue: RunQueue<SyncReport>;
  readonly #scheduler: Scheduler;
  readonly #runner: Runner;
  readonly #guard: GuardedWork;
  readonly #stores = new Map<string, SyncedStore>();
  /** Aborts with {@link close}. */
  readonly #closing = new AbortController();
  /** What the next run has to reconcile, beyond what is due. */
  #reconcileNext: { readonly maxRequestUnits: number | undefined } | undefined;
  /** Whether somebody waits for the next run, so that it waits for another process; one by schedule comes back later instead. */
  #isNextAwaited = false;

  private constructor(options: FilledOptions, clock: SyncClock, device: string) {
    this.#options = options;
    const { runtime, logger = silentLogger } = options;
    const events = new Emitter<SyncEvents>();
    this.#state = new RunState({ events, logger, runtime });
    this.#context = {
      database: options.backend.database,
      device,
      late: LATE,
      runtime,
      logger,
      clock,
      toleranceMs: options.clockToleranceMs,
      tombstoneTtlSeconds: options.tombstoneTtlSeconds,
      pageItems: options.pageItems,
      markerIntervalMs: options.markerIntervalMs,
      events,
      atRisk: { losers: false },
      watchdog: new Watchdog(runtime, options.stallTimeoutMs),
      budget: options.requestUnitsPerMinute === undefined ? undefined : new RequestUnitBudget(runtime, options.requestUnitsPerMinute),
      probe: options.probe,
      warn: (warning) => this.#state.warn(warning),
    };
    this.#scopes = new ScopeSet(options);
    this.#remotes = new RemoteStores(options, this.#scopes.all, this.#context.warn);
    this.#queue = new RunQueue((signal) => this.#state.follow(() => this.#run(signal)));
    const { database } = options.backend;
    this.#runner = new Runner(database, runtime);
    this.#guard = new GuardedWork(this.#context, this.#runner, () => this.#remotes.forget());
    const foreign = new ForeignWrites(database, this.#runner, logger);
    this.#scheduler = new Scheduler({
      runtime,
      run: () => this.#state.settled(() => this.#ask(undefined)),
      lookForOthers: database.isInMemory ? undefined : () => foreign.look(),
      onConnection: (isOnline) => this.#state.connected(isOnline),
    });
    this.deadLetters = new DeadLetters({
      context: this.#context,
      calls: this.#calls,
      closing: this.#closing.signal,
      scopes: this.#scopes.all,
      scopeOf: (container, partitionKey) => this.#scopes.of(container, partitionKey),
      onChanged: () => this.#scheduler.changed(),
    });
  }

  /**
   * Opens the engine on a device's file. Without a network it opens as well, unless a container is new to the file and its definition is not given.
   *
   * @throws SYNC_SCOPE when the file belongs to another user; INVALID_OPTION; UNREACHABLE and others of the remote, see above
   */
  static async open(input: SyncOptions): Promise<SyncEngine> {
    const options = checkOptions(input);
    if ((input.localContainers ?? input.localFields ?? input.schemas) !== undefined) {
      (await loadPart(LATE.options)).checkSpecialOptions(input);
    }
    const { database } = options.backend;
    await database.ensureTables('sync', SYNC_MIGRATIONS);
    const { device, parked } = await database.write(() => takeOver(options));
    const clock = await database.read(() => SyncClock.load(options.runtime, device, options.clockToleranceMs));
    const engine = new SyncEngine(options, clock, device);
    engine.#context.atRisk.losers = await database.read(hasJournal);
    if (parked > 0) {
      engine.#context.warn(
        'The file has pending writes of a kind that this version does not know. They wait as dead letters with the code NOT_SUPPORTED.',
      );
    }
    await engine.#scopes.open({
      clock,
      remote: (container) => engine.#remotes.open(container),
      onRecorded: () => engine.#scheduler.changed(),
      warn: engine.#context.warn,
    });
    engine.#context.atRisk.losers ||= engine.#scopes.all.some(({ needsBase }) => needsBase);
    return engine;
  }

  /**
   * The local store of a container: reads answer from the device, writes are pending in their own transaction; those of a local container stay there.
   *
   * The result of a write tells when the remote has it: see {@link WriteHandle.reached}.
   *
   * @throws SYNC_SCOPE
   *
   * @example
   * ```ts
   * import { openMemoryBackend } from 'perigee/memory';
   * import { openSqliteBackend } from 'perigee/sqlite';
   * import { SyncEngine } from 'perigee/sync';
   *
   * const cloud = openMemoryBackend();
   * await cloud.createDatabase('app');
   * await cloud.createContainer('app', { id: 'notes', partitionKey: '/owner', defaultTtl: -1 });
   * const backend = await openSqliteBackend({ path: ':memory:' });
   * const engine = await SyncEngine.open({
   *   backend,
   *   user: 'ada',
   *   scope: [{ container: 'notes', partitionKey: 'ada' }],
   *   remote: (container) => cloud.container('app', container),
   * });
   * const write = await engine.store('notes').create({ id: '1', owner: 'ada' });
   * void engine.sync();
   * await write.reached('remote', { timeoutMs: 10_000 });
   * console.log((await cloud.container('app', 'notes').then((notes) => notes.read('1', 'ada'))) !== undefined); // -> true
   * await engine.close();
   * await backend.close();
   * await cloud.close();
   * ```
   */
  store<T extends object = JsonObject>(container: string): SyncedStore<T> {
    const known =
      this.#stores.get(container) ??
      syncedStore(this.#scopes.store(container), (writes, options) => this.#reached(container, writes, options));
    this.#stores.set(container, known);
    return known as unknown as SyncedStore<T>;
  }

  /**
   * Runs once: push, pull, push what conflicts left, and reconcile where that is due. During a run it waits and runs once more, however often it was
   * called by then.
   *
   * While another process or engine synchronises the file it waits for `lockTimeoutMs`, and then reports SYNC_BUSY.
   *
   * Resolves also when the run failed: see `outcome` and `error` of the report. @throws the signal's reason; CLOSED
   */
  sync(options: SyncRunOptions = {}): Promise<SyncReport> {
    this.#isNextAwaited = true;
    return this.#ask(options.signal);
  }

  /** {@link sync}, and a reconciliation of every partition key: finds documents that were deleted without a tombstone or have expired. */
  reconcile(options: ReconcileOptions = {}): Promise<SyncReport> {
    this.#reconcileNext = { maxRequestUnits: options.maxRequestUnits };
    return this.sync(options);
  }

  /**
   * Compares what the device holds with what the remote holds, by digests of ranges, and names what differs. Changes no document on either side. What is
   * pending is named as such; a change of others that was not pulled yet counts as a difference, so sync first.
   *
   * The remote is listed once where both sides are equal, and twice where they are not. A document that a stranger changed under a kept stamp is read to be sure.
   *
   * @throws INVALID_OPTION, the signal's reason, CLOSED, and what the remote throws
   *
   * @example
   * ```ts
   * import { openMemoryBackend } from 'perigee/memory';
   * import { openSqliteBackend } from 'perigee/sqlite';
   * import { SyncEngine } from 'perigee/sync';
   *
   * const cloud = openMemoryBackend();
   * await cloud.createDatabase('app');
   * await cloud.createContainer('app', { id: 'notes', partitionKey: '/owner', defaultTtl: -1 });
   * const backend = await openSqliteBackend({ path: ':memory:' });
   * const engine = await SyncEngine.open({
   *   backend,
   *   user: 'ada',
   *   scope: [{ container: 'notes', partitionKey: 'ada' }],
   *   remote: (container) => cloud.container('app', container),
   * });
   * await engine.store('notes').create({ id: '1', owner: 'ada' });
   * console.log((await engine.verify()).differences.map(({ id, kind }) => `${id} ${kind}`)); // -> [ '1 pending' ]
   * await engine.sync();
   * console.log((await engine.verify()).equal); // -> true
   * await engine.close();
   * await backend.close();
   * await cloud.close();
   * ```
   */
  verify(options: VerifyOptions = {}): Promise<VerifyReport> {
    return this.#verifying(options.signal, (verifier) => verifier.verify(options));
  }

  /**
   * {@link verify}, and mends what it finds: a document that differs with nothing pending becomes what the remote holds, then a run sends, pulls and
   * reconciles, and both sides are compared again. A version of the device that is neither at the remote nor in the journal goes to the journal first, with the
   * reason `repaired`; nobody can tell a damaged version from one that is only behind. What is pending stays pending until it is sent, and what a restored remote
   * has forgotten is sent to it again.
   *
   * @throws INVALID_OPTION, the signal's reason, CLOSED, and what ended the run or what the remote throws
   */
  repair(options: RepairOptions = {}): Promise<RepairReport> {
    return this.#verifying(options.signal, (verifier) => verifier.repair(options));
  }

  /** Runs by itself from now on: at once, at an interval, after local changes, and after failures with growing waits. */
  start(schedule: SyncSchedule = {}): void {
    this.#calls.assertOpen();
    this.#scheduler.start(schedule);
  }

  /** Ends what {@link start} began; a run under way goes on to its end. */
  stop(): void {
    this.#scheduler.stop();
  }

  /** The engine at a glance. */
  status(): Promise<SyncStatus> {
    return this.#calls.run(undefined, async () => {
      const counts = await this.#context.database.read(() => countStatus());
      return {
        state: this.#state.state,
        scheduled: this.#scheduler.active,
        runner: await this.#runner.state(),
        pending: counts.pending,
        oldestPendingAgeMs: counts.oldest === null ? undefined : Math.max(0, this.#context.runtime.nowMs() - counts.oldest),
        rejected: counts.rejected,
        conflicts: counts.conflicts,
        lastRun: this.#state.lastRun,
        progress: this.#state.progress,
        warnings: [...this.#state.warnings],
      };
    });
  }

  /** Calls `listener` on each event of a name. */
  on<Name extends keyof SyncEvents>(name: Name, listener: (event: SyncEvents[Name]) => void): Unsubscribe {
    return this.#context.events.on(name, listener);
  }

  /** Documents that wait to be sent, oldest first. */
  pending(query: PendingQuery = {}): Promise<readonly PendingDocument[]> {
    return this.#listing(({ listPending }) => this.#context.database.read(() => listPending(this.#options.database, query)));
  }

  /** Versions that lost a conflict or were discarded, in the order of the decisions. */
  journal(query: JournalQuery = {}): Promise<readonly JournalEntry[]> {
    return this.#listing(async ({ journalEntryOf, listJournal }) => {
      const rows = await this.#context.database.read(() => listJournal(this.#options.database, query));
      return rows.map(journalEntryOf);
    });
  }

  /**
   * Makes a version of the journal the current one again: an edit like any other, which is then pending. A lost deletion deletes.
   *
   * @throws NOT_FOUND when there is no such entry; SYNC_SCOPE when its partition key is no longer in scope
   */
  restore(seq: number): Promise<void> {
    return this.#listing(async ({ journalEntryOf, readJournal }) => {
      const row = await this.#context.database.read(() => readJournal(this.#options.database, seq));
      if (row === undefined) {
        throw new PerigeeError('NOT_FOUND', `The journal has no entry ${seq}.`);
      }
      const { container, partitionKey, id, document, losingSide } = journalEntryOf(row);
      const { store, form } = this.#scopes.of(container, partitionKey);
      if (document !== undefined) {
        // A version of the remote has none of the device's own fields; what the device lost has those it had then.
        const own = losingSide === 'remote' && form.hasLocalFields ? (await store.read(id, partitionKey))?.document : document;
        await store.upsert(form.carried(form.received(document), own) as JsonObject & { readonly id: string });
      } else if ((await store.read(id, partitionKey)) !== undefined) {
        await store.delete(id, partitionKey);
      }
    });
  }

  /** Drops entries of the journal that are older than a device time in milliseconds; gives how many. */
  pruneJournal(beforeMs: number): Promise<number> {
    return this.#listing(({ pruneJournal }) => this.#context.database.write(() => pruneJournal(beforeMs)));
  }

  /**
   * Sends one document as it is on the device, whatever the remote holds: the version it replaces goes to the journal. It is still conditional on the
   * version that was just read, so a write that comes between is not lost unseen.
   *
   * @returns `false` where the device neither holds the document nor has its deletion pending
   * @throws what refused it; SYNC_SCOPE
   */
  forcePush(container: string, id: string, partitionKey: PartitionKeyInput, options: SyncRunOptions = {}): Promise<boolean> {
    return this.#forced(options.signal, (forced) => forced.one(this.#scopes.of(container, partitionKey), id));
  }

  /** {@link forcePush} of everything that is pending, dead letters included. @returns how many the remote acknowledged */
  forcePushAll(options: SyncRunOptions = {}): Promise<number> {
    return this.#forced(options.signal, (forced) => forced.all(this.#scopes.all));
  }

  /**
   * Resolves when the device has seen everything that the remote acknowledged before the call, in every partition key of the scope; what waits on the
   * device is not sent. Each partition key costs a write and at least one read.
   *
   * @throws TIMEOUT, with `timeoutMs`; the signal's reason; what the remote refuses with
   */
  caughtUp(options: CaughtUpOptions = {}): Promise<void> {
    const { runtime } = this.#context;
    const untilMs = runtime.monotonicMs() + (options.timeoutMs ?? Number.POSITIVE_INFINITY);
    return this.#late(LATE.caughtUp, options.signal, ({ catchUp }) =>
      this.#alone(options.signal, (signal) =>
        catchUp(this.#context, {
          scopes: this.#scopes.all,
          remote: (container) => this.#remotes.matched(container),
          signal,
          untilMs,
        }),
      ),
    );
  }

  /** Stops, aborts a run under way and waits for its end. What is pending stays pending. Closing twice is allowed. */
  async close(): Promise<void> {
    this.#scheduler.stop();
    const reason = new PerigeeError('CLOSED', 'The sync engine was closed during the run.');
    this.#closing.abort(reason);
    const aborted = this.#queue.abort(reason);
    await this.#calls.close(async () => {
      await aborted;
      await this.#runner.close();
      await this.#scopes.close();
      this.#state.state = 'stopped';
    });
  }

  #ask(signal: AbortSignal | undefined): Promise<SyncReport> {
    return this.#calls.run(undefined, () => this.#queue.ask(signal));
  }

  #run(signal: AbortSignal): Promise<SyncReport> {
    const waitMs = this.#isNextAwaited ? this.#options.lockTimeoutMs : 0;
    this.#isNextAwaited = false;
    const wanted = this.#reconcileNext;
    this.#reconcileNext = undefined;
    return this.#guard.run(signal, waitMs, async (watched) => {
      const report = await new SyncRun(this.#context, {
        scopes: this.#scopes.all,
        remote: (container) => this.#remotes.matched(container),
        signal: watched,
        reconcile: wanted === undefined ? 'due' : 'always',
        reconcileIntervalMs: this.#options.reconcileIntervalMs,
        maxRequestUnits: wanted?.maxRequestUnits,
      }).run();
      if (report.error?.code === 'CLOSED') {
        // Somebody closed a remote store; the next run opens another.
        this.#remotes.forget();
      }
      return report;
    });
  }

  /** Does work while no run is under way, here or in another process. */
  #alone<R>(signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<R>): Promise<R> {
    return this.#queue.alone(signal, async () => {
      const ending = signal === undefined ? this.#closing.signal : AbortSignal.any([signal, this.#closing.signal]);
      try {
        return await this.#guard.do(ending, this.#options.lockTimeoutMs, work);
      } finally {
        this.#state.progress = undefined;
      }
    });
  }

  /** A call whose work may have to be loaded first. */
  #late<M, R>(part: LazyModule<M>, signal: AbortSignal | undefined, work: (module: M) => Promise<R>): Promise<R> {
    return this.#calls.run(signal, async () => work(await loadPart(part, this.#closing.signal)));
  }

  #listing<R>(work: (lists: typeof Lists) => Promise<R>): Promise<R> {
    return this.#late(LATE.lists, undefined, work);
  }

  #reached(container: string, writes: readonly WrittenDocument[], { signal, timeoutMs }: ReachedOptions): Promise<void> {
    return this.#late(LATE.awaitRemote, signal, ({ awaitRemote }) => {
      const closing = this.#closing.signal;
      return awaitRemote(this.#context, {
        writes: writes.map((write) => this.#scopes.followed(container, write)),
        signal: signal === undefined ? closing : AbortSignal.any([signal, closing]),
        timeoutMs,
      });
    });
  }

  #forced<R>(signal: AbortSignal | undefined, work: (forced: ForcedPush) => Promise<R>): Promise<R> {
    return this.#late(LATE.forcedPush, signal, ({ ForcedPush }) =>
      this.#alone(signal, (ending) => work(new ForcedPush(this.#context, (container) => this.#remotes.matched(container), ending))),
    );
  }

  #verifying<R>(signal: AbortSignal | undefined, work: (verifier: Verifier) => Promise<R>): Promise<R> {
    return this.#late(LATE.verifier, signal, ({ Verifier }) =>
      work(
        new Verifier({
          context: this.#context,
          scopes: this.#scopes.all,
          remote: (container) => this.#remotes.matched(container),
          alone: (ending, alone) => this.#alone(ending, alone),
          reconcile: (run) => this.reconcile(run),
        }),
      ),
    );
  }
}
