import type { Command } from 'commander';
import { STORE_HELP } from './store-address.ts';
import type { DeadLetterSettings } from './sync/tend-dead-letters.ts';
import type { DeviceSettings, EngineSettings } from './sync/sync-settings.ts';
import type { VerifySettings } from './sync/verify-sync.ts';
import type { WatchSettings } from './sync/watch-sync.ts';

const HELP = `
Examples:
  perigee sync run --file notes.sqlite --user ada --scope notes=ada --remote http://127.0.0.1:8081     the first time
  perigee sync run --file notes.sqlite --remote http://127.0.0.1:8081       what the file holds already
  perigee sync status --file notes.sqlite                                   needs no connection
  perigee sync verify --file notes.sqlite --remote backup.sqlite --json
  perigee sync dead-letters --file notes.sqlite --export > refused.ndjson

"perigee sync <command> --help" says more. The application of the file may stay open: one of them synchronises at a time. docs/sync.md says how sync works.`;

const REMOTE_HELP = `
The key of an account comes from PERIGEE_REMOTE_KEY or PERIGEE_KEY, or stands in a connection string (AccountEndpoint=…;AccountKey=…;), which is
better given in PERIGEE_REMOTE than as an argument that others can see.`;

const VERIFY_EXIT_HELP = `
Exit code 0: no defect; what waits to be sent and what the remote refused is named and is none. 65: both sides differ. Others: an error.`;

/** Adds `perigee sync`: the file of a device and its remote. */
export function addSyncCommand(program: Command): void {
  const sync = program
    .command('sync')
    .description('Synchronise the file of a device with its remote, compare both, and mend them.')
    .addHelpText('after', HELP);
  forFile(sync.command('status'))
    .description('What waits, what was refused and how far each partition key is. Needs no connection and changes nothing.')
    .action(async (settings: DeviceSettings) => {
      const { showStatus } = await import('./sync/show-status.ts');
      await showStatus(settings);
    });
  forEngine(sync.command('run'))
    .description('Synchronise once: send, receive, and reconcile where that is due.')
    .addHelpText(
      'after',
      `${REMOTE_HELP}\nExit code 0: complete. Otherwise that of the error; nothing is lost, and the same command goes on.`,
    )
    .action(async (settings: EngineSettings) => {
      const { runSync } = await import('./sync/run-sync.ts');
      await runSync(settings);
    });
  forEngine(sync.command('watch'))
    .description('Synchronise by schedule until Ctrl-C. Goes on where the remote is away for a while.')
    .option('--interval <seconds>', 'time between two runs; 30 unless given')
    .addHelpText('after', `${REMOTE_HELP}\nA run that did something is told in one line; with --json each run is.`)
    .action(async (settings: WatchSettings) => {
      const { watchSync } = await import('./sync/watch-sync.ts');
      await watchSync(settings);
    });
  forEngine(sync.command('verify'))
    .description('Compare both sides and name what differs. Changes no document; run before, or what was not received yet differs too.')
    .option('--max-request-units <number>', 'ask for no more once so many request units were used; the exit code is then 75')
    .addHelpText('after', `${REMOTE_HELP}${VERIFY_EXIT_HELP}`)
    .action(async (settings: VerifySettings) => {
      const { verifySync } = await import('./sync/verify-sync.ts');
      await verifySync(settings);
    });
  forEngine(sync.command('repair'))
    .description("Compare both sides, take the remote's version of what differs with nothing pending, synchronise, and compare again.")
    .addHelpText('after', `${REMOTE_HELP}${VERIFY_EXIT_HELP}\nA version that only the device holds is written to the journal first.`)
    .action(async (settings: EngineSettings) => {
      const { repairSync } = await import('./sync/verify-sync.ts');
      await repairSync(settings);
    });
  forEngine(sync.command('dead-letters'))
    .description('What the remote refused for a reason of its own, without the documents. Needs no connection.')
    .option('--retry <id>', 'send this one again with the next run')
    .option('--discard <id>', "give this one up: it goes to the journal, and the remote's version takes its place")
    .option('--export', 'print all of them whole, with their documents, one line of JSON each')
    .action(async (settings: DeadLetterSettings) => {
      const { tendDeadLetters } = await import('./sync/tend-dead-letters.ts');
      await tendDeadLetters(settings);
    });
}

function forFile(command: Command): Command {
  return command
    .requiredOption('--file <path>', 'SQLite file of the device')
    .option('--file-database <id>', 'database within the file, where there are several')
    .option('--json', 'print JSON');
}

function forEngine(command: Command): Command {
  return forFile(command)
    .option('--remote <store>', `${STORE_HELP}, or a connection string; also read from PERIGEE_REMOTE`)
    .option('--database <id>', 'database of the remote; need not be named where there is only one')
    .option('--user <name>', 'whose file it is; needed for a new one')
    .option('--scope <container=key>', 'partition key, as JSON or text; repeatable; those of the file unless given', collect, [])
    .option('--policy <name>', 'what becomes of conflicts: last-write-wins (unless given), server-wins or client-wins');
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}
