import type { JsonValue } from '../../../core/json.ts';
import type { BoundQuery, BoundSource, PreparedQuery } from '../../prepared-query.ts';
import { rowsMayFail } from '../../may-fail.ts';
import type { ExpressionNode, QueryParameter } from '../../syntax-nodes.ts';
import { operandsOf } from '../../walk.ts';
import { leave, type CompileContext } from './compile-context.ts';
import { compileCondition } from './condition-compiler.ts';
import { allOf, EVERY, UNKNOWN, type Condition } from './condition.ts';
import type { Dialect } from './dialect.ts';
import { someRow } from './exists-compiler.ts';
import { conjunctsOf, isDocumentSource, readerOf } from './query-shape.ts';
import { SqlLeftOut, type SqlParameter } from './sql-fragment.ts';
import { ALWAYS, NEVER } from './sql-value.ts';
import { compileValue } from './value-compiler.ts';

/** A condition on the rows of the document table, for a WHERE clause. */
export interface SqlFilter {
  /** A condition with `?` placeholders; NULL counts as false. */
  readonly sql: string;
  readonly parameters: readonly SqlParameter[];
  /**
   * Whether it keeps exactly the documents that WHERE keeps, each of them one row, so that nothing need be filtered again but odd documents
   * ({@link Dialect.isOdd}), which it keeps all. Otherwise it keeps these and perhaps more.
   */
  readonly exact: boolean;
  /** What was left to the evaluator and why; empty when `exact`. */
  readonly reasons: readonly string[];
  /** The same for documents that are not odd alone, where the engine finds odd ones in another way. */
  readonly told: { readonly sql: string; readonly parameters: readonly SqlParameter[] };
}

/** Expressions nested deeper are left to the evaluator: the engines bound the depth of an expression. */
const MAX_DEPTH = 24;

/** A compiler for one query. */
export function createContext(
  prepared: PreparedQuery,
  parameters: readonly QueryParameter[],
  dialect: Dialect,
  computedProperties: ReadonlySet<string> = new Set(),
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
    dialect,
    prepared,
    parameters: new Map(parameters.map(({ name, value }): [string, JsonValue] => [name, value])),
    computedProperties,
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
    if (!(error instanceof SqlLeftOut)) {
      throw error;
    }
    leave(context, error.reason);
    return UNKNOWN;
  }
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
    context.bindings.set(first.slot, context.dialect.document());
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
 * Compiles what an engine can tell of a query's WHERE clause: a condition that keeps every document that gives a row.
 *
 * With a JOIN it keeps documents of which some combination of elements passes. Values are bound; of the query's text only property names get
 * into the SQL, inside quoted paths. Undefined where nothing restricts the documents.
 */
export function filterOfQuery(context: CompileContext): SqlFilter | undefined {
  return filterOf(filterCondition(context), context);
}

/** A condition as a filter that keeps odd documents; undefined where it restricts nothing. */
export function filterOf({ sql, exact }: Condition, context: CompileContext): SqlFilter | undefined {
  if (sql === ALWAYS) {
    return undefined;
  }
  const odd = context.dialect.isOdd();
  const reasons = exact ? [] : [...context.reasons];
  const told = { sql: sql.text, parameters: sql.values };
  return sql === NEVER
    ? { sql: sql.text, parameters: [], exact, reasons, told }
    : { sql: `(${odd.text} OR ${sql.text})`, parameters: [...odd.values, ...sql.values], exact, reasons, told };
}
