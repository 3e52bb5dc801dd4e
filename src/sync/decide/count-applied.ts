import type { SyncContext } from '../sync-context.ts';
import type { ReportBuilder } from '../sync-report.ts';
import type { Applied } from './take-remote.ts';

/** Counts what became of a remote version. */
export function countApplied(context: SyncContext, report: ReportBuilder, applied: Applied): void {
  report.pulled += applied.change === 'taken' ? 1 : 0;
  report.deletedLocally += applied.change === 'deleted' ? 1 : 0;
  report.bytesReceived += applied.bytes ?? 0;
  if (applied.conflict !== undefined) {
    context.atRisk.losers = true;
    report.conflict(applied.conflict);
    context.events.emit('conflict', applied.conflict);
  }
}
