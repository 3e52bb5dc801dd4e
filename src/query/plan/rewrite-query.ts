import type { BoundQuery, OutputColumn, PreparedQuery } from '../prepared-query.ts';
import { printCollection, printExpression, printOrderBy, printQuery } from '../printer.ts';
import type { CountNode, ExpressionNode, QueryNode } from '../syntax-nodes.ts';
import type { QueryCounts } from '../query-counts.ts';
import { selectPart, type SelectPart } from './aggregate-rewrite.ts';

/** What the client replaces, by `true` or by where it wants to go on, before it sends a rewritten ORDER BY query. */
export const ORDER_BY_FILTER = '{documentdb-formattableorderbyquery-filter}';

function items(nodes: readonly ExpressionNode[]): string {
  return `[${nodes.map((node) => `{"item": ${printExpression(node)}}`).join(', ')}]`;
}

function objectText(members: readonly (readonly [string, string])[]): string {
  return `{${members.map(([name, text]) => `${JSON.stringify(name)}: ${text}`).join(', ')}}`;
}

/** Columns by name; of two with one name the last wins, as in a row. */
function columnMap(columns: readonly OutputColumn[]): ReadonlyMap<string, ExpressionNode> {
  return new Map(columns.map(({ name, expression }) => [name, expression]));
}

/** Each column of a SELECT list as a range computes it. */
export function columnParts(prepared: PreparedQuery, columns: readonly OutputColumn[]): readonly (readonly [string, SelectPart])[] {
  return [...columnMap(columns)].map(([name, expression]) => [name, selectPart(prepared, expression)] as const);
}

function fromClause({ node }: BoundQuery): readonly string[] {
  return node.from === undefined ? [] : [`FROM ${printCollection(node.from)}`];
}

function countClauses({ offset, limit }: QueryCounts): readonly string[] {
  return offset === undefined || limit === undefined ? [] : [`OFFSET 0 LIMIT ${offset + limit}`];
}

/** What one row is, as one expression. */
export function rowExpression({ node, columns, sources }: BoundQuery): string {
  const { select } = node;
  if (select.kind === 'select-value') {
    return printExpression(select.expression);
  }
  return columns === undefined
    ? (sources[0]?.alias as string)
    : objectText([...columnMap(columns)].map(([name, expression]) => [name, printExpression(expression)] as const));
}

/**
 * ORDER BY: each row carries its sort keys and the row to give out, and a place for the client's filter.
 *
 * With DISTINCT a range counts nothing: rows with a `_rid` are never equal, so duplicates go, and rows are counted, at the client.
 */
export function rewriteOrderBy({ root }: PreparedQuery, wanted: QueryCounts, sortKeys: readonly string[]): string {
  const { node } = root;
  const counts: QueryCounts = node.distinct ? { top: undefined, offset: undefined, limit: undefined } : wanted;
  const select = [
    'SELECT',
    ...(node.distinct ? ['DISTINCT'] : []),
    ...(counts.top === undefined ? [] : [`TOP ${counts.top}`]),
    `${root.sources[0]?.alias as string}._rid, [${sortKeys.map((key) => `{"item": ${key}}`).join(', ')}] AS orderByItems,`,
    `${rowExpression(root)} AS payload`,
  ].join(' ');
  const filter = node.where === undefined ? `(${ORDER_BY_FILTER})` : `((${printExpression(node.where)}) AND (${ORDER_BY_FILTER}))`;
  const order = node.orderBy === undefined ? [] : [`ORDER BY ${printOrderBy({ ...node.orderBy, rank: false })}`];
  return [select, ...fromClause(root), `WHERE ${filter}`, ...order, ...countClauses(counts)].join('\n');
}

/** GROUP BY and aggregates: each range gives its groups with partial results; counts and DISTINCT are the client's, after merging. */
export function rewriteGroups(prepared: PreparedQuery): string {
  const { root } = prepared;
  const { select, where } = root.node;
  const { groupBy } = root;
  let row: string;
  if (select.kind === 'select-value') {
    const part = selectPart(prepared, select.expression);
    const text = part.type === null ? part.text : `[${part.text}]`;
    row = groupBy === undefined ? `VALUE ${text}` : `${items(groupBy)} AS groupByItems, ${text} AS payload`;
  } else {
    const text = objectText(columnParts(prepared, root.columns ?? []).map(([name, part]) => [name, part.text] as const));
    row = `${groupBy === undefined ? '' : `${items(groupBy)} AS groupByItems, `}${text} AS payload`;
  }
  return [
    `SELECT ${row}`,
    ...fromClause(root),
    ...(where === undefined ? [] : [`WHERE ${printExpression(where)}`]),
    ...(groupBy === undefined ? [] : [`GROUP BY ${groupBy.map((node) => printExpression(node)).join(', ')}`]),
  ].join('\n');
}

/** OFFSET and LIMIT alone: each range gives all that may be wanted of it. */
export function rewriteOffset({ root }: PreparedQuery, { offset, limit }: QueryCounts): string {
  const count = (value: number): CountNode => ({ kind: 'number', value, text: String(value), start: 0, end: 0 });
  const node: QueryNode = { ...root.node, offset: count(0), limit: count((offset ?? 0) + (limit ?? 0)) };
  return printQuery(node);
}
