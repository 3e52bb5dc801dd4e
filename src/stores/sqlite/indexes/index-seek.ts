import type { AccessPath, IndexRange, IndexValue, RangeEnd } from '../../../query/access/access-path.ts';
import { balanced, bound, rawSql, sql, type Sql } from '../../../query/compile/common/sql-fragment.ts';
import { isBindableText } from '../../../query/compile/common/sql-value.ts';
import { boundNumber } from '../../../query/compile/sqlite/sql-value.ts';
import { RANKS, type ColumnExpressions } from './index-expressions.ts';

/** The rank of a value's type, as in the index. */
export function rankOf(value: IndexValue): number {
  switch (typeof value) {
    case 'undefined':
      return RANKS.undefined;
    case 'boolean':
      return value ? RANKS.true : RANKS.false;
    case 'number':
      return RANKS.number;
    case 'string':
      return RANKS.string;
    default:
      return RANKS.null;
  }
}

/** `rank = …`; undefined where no document has another, `'none'` where none has this. */
export function rankIs({ rank, fixedRank }: ColumnExpressions, wanted: number): Sql | 'none' | undefined {
  return rank === undefined ? (fixedRank === wanted ? undefined : 'none') : rawSql(`${rank} = ${wanted}`);
}

/**
 * A number or a string, bound as the index has it. A CAST has an affinity, by which SQLite would no longer take the index for the comparison; the
 * plus takes it away.
 */
export function boundScalar(value: number | string): Sql {
  if (typeof value === 'string') {
    return bound(value);
  }
  const isLarge = Number.isInteger(value) && !Number.isSafeInteger(value);
  return isLarge ? sql`+${boundNumber(value)}` : bound(value === 0 ? 0 : value);
}

/** All of the conditions; what holds for all entries where there is none. */
export function allOf(pieces: readonly Sql[]): Sql {
  return pieces.length === 0 ? rawSql('1') : balanced('AND', pieces);
}

/** Up to so many values have a placeholder each. */
const MAX_PLACEHOLDERS = 4;

function isAmong(column: ColumnExpressions, values: readonly (number | string)[]): Sql {
  const value = rawSql(column.value);
  const [first] = values as readonly [number | string];
  if (values.length === 1) {
    return sql`${value} = ${boundScalar(first)}`;
  }
  if (values.length <= MAX_PLACEHOLDERS) {
    const list = values.map(boundScalar);
    return { text: `${column.value} IN (${list.map(({ text }) => text).join(', ')})`, values: list.flatMap((item) => item.values) };
  }
  // JSON text holds rounded digits of large integers; the index has doubles.
  const item = typeof first === 'number' ? rawSql('+CAST(value AS REAL)') : rawSql('value');
  return sql`${value} IN (SELECT ${item} FROM json_each(${bound(JSON.stringify(values))}))`;
}

/** Conditions of which each holds for the documents with some of the values, and all together for those with any. */
function groupsOf(column: ColumnExpressions, values: readonly IndexValue[]): readonly Sql[] {
  const groups: Sql[] = [];
  const add = (rank: number, piece: Sql): void => {
    const isRank = rankIs(column, rank);
    if (isRank !== 'none') {
      groups.push(isRank === undefined ? piece : sql`${isRank} AND ${piece}`);
    }
  };
  const numbers = values.filter((value) => typeof value === 'number');
  // No document but an odd one holds a string with a NUL, and none one with half a character.
  const strings = values.filter((value): value is string => typeof value === 'string' && isBindableText(value));
  if (numbers.length > 0) {
    add(RANKS.number, isAmong(column, numbers));
  }
  if (strings.length > 0) {
    add(RANKS.string, isAmong(column, strings));
  }
  for (const value of values) {
    if (typeof value !== 'number' && typeof value !== 'string') {
      add(rankOf(value), rawSql(`${column.value} IS NULL`));
    }
  }
  return groups;
}

function endOf(column: ColumnExpressions, end: RangeEnd | undefined, operator: '<' | '>'): readonly Sql[] {
  return end === undefined
    ? []
    : [sql`${rawSql(column.value)} ${rawSql(end.inclusive ? `${operator}=` : operator)} ${boundScalar(end.value)}`];
}

function isBindable(end: RangeEnd | undefined): boolean {
  return typeof end?.value !== 'string' || isBindableText(end.value);
}

/** The range of a column; undefined where an end cannot be bound, `'none'` where no document is in it. */
export function rangeCondition(column: ColumnExpressions, { type, from, to }: IndexRange): readonly Sql[] | 'none' | undefined {
  if (!isBindable(from) || !isBindable(to)) {
    return undefined;
  }
  const isRank = rankIs(column, type === 'number' ? RANKS.number : RANKS.string);
  return isRank === 'none' ? 'none' : [...(isRank === undefined ? [] : [isRank]), ...endOf(column, from, '>'), ...endOf(column, to, '<')];
}

/** Lists of values of many types in many columns are beyond it. */
const MAX_CONDITIONS = 64;

/**
 * Conditions over the expressions of an index, each a range of its entries: together all documents of an access but odd ones. Undefined where it
 * cannot be told.
 */
export function seekConditions(access: AccessPath, columns: readonly ColumnExpressions[]): readonly Sql[] | undefined {
  let conditions: readonly (readonly Sql[])[] = [[]];
  for (const [index, values] of access.equal.entries()) {
    const groups = groupsOf(columns[index] as ColumnExpressions, values);
    if (conditions.length * groups.length > MAX_CONDITIONS) {
      return undefined;
    }
    conditions = conditions.flatMap((pieces) => groups.map((group) => [...pieces, group]));
  }
  const column = columns[access.equal.length];
  if (access.range !== undefined && column !== undefined) {
    const range = rangeCondition(column, access.range);
    if (range === undefined) {
      return undefined;
    }
    conditions = range === 'none' ? [] : conditions.map((pieces) => [...pieces, ...range]);
  }
  return conditions.map(allOf);
}

/** Whether the entries of an access lie in creation order: all columns have one value. */
export function isInCreationOrder({ equal, range, index }: AccessPath): boolean {
  return range === undefined && equal.length === index.columns.length && equal.every(({ length }) => length === 1);
}
