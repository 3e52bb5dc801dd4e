import type { Command } from 'commander';
import { DATA_STORE_HELP } from './store-address.ts';
import type { SnapshotCommandOptions } from './snapshot/take-snapshot.ts';

const HELP = `
Examples:
  perigee snapshot sqlite:.perigee/data.sqlite -o shop.ndjson.gz     a file that ends in .gz is compressed
  perigee snapshot http://127.0.0.1:8081 -o shop.ndjson              of a server that is running
  perigee snapshot shop.sqlite --as-of 2026-01-31T12:00:00Z -o then.ndjson
  perigee snapshot shop.sqlite | grep -c '"kind":"document"'

Of a server, PERIGEE_KEY holds the master key; requests are signed, and the key is never sent.
An earlier moment needs a change feed policy that keeps all versions since, on every container; otherwise the exit code is 65 (OUTSIDE_RETENTION).
"perigee restore" puts a snapshot back. docs/snapshots.md says what is in it.`;

/** Adds `perigee snapshot`: everything that a store or a running server holds, as one file. */
export function addSnapshotCommand(program: Command): void {
  program
    .command('snapshot')
    .description('Write everything that a store or a running server holds into one file.')
    .argument('<store>', `${DATA_STORE_HELP}, or the address of a server of Perigee`)
    .option('-o, --output <file>', 'file to write; standard output unless given')
    .option('--as-of <time>', 'as it was at a time: a date with its zone, or milliseconds since 1970')
    .option('--gzip', 'compress, whatever the name of the file')
    .option('--json', 'print what there was as one line of JSON')
    .addHelpText('after', HELP)
    .action(async (store: string, options: SnapshotCommandOptions) => {
      const { takeSnapshot } = await import('./snapshot/take-snapshot.ts');
      await takeSnapshot(store, options);
    });
}
