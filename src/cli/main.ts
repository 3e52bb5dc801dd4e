#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { reportFailure } from './report-failure.ts';
import { addServeCommand } from './serve-command.ts';

type AddCommand = (program: Command) => void;

const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };

const program = new Command('perigee')
  .description('One document data layer: the Cosmos DB protocol, SQLite on the device, and sync between them.')
  .version(manifest.version)
  .showHelpAfterError('Run with --help to see what there is.')
  // A mistyped option may carry a secret, so what stands behind its equals sign is not repeated.
  .configureOutput({ outputError: (text, write) => write(text.replaceAll(/(--[\w-]+)=[^']*/gu, '$1=…')) })
  .exitOverride();

/** A server is to start in no time, so the other commands are read when they are wanted. */
const commands: Readonly<Record<string, () => AddCommand | Promise<AddCommand>>> = {
  query: async () => (await import('./query-command.ts')).addQueryCommand,
  serve: () => addServeCommand,
  columns: async () => (await import('./columns-command.ts')).addColumnsCommand,
  copy: async () => (await import('./copy-command.ts')).addCopyCommand,
  snapshot: async () => (await import('./snapshot-command.ts')).addSnapshotCommand,
  restore: async () => (await import('./restore-command.ts')).addRestoreCommand,
  sync: async () => (await import('./sync-command.ts')).addSyncCommand,
  tokens: async () => (await import('./tokens-command.ts')).addTokensCommand,
};

// A command that is named gets nothing beside it; help, and what is mistyped, needs them all.
const named = process.argv[2] ?? '';
for (const load of Object.hasOwn(commands, named) ? [commands[named]] : Object.values(commands)) {
  (await load?.())?.(program);
}

// A reader that has seen enough, such as `head`, is no failure of any command.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') {
    throw error;
  }
});

try {
  await program.parseAsync();
} catch (error) {
  // Commander has already printed help, the version or what was wrong with the arguments; 64 is EX_USAGE.
  process.exitCode = error instanceof CommanderError ? (error.exitCode === 0 ? 0 : 64) : reportFailure(error);
}
