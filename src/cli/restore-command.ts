import type { Command } from 'commander';
import { DATA_STORE_HELP } from './store-address.ts';
import type { RestoreCommandOptions } from './snapshot/restore-snapshot.ts';

const HELP = `
Examples:
  perigee restore shop.ndjson.gz sqlite:.perigee/data.sqlite
  perigee restore shop.ndjson http://127.0.0.1:8081 --replace     into a server that is running
  perigee snapshot shop.sqlite | perigee restore - copy.sqlite

All of the snapshot is restored or nothing. The store must be empty, unless --replace is given: then everything it holds is gone afterwards.
Of a server, PERIGEE_KEY holds the master key; requests are signed, and the key is never sent.
"perigee serve --restore FILE" starts a server from a snapshot.`;

/** Adds `perigee restore`: a snapshot back into a store or a running server. */
export function addRestoreCommand(program: Command): void {
  program
    .command('restore')
    .description('Restore a snapshot into a store or a running server, all of it or nothing.')
    .argument('<file>', 'a snapshot, compressed or not; - for standard input')
    .argument('<store>', `${DATA_STORE_HELP}, or the address of a server of Perigee`)
    .option('--replace', 'put the snapshot in the place of everything that the store holds')
    .option('--json', 'print what was restored as one line of JSON')
    .addHelpText('after', HELP)
    .action(async (file: string, store: string, options: RestoreCommandOptions) => {
      const { restoreSnapshot } = await import('./snapshot/restore-snapshot.ts');
      await restoreSnapshot(file, store, options);
    });
}
