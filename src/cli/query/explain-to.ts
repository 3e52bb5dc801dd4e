import type { DocumentStore } from '../../store/document-store.ts';
import { safeLines } from '../safe-text.ts';
import { jsonText } from './json-text.ts';
import type { Output } from './output.ts';
import { queryInput, storeOptions, type QuerySettings } from './run-query.ts';

/** A query with ORDER BY looks at everything for each page: small ones would make the explanation long, and about little but paging. */
const PAGE_ITEMS = 1000;

/** Runs a query and writes how it ran: as text, or with a format of JSON as data; with `analyze` the engine measures. @throws what the query throws */
export async function explainTo(
  store: DocumentStore,
  query: string,
  settings: QuerySettings,
  signal: AbortSignal,
  output: Output,
  analyze: boolean = false,
): Promise<void> {
  const options = {
    analyze,
    ...storeOptions(settings, AbortSignal.any([signal, output.gone])),
    maxItemCount: PAGE_ITEMS,
  };
  const { text, ...data } = await store.explain(queryInput(query, settings.parameters), options);
  const { explainAs } = settings;
  await output.write(`${explainAs === 'text' ? safeLines(text) : jsonText(data, explainAs === 'json' ? 2 : undefined)}\n`);
}
