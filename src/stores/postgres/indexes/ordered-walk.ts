import type { JsonObject, JsonValue } from '../../../core/json.ts';
import type { AccessPath } from '../../../query/access/access-path.ts';
import { SMALL_TEXTS } from '../../../query/compile/postgres/index-terms.ts';
import { isBindableText } from '../../../query/compile/common/sql-value.ts';
import { piece, value, type SqlPiece } from '../scan-scope.ts';
import { expressionsOf, type IndexColumns } from './index-columns.ts';
import { cutText } from './index-seek.ts';

/** One expression by which the entries are sorted. */
interface Term {
  readonly sql: string;
  readonly type: 'float8' | 'text' | 'bigint';
  readonly descending: boolean;
}

/** A property by which documents are sorted, with its terms. */
interface OrderItem {
  readonly path: readonly string[];
  /** Its place among the terms of ORDER BY. */
  readonly place: number;
  readonly terms: readonly Term[];
}

/** A walk over an index in the order of a query. */
export interface OrderedWalk {
  readonly items: readonly OrderItem[];
  readonly terms: readonly Term[];
  readonly textLength: number;
  /** Whether the newest of what sorts alike comes first. */
  readonly tiesDescend: boolean;
}

/** Where a document stands in a walk: the values of the terms, and its ordinal. */
export interface WalkPlace {
  readonly values: readonly (number | string)[];
  /**
   * How many of the terms tell the order of all that have the same values; behind the last of them, the order is that of creation. Fewer than all
   * where a value is an array, an object or a long text, or where the property is not what the index has.
   */
  readonly told: number;
  readonly ordinal: number;
}

/** A stretch of the index: its entries, and how they are sorted. */
export interface WalkStretch {
  readonly condition: SqlPiece | undefined;
  readonly order: string;
}

/** Prepares a walk. */
export function orderedWalk(access: AccessPath, { columns, textLength }: IndexColumns, tiesDescend: boolean): OrderedWalk {
  const first = access.equal.length;
  const items = access.orderItems.map((place, at): OrderItem => {
    const column = columns[first + at] as IndexColumns['columns'][number];
    const { path, descending: stored } = access.index.columns[first + at] as AccessPath['index']['columns'][number];
    const descending = stored !== (access.order === 'backward');
    const types = column.kind === 'whole' ? (['bigint'] as const) : (['float8', 'text'] as const);
    return {
      path,
      place,
      terms: expressionsOf(column).map((sql, index) => ({ sql, type: types[index] as Term['type'], descending })),
    };
  });
  return { items, terms: items.flatMap(({ terms }) => terms), textLength, tiesDescend };
}

/** The values of the terms for a value, and whether they tell its place. */
function valuesOf(
  found: JsonValue | undefined,
  { terms }: OrderItem,
  textLength: number,
): readonly [readonly (number | string)[], boolean] {
  if (terms.length === 1) {
    return [[typeof found === 'number' ? found : 0], typeof found === 'number'];
  }
  switch (typeof found) {
    case 'number':
      return [[found, ''], true];
    case 'string': {
      const { text, isCut } = cutText(found, textLength);
      return [[Number.POSITIVE_INFINITY, text], !isCut];
    }
    case 'boolean':
      return [[Number.NEGATIVE_INFINITY, found ? SMALL_TEXTS.true : SMALL_TEXTS.false], true];
    case 'undefined':
      return [[Number.NEGATIVE_INFINITY, SMALL_TEXTS.undefined], true];
    default:
      return found === null ? [[Number.NEGATIVE_INFINITY, SMALL_TEXTS.null], true] : [[Number.NaN, ''], false];
  }
}

function placeWith(walk: OrderedWalk, ordinal: number, valueAt: (item: OrderItem) => JsonValue | undefined): WalkPlace {
  const values: (number | string)[] = [];
  let told: number | undefined;
  for (const item of walk.items) {
    const [some, isTold] = valuesOf(valueAt(item), item, walk.textLength);
    values.push(...some);
    told ??= isTold ? undefined : values.length;
  }
  return { values, told: told ?? values.length + 1, ordinal };
}

function valueAt(document: JsonObject, path: readonly string[]): JsonValue | undefined {
  let found: JsonValue | undefined = document;
  for (const name of path) {
    if (typeof found !== 'object' || found === null || Array.isArray(found) || !Object.hasOwn(found, name)) {
      return undefined;
    }
    found = (found as JsonObject)[name];
  }
  return found;
}

/** Where a document stands. */
export function placeOf(walk: OrderedWalk, document: JsonObject, ordinal: number): WalkPlace {
  return placeWith(walk, ordinal, ({ path }) => valueAt(document, path));
}

/** The place of sort keys; undefined where the index does not tell it. */
export function placeOfKeys(walk: OrderedWalk, keys: readonly (JsonValue | undefined)[], ordinal: number): WalkPlace | undefined {
  const isBindable = walk.items.every(({ place }) => typeof keys[place] !== 'string' || isBindableText(keys[place]));
  const found = isBindable ? placeWith(walk, ordinal, ({ place }) => keys[place]) : undefined;
  return found === undefined || !isTold(found) ? undefined : found;
}

/** Whether a place is told among all others. */
export function isTold({ told, values }: WalkPlace): boolean {
  return told > values.length;
}

/** Whether the order of two places is not told: they are alike up to what tells no more. */
export function isSameGroup(one: WalkPlace, other: WalkPlace): boolean {
  const length = Math.min(one.told, one.values.length);
  return one.values.slice(0, length).every((found, at) => Object.is(found, other.values[at]) || found === other.values[at]);
}

function orderOf(terms: readonly Term[], tiesDescend: boolean): string {
  return [...terms.map(({ sql, descending }) => (descending ? `${sql} DESC` : sql)), tiesDescend ? 'ordinal DESC' : 'ordinal'].join(', ');
}

/** The terms of ORDER BY. */
export function walkOrder({ terms, tiesDescend }: OrderedWalk): string {
  return orderOf(terms, tiesDescend);
}

function allOf(pieces: readonly SqlPiece[]): SqlPiece | undefined {
  return pieces.length === 0 ? undefined : pieces.reduce((all, one) => piece`${all} AND ${one}`);
}

function isAt({ sql, type }: Term, at: number | string): SqlPiece {
  return piece`${sql} = ${value(type, at)}`;
}

/** Whether a text follows from the number before it, so that no entry is behind it that has the same number. */
function isFixed({ type }: Term, before: number | string | undefined): boolean {
  return type === 'text' && typeof before === 'number' && Number.isFinite(before);
}

/**
 * The stretches behind a place, one after the other: those equal to it and behind its ordinal, then those that differ in the last term, and so on. Where
 * all go one way, this is one stretch of the index.
 */
export function stretchesBehind(walk: OrderedWalk, { values, ordinal }: WalkPlace): readonly WalkStretch[] {
  const { terms, tiesDescend } = walk;
  const sign = tiesDescend ? '<' : '>';
  const behindOrdinal = piece`ordinal ${sign} ${value('bigint', ordinal)}`;
  if (terms.length > 0 && terms.every(({ descending }) => descending === tiesDescend)) {
    const row = terms.map(({ sql }) => sql).join(', ');
    const bounds = terms.map(({ type }, at) => value(type, values[at] as number | string)).reduce((all, one) => piece`${all}, ${one}`);
    return [{ condition: piece`(${row}, ordinal) ${sign} (${bounds}, ${value('bigint', ordinal)})`, order: walkOrder(walk) }];
  }
  const stretches: WalkStretch[] = [
    {
      condition: allOf([...terms.map((term, at) => isAt(term, values[at] as number | string)), behindOrdinal]),
      order: orderOf([], tiesDescend),
    },
  ];
  for (let at = terms.length - 1; at >= 0; at -= 1) {
    const term = terms[at] as Term;
    if (!isFixed(term, values[at - 1])) {
      const before = terms.slice(0, at).map((one, index) => isAt(one, values[index] as number | string));
      const behind = piece`${term.sql} ${term.descending ? '<' : '>'} ${value(term.type, values[at] as number | string)}`;
      stretches.push({ condition: allOf([...before, behind]), order: orderOf(terms.slice(at), tiesDescend) });
    }
  }
  return stretches;
}

/** All entries of a walk. */
export function wholeStretch(walk: OrderedWalk): WalkStretch {
  return { condition: undefined, order: walkOrder(walk) };
}
