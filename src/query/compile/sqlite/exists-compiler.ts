import type { BoundQuery, BoundSource } from '../../prepared-query.ts';
import type { SubqueryNode } from '../../syntax-nodes.ts';
import { boundedLoop, insideLoop, leave, type CompileContext, type SqlBinding } from './compile-context.ts';
import { isDefined } from './comparison.ts';
import { allOf, EVERY, NONE, opposite, over, UNKNOWN, type Condition } from './condition.ts';
import { quotePath } from './json-path.ts';
import { isSystemProperty, pathValue, type ResolvedPath } from './path-value.ts';
import { rawSql, sql, type Sql } from './sql-fragment.ts';
import { jsonValue, NEVER, TYPES, type SqlValue } from './sql-value.ts';

/** The loops of a FROM clause: tables, and what must hold for their rows to be those of the clause. */
interface Loops {
  readonly tables: Sql[];
  readonly guards: Condition[];
}

function bindElement(context: CompileContext, slot: number): Sql {
  context.aliases += 1;
  const alias = rawSql(`e${context.aliases}`);
  const [type, value] = [sql`${alias}.type`, sql`${alias}.value`];
  context.bindings.set(slot, {
    json: sql`CASE WHEN ${type} IN ('array', 'object') THEN ${value} END`,
    steps: [],
    value: jsonValue(type, value, TYPES.defined),
    isDocument: false,
  });
  return alias;
}

/** Whether the body of a document does not hold what this name gives. */
function isOutsideBody(name: string | number | undefined, context: CompileContext): boolean {
  return isSystemProperty(name) || (typeof name === 'string' && context.computedProperties.has(name));
}

/** Adds one source; false where SQL has no equal. */
function addSource(source: BoundSource, context: CompileContext, loops: Loops): boolean {
  const { input } = source;
  const from: SqlBinding | undefined =
    input.kind === 'variable' ? context.bindings.get(input.slot) : input.kind === 'container' ? documentBinding(context) : undefined;
  if (input.kind === 'subquery' || from === undefined || (from.isDocument && isOutsideBody(input.path[0], context))) {
    return false;
  }
  const path: ResolvedPath = { binding: from, steps: input.path };
  const whole = pathValue({ binding: { ...from, isDocument: false }, steps: input.path }, context);
  if (whole === undefined) {
    return false;
  }
  if (!source.iterate) {
    context.bindings.set(source.slot, input.path.length === 0 ? from : below(path));
    loops.guards.push(over(isDefined(whole), whole));
    return true;
  }
  const steps = quotePath([...from.steps, ...input.path]);
  if (from.json === undefined || steps === undefined) {
    return false;
  }
  loops.guards.push(over(whole.is(TYPES.array), whole));
  const alias = bindElement(context, source.slot);
  loops.tables.push(sql`json_each(${from.json}, ${steps}) AS ${alias}`);
  return true;
}

function below({ binding, steps }: ResolvedPath): SqlBinding {
  return { json: binding.json, steps: [...binding.steps, ...steps], value: undefined, isDocument: false };
}

/** The document of the container itself. */
export function documentBinding(context: CompileContext): SqlBinding {
  const body = rawSql(context.columns.body);
  // The stored text lacks the system properties, so the document as a whole cannot be compared.
  const value: SqlValue = { ...jsonValue(rawSql("'object'"), body, TYPES.object), raw: undefined, document: () => undefined };
  return { json: body, steps: [], value, isDocument: true };
}

/** Rows of some sources that meet conditions. */
export interface LoopedRows {
  /** The table of the loop over elements; undefined where each document has one row at most. */
  readonly table: Sql | undefined;
  readonly condition: Condition;
  /** How often the document is read again for each element. */
  readonly reads: number;
}

/** The rows of these sources that meet conditions that `compile` gives once the sources are bound; undefined where that is the evaluator's. */
export function rowsOf(
  sources: readonly BoundSource[],
  context: CompileContext,
  compile: () => readonly Condition[],
): LoopedRows | undefined {
  const loops: Loops = { tables: [], guards: [] };
  const [condition, reads] = insideLoop(context, (): [Condition, number] => {
    for (const source of sources) {
      if (!addSource(source, context, loops)) {
        leave(context, 'a FROM clause reads a subquery or a computed value');
        return [UNKNOWN, 0];
      }
    }
    // What the guards read, SQLite reads once before the loop.
    const before = context.loopReads;
    return [allOf([...loops.guards, ...compile()]), context.loopReads - before];
  });
  if (loops.tables.length > 1 && condition.sql !== NEVER) {
    return leave(context, 'a loop over elements stands inside another');
  }
  return { table: loops.tables[0], condition, reads };
}

/** Whether some row of these sources meets conditions that `compile` gives once the sources are bound. */
export function someRow(sources: readonly BoundSource[], context: CompileContext, compile: () => readonly Condition[]): Condition {
  const rows = rowsOf(sources, context, compile);
  if (rows === undefined) {
    return UNKNOWN;
  }
  const { table, condition, reads } = rows;
  if (table === undefined || condition.sql === NEVER) {
    return condition;
  }
  const exists = sql`EXISTS (SELECT 1 FROM ${table} WHERE ${condition.sql})`;
  return boundedLoop(context, { sql: exists, exact: condition.exact }, reads);
}

/** Conditions for a row of a query to have a value. */
function projectionConditions({ node }: BoundQuery, context: CompileContext): readonly Condition[] {
  if (node.select.kind !== 'select-value') {
    return [];
  }
  const value = context.value(node.select.expression);
  return [value === undefined ? UNKNOWN : over(isDefined(value), value)];
}

/** Where `EXISTS(query)` or `ALL(query)` is true, or false: they are never undefined. */
export function compileExists(node: SubqueryNode, wanted: boolean, context: CompileContext): Condition {
  const query = context.prepared.queries.get(node.query);
  if (query === undefined || query.groupBy !== undefined || query.isAggregate) {
    leave(context, 'a subquery groups its rows');
    return UNKNOWN;
  }
  const isAll = node.form === 'all';
  if (isAll && query.where === undefined) {
    return wanted ? EVERY : NONE;
  }
  const found = someRow(query.sources, context, () => [
    ...(query.where === undefined ? [] : [context.condition(query.where, !isAll)]),
    ...projectionConditions(query, context),
  ]);
  return wanted === isAll ? opposite(found) : found;
}
