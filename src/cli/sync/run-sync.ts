import type { SyncReport } from '../../sync/sync-report.ts';
import { interruptible } from '../interruption.ts';
import { jsonText } from '../query/json-text.ts';
import { reportFailure } from '../report-failure.ts';
import { safeText } from '../safe-text.ts';
import { paintingProgress } from './painting-progress.ts';
import { reportLines, reportObject } from './report-text.ts';
import type { EngineSettings } from './sync-settings.ts';
import { withEngine } from './with-engine.ts';

/** Synchronises a file once, and tells what became of it. */
export async function runSync(settings: EngineSettings): Promise<void> {
  await interruptible('nothing is lost, and the same command goes on where it stopped.', (signal) =>
    withEngine(settings, { decides: true, creates: true, remote: true }, async (engine) => {
      const report = await paintingProgress(engine, () => engine.sync({ signal }));
      tellRun(report, settings.json === true);
      if (report.error !== undefined) {
        process.exitCode = reportFailure(report.error);
      }
    }),
  );
}

/** Prints what a run did. */
export function tellRun(report: SyncReport, asJson: boolean): void {
  console.log(asJson ? jsonText(reportObject(report)) : reportLines(report).map(safeText).join('\n'));
}
