import type { BoundQuery, OutputColumn, PreparedQuery } from '../prepared-query.ts';
import type { QueryCounts } from '../query-counts.ts';
import { QUERY_LIMITS } from '../query-limits.ts';
import type { CountNode, ExpressionNode } from '../syntax-nodes.ts';
import { selectPart, type SelectPart } from './aggregate-rewrite.ts';
import { planExpression, planFrom, planOrderBy, planQuery } from './plan-text.ts';

/** What the client replaces, by `true` or by where it wants to go on, before it sends a rewritten ORDER BY query. */
export const ORDER_BY_FILTER = '{documentdb-formattableorderbyquery-filter}';

function items(nodes: readonly ExpressionNode[]): string {
  return `[${nodes.map((node) => `{"item": ${planExpression(node)}}`).join(', ')}]`;
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

/** FROM and WHERE of a query that gives its own rows. */
function sourceClauses({ node }: BoundQuery): readonly string[] {
  return [
    ...(node.from === undefined ? [] : [planFrom(node.from)]),
    ...(node.where === undefined ? [] : [`WHERE ${planExpression(node.where)}`]),
  ];
}

/** WHERE with a place for the client's filter; rows that have no value for SELECT VALUE are left out before they are counted. */
export function filterClause({ node }: BoundQuery): string {
  const filter = node.where === undefined ? `(${ORDER_BY_FILTER})` : `(${planExpression(node.where)} AND (${ORDER_BY_FILTER}))`;
  const { select } = node;
  return `WHERE ${select.kind === 'select-value' ? `(${filter} AND IS_DEFINED(${planExpression(select.expression)}))` : filter}`;
}

/** How many rows of a range may be wanted: no more than a text can say, which is more than any range has. */
function rowsWanted(offset: number, limit: number): number {
  return Math.min(offset + limit, QUERY_LIMITS.countBound - 1);
}

function countClauses({ offset, limit }: QueryCounts): readonly string[] {
  return offset === undefined || limit === undefined ? [] : [`OFFSET 0 LIMIT ${rowsWanted(offset, limit)}`];
}

/** What one row is, as one expression. */
export function rowExpression({ node, columns, sources }: BoundQuery): string {
  const { select } = node;
  if (select.kind === 'select-value') {
    return planExpression(select.expression);
  }
  return columns === undefined
    ? (sources[0]?.alias as string)
    : objectText([...columnMap(columns)].map(([name, expression]) => [name, planExpression(expression)] as const));
}

/**
 * ORDER BY: each row carries its sort keys and the row to give out, and a place for the client's filter.
 *
 * With DISTINCT a range counts nothing and leaves duplicates in: rows with a `_rid` are never equal, so duplicates go, and rows are counted, at
 * the client.
 */
export function rewriteOrderBy({ root }: PreparedQuery, wanted: QueryCounts, sortKeys: readonly string[]): string {
  const { node } = root;
  const counts: QueryCounts = node.distinct ? { top: undefined, offset: undefined, limit: undefined } : wanted;
  const select = [
    'SELECT',
    ...(counts.top === undefined ? [] : [`TOP ${counts.top}`]),
    `${root.sources[0]?.alias as string}._rid, [${sortKeys.map((key) => `{"item": ${key}}`).join(', ')}] AS orderByItems,`,
    `${rowExpression(root)} AS payload`,
  ].join(' ');
  return [
    select,
    ...(node.from === undefined ? [] : [planFrom(node.from)]),
    filterClause(root),
    ...(node.orderBy === undefined ? [] : [planOrderBy(node.orderBy)]),
    ...countClauses(counts),
  ].join('\n');
}

/** GROUP BY and aggregates: each range gives its groups with partial results; counts and DISTINCT are the client's, after merging. */
export function rewriteGroups(prepared: PreparedQuery): string {
  const { root } = prepared;
  const { select, orderBy } = root.node;
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
    ...sourceClauses(root),
    ...(groupBy === undefined ? [] : [`GROUP BY ${groupBy.map((node) => planExpression(node)).join(', ')}`]),
    // It orders one row; the service keeps it all the same.
    ...(orderBy === undefined ? [] : [planOrderBy(orderBy)]),
  ].join('\n');
}

/** OFFSET and LIMIT alone: each range gives all that may be wanted of it, and with DISTINCT everything, for what is equal may be in several. */
export function rewriteCounts({ root }: PreparedQuery, { offset, limit }: QueryCounts): string {
  const count = (value: number): CountNode => ({ kind: 'number', value, text: String(value), start: 0, end: 0 });
  const isCounted = !root.distinct && offset !== undefined && limit !== undefined;
  return planQuery({
    ...root.node,
    top: undefined,
    offset: isCounted ? count(0) : undefined,
    limit: isCounted ? count(rowsWanted(offset, limit)) : undefined,
  });
}
