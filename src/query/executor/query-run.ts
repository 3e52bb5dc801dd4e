import type { JsonValue } from '../../core/json.ts';
import type { QueryAccess } from '../cost/query-work.ts';
import type { Pipeline } from '../evaluator/pipeline.ts';
import type { TextStatistics } from '../functions/full-text/bm25.ts';
import type { SearchTerm } from '../functions/full-text/search-term.ts';
import type { IndexedText } from '../search/text-condition.ts';
import type { QueryPosition } from './continuation-token.ts';
import type { Pacer } from './pacer.ts';
import type { QuerySource } from './query-source.ts';

/**
 * Gives what BM25 has to know of all texts of the container, as an index of words tells it: exactly what counting all of them would give. The
 * answer is `undefined` where there is no such index; then the texts are read and counted.
 */
export type TextStatisticsSource = (text: IndexedText, terms: readonly SearchTerm[]) => Promise<TextStatistics | undefined>;

/** One page of a query, ready to run. */
export interface QueryRun {
  readonly pipeline: Pipeline;
  readonly source: QuerySource;
  /** Every document of the container, whatever the query leaves out. */
  readonly wholeSource: QuerySource;
  readonly textStatistics: TextStatisticsSource | undefined;
  readonly signal: AbortSignal | undefined;
  readonly pacer: Pacer;
  readonly maxItemCount: number;
  /** OFFSET, 0 without one. */
  readonly offset: number;
  /** TOP or LIMIT; `Infinity` without one. */
  readonly limit: number;
  readonly position: QueryPosition | undefined;
  readonly statistics: RunStatistics;
  /** How the model of request units takes the query to find its documents. */
  readonly access: QueryAccess;
}

/** What a run notes while it reads. */
export interface RunStatistics {
  /** Documents that the source looked at. */
  rowsLookedAt: number;
  /** Rows of FROM, or of its innermost subquery, that passed WHERE. */
  rowsMatched: number;
}

/** What a run gives. */
export interface RunResult {
  readonly items: readonly JsonValue[];
  /** Size of the items, by {@link measureValue}. */
  readonly bytes: number;
  /** Where the next page starts; `undefined` when there is nothing more. */
  readonly next: QueryPosition | undefined;
  /** What the page is charged for reading. */
  readonly read: PageReading;
}

/**
 * What a page is charged for reading, so that the pages of a query add up to the same whatever their sizes, and on every store: rows of FROM that
 * passed WHERE, where an index of the policy leads to them; otherwise the documents of the scope between two places in the order of creation.
 */
export interface PageReading {
  readonly rows: number;
  /** Documents behind the first ordinal up to the second, itself included; `undefined` for none. */
  readonly scanned: { readonly behind: number; readonly upTo: number } | undefined;
}

/** What is charged of a query that has to see all documents before its first row: the first page pays. */
export function readOnFirstPage({ position }: QueryRun, rows: number): PageReading {
  return position === undefined ? { rows, scanned: { behind: 0, upTo: Number.MAX_SAFE_INTEGER } } : { rows: 0, scanned: undefined };
}
