import { PerigeeError, isPerigeeError } from '../core/errors.ts';
import type { SyncContext } from './sync-context.ts';
import type { SyncProgress, SyncState } from './sync-events.ts';
import { ReportBuilder, type SyncReport } from './sync-report.ts';

/** State that an outcome leaves the engine in. */
function stateAfter(report: SyncReport): SyncState {
  const category = report.error?.code === 'SYNC_BUSY' ? undefined : report.error?.category;
  return category === 'auth' ? 'auth' : category === 'connection' || category === 'timeout' ? 'offline' : 'idle';
}

/** What an engine shows of its runs. */
export class RunState {
  readonly warnings: Set<string> = new Set();
  lastRun: SyncReport | undefined;
  progress: SyncProgress | undefined;
  #state: SyncState = 'idle';
  readonly #context: Pick<SyncContext, 'events' | 'logger' | 'runtime'>;

  constructor(context: Pick<SyncContext, 'events' | 'logger' | 'runtime'>) {
    this.#context = context;
    context.events.on('progress', (progress) => {
      this.progress = progress;
    });
  }

  get state(): SyncState {
    return this.#state;
  }

  set state(state: SyncState) {
    if (state !== this.#state) {
      this.#state = state;
      this.#context.events.emit('state', state);
    }
  }

  /** Takes note of a connection that is gone or back, as far as no run shows it. */
  connected(isOnline: boolean): void {
    if (this.state === 'idle' && !isOnline) {
      this.state = 'offline';
    } else if (this.state === 'offline' && isOnline) {
      this.state = 'idle';
    }
  }

  /** Follows a run from its beginning to its end. */
  async follow(run: () => Promise<SyncReport>): Promise<SyncReport> {
    this.state = 'running';
    let report: SyncReport;
    try {
      report = await run();
    } catch (error) {
      this.state = 'idle';
      throw error;
    }
    this.lastRun = report;
    this.progress = undefined;
    this.state = stateAfter(report);
    this.#context.events.emit('run', report);
    return report;
  }

  /** The report of a run that has nobody to reject to. */
  async settled(run: () => Promise<SyncReport>): Promise<SyncReport> {
    const startedAtMs = this.#context.runtime.nowMs();
    try {
      return await run();
    } catch (cause) {
      const error = isPerigeeError(cause)
        ? cause
        : new PerigeeError('INTERNAL', 'A run of the sync engine failed because of a defect.', { cause });
      this.#context.logger.log('error', 'A scheduled sync failed.', { code: error.code, error });
      return new ReportBuilder(startedAtMs).build('failed', 0, error);
    }
  }

  /** Tells people of something that is not an error, once per text. */
  warn(warning: string): void {
    if (!this.warnings.has(warning)) {
      this.warnings.add(warning);
      this.#context.logger.log('warn', warning);
      this.#context.events.emit('warning', warning);
    }
  }
}
