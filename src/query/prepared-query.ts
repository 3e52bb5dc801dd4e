import type { CallNode, CountNode, ExpressionNode, IdentifierNode, LetNode, OrderByItemNode, QueryNode } from './syntax-nodes.ts';

/**
 * What an identifier stands for.
 *
 * - `variable`: a FROM alias or a LET name. `slot` is its place in the row environment, unique in the whole query, subqueries included.
 * - `constant`: the bare words `NaN` and `Infinity`, where no alias of that name is visible.
 */
export type IdentifierBinding =
  | { readonly kind: 'variable'; readonly name: string; readonly slot: number }
  | { readonly kind: 'constant'; readonly name: string; readonly value: number };

/** Where a FROM source takes its rows from. */
export type SourceInput =
  /**
   * The documents of the container, each followed along `path`. At most one source of the whole text has it: the first source of the root, or,
   * where that is a subquery, the first source of this one, and so on. So the rows of the text come from one pass over the documents.
   */
  | { readonly kind: 'container'; readonly path: readonly (string | number)[] }
  /** The value of a variable to the left, or of an enclosing query, followed along `path`. */
  | { readonly kind: 'variable'; readonly slot: number; readonly path: readonly (string | number)[] }
  | { readonly kind: 'subquery'; readonly query: BoundQuery };

/**
 * One source of a FROM clause.
 *
 * A path that leads nowhere gives no row. `iterate` is `alias IN input`: the input must be an array, and each element is a row; anything else
 * gives none. Without it each value of the input is a row. A subquery gives its rows; with `iterate` the elements of each of its rows.
 */
export interface BoundSource {
  /** The alias written, or else the last name in the path; `undefined` where neither exists (a bare subquery, `c[0]`). */
  readonly alias: string | undefined;
  /** Where the evaluator puts the row's value; sources without an alias have one too. */
  readonly slot: number;
  readonly input: SourceInput;
  readonly iterate: boolean;
}

/** One property of a row of `SELECT a, b`. */
export interface OutputColumn {
  /** The alias, or the last name of a path, or `$1`, `$2`, … counting unnamed items only. Of two with one name the last wins. */
  readonly name: string;
  readonly expression: ExpressionNode;
}

/** One aggregate call of a query; calls inside its subqueries belong to these. */
export interface AggregateCall {
  readonly node: CallNode;
  /** The catalog's name: `COUNT`, `SUM`, … */
  readonly name: string;
  /** Position in {@link BoundQuery.aggregates}. */
  readonly index: number;
}

/** ORDER BY RANK: rows by how well they fit, best first. */
export interface RankClause {
  /** Calls of FULLTEXTSCORE and VECTORDISTANCE: one, or those that RRF fuses. */
  readonly scores: readonly CallNode[];
  /** Of RRF: one for each score; `undefined` where all count alike. */
  readonly weights: readonly number[] | undefined;
  /** Whether the scores are those of RRF. */
  readonly fused: boolean;
}

/** One query or subquery after name resolution. */
export interface BoundQuery {
  readonly node: QueryNode;
  /** FROM sources, left to right; empty without FROM: then there is exactly one row. */
  readonly sources: readonly BoundSource[];
  /** The items of a SELECT list; `undefined` for `SELECT *` and `SELECT VALUE`. */
  readonly columns: readonly OutputColumn[] | undefined;
  readonly hasSelectValue: boolean;
  readonly distinct: boolean;
  readonly where: ExpressionNode | undefined;
  /** Grouping expressions; `undefined` without GROUP BY. */
  readonly groupBy: readonly ExpressionNode[] | undefined;
  /** Aggregates of SELECT in the order of their text. */
  readonly aggregates: readonly AggregateCall[];
  /** Aggregates and no GROUP BY: all rows are one group, also when there is no row. */
  readonly isAggregate: boolean;
  /** Sort keys; empty without ORDER BY. Those of ORDER BY RANK cannot be evaluated: see `rank`. */
  readonly orderBy: readonly OrderByItemNode[];
  /** Only where ORDER BY is ORDER BY RANK. */
  readonly rank: RankClause | undefined;
  /** Always `undefined` in a subquery, as are `offset` and `limit`. */
  readonly top: CountNode | undefined;
  readonly offset: CountNode | undefined;
  readonly limit: CountNode | undefined;
  /** Slots of enclosing queries that this one reads, itself or in a subquery: ascending, empty for an uncorrelated subquery. */
  readonly outerSlots: readonly number[];
}

/**
 * A query that is parsed, checked and resolved: all that the evaluator, the compilers and the planner start from.
 *
 * It depends on the text alone, never on parameters or documents, so one instance serves any number of runs, concurrent ones included.
 * Everything in it is frozen. Nodes are compared by identity: the maps below are keyed by nodes of {@link PreparedQuery.node}.
 *
 * In a query with GROUP BY or aggregates, SELECT reads nothing of a row but group expressions and aggregate calls (SC2102 otherwise), so it
 * may be evaluated in the environment of any row of the group. {@link PreparedQuery.groupReferences} says which nodes of SELECT are copies of
 * a group expression. When an aggregate query without GROUP BY has no rows, SELECT reads only constants, parameters and aggregates.
 */
export interface PreparedQuery {
  readonly text: string;
  readonly node: QueryNode;
  readonly root: BoundQuery;
  /** Every subquery of the text, and the root, by its node. */
  readonly queries: ReadonlyMap<QueryNode, BoundQuery>;
  /** Every identifier expression of the text. */
  readonly identifiers: ReadonlyMap<IdentifierNode, IdentifierBinding>;
  /** The slot of every LET name. */
  readonly letSlots: ReadonlyMap<LetNode, number>;
  /** The aggregate call that a node is; all other calls are scalar. */
  readonly aggregateCalls: ReadonlyMap<CallNode, AggregateCall>;
  /** For nodes of SELECT equal to a GROUP BY expression of the same query: its position in {@link BoundQuery.groupBy}. */
  readonly groupReferences: ReadonlyMap<ExpressionNode, number>;
  /** How many slots a row environment has. */
  readonly slotCount: number;
  /** Names of parameters used, with the `@`, each once, in the order of the text. */
  readonly parameters: readonly string[];
  /** Names of user-defined functions called, each once, case as written. */
  readonly udfs: readonly string[];
  /**
   * Whether rows come out one by one in the order of the documents, so that a run may stop after any row and go on from the next document:
   * no ORDER BY, no GROUP BY, no aggregates. DISTINCT, TOP, OFFSET and LIMIT may be there: a continuation then carries what they need.
   */
  readonly isStreamable: boolean;
}
