import type { JsonValue } from '../../core/json.ts';
import type { Pipeline } from '../evaluator/pipeline.ts';
import type { QueryPosition } from './continuation-token.ts';
import type { Pacer } from './pacer.ts';
import type { QuerySource } from './query-source.ts';

/** One page of a query, ready to run. */
export interface QueryRun {
  readonly pipeline: Pipeline;
  readonly source: QuerySource;
  /** Every document of the container, whatever the query leaves out. */
  readonly wholeSource: QuerySource;
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
