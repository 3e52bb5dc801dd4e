import type { BoundQuery, BoundSource } from '../../prepared-query.ts';
import type { SubqueryNode } from '../../syntax-nodes.ts';
import { boundedLoop, insideLoop, leave, type CompileContext, type SqlBinding } from './compile-context.ts';
import { allOf, EVERY, NONE, opposite, over, UNKNOWN, type Condition } from './condition.ts';
import { isSystemProperty, pathValue, type ResolvedPath } from './path-value.ts';
import { commaList, sql, type Sql } from './sql-fragment.ts';
import { isDefined, NEVER, TYPES } from './sql-value.ts';

/** The loops of a FROM clause: tables, and what must hold for their rows to be those of the clause. */
interface Loops {
  readonly tables: Sql[];
  readonly guards: Condition[];
}

/** Whether the body of a document does not hold what this name gives. */
function isOutsideBody(name: string | number | undefined, context: CompileContext): boolean {
  return isSystemProperty(name) || (typeof name === 'string' && context.computedProperties.has(name));
}

/** Adds one source; false where SQL has no equal. */
function addSource(source: BoundSource, context: CompileContext, loops: Loops): boolean {
  const { input } = source;
  const from: SqlBinding | undefined =
    input.kind === 'variable' ? context.bindings.get(input.slot) : input.kind === 'container' ? context.dialect.document() : undefined;
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
  context.aliases += 1;
  const loop = from.json === undefined ? undefined : context.dialect.elements(from.json, [...from.steps, ...input.path], context.aliases);
  if (loop === undefined) {
    return false;
  }
  loops.guards.push(over(whole.is(TYPES.array), whole));
  context.bindings.set(source.slot, { json: loop.json, steps: [], value: loop.value, isDocument: false });
  loops.tables.push(loop.table);
  return true;
}

function below({ binding, steps }: ResolvedPath): SqlBinding {
  return { json: binding.json, steps: [...binding.steps, ...steps], value: undefined, isDocument: false };
}

/** Rows of some sources that meet conditions. */
export interface LoopedRows {
  /** The tables of the loop over elements; undefined where each document has one row at most. */
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
    // What the guards read is read once before the loop.
    const before = context.loopReads;
    return [allOf([...loops.guards, ...compile()]), context.loopReads - before];
  });
  if (loops.tables.length > context.dialect.maxLoops && condition.sql !== NEVER) {
    return leave(context, 'a loop over elements stands inside another');
  }
  const table = loops.tables.length === 0 ? undefined : commaList(loops.tables);
  // The second of two tables is read for each element of the first.
  return { table, condition, reads: loops.tables.length > 1 ? reads + 1 : reads };
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
