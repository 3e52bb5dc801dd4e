import type { JsonObject } from '../core/json.ts';

/** What a step of a plan does with the rows of its inputs. */
export type PlanOperation =
  /** Reads single documents by partition key and id. */
  | 'lookup'
  /** Reads the documents of some partition keys, or of the container, one after the other. */
  | 'scan'
  /** Reads documents through an index. */
  | 'index'
  /** One row that no document gives: a query without FROM. */
  | 'row'
  | 'filter'
  | 'join'
  | 'group'
  | 'aggregate'
  | 'sort'
  | 'distinct'
  | 'limit'
  | 'project'
  /** Rows of a query inside the query. */
  | 'subquery'
  /** Puts answers of several partitions together. */
  | 'merge';

/** One step of a plan. Rows flow from its inputs to it. */
export interface PlanStep {
  readonly operation: PlanOperation;
  /** One line for people. Pieces of the query stand there with `?` for each value. */
  readonly detail: string;
  /** Who does it: the store's engine, Perigee's evaluator behind it, or the client of a service. */
  readonly runsIn: 'engine' | 'evaluator' | 'client';
  /** `false` for what another step does again, because it lets through too much. */
  readonly exact: boolean;
  /** Why it is not done by the engine, or not exactly. */
  readonly reasons: readonly string[];
  /** Rows that came out of it in this run, where they were counted. */
  readonly rows: number | undefined;
  readonly inputs: readonly PlanStep[];
}

/** How documents are found, with an index or without one. */
export interface PlannedAccess {
  readonly access: QueryExplanation['access'];
  /** The index that serves, in the spelling of an index policy. */
  readonly index: string | undefined;
  /** Documents to look at; `undefined` where nobody can tell. */
  readonly documentsScanned: number | undefined;
}

/** One step of an engine's own plan, as it ran. */
export interface MeasuredStep {
  /** The engine's word for it, such as `Bitmap Index Scan`. */
  readonly operation: string;
  /** How many steps stand above it. */
  readonly level: number;
  /** The index that it read: in the spelling of an index policy, or what it is kept for (`partition key`, `creation order`). */
  readonly index: string | undefined;
  /** Rows that came out of it, of all its runs. */
  readonly rows: number;
  /** Rows that it read and left out. */
  readonly rowsRemoved: number;
  /** Rows that the engine had expected to come out of it. */
  readonly rowsExpected: number;
}

/** What a store's engine measured while it ran a statement. Times and pages are those of this one run, on the load of the moment. */
export interface MeasuredStatement {
  /** Rows that it gave. */
  readonly rows: number;
  /** Rows of the table that were read for them, those included that a condition left out. */
  readonly documentsRead: number;
  readonly planningMs: number;
  readonly executionMs: number;
  /** Pages (of 8 kB in PostgreSQL) that were in the engine's memory. */
  readonly pagesCached: number;
  /** Pages that were not: from the disk, or from the memory of the operating system. */
  readonly pagesRead: number;
  /** Indexes that were read, as {@link MeasuredStep.index}. */
  readonly indexes: readonly string[];
  /** The engine's plan: each step behind the one above it. */
  readonly steps: readonly MeasuredStep[];
}

/** An index that was made over a sample of the documents, and was gone a moment later. */
export interface IndexTrial {
  /** Documents of the sample: all there are, or some blocks of the table. */
  readonly documents: number;
  /** The statement over the sample without the index. */
  readonly before: MeasuredStatement;
  /** The same with it: the engine chose it by itself. */
  readonly after: MeasuredStatement;
}

/** An index that would help a query, and does not exist. */
export interface IndexAdvice {
  readonly kind: 'single' | 'composite' | 'spatial' | 'fullText' | 'vector';
  /** Members to merge into the container's index policy: append its lists to those that are there. */
  readonly policy: JsonObject;
  /** What it is good for, in a sentence. */
  readonly reason: string;
  /**
   * Who says so: the store's planner, asked again as if the index were there; a trial, in which the engine took it; the service; or the rules of
   * index policies, by which Cosmos DB and strict mode refuse the query now and would run it then.
   */
  readonly provenBy: 'planner' | 'trial' | 'service' | 'policy';
  /** How the query runs now. */
  readonly before: PlannedAccess;
  /** How it would run. */
  readonly after: PlannedAccess;
  /** What the trial measured, where there was one. */
  readonly trial?: IndexTrial | undefined;
}

/** How a query runs, as {@link DocumentStore.explain} tells it after running it to its end. No value of the query or of a document is in it. */
export interface QueryExplanation {
  /** All of it as text for people, at most 100 characters wide. */
  readonly text: string;
  /** The plan. The root gives the result. */
  readonly plan: PlanStep;
  /** Who {@link PlanStep.runsIn} calls the engine: `SQLite`, `Cosmos DB`; `undefined` where the evaluator does everything. */
  readonly engine: string | undefined;
  /** What is read: nothing, single documents, the documents of some partition keys, an index, or the whole container. */
  readonly access: 'none' | 'point' | 'partition' | 'index' | 'container';
  /** Indexes that served, in the spelling of an index policy. */
  readonly indexes: readonly string[];
  /** Whether the filter runs exactly in the store's engine, as a superset that is filtered again, or only in the evaluator. */
  readonly filter: 'none' | 'exact' | 'superset' | 'evaluated';
  /** Why the filter is evaluated, or evaluated again. */
  readonly filterReasons: readonly string[];
  /** Clauses that the store's engine runs itself. */
  readonly pushedDown: readonly string[];
  /** Statement of the store's engine, with placeholders for values, where there is one. */
  readonly statement: string | undefined;
  /** What the engine measured of the statement; `undefined` unless {@link ExplainOptions.analyze} asked for it. */
  readonly measured: MeasuredStatement | undefined;
  readonly pages: number;
  /** Documents looked at, those looked at again for a later page included. */
  readonly documentsScanned: number;
  readonly itemsReturned: number;
  /** Of all pages, by the model in docs/request-units.md, or as the service charged. */
  readonly requestUnits: number;
  /** Indexes that would help. */
  readonly advice: readonly IndexAdvice[];
}
