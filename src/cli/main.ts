#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { addColumnsCommand } from './columns-command.ts';
import { addCopyCommand } from './copy-command.ts';
import { reportFailure } from './report-failure.ts';
import { addQueryCommand } from './query-command.ts';
import { addRestoreCommand } from './restore-command.ts';
import { addServeCommand } from './serve-command.ts';
import { addSnapshotCommand } from './snapshot-command.ts';
import { addSyncCommand } from './sync-command.ts';
import { addTokensCommand } from './tokens-command.ts';

const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };

const program = new Command('perigee')
  .description('One document data layer: the Cosmos DB protocol, SQLite on the device, and sync between them.')
  .version(manifest.version)
  .showHelpAfterError('Run with --help to see what there is.')
  // A mistyped option may carry a secret, so what stands behind its equals sign is not repeated.
  .configureOutput({ outputError: (text, write) => write(text.replaceAll(/(--[\w-]+)=[^']*/gu, '$1=…')) })
  .exitOverride();

const commands: Readonly<Record<string, (program: Command) => void>> = {
  query: addQueryCommand,
  serve: addServeCommand,
  columns: addColumnsCommand,
  copy: addCopyCommand,
  snapshot: addSnapshotCommand,
  restore: addRestoreCommand,
  sync: addSyncCommand,
  tokens: addTokensCommand,
};

// A server is to start in no time, so a command that is named gets nothing beside it; help, and what is mistyped, needs them all.
const named = process.argv[2] ?? '';
for (const add of Object.hasOwn(commands, named) ? [commands[named]] : Object.values(commands)) {
  add?.(program);
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
