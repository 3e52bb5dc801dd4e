import { PerigeeError } from '../../core/errors.ts';
import type { DocumentStore } from '../../store/document-store.ts';
import type { JsonValue } from '../../core/json.ts';
import type { PartitionKeyInput } from '../../store/partition-key.ts';
import type { QueryOptions } from '../../store/queries.ts';
import { safeText } from '../safe-text.ts';
import type { Output } from './output.ts';
import type { NamedValue } from './query-settings.ts';
import { resultFormat, type FormatName } from './result-format.ts';
import { parametersIn } from './statements.ts';

/** What is asked, and how the answer is written. */
export interface QuerySettings {
  readonly parameters: readonly NamedValue[];
  readonly partitionKey: PartitionKeyInput | undefined;
  /** Refuse an ORDER BY that Cosmos DB would refuse. */
  readonly strict: boolean;
  readonly format: FormatName;
  /** Explanations are text, or where somebody asked for JSON, data. */
  readonly explainAs: 'text' | 'json' | 'ndjson';
  readonly rawCsv: boolean;
}

/** Where a query starts, and where it is interrupted. */
export interface RunBounds {
  /** Items after which to stop. */
  readonly max: number | undefined;
  /** Stop after this many items too, but say where to go on. */
  readonly pause?: number | undefined;
  readonly continuation?: string | undefined;
  readonly signal: AbortSignal;
}

/** How a run ended. */
export interface RunSummary {
  readonly items: number;
  readonly documentsScanned: number;
  readonly requestUnits: number;
  /** Where to go on after a pause; `undefined` when there is nothing more. */
  readonly continuation: string | undefined;
}

/** Items of a page. A query with ORDER BY looks at everything for each page, so files are written in large ones; a table is shown soon. */
const PAGE_ITEMS: Readonly<Record<FormatName, number>> = { table: 100, json: 2000, ndjson: 2000, csv: 2000 };

/** The query with the parameters that it uses. @throws INVALID_OPTION where one has no value, which would silently be undefined */
export function queryInput(
  query: string,
  parameters: readonly NamedValue[],
): { readonly query: string; readonly parameters: readonly NamedValue[] } {
  const missing = parametersIn(query).find((name) => !parameters.some((given) => given.name === name));
  if (missing !== undefined) {
    throw new PerigeeError(
      'INVALID_OPTION',
      `Cannot run the query: it uses the parameter "${missing}", which has no value. Give it with --param ${missing.slice(1)}=json, or .param in the prompt.`,
    );
  }
  return { query, parameters };
}

/** Options of the store for a query. */
export function storeOptions({ partitionKey, strict }: QuerySettings, signal: AbortSignal): QueryOptions {
  return { partitionKey, orderBy: strict ? 'strict' : 'lenient', signal };
}

function counted(count: number, one: string): string {
  return `${count.toLocaleString('en-US')} ${one}${count === 1 ? '' : 's'}`;
}

/** A line about a run, for people. */
export function summaryText({ items, requestUnits, documentsScanned }: RunSummary): string {
  const units = requestUnits.toLocaleString('en-US', { maximumFractionDigits: 2 });
  return `(${counted(items, 'item')}, ${counted(documentsScanned, 'document')} looked at, ${units} request units)`;
}

/**
 * Runs a query and writes its items while they are read: of what was read, nothing but one page is kept.
 *
 * It ends in peace when the reader of the output leaves. @throws what the query throws, and the signal's reason
 */
export async function runQuery(
  store: DocumentStore,
  query: string,
  settings: QuerySettings,
  bounds: RunBounds,
  output: Output,
): Promise<RunSummary> {
  const { isTerminal, width, colours } = output;
  const format = resultFormat(settings.format, { isTerminal, width, colours, rawCsv: settings.rawCsv });
  const most = Math.min(bounds.max ?? Number.POSITIVE_INFINITY, bounds.pause ?? Number.POSITIVE_INFINITY);
  const result = store.query<JsonValue>(queryInput(query, settings.parameters), {
    ...storeOptions(settings, AbortSignal.any([bounds.signal, output.gone])),
    maxItemCount: Math.min(most, PAGE_ITEMS[settings.format]),
    continuation: bounds.continuation,
  });
  const summary = { items: 0, documentsScanned: 0, requestUnits: 0, continuation: undefined as string | undefined };
  try {
    while (summary.items < most) {
      const page = await result.nextPage();
      if (page === undefined) {
        summary.continuation = undefined;
        break;
      }
      // A page may hold more than is left of `max`, since all pages are asked for in one size.
      const items = page.items.slice(0, most - summary.items);
      await output.write(format.page(items));
      summary.items += items.length;
      summary.documentsScanned += page.documentsScanned;
      summary.requestUnits += page.requestUnits;
      summary.continuation = page.continuation;
    }
  } catch (error) {
    // What was written so far stays a whole line, and JSON stays JSON, before the failure is told.
    if (!output.wasClosed) {
      await output.write(format.end());
      throw error;
    }
  }
  await output.write(format.end());
  const warning = format.warning?.();
  if (warning !== undefined && !output.wasClosed) {
    console.error(`perigee: ${safeText(warning)}`);
  }
  return summary;
}
