import type { TextStatistics } from '../../../query/functions/full-text/bm25.ts';
import type { SearchTerm } from '../../../query/functions/full-text/search-term.ts';
import type { IndexedText } from '../../../query/search/text-condition.ts';
import { tableNames } from '../container-statements.ts';
import { get, type Program } from '../driver.ts';
import type { Read } from '../scan-slices.ts';
import type { SqliteContainer } from '../sqlite-container.ts';
import { fullTextTable, phraseText } from './full-text-access.ts';
import { countsTable, wordsTable } from './full-text-index.ts';

/** Each statement here looks at an entry for every document: above so many it would take too long in one go. */
const MAX_DOCUMENTS = 300_000;

function* numberOf(sql: string, ...parameters: readonly string[]): Program<number> {
  return (yield* get<{ n: number }>(sql, ...parameters))?.n ?? 0;
}

function* count(container: SqliteContainer, table: string, terms: readonly SearchTerm[]): Program<TextStatistics | undefined> {
  const { documents } = tableNames(container.number);
  const documentCount = yield* numberOf(`SELECT count(*) AS n FROM (SELECT 1 FROM ${documents} LIMIT ${MAX_DOCUMENTS + 1})`);
  if (documentCount > MAX_DOCUMENTS) {
    return undefined;
  }
  const words = wordsTable(table);
  const hitCounts: number[] = [];
  for (const term of terms) {
    const isEmpty = term.words.length === 0;
    hitCounts.push(isEmpty ? 0 : yield* numberOf(`SELECT count(*) AS n FROM ${words} WHERE ${words} MATCH ?`, phraseText(term.words)));
  }
  const totalWordCount = yield* numberOf(`SELECT ifnull(sum(words), 0) AS n FROM ${countsTable(table)}`);
  return { documentCount, totalWordCount, hitCounts };
}

/**
 * Counts texts and terms in an index instead of reading all documents. Undefined where that is not the same: without an index, for fuzzy terms,
 * and where documents expire, since those that have are in the tables until they are swept.
 */
export async function fullTextStatistics(
  container: SqliteContainer,
  text: IndexedText,
  terms: readonly SearchTerm[],
  read: Read,
): Promise<TextStatistics | undefined> {
  if (container.indexes.isStale) {
    await read(() => container.indexes.load());
  }
  const table = fullTextTable(container, text);
  const isFuzzy = terms.some(({ distance }) => distance > 0);
  const expires = container.info.definition.defaultTtl !== undefined;
  return table === undefined || isFuzzy || expires ? undefined : read(() => count(container, table, terms));
}
