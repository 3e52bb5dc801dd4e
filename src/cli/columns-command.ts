import type { Command } from 'commander';
import type { AddColumnOptions, ColumnCommandOptions } from './columns/manage-columns.ts';

const STORE = 'postgres://USER@HOST/DATABASE (password from PGPASSWORD), or embedded-postgres[:FOLDER]';

const HELP = `
Examples:
  perigee columns add postgres://app@db/perigee /email text --unique --not-null --database shop --container users
  perigee columns add postgres://app@db/perigee /address/city text --name city --database shop --container users
  perigee columns list postgres://app@db/perigee --database shop --container users
  perigee columns drop postgres://app@db/perigee email --database shop --container users

Types: text, boolean, "double precision", numeric, bigint, integer, timestamptz, date, uuid, jsonb.
Where documents do not fit, or share a value that is to be unique, nothing is changed and the exit code is 65.
Others read and write meanwhile. Ctrl-C takes back what was done; a promotion that was killed goes on when it is run again.`;

function sub(parent: Command, name: string, description: string): Command {
  return parent
    .command(name)
    .description(description)
    .argument('<store>', STORE)
    .requiredOption('--database <id>', 'database of the container')
    .requiredOption('--container <id>', 'the container')
    .option('--json', 'print the columns as one line of JSON');
}

/** Adds `perigee columns`: paths of documents as columns of PostgreSQL. */
export function addColumnsCommand(program: Command): void {
  const columns = program
    .command('columns')
    .description('Keep paths of documents as columns of PostgreSQL too, for SQL tools and constraints.')
    .addHelpText('after', HELP);
  sub(columns, 'list', 'The columns of a container.').action(async (store: string, options: ColumnCommandOptions) => {
    await (await import('./columns/manage-columns.ts')).listColumns(store, options);
  });
  sub(columns, 'add', 'Promote a path to a column.')
    .argument('<path>', 'such as /email or /address/city')
    .argument('<type>', 'type of PostgreSQL')
    .option('--unique', 'no two documents of the container have the same value')
    .option('--not-null', 'refuse documents without a value')
    .option('--name <name>', 'name of the column; the last name of the path unless given')
    .action(async (store: string, path: string, type: string, options: AddColumnOptions) => {
      await (await import('./columns/manage-columns.ts')).addColumn(store, path, type, options);
    });
  sub(columns, 'drop', 'Take columns away; documents stay as they are.')
    .argument('<name...>', 'names of columns')
    .action(async (store: string, names: readonly string[], options: ColumnCommandOptions) => {
      await (await import('./columns/manage-columns.ts')).dropColumns(store, names, options);
    });
}
