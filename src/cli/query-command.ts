import type { Command } from 'commander';
import { PerigeeError } from '../core/errors.ts';
import { openStore } from './open-store.ts';
import { explainTo } from './query/explain-to.ts';
import { findContainer, openContainer, type GivenContainer } from './query/open-container.ts';
import { Output } from './query/output.ts';
import { PromptSession } from './query/prompt-session.ts';
import { caretLines } from './query/query-failure.ts';
import { formatSettings, parseFormat, parseMax, parseParameters, parsePartitionKey } from './query/query-settings.ts';
import { runQuery, summaryText, type QuerySettings } from './query/run-query.ts';
import { splitStatements } from './query/statements.ts';
import { reportFailure } from './report-failure.ts';
import { STORE_HELP } from './store-address.ts';

interface QueryCommandOptions {
  readonly database?: string | undefined;
  readonly container?: string | undefined;
  readonly param: readonly string[];
  readonly partitionKey?: string | undefined;
  readonly explain?: boolean | undefined;
  readonly format?: string | undefined;
  readonly max?: string | undefined;
  readonly strict?: boolean | undefined;
  readonly raw?: boolean | undefined;
}

const HELP = `
Examples:
  perigee query shop.sqlite "SELECT TOP 5 c.name, c.price FROM c ORDER BY c.price DESC"
  perigee query shop.sqlite --param city='"Paris"' "SELECT * FROM c WHERE c.city = @city" --explain
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
    .option('-f, --format <name>', 'table, json, ndjson or csv; a table on a terminal, ndjson elsewhere')
    .option('-m, --max <number>', 'stop after so many items')
    .option('--strict', 'refuse an ORDER BY that Cosmos DB would refuse for want of an index')
    .option('--raw', 'CSV: leave strings that spreadsheets take for formulas as they are')
    .addHelpText('after', HELP)
    .action(query);
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

/** A query without the `;` that people put behind it. */
function withoutSemicolon(text: string): string {
  const { statements, rest } = splitStatements(text);
  return statements.length === 1 && rest.trim() === '' ? (statements[0] as string) : text;
}

async function query(store: string, given: string | undefined, options: QueryCommandOptions): Promise<void> {
  if (given === undefined && options.explain === true) {
    throw new PerigeeError('INVALID_OPTION', 'Cannot explain: give the query, or write .explain in the prompt.');
  }
  const output = new Output(process.stdout);
  const { param, partitionKey, strict = false, raw = false, max } = options;
  const settings: QuerySettings = {
    parameters: parseParameters(param),
    partitionKey: partitionKey === undefined ? undefined : parsePartitionKey(partitionKey),
    strict,
    ...(options.format === undefined
      ? { format: output.isTerminal ? 'table' : 'ndjson', explainAs: 'text' }
      : formatSettings(parseFormat(options.format))),
    rawCsv: raw,
  };
  const most = max === undefined ? undefined : parseMax(max);
  const { database, container } = options;
  const named: GivenContainer = { database, container };
  const { backend, label } = await openStore(store, { mustExist: true, readOnly: true });
  try {
    if (given === undefined) {
      const session = new PromptSession({ backend, label, output, settings, given: named, max: most });
      await session.begin();
      const { queryPrompt } = await import('./query/query-prompt.ts');
      process.exitCode = await queryPrompt(session, output);
      return;
    }
    const text = withoutSemicolon(given);
    const opened = await openContainer(backend, await findContainer(backend, label, named));
    const stop = new AbortController();
    const interrupt = (): void => stop.abort();
    process.once('SIGINT', interrupt);
    try {
      if (options.explain === true) {
        await explainTo(opened, text, settings, stop.signal, output);
      } else {
        const summary = await runQuery(opened, text, settings, { max: most, signal: stop.signal }, output);
        await output.write(settings.format === 'table' ? `${summaryText(summary)}\n` : '');
      }
    } catch (error) {
      if (output.wasClosed) {
        return;
      }
      // 130 is what a shell gives for a program that Ctrl-C ended.
      process.exitCode = stop.signal.aborted ? 130 : reportFailure(error, caretLines(error, text));
    } finally {
      process.off('SIGINT', interrupt);
    }
  } finally {
    await backend.close();
  }
}
