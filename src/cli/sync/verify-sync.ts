import type { VerifyReport } from '../../sync/verify/verify-report.ts';
import { interruptible } from '../interruption.ts';
import { jsonText } from '../query/json-text.ts';
import { safeText } from '../safe-text.ts';
import { paintingProgress } from './painting-progress.ts';
import { reportLines, reportObject, verifyLines, verifyObject } from './report-text.ts';
import { positiveNumber, type EngineSettings } from './sync-settings.ts';
import { withEngine } from './with-engine.ts';

/** What the command line of `perigee sync verify` says. */
export interface VerifySettings extends EngineSettings {
  readonly maxRequestUnits?: string | undefined;
}

/** Both sides were compared and differ; the same code as for other wrong data. */
const EXIT_DIFFERENT = 65;
/** The same as for what is to be tried again with more. */
const EXIT_INCOMPLETE = 75;

/** Compares a file with its remote, and tells what differs. */
export async function verifySync(settings: VerifySettings): Promise<void> {
  const maxRequestUnits = positiveNumber('--max-request-units', settings.maxRequestUnits);
  await interruptible('no document was changed.', (signal) =>
    withEngine(settings, { decides: false, creates: false, remote: true, compares: true }, async (engine) => {
      const report = await paintingProgress(engine, () => engine.verify({ signal, maxRequestUnits }));
      setExitCode(report);
      console.log(settings.json === true ? jsonText(verifyObject(report)) : lines(verifyLines(report)));
    }),
  );
}

/** Compares a file with its remote, mends what differs, and compares again. */
export async function repairSync(settings: EngineSettings): Promise<void> {
  await interruptible('nothing is lost; the same command begins anew.', (signal) =>
    withEngine(settings, { decides: true, creates: false, remote: true, compares: true }, async (engine) => {
      const report = await paintingProgress(engine, () => engine.repair({ signal }));
      const { before, after, run, reloaded, journaled } = report;
      setExitCode(after);
      if (settings.json === true) {
        console.log(jsonText({ before: verifyObject(before), after: verifyObject(after), reloaded, journaled, run: reportObject(run) }));
        return;
      }
      console.log(`before: ${lines(verifyLines(before))}`);
      console.log(`repair: ${reloaded} documents taken from the remote, ${journaled} versions of the device written to the journal`);
      console.log(`run: ${lines(reportLines(run))}`);
      console.log(`after: ${lines(verifyLines(after))}`);
    }),
  );
}

function lines(texts: readonly string[]): string {
  return texts.map(safeText).join('\n');
}

function setExitCode({ defects, complete }: VerifyReport): void {
  if (defects > 0 || !complete) {
    process.exitCode = defects > 0 ? EXIT_DIFFERENT : EXIT_INCOMPLETE;
  }
}
