import type { JsonObject, JsonValue } from '../../../src/core/json.ts';
import { systemRuntime } from '../../../src/core/runtime.ts';
import { executeQuery, type ExecutedPage, type ExecuteRequest } from '../../../src/query/executor/execute-query.ts';
import type { QuerySource, SourceRow } from '../../../src/query/executor/query-source.ts';
import { prepareQuery } from '../../../src/query/prepare-query.ts';

/** A source over an array, in batches; ordinals are those given, or 1, 2, 3, … */
export function arraySource(documents: readonly JsonObject[], batchSize: number = 100, ordinals?: readonly number[]): QuerySource {
  const all: readonly SourceRow[] = documents.map((document, index) => ({ ordinal: ordinals?.[index] ?? index + 1, document }));
  return {
    async *scan({ afterOrdinal }) {
      const rows = all.filter(({ ordinal }) => ordinal > afterOrdinal);
      for (let start = 0; start < rows.length; start += batchSize) {
        const batch = rows.slice(start, start + batchSize);
        yield await Promise.resolve({ rows: batch, scannedTo: (batch.at(-1) as SourceRow).ordinal, looked: batch.length });
      }
    },
  };
}

/** What a test says of a run. */
export interface Given extends Partial<Omit<ExecuteRequest, 'prepared' | 'parameters' | 'source'>> {
  readonly values?: Readonly<Record<string, JsonValue>> | undefined;
}

/** One page. */
export function pageOf(text: string, source: QuerySource, { values = {}, ...given }: Given = {}): Promise<ExecutedPage> {
  return executeQuery({
    prepared: prepareQuery(text),
    parameters: Object.entries(values).map(([name, value]) => ({ name, value })),
    source,
    maxItemCount: 1_000_000,
    continuation: undefined,
    signal: undefined,
    runtime: systemRuntime,
    ...given,
  });
}

/** All pages. */
export async function pagesOf(text: string, source: QuerySource, given: Given = {}): Promise<ExecutedPage[]> {
  const pages: ExecutedPage[] = [];
  let continuation: string | undefined;
  do {
    const page = await pageOf(text, source, { ...given, continuation });
    pages.push(page);
    continuation = page.continuation;
  } while (continuation !== undefined);
  return pages;
}

/** The items of all pages. */
export async function itemsOf(text: string, source: QuerySource, given: Given = {}): Promise<JsonValue[]> {
  return (await pagesOf(text, source, given)).flatMap((page) => page.items);
}
