import type { Command } from 'commander';
import type { QueryCommandOptions } from './query/answer-query.ts';
import { STORE_HELP } from './store-address.ts';

const HELP = `
Examples:
  perigee query shop.sqlite "SELECT TOP 5 c.name, c.price FROM c ORDER BY c.price DESC"
  perigee query shop.sqlite --param city='"Paris"' "SELECT * FROM c WHERE c.city = @city" --explain
  perigee query postgres://app@db/shop "SELECT * FROM c WHERE c.city = 'Paris'" --explain --analyze
  perigee query shop.sqlite --format ndjson "SELECT * FROM c" > shop.ndjson
  perigee query shop.sqlite                         a prompt; .help says what it can do
  perigee query shop.sqlite < queries.sql           queries that end in ";", up to the first that fails

A database or container need not be named where there is only one. Of an account, PERIGEE_KEY holds the key.
json, ndjson and csv are written while they are read. CSV is that of RFC 4180: the columns are the properties of the first page's items, later
items lose others and a warning names them; a missing value is an empty cell; nested values are JSON; a string that a spreadsheet would take
for a formula gets an apostrophe in front, unless --raw is given. A table is as wide as the terminal, or as COLUMNS says.`;

/** Adds `perigee query`: one query, or a prompt. */
export function addQueryCommand(program: Command): void {
  program
    .command('query')
    .description('Query a container, explain a query, or open a prompt.')
    .argument('<store>', STORE_HELP)
    .argument('[query]', 'the query; without one there is a prompt, or standard input is read')
    .option('-d, --database <name>', 'database of the container')
    .option('-c, --container <name>', 'container to query')
    .option('-p, --param <name=json>', 'value of the parameter @name; may be given several times', collect, [])
    .option('-k, --partition-key <json>', 'only documents of this partition key; an array for several paths')
    .option('-e, --explain', 'say how the query runs, what it costs, and which index would help')
    .option('--analyze', 'with --explain: have PostgreSQL measure its statement, and try the advised index on a sample')
    .option('-f, --format <name>', 'table, json, ndjson or csv; a table on a terminal, ndjson elsewhere')
    .option('-m, --max <number>', 'stop after so many items')
    .option('--strict', 'refuse an ORDER BY that Cosmos DB would refuse for want of an index')
    .option('--raw', 'CSV: leave strings that spreadsheets take for formulas as they are')
    .addHelpText('after', HELP)
    .action(async (store: string, query: string | undefined, options: QueryCommandOptions) => {
      const { answerQuery } = await import('./query/answer-query.ts');
      await answerQuery(store, query, options);
    });
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}
