import { setOwn, type JsonObject, type JsonValue } from '../../core/json.ts';
import { documentPath, type ConditionScope } from '../../query/access/condition-reader.ts';
import { isDocumentSource } from '../../query/compile/common/query-shape.ts';
import { storedPathExpression } from '../../query/compile/postgres/path-expression.ts';
import { measureValue } from '../../query/executor/measure-value.ts';
import { PAGE_BYTES } from '../../query/executor/page-collector.ts';
import { queryMayFail } from '../../query/may-fail.ts';
import type { PreparedQuery } from '../../query/prepared-query.ts';
import type { ExpressionNode } from '../../query/syntax-nodes.ts';
import type { AggregatedRows } from './aggregate-query.ts';
import type { PgRow } from './postgres-database.ts';
import { piece, statementOf, type Reading, type SqlPiece } from './scan-scope.ts';
import type { Run } from './scan-slices.ts';

/** An output of a query with groups. */
type GroupOutput =
  | { readonly kind: 'key'; readonly key: number }
  | { readonly kind: 'count'; readonly value: number | undefined }
  | { readonly kind: 'sum' | 'average'; readonly value: number };

/** A query with groups, of which PostgreSQL makes the rows. */
export interface GroupedShape {
  /** What is grouped by, as expressions of `jsonb`. */
  readonly keys: readonly string[];
  /** What is counted or added, in the same way. */
  readonly values: readonly string[];
  /** The outputs and their names; a single one without a name for SELECT VALUE. */
  readonly outputs: readonly { readonly name: string | undefined; readonly output: GroupOutput }[];
  /** Whether there is one group, also over no rows. */
  readonly isSingle: boolean;
}

interface ShapeBuilder {
  readonly prepared: PreparedQuery;
  readonly scope: ConditionScope;
  readonly keys: string[];
  readonly values: string[];
}

function expressionOf(node: ExpressionNode, scope: ConditionScope): string | undefined {
  const path = documentPath(node, scope);
  return path === undefined ? undefined : storedPathExpression(path);
}

function placeOf(expression: string, among: string[]): number {
  const known = among.indexOf(expression);
  return known === -1 ? among.push(expression) - 1 : known;
}

const ADDED: Readonly<Record<string, 'sum' | 'average'>> = { SUM: 'sum', AVG: 'average' };

function aggregateOutput(node: ExpressionNode, { prepared, scope, values }: ShapeBuilder): GroupOutput | undefined {
  const call = node.kind === 'call' ? prepared.aggregateCalls.get(node) : undefined;
  const argument = call?.node.arguments[0];
  if (call === undefined || argument === undefined) {
    return undefined;
  }
  if (call.name === 'COUNT' && (argument.kind === 'number' || argument.kind === 'literal')) {
    return argument.kind === 'literal' && argument.value === undefined ? undefined : { kind: 'count', value: undefined };
  }
  const expression = expressionOf(argument, scope);
  if (expression === undefined) {
    return undefined;
  }
  const kind = call.name === 'COUNT' ? 'count' : ADDED[call.name];
  return kind === undefined ? undefined : { kind, value: placeOf(expression, values) };
}

function outputOf(node: ExpressionNode, builder: ShapeBuilder): GroupOutput | undefined {
  const reference = builder.prepared.groupReferences.get(node);
  if (reference !== undefined) {
    return { kind: 'key', key: reference };
  }
  if (!builder.prepared.root.distinct || builder.prepared.root.isAggregate) {
    return aggregateOutput(node, builder);
  }
  const expression = expressionOf(node, builder.scope);
  return expression === undefined ? undefined : { kind: 'key', key: placeOf(expression, builder.keys) };
}

function selected({ root }: PreparedQuery): readonly { readonly name: string | undefined; readonly expression: ExpressionNode }[] {
  const { select } = root.node;
  const columns = root.columns ?? [];
  if (select.kind === 'select-value') {
    return [{ name: undefined, expression: select.expression }];
  }
  // Of two with one name the evaluator has its own way.
  return new Set(columns.map(({ name }) => name)).size === columns.length ? columns : [];
}

/** Whether documents alone are read, one row each, and every row goes into a group. */
function isPlain({ root, queries }: PreparedQuery): boolean {
  const hasGroups = root.groupBy !== undefined || root.isAggregate;
  return (
    hasGroups !== root.distinct &&
    queries.size === 1 &&
    root.sources.length === 1 &&
    isDocumentSource(root.sources[0]) &&
    root.orderBy.length === 0 &&
    (root.top ?? root.offset ?? root.limit) === undefined &&
    !queryMayFail(root.node)
  );
}

/**
 * How PostgreSQL makes the rows of a query with GROUP BY, aggregates or DISTINCT; undefined where it cannot. Groups are told by properties of the
 * documents; of these it counts, and adds whole numbers.
 */
export function groupedShape(prepared: PreparedQuery, computedProperties: ReadonlySet<string>): GroupedShape | undefined {
  const { root } = prepared;
  const outputs = isPlain(prepared) ? selected(prepared) : [];
  if (outputs.length === 0) {
    return undefined;
  }
  const scope: ConditionScope = { prepared, parameters: new Map(), slot: root.sources[0]?.slot ?? -1, computedProperties };
  const keys = (root.groupBy ?? []).map((node) => expressionOf(node, scope));
  if (!keys.every((key) => key !== undefined)) {
    return undefined;
  }
  const builder: ShapeBuilder = { prepared, scope, keys, values: [] };
  const found: GroupedShape['outputs'][number][] = [];
  for (const { name, expression } of outputs) {
    const output = outputOf(expression, builder);
    if (output === undefined) {
      return undefined;
    }
    found.push({ name, output });
  }
  return { keys: builder.keys, values: builder.values, outputs: found, isSingle: root.isAggregate };
}

/** Longer texts are no keys that groups are told by in SQL. */
const MAX_KEY_LENGTH = 4096;
/** Up to here sums of whole numbers are exact, whatever their order. */
const EXACT = 2 ** 53;
/** Sums of smaller numbers never overflow, which would be an error. */
const FAR_FROM_OVERFLOW = "'1e290'::float8";

/** The statement of the groups, in the order in which they are first met, `most` of them. */
export function groupedStatement({ documents, condition, odd }: Reading, { keys, values }: GroupedShape, most: number): SqlPiece {
  const list = (parts: readonly string[]): string => parts.map((part) => `, ${part}`).join('');
  const names = keys.map((_, at) => `k${at}`);
  const told = values.map((_, at) => `v${at}`);
  // Each path is followed once, and each number read once: OFFSET keeps the planner from writing them out wherever they are used.
  const read = piece`SELECT ordinal${list(keys.map((key, at) => `${key} AS k${at}`))}${list(values.map((one, at) => `${one} AS v${at}`))} FROM ${documents} WHERE ${condition} OFFSET 0`;
  const numbers = told.map((one, at) => `CASE jsonb_typeof(${one}) WHEN 'number' THEN ${one}::float8 END AS n${at}`);
  const rows = piece`SELECT ordinal${list([...names, ...told, ...numbers])} FROM (${read}) AS found OFFSET 0`;
  const sums = values.flatMap((_, at) => [
    `count(v${at}) AS defined${at}`,
    `count(n${at}) AS numbers${at}`,
    `sum(CASE WHEN abs(n${at}) < ${FAR_FROM_OVERFLOW} THEN n${at} END) AS sum${at}`,
    `max(CASE WHEN n${at} = trunc(n${at}) THEN abs(n${at}) ELSE 'Infinity'::float8 END) AS largest${at}`,
  ]);
  const groups = piece`SELECT count(*) AS n, min(ordinal) AS first${list([...names, ...sums])} FROM (${rows}) AS rows${names.length === 0 ? '' : ` GROUP BY ${names.join(', ')}`}`;
  const texts = names.map((name) => `left(${name}::text, ${MAX_KEY_LENGTH + 1}) AS ${name}_text`);
  const others = odd === undefined ? '0' : piece`(SELECT count(*) FROM ${documents} WHERE ${odd})`;
  return piece`SELECT grouped.*${list(texts)}, ${others} AS odd FROM (${groups}) AS grouped ORDER BY first LIMIT ${String(most)}`;
}

/** Thrown where PostgreSQL's row is not the evaluator's. */
const UNTOLD = Symbol('not told');

function keyOf(row: PgRow, key: number): JsonValue | undefined {
  const text = row[`k${key}_text`] as string | null;
  if (text === null) {
    return undefined;
  }
  // Equal arrays and objects may be written differently.
  if (text.length > MAX_KEY_LENGTH || text.startsWith('[') || text.startsWith('{')) {
    throw UNTOLD;
  }
  return JSON.parse(text) as JsonValue;
}

function outputValue(row: PgRow, output: GroupOutput): JsonValue | undefined {
  if (output.kind === 'key') {
    return keyOf(row, output.key);
  }
  if (output.kind === 'count') {
    return Number(output.value === undefined ? row['n'] : row[`defined${output.value}`]);
  }
  const { value, kind } = output;
  const [defined, numbers] = [Number(row[`defined${value}`]), Number(row[`numbers${value}`])];
  if (defined > numbers) {
    return undefined;
  }
  if (numbers === 0) {
    return kind === 'sum' ? 0 : undefined;
  }
  if (Number(row[`largest${value}`]) * numbers > EXACT) {
    throw UNTOLD;
  }
  const sum = Number(row[`sum${value}`]);
  return kind === 'sum' ? sum : sum / numbers;
}

function rowOf(row: PgRow, { outputs }: GroupedShape): JsonValue | undefined {
  const [first] = outputs;
  if (first !== undefined && first.name === undefined) {
    return outputValue(row, first.output);
  }
  const item: JsonObject = {};
  for (const { name, output } of outputs) {
    const value = outputValue(row, output);
    if (value !== undefined) {
      setOwn(item, name as string, value);
    }
  }
  return item;
}

/** Runs a query with groups; undefined where the evaluator has to do it: where its rows are more than a page, or PostgreSQL cannot tell one of them. */
export async function group(reading: Reading, shape: GroupedShape, maxItemCount: number, run: Run): Promise<AggregatedRows | undefined> {
  const rows = await run<PgRow>(statementOf(groupedStatement(reading, shape, maxItemCount + 1)));
  const [first] = rows;
  if (rows.length > maxItemCount || (first === undefined ? await hasOdd(reading, run) : Number(first['odd']) > 0)) {
    return undefined;
  }
  try {
    const items = rows.map((row) => rowOf(row, shape)).filter((item) => item !== undefined);
    const bytes = items.reduce<number>((sum, item) => sum + measureValue(item), 0);
    const passed = rows.reduce((sum, row) => sum + Number(row['n']), 0);
    return bytes < PAGE_BYTES ? { items, passed } : undefined;
  } catch (error) {
    if (error === UNTOLD) {
      return undefined;
    }
    throw error;
  }
}

async function hasOdd({ documents, odd }: Reading, run: Run): Promise<boolean> {
  return odd !== undefined && (await run(statementOf(piece`SELECT FROM ${documents} WHERE ${odd} LIMIT 1`))).length > 0;
}
