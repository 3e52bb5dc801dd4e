import { isPerigeeError, throwIfAborted, type PerigeeError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { DocumentStore } from '../../store/document-store.ts';
import { all } from '../../stores/sqlite/driver.ts';
import { settleEpoch } from '../pull/epoch.ts';
import { loadPart } from '../load-part.ts';
import { pull } from '../pull/pull.ts';
import { Push } from '../push/push.ts';
import { RemoteSession } from '../remote/remote-session.ts';
import { readScope, type Scope } from '../state/scope.ts';
import type { SyncContext } from '../sync-context.ts';
import { ReportBuilder, type SyncReport } from '../sync-report.ts';

/** Further pushes of one run, for what conflicts left to send. */
const MAX_ROUNDS = 3;

/** What a run works on. */
export interface SyncRunInput {
  readonly scopes: readonly Scope[];
  /** The remote store of a container. */
  readonly remote: (container: string) => Promise<DocumentStore<JsonObject>>;
  readonly signal: AbortSignal;
  /** `always`, when its interval has passed, or never. */
  readonly reconcile: 'always' | 'due' | 'never';
  readonly reconcileIntervalMs: number;
  readonly maxRequestUnits: number | undefined;
}

/** Errors after which the other scopes need not be tried: nobody answers, or the file cannot be written. */
function endsRun(error: unknown): boolean {
  if (!isPerigeeError(error)) {
    return true;
  }
  return (
    error.code.startsWith('STORE_') ||
    error.code === 'CLOSED' ||
    (error.code !== 'SESSION_NOT_AVAILABLE' && ['connection', 'timeout', 'throttle'].includes(error.category))
  );
}

/** One run: push, pull, push again what conflicts left, reconcile where it is due. */
export class SyncRun {
  readonly report: ReportBuilder;
  readonly #context: SyncContext;
  readonly #input: SyncRunInput;
  readonly #sessions = new Map<Scope, RemoteSession>();
  /** Scopes whose last phase failed, and why. */
  readonly #failed = new Map<Scope, unknown>();
  #firstError: PerigeeError | undefined;

  constructor(context: SyncContext, input: SyncRunInput) {
    this.#context = context;
    this.#input = input;
    this.report = new ReportBuilder(context.runtime.nowMs());
  }

  /** Runs to its end. What fails is in the report; only a defect rejects. */
  async run(): Promise<SyncReport> {
    const { runtime } = this.#context;
    const startedMs = runtime.monotonicMs();
    const build = (outcome: SyncReport['outcome'], error?: PerigeeError): SyncReport =>
      this.report.build(outcome, runtime.monotonicMs() - startedMs, error);
    try {
      await this.#phases();
      await this.#checkpoint();
      return this.#firstError === undefined ? build('complete') : build('failed', this.#firstError);
    } catch (error) {
      if (this.#input.signal.aborted) {
        return build('aborted');
      }
      if (!isPerigeeError(error)) {
        throw error;
      }
      return build('failed', error);
    }
  }

  async #phases(): Promise<void> {
    const { reconcile } = this.#input;
    await this.#each((session) => this.#push(session));
    await this.#each((session) => pull(this.#context, session, this.report));
    await this.#pushRest();
    if (reconcile !== 'never') {
      await this.#each((session) => this.#reconcile(session));
      await this.#pushRest();
    }
  }

  async #push(session: RemoteSession): Promise<void> {
    await settleEpoch(this.#context, session, this.report);
    await new Push(this.#context, session, this.report).all();
  }

  /** Runs a phase for each scope. One that fails for a reason of its own does not keep the others from theirs. */
  async #each(phase: (session: RemoteSession) => Promise<void>, scopes: readonly Scope[] = this.#input.scopes): Promise<void> {
    for (const scope of scopes) {
      throwIfAborted(this.#input.signal);
      try {
        await phase(await this.#sessionOf(scope));
        this.#failed.delete(scope);
      } catch (error) {
        this.#failed.set(scope, error);
        if (!isPerigeeError(error) || error.category !== 'throttle') {
          this.#doubtEpoch(endsRun(error) ? this.#input.scopes : [scope]);
        }
        if (this.#input.signal.aborted || endsRun(error)) {
          throw error;
        }
        this.#firstError ??= error as PerigeeError;
        this.#context.logger.log('warn', 'A partition key could not be synchronised.', {
          container: scope.container,
          code: (error as PerigeeError).code,
        });
      }
    }
  }

  /** A remote that could not be reached, or that refused what it knew, may come back as another. */
  #doubtEpoch(scopes: readonly Scope[]): void {
    for (const scope of scopes) {
      scope.epochCheckedAtMs = undefined;
    }
  }

  /** Sends what conflicts left pending, a bounded number of times: devices that fight over a document must not do so for ever. */
  async #pushRest(): Promise<void> {
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      const scopes = await this.#sendable();
      const before = this.report.pushed;
      await this.#each((session) => this.#push(session), scopes);
      if (this.report.pushed === before) {
        return;
      }
    }
  }

  /** Scopes with something to send, those apart that just failed. */
  async #sendable(): Promise<readonly Scope[]> {
    const rows = await this.#context.database.read(() =>
      all<{ scope: number }>('SELECT DISTINCT scope FROM sync_outbox WHERE rejected_code IS NULL'),
    );
    const numbers = new Set(rows.map(({ scope }) => scope));
    return this.#input.scopes.filter((scope) => numbers.has(scope.number) && !this.#failed.has(scope));
  }

  async #reconcile(session: RemoteSession): Promise<void> {
    const { reconcile, reconcileIntervalMs, maxRequestUnits } = this.#input;
    const row = await this.#context.database.read(() => readScope(session.scope.number));
    const sinceMs = this.#context.runtime.nowMs() - (row.last_reconcile_ms ?? 0);
    // Whoever was away for longer than tombstones live has not seen them.
    const absenceMs = (this.#context.tombstoneTtlSeconds * 1000) / 2;
    const intervalMs = reconcileIntervalMs > 0 ? Math.min(reconcileIntervalMs, absenceMs) : absenceMs;
    // A last time in the future was told by a clock that was wrong.
    const due = row.reconcile_open === 1 || row.last_reconcile_ms === 0 || sinceMs >= intervalMs || sinceMs < 0;
    const failure = this.#failed.get(session.scope);
    if (row.first_load_done === 0 && row.restored === 0 && reconcile === 'due' && isPerigeeError(failure) && failure.retryable) {
      // The next run goes on with the first load, and would read once more what a reconciliation brings now.
      return;
    }
    if (reconcile === 'always' || due || row.restored === 1) {
      // Where this run could not look at the markers before, a restored remote would pass for one from which others have deleted.
      await settleEpoch(this.#context, session, this.report);
      const { Reconciliation } = await loadPart(this.#context.late.reconciliation, session.signal);
      await new Reconciliation(this.#context, session, this.report, maxRequestUnits).run();
    }
  }

  async #sessionOf(scope: Scope): Promise<RemoteSession> {
    const known = this.#sessions.get(scope);
    if (known !== undefined) {
      return known;
    }
    const { remote, signal } = this.#input;
    const session = await RemoteSession.open(this.#context, scope, { remote, report: this.report, signal });
    this.#sessions.set(scope, session);
    return session;
  }

  /** What was exchanged survives a loss of power from here on; nothing would be lost without, only exchanged again. */
  async #checkpoint(): Promise<void> {
    const { pushed, pulled, deletedLocally } = this.report;
    if (pushed + pulled + deletedLocally > 0) {
      await this.#context.probe?.('in-checkpoint');
      await this.#context.database.flush();
    }
  }
}
