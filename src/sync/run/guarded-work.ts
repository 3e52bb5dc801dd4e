import { isPerigeeError, type PerigeeError } from '../../core/errors.ts';
import type { Runner } from './runner.ts';
import type { SyncContext } from '../sync-context.ts';
import { ReportBuilder, type SyncReport } from '../sync-report.ts';

/** Does work with the remote: while no other engine synchronises the file, and for as long as it makes progress. */
export class GuardedWork {
  readonly #context: SyncContext;
  readonly #runner: Runner;
  readonly #forgetRemotes: () => void;

  /** @param forgetRemotes lets every remote store be opened anew */
  constructor(context: SyncContext, runner: Runner, forgetRemotes: () => void) {
    this.#context = context;
    this.#runner = runner;
    this.#forgetRemotes = forgetRemotes;
  }

  /** Waits so long for its turn, and works. @throws SYNC_BUSY, SYNC_STALLED, the signal's reason, and what `work` throws */
  do<R>(signal: AbortSignal, waitMs: number, work: (signal: AbortSignal) => Promise<R>): Promise<R> {
    const { clock, database, watchdog, warn } = this.#context;
    return this.#runner.alone(signal, waitMs, async () => {
      await database.read(() => clock.refresh());
      return watchdog.watch(signal, async (watched) => {
        try {
          return await work(watched);
        } finally {
          if (isPerigeeError(watched.reason, 'SYNC_STALLED')) {
            // The opening of a store may be what never ends.
            this.#forgetRemotes();
            warn('A run made no progress for a long time and was ended: the remote store took a request and never came back to it.');
          }
        }
      });
    });
  }

  /** {@link do} for a run: also what keeps it from beginning is in its report. */
  async run(signal: AbortSignal, waitMs: number, run: (signal: AbortSignal) => Promise<SyncReport>): Promise<SyncReport> {
    const { runtime } = this.#context;
    const startedAtMs = runtime.nowMs();
    const startedMs = runtime.monotonicMs();
    try {
      return await this.do(signal, waitMs, async (watched) => {
        const report = await run(watched);
        const stalled: unknown = watched.reason;
        return report.outcome === 'aborted' && isPerigeeError(stalled, 'SYNC_STALLED')
          ? { ...report, outcome: 'failed', error: stalled }
          : report;
      });
    } catch (error) {
      if (!signal.aborted && !isPerigeeError(error)) {
        throw error;
      }
      const report = new ReportBuilder(startedAtMs);
      const durationMs = runtime.monotonicMs() - startedMs;
      return signal.aborted ? report.build('aborted', durationMs) : report.build('failed', durationMs, error as PerigeeError);
    }
  }
}
