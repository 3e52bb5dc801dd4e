import { PerigeeError } from '../../core/errors.ts';
import { openStore } from '../open-store.ts';
import { explainTo } from './explain-to.ts';
import { findContainer, openContainer, type GivenContainer } from './open-container.ts';
import { Output } from './output.ts';
import { PromptSession } from './prompt-session.ts';
import { caretLines } from './query-failure.ts';
import { formatSettings, parseFormat, parseMax, parseParameters, parsePartitionKey } from './query-settings.ts';
import { runQuery, summaryText, type QuerySettings } from './run-query.ts';
import { splitStatements } from './statements.ts';
import { reportFailure } from '../report-failure.ts';

/** What the command line of `perigee query` says. */
export interface QueryCommandOptions {
  readonly database?: string | undefined;
  readonly container?: string | undefined;
  readonly param: readonly string[];
  readonly partitionKey?: string | undefined;
  readonly explain?: boolean | undefined;
  readonly analyze?: boolean | undefined;
  readonly format?: string | undefined;
  readonly max?: string | undefined;
  readonly strict?: boolean | undefined;
  readonly raw?: boolean | undefined;
}

/** A query without the `;` that people put behind it. */
function withoutSemicolon(text: string): string {
  const { statements, rest } = splitStatements(text);
  return statements.length === 1 && rest.trim() === '' ? (statements[0] as string) : text;
}

/** Answers one query, or opens a prompt. */
export async function answerQuery(store: string, given: string | undefined, options: QueryCommandOptions): Promise<void> {
  if (options.analyze === true && options.explain !== true) {
    throw new PerigeeError('INVALID_OPTION', 'Cannot analyze: it is for --explain.');
  }
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
  const { backend, label, close } = await openStore(store, { mustExist: true, readOnly: true });
  try {
    if (given === undefined) {
      const session = new PromptSession({ backend, label, output, settings, given: named, max: most });
      await session.begin();
      const { queryPrompt } = await import('./query-prompt.ts');
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
        await explainTo(opened, text, settings, stop.signal, output, options.analyze);
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
    await close();
  }
}
