import type { JsonValue } from '../../core/json.ts';
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
}
