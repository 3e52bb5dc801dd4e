import { InvalidArgumentError, type Command } from 'commander';
import type { CopyTimeToLive } from '../copy/remaining-life.ts';
import type { CopyCommandOptions } from './copy/copy-stores.ts';
import { STORE_HELP } from './store-address.ts';

function parseTtl(value: string): CopyTimeToLive {
  if (value !== 'restart' && value !== 'remaining') {
    throw new InvalidArgumentError('It is restart or remaining.');
  }
  return value;
}

/** Adds `perigee copy`: containers from one store to another. */
export function addCopyCommand(program: Command): void {
  program
    .command('copy')
    .description('Copy containers from one store to another, and compare both at the end.')
    .argument('<from>', STORE_HELP)
    .argument('<to>', 'the same; a local store is made when it is missing')
    .option('--database <id>', 'only this database')
    .option('--container <id>', 'only this container of the database')
    .option('--overwrite', "put the source's version also over a newer one of the target")
    .option('--ttl <policy>', 'what becomes of a time to live: restart with the copy (the default), or remaining', parseTtl)
    .option('--no-verify', 'do not compare at the end')
    .option('--restart', 'begin anew instead of where an earlier copy stopped')
    .option('--checkpoint <file>', 'where to keep how far the copy is; a file in .perigee/copy unless given')
    .option('--json', 'print the report as one line of JSON')
    .addHelpText(
      'after',
      '\nKeys of accounts come from PERIGEE_FROM_KEY and PERIGEE_TO_KEY, or PERIGEE_KEY for both.' +
        '\nCtrl-C stops it; the same command goes on where it stopped. Exit code 65 means that both sides differ.',
    )
    .action(async (from: string, to: string, options: CopyCommandOptions) => {
      const { copyStores } = await import('./copy/copy-stores.ts');
      await copyStores(from, to, options);
    });
}
