import type { SyncReport } from '../../sync/sync-report.ts';
import { reportFailure } from '../report-failure.ts';
import { untilStopped } from '../serve/stop-signals.ts';
import { tellRun } from './run-sync.ts';
import { positiveNumber, type EngineSettings } from './sync-settings.ts';
import { withEngine } from './with-engine.ts';

/** What the command line of `perigee sync watch` says. */
export interface WatchSettings extends EngineSettings {
  readonly interval?: string | undefined;
}

const SECOND_MS = 1000;

/** Synchronises a file by schedule until the program is asked to stop. */
export async function watchSync(settings: WatchSettings): Promise<void> {
  const intervalMs = positiveNumber('--interval', settings.interval);
  const asJson = settings.json === true;
  await withEngine(settings, { decides: true, creates: true, remote: true }, async (engine) => {
    const stopped = untilStopped();
    let failing: string | undefined;
    engine.on('run', (report) => {
      const { error } = report;
      if (error?.code === 'SYNC_BUSY') {
        // Another process does the same for the file; `perigee sync status` tells.
        return;
      }
      if (asJson || didSomething(report)) {
        tellRun(report, asJson);
      }
      // What goes on failing for one reason is said once.
      if (error !== undefined && error.code !== failing) {
        reportFailure(error);
      } else if (error === undefined && failing !== undefined) {
        console.error('perigee: sync works again.');
      }
      failing = error?.code;
    });
    if (!asJson) {
      console.log('Watching; Ctrl-C stops.');
    }
    engine.start({ intervalMs: intervalMs === undefined ? undefined : intervalMs * SECOND_MS });
    await stopped;
  });
}

function didSomething({ pushed, pulled, deletedLocally, conflictCount, rejectedCount }: SyncReport): boolean {
  return pushed + pulled + deletedLocally + conflictCount + rejectedCount > 0;
}
