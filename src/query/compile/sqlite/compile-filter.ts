import type { JsonValue } from '../../../core/json.ts';
import type { BoundQuery, BoundSource, PreparedQuery } from '../../prepared-query.ts';
import { rowsMayFail } from '../../may-fail.ts';
import type { ExpressionNode, QueryParameter } from '../../syntax-nodes.ts';
import { operandsOf } from '../../walk.ts';
import { leave, type CompileContext, type SqliteColumns } from './compile-context.ts';
import { compileCondition } from './condition-compiler.ts';
import { allOf, EVERY, UNKNOWN, type Condition } from './condition.ts';
import { documentBinding, someRow } from './exists-compiler.ts';
import { isOdd } from './odd-documents.ts';
import { SqlTooLong, type SqliteValue } from './sql-fragment.ts';
import { ALWAYS, NEVER } from './sql-value.ts';
import { compileValue } from './value-compiler.ts';

/** A condition on the rows of the document table, for a WHERE clause. */
export interface SqliteFilter {
  /** A condition with `?` placeholders; NULL counts as false. */
  readonly sql: string;
  readonly parameters: readonly SqliteValue[];
  /**
   * Whether it keeps exactly the documents that WHERE keeps, each of them one row, so that nothing need be filtered again but odd documents
   * ({@link isOddText}), which it keeps all. Otherwise it keeps these and perhaps more.
   */
  readonly exact: boolean;
  /** What was left to the evaluator and why; empty when `exact`. */
  readonly reasons: readonly string[];
}

/** What the compiler needs to know of the container and its table. */
export interface SqliteCompileOptions {
  readonly columns?: SqliteColumns | undefined;
  /** Names of the container's computed properties. */
  readonly computedProperties?: ReadonlySet<string> | undefined;
}

/** Expressions nested deeper are left to the evaluator: SQLite bounds the depth of an expression. */
const MAX_DEPTH = 24;
const DEFAULT_COLUMNS: SqliteColumns = { body: 'body' };

/** A compiler for one query. */
export function createContext(
  prepared: PreparedQuery,
  parameters: readonly QueryParameter[],
  options: SqliteCompileOptions = {},
): CompileContext {
  let depth = 0;
  const nested = <T>(otherwise: T, compile: () => T): T => {
    if (depth >= MAX_DEPTH) {
      leave(context, 'an expression nests very deep');
      return otherwise;
    }
    depth += 1;
    try {
      return compile();
    } finally {
      depth -= 1;
    }
  };
  const context: CompileContext = {
    prepared,
    parameters: new Map(parameters.map(({ name, value }): [string, JsonValue] => [name, value])),
    columns: options.columns ?? DEFAULT_COLUMNS,
    computedProperties: options.computedProperties ?? new Set(),
    bindings: new Map(),
    reasons: new Set(),
    loops: 0,
    loopReads: 0,
    aliases: 0,
    value: (node) => nested(undefined, () => compileValue(node, context)),
    condition: (node, wanted) => nested(UNKNOWN, () => whereFits(context, () => compileCondition(node, wanted, context))),
  };
  return context;
}

/** Gives a condition up that grows too long. */
function whereFits(context: CompileContext, compile: () => Condition): Condition {
  try {
    return compile();
  } catch (error) {
    if (!(error instanceof SqlTooLong)) {
      throw error;
    }
    leave(context, 'an expression is very long');
    return UNKNOWN;
  }
}

/** The query that reads the documents: the root, or the one at the start of its FROM clause. */
export function readerOf(query: BoundQuery): BoundQuery {
  const input = query.sources[0]?.input;
  return input?.kind === 'subquery' ? readerOf(input.query) : query;
}

/** Whether the rows of a source are the documents themselves. */
export function isDocumentSource(source: BoundSource | undefined): boolean {
  return source !== undefined && source.input.kind === 'container' && source.input.path.length === 0 && !source.iterate;
}

/** Operands of the ANDs at the top of a condition. */
export function conjunctsOf(node: ExpressionNode | undefined): readonly ExpressionNode[] {
  const conjuncts: ExpressionNode[] = [];
  let rest = node;
  while (rest?.kind === 'binary' && rest.operator === 'AND') {
    conjuncts.push(rest.right);
    rest = rest.left;
  }
  return rest === undefined ? [] : [rest, ...conjuncts.toReversed()];
}

/** Whether an expression reads one of some variables, itself or in a subquery. */
function reads(node: ExpressionNode, slots: ReadonlySet<number>, context: CompileContext): boolean {
  const binding = node.kind === 'identifier' ? context.prepared.identifiers.get(node) : undefined;
  if (binding?.kind === 'variable' && slots.has(binding.slot)) {
    return true;
  }
  const subquery = node.kind === 'subquery' ? context.prepared.queries.get(node.query) : undefined;
  return (
    subquery?.outerSlots.some((slot) => slots.has(slot)) === true || operandsOf(node).some((operand) => reads(operand, slots, context))
  );
}

/** A query that reads documents, with its loops apart from what stands outside of them. */
export interface ReaderParts {
  /** The sources besides the document itself. */
  readonly joined: readonly BoundSource[];
  /** Conditions on the document alone. */
  readonly outside: readonly ExpressionNode[];
  /** Conditions on elements. */
  readonly inside: readonly ExpressionNode[];
}

/** Takes a query that reads documents apart, and makes its document known. */
export function partsOf(reader: BoundQuery, context: CompileContext): ReaderParts {
  const [first, ...others] = reader.sources;
  if (first !== undefined && isDocumentSource(first)) {
    context.bindings.set(first.slot, documentBinding(context));
  }
  const joined = isDocumentSource(first) ? others : reader.sources;
  const slots = new Set(joined.map(({ slot }) => slot));
  const conjuncts = conjunctsOf(reader.where);
  return {
    joined,
    outside: conjuncts.filter((node) => !reads(node, slots, context)),
    inside: conjuncts.filter((node) => reads(node, slots, context)),
  };
}

/** Where a document gives at least one row: conditions on the document alone stand outside the loops. */
function compileReader(reader: BoundQuery, context: CompileContext): Condition {
  const { joined, outside, inside } = partsOf(reader, context);
  if (joined.length === 0) {
    return allOf(outside.map((node) => context.condition(node, true)));
  }
  const found = whereFits(context, () => someRow(joined, context, () => inside.map((node) => context.condition(node, true))));
  leave(context, 'the rows of a JOIN are made by the evaluator');
  return { ...allOf([...outside.map((node) => context.condition(node, true)), found]), exact: false };
}

/** The condition of a query on documents; its reasons are in the context. */
export function filterCondition(context: CompileContext): Condition {
  const { root } = context.prepared;
  const reader = readerOf(root);
  if (reader.sources[0]?.input.kind !== 'container') {
    return UNKNOWN;
  }
  if (rowsMayFail(reader.node)) {
    leave(context, 'a subquery or user-defined function may fail, and has to do so on every store');
    return UNKNOWN;
  }
  if (reader.where === undefined && reader.sources.length === 1 && isDocumentSource(reader.sources[0])) {
    return EVERY;
  }
  const condition = compileReader(reader, context);
  return reader === root ? condition : { ...condition, exact: false };
}

/**
 * Compiles what SQLite can tell of a query's WHERE clause: a condition that keeps every document that gives a row.
 *
 * With a JOIN it keeps documents of which some combination of elements passes. Values are bound; of the query's text only property names get
 * into the SQL, inside quoted paths. Undefined where nothing restricts the documents.
 *
 * @param parameters those of the run; one that is missing is undefined, as in the evaluator.
 */
export function compileFilter(
  prepared: PreparedQuery,
  parameters: readonly QueryParameter[],
  options: SqliteCompileOptions = {},
): SqliteFilter | undefined {
  const context = createContext(prepared, parameters, options);
  return filterOf(filterCondition(context), context);
}

/** A condition as a filter that keeps odd documents; undefined where it restricts nothing. */
export function filterOf({ sql, exact }: Condition, context: CompileContext): SqliteFilter | undefined {
  if (sql === ALWAYS) {
    return undefined;
  }
  const text = sql === NEVER ? sql.text : `(${isOdd(context.columns.body).text} OR ${sql.text})`;
  return { sql: text, parameters: sql.values, exact, reasons: exact ? [] : [...context.reasons] };
}
