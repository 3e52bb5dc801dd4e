import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';

type AddCommand = (program: Command) => void;

/** Only the command that is wanted is read, with what it imports. */
const COMMANDS: Readonly<Record<string, () => Promise<AddCommand>>> = {
  query: async () => (await import('./query-command.ts')).addQueryCommand,
  serve: async () => (await import('./serve-command.ts')).addServeCommand,
  columns: async () => (await import('./columns-command.ts')).addColumnsCommand,
  copy: async () => (await import('./copy-command.ts')).addCopyCommand,
  snapshot: async () => (await import('./snapshot-command.ts')).addSnapshotCommand,
  restore: async () => (await import('./restore-command.ts')).addRestoreCommand,
  sync: async () => (await import('./sync-command.ts')).addSyncCommand,
  tokens: async () => (await import('./tokens-command.ts')).addTokensCommand,
};

/** Does what the arguments of this process say, or prints help, or what is wrong with them. @throws what the command throws */
export async function runProgram(): Promise<void> {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
  const program = new Command('perigee')
    .description('One document data layer: the Cosmos DB protocol, SQLite on the device, and sync between them.')
    .version(manifest.version)
    .showHelpAfterError('Run with --help to see what there is.')
    // A mistyped option may carry a secret, so what stands behind its equals sign is not repeated.
    .configureOutput({ outputError: (text, write) => write(text.replaceAll(/(--[\w-]+)=[^']*/gu, '$1=…')) })
    .exitOverride();
  // A command that is named gets nothing beside it; help, and what is mistyped, needs them all.
  const named = process.argv[2] ?? '';
  for (const load of Object.hasOwn(COMMANDS, named) ? [COMMANDS[named]] : Object.values(COMMANDS)) {
    (await load?.())?.(program);
  }
  try {
    await program.parseAsync();
  } catch (error) {
    if (!(error instanceof CommanderError)) {
      throw error;
    }
    // Commander has already printed help, the version or what was wrong with the arguments; 64 is EX_USAGE.
    process.exitCode = error.exitCode === 0 ? 0 : 64;
  }
}
