import { isPerigeeError, throwIfAborted } from '../../core/errors.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { parseStamp } from '../../core/hybrid-logical-clock.ts';
import { sleep } from '../../core/runtime.ts';
import { abortable } from '../../store/call-tracker.ts';
import type { ChangePage, ChangesFrom } from '../../store/changes.ts';
import type { DocumentStore } from '../../store/document-store.ts';
import type { BatchOperation, BatchResult, ResultInfo } from '../../store/operations.ts';
import type { QueryPage } from '../../store/queries.ts';
import { readScope, updateScope, type Scope } from '../state/scope.ts';
import type { SyncContext } from '../sync-context.ts';
import type { ReportBuilder } from '../sync-report.ts';
import { readRemote, type RemoteVersion } from './wire-stamp.ts';

/** What the sessions of one run share. */
export interface SessionRun {
  /** The remote store of a container. */
  readonly remote: (container: string) => Promise<DocumentStore<JsonObject>>;
  readonly report: ReportBuilder;
  readonly signal: AbortSignal;
}

/**
 * One partition key of the remote during one run: every request passes the scope's session token and the run's signal, is counted, and teaches the
 * clock what its answer says of the server's.
 */
export class RemoteSession {
  readonly store: DocumentStore<JsonObject>;
  readonly scope: Scope;
  /** Of the run. */
  readonly signal: AbortSignal;
  readonly #context: SyncContext;
  readonly #report: ReportBuilder;
  #session: string | undefined;

  private constructor(context: SyncContext, scope: Scope, store: DocumentStore<JsonObject>, run: SessionRun, session: string | undefined) {
    this.#context = context;
    this.scope = scope;
    this.store = store;
    this.#report = run.report;
    this.signal = run.signal;
    this.#session = session;
  }

  /** Begins where the scope's last run ended. @throws what opening the remote throws */
  static async open(context: SyncContext, scope: Scope, run: SessionRun): Promise<RemoteSession> {
    const store = await abortable(run.remote(scope.container), run.signal);
    context.watchdog.progressed();
    const { session, reconcile_run } = await context.database.read(() => readScope(scope.number));
    // Another process may have reconciled since this one has.
    scope.reconcileRun = reconcile_run;
    return new RemoteSession(context, scope, store, run, session ?? undefined);
  }

  /** Session token of the newest answer. */
  get session(): string | undefined {
    return this.#session;
  }

  /** Reads without a session from now on, until the next answer brings one. */
  forgetSession(): void {
    this.#session = undefined;
  }

  /**
   * Gives up a session that the remote refuses, as it does after it was restored or replaced by another store. Gives whether that is what the error was about.
   */
  async giveUpSession(error: unknown): Promise<boolean> {
    if (this.#session === undefined || !(isPerigeeError(error, 'SESSION_NOT_AVAILABLE') || isPerigeeError(error, 'BAD_REQUEST'))) {
      return false;
    }
    this.forgetSession();
    this.scope.epochCheckedAtMs = undefined;
    await this.#context.database.write(() => updateScope(this.scope.number, { session: null }));
    return true;
  }

  /** Sends a batch. Resolves also when it did not commit. */
  async batch(operations: readonly BatchOperation<JsonObject>[], bytes: number): Promise<BatchResult<JsonObject>> {
    await this.#admit();
    await this.#context.probe?.('before-send');
    const sentAtMs = this.#context.runtime.nowMs();
    const pending = this.#request(() => this.store.batch(this.scope.partitionKey, operations, this.#options()));
    // Should the probe fail, the answer is of no interest any more; its failure must not go unhandled.
    pending.catch(() => undefined);
    this.#report.bytesSent += bytes;
    await this.#context.probe?.('after-send');
    const result = await pending;
    await this.#learnFromWrite(result, sentAtMs);
    await this.#context.probe?.('after-remote-applied');
    return result;
  }

  /** What the remote holds now under each id. */
  async read(ids: readonly string[]): Promise<Map<string, RemoteVersion | undefined>> {
    const keys = ids.map((id) => ({ id, partitionKey: this.scope.partitionKey }));
    const result = await this.#request(() => this.store.readMany(keys, this.#options()));
    const versions = new Map<string, RemoteVersion | undefined>();
    ids.forEach((id, index) => {
      const document = result.documents[index];
      versions.set(id, document === undefined ? undefined : readRemote(document, undefined, this.scope.form));
    });
    await this.learnFromVersions([...versions.values()]);
    return versions;
  }

  /** One page of the change feed. */
  changes(from: ChangesFrom): Promise<ChangePage<JsonObject>> {
    return this.#request(() =>
      this.store
        .changes({ from, partitionKey: this.scope.partitionKey, maxItemCount: this.#context.pageItems, ...this.#options() })
        .nextPage(),
    );
  }

  /** How many documents there are, tombstones included; `undefined` where the remote cannot tell. */
  async count(): Promise<number | undefined> {
    try {
      const page = await this.#request(() =>
        this.store.query<number>('SELECT VALUE COUNT(1) FROM c', { partitionKey: this.scope.partitionKey, ...this.#options() }).nextPage(),
      );
      return page?.items[0];
    } catch (error) {
      if (isPerigeeError(error) && error.category === 'data' && error.code !== 'CLOSED') {
        return undefined;
      }
      throw error;
    }
  }

  /** One page of a query for something of everything in scope; `selected` is what stands behind SELECT, with `c` for a document. */
  async list(
    selected: string,
    continuation: string | undefined,
    maxItemCount: number,
  ): Promise<{ readonly items: readonly JsonObject[]; readonly continuation: string | undefined }> {
    const query = this.scope.types?.query(selected) ?? `SELECT ${selected} FROM c`;
    const options = { partitionKey: this.scope.partitionKey, maxItemCount, continuation, ...this.#options() };
    const page = await this.#request(async () => (await this.store.query<JsonObject>(query, options).nextPage()) as QueryPage<JsonObject>);
    return { items: page.items.filter(isJsonObject), continuation: page.continuation };
  }

  /** Teaches the clock what documents read say: the server's time was at least theirs, and their stamps exist. */
  async learnFromVersions(versions: readonly (RemoteVersion | undefined)[]): Promise<void> {
    const { clock, database, runtime } = this.#context;
    let newestTs = 0;
    let newestClock = '';
    for (const version of versions) {
      newestTs = Math.max(newestTs, version?.ts ?? 0);
      const text = version?.wire?.clock ?? '';
      if (text > newestClock && parseStamp(text) !== undefined) {
        newestClock = text;
      }
    }
    const program = clock.learnLowerBound(newestTs, runtime.nowMs());
    if (program !== undefined) {
      await database.write(program);
    }
    const stamp = parseStamp(newestClock);
    if (stamp !== undefined) {
      clock.observe(stamp);
    }
  }

  async #learnFromWrite(result: BatchResult<JsonObject>, sentAtMs: number): Promise<void> {
    const first = result.committed ? result.outcomes[0] : undefined;
    const ts = first?.ok === true ? first.document?._ts : undefined;
    if (ts === undefined) {
      return;
    }
    const program = this.#context.clock.learn({ ts, sentAtMs, receivedAtMs: this.#context.runtime.nowMs() });
    if (program !== undefined) {
      await this.#context.database.write(program);
    }
  }

  #options(): { readonly signal: AbortSignal; readonly session: string | undefined } {
    return { signal: this.signal, session: this.#session };
  }

  async #request<R extends ResultInfo | undefined>(send: () => Promise<R>): Promise<R> {
    await this.#admit();
    this.#report.requests += 1;
    // A store may never come back to a request. What it answers after all is then as good as lost.
    const result = await abortable(send(), this.signal);
    const requestUnits = result?.requestUnits ?? 0;
    this.#report.requestUnits += requestUnits;
    this.#context.budget?.spend(requestUnits);
    this.#context.watchdog.progressed();
    this.#session = result?.session ?? this.#session;
    return result;
  }

  /** Waits until the budget of request units has room. @throws the signal's reason */
  async #admit(): Promise<void> {
    throwIfAborted(this.signal);
    const { budget, runtime, watchdog } = this.#context;
    for (let waitMs = budget?.waitMs() ?? 0; waitMs > 0; waitMs = budget?.waitMs() ?? 0) {
      watchdog.progressed(waitMs);
      const fromMs = runtime.monotonicMs();
      await sleep(runtime, waitMs, this.signal);
      this.#report.waitedMs += runtime.monotonicMs() - fromMs;
    }
  }
}
