import type { QueryExplanation } from '../../store/query-explanation.ts';

/** What an engine may do of a query. */
export type EngineClause =
  | 'WHERE'
  | 'JOIN'
  | 'GROUP BY'
  | 'aggregates'
  | 'ORDER BY'
  | 'DISTINCT'
  | 'OFFSET LIMIT'
  | 'properties'
  | 'SELECT';

/** How an engine does its part. */
export interface PushedClause {
  /** `false`: it lets through too much, or only prepares the work, and the evaluator finishes. */
  readonly exact: boolean;
  /** What is left to the evaluator, and why. */
  readonly reasons: readonly string[];
}

/** What a store's engine does of a query; everything else is the evaluator's. */
export interface EngineWork {
  /** `SQLite`, `Cosmos DB`; `undefined` where there is none. */
  readonly engine: string | undefined;
  readonly access: QueryExplanation['access'];
  /** How documents are read, in a few words that go on from "lookup", "scan" or "index". */
  readonly reading: string;
  /** Indexes that serve, in the spelling of an index policy. */
  readonly indexes: readonly string[];
  /** What narrows the reading before any filter: `partition key`, `id`. */
  readonly narrowedBy: readonly string[];
  readonly pushed: ReadonlyMap<EngineClause, PushedClause>;
  /** Why WHERE is not exactly the engine's; the reasons of its entry in `pushed` where it is there. */
  readonly filterReasons: readonly string[];
}

/** The work of a store that only reads documents: the evaluator does the rest. */
export function readingOnly(access: QueryExplanation['access'], reading: string): EngineWork {
  return { engine: undefined, access, reading, indexes: [], narrowedBy: [], pushed: new Map(), filterReasons: [] };
}
