import type { AccessPath, IndexRange, IndexValue, RangeEnd } from '../../../query/access/access-path.ts';
import { arrayLiteral } from '../../../query/compile/postgres/array-literal.ts';
import { SMALL_TEXTS, type IndexTerms } from '../../../query/compile/postgres/index-terms.ts';
import { isBindableText } from '../../../query/compile/common/sql-value.ts';
import { piece, value, type SqlPiece } from '../scan-scope.ts';
import type { ColumnTerms, IndexColumns } from './index-columns.ts';

/** Conditions on the entries of an index. */
export interface Seek {
  /** Each a condition on a single column, to be joined by AND. */
  readonly conditions: readonly SqlPiece[];
  /** Whether they hold for exactly the documents with the values looked for, or also for some with longer texts. */
  readonly exact: boolean;
}

/** Holds for nothing. */
const NOWHERE: SqlPiece = { sql: 'false', parameters: [] };
const INFINITY = "'Infinity'::float8";

/** A text as an index has it, and whether it may go on. */
export function cutText(text: string, textLength: number): { readonly text: string; readonly isCut: boolean } {
  // Most texts are short, and code points are no more than units.
  if (text.length < textLength) {
    return { text, isCut: false };
  }
  const points = Array.from(text);
  return { text: points.slice(0, textLength).join(''), isCut: points.length >= textLength };
}

function anyOf(pieces: readonly SqlPiece[]): SqlPiece {
  const [first] = pieces;
  return pieces.length === 1 && first !== undefined
    ? first
    : pieces.length === 0
      ? NOWHERE
      : { sql: `(${pieces.map(({ sql }) => sql).join(' OR ')})`, parameters: pieces.flatMap(({ parameters }) => parameters) };
}

/** `term` is one of some values of a type. */
function isAmong(term: string, type: 'float8' | 'text', values: readonly string[]): SqlPiece {
  return values.length === 1
    ? piece`${term} = ${value(type, values[0] as string)}`
    : piece`${term} = ANY (${value(`${type}[]`, arrayLiteral(values))})`;
}

function smallText(one: undefined | null | boolean): string {
  return one === undefined ? SMALL_TEXTS.undefined : one === null ? SMALL_TEXTS.null : one ? SMALL_TEXTS.true : SMALL_TEXTS.false;
}

function amongValues({ number, text }: IndexTerms, values: readonly IndexValue[], textLength: number): Seek {
  const groups: SqlPiece[] = [];
  const numbers = values.filter((one) => typeof one === 'number');
  if (numbers.length > 0) {
    groups.push(piece`(${isAmong(number, 'float8', numbers.map(String))} AND ${text} = '')`);
  }
  // No document but an odd one holds a string with a NUL or with half a character.
  const strings = values.filter((one): one is string => typeof one === 'string' && isBindableText(one));
  const cut = strings.map((one) => cutText(one, textLength));
  if (strings.length > 0) {
    groups.push(piece`(${number} = ${INFINITY} AND ${isAmong(text, 'text', [...new Set(cut.map((one) => one.text))])})`);
  }
  const small = values.filter((one): one is undefined | null | boolean => typeof one !== 'number' && typeof one !== 'string');
  if (small.length > 0) {
    groups.push(piece`(${number} = '-Infinity'::float8 AND ${isAmong(text, 'text', small.map(smallText))})`);
  }
  return { conditions: [anyOf(groups)], exact: cut.every(({ isCut }) => !isCut) };
}

function textEnd(term: string, operator: '<' | '>', end: RangeEnd, textLength: number): Seek {
  const { text, isCut } = cutText(end.value as string, textLength);
  const written = isCut || end.inclusive ? `${operator}=` : operator;
  return { conditions: [piece`${term} ${written} ${value('text', text)}`], exact: !isCut };
}

/** The range of a column; undefined where an end cannot be bound. */
function within({ number, text }: IndexTerms, { type, from, to }: IndexRange, textLength: number): Seek | undefined {
  if (type === 'number') {
    const low = from === undefined ? piece`${number} > '-Infinity'::float8` : numberEnd(number, '>', from);
    const high = to === undefined ? piece`${number} < ${INFINITY}` : numberEnd(number, '<', to);
    return { conditions: [low, high], exact: true };
  }
  if ([from, to].some((end) => typeof end?.value === 'string' && !isBindableText(end.value))) {
    return undefined;
  }
  const ends = [
    ...(from === undefined ? [] : [textEnd(text, '>', from, textLength)]),
    ...(to === undefined ? [] : [textEnd(text, '<', to, textLength)]),
  ];
  return {
    conditions: [piece`${number} = ${INFINITY}`, ...ends.flatMap(({ conditions }) => conditions)],
    exact: ends.every(({ exact }) => exact),
  };
}

function numberEnd(term: string, operator: '<' | '>', { value: end, inclusive }: RangeEnd): SqlPiece {
  return piece`${term} ${inclusive ? `${operator}=` : operator} ${value('float8', end)}`;
}

/** The values or the range of a column of whole numbers. */
function withinWhole(column: string, values: readonly IndexValue[] | undefined, range: IndexRange | undefined): Seek {
  const conditions: SqlPiece[] = [];
  if (values !== undefined) {
    const numbers = values.filter((one) => typeof one === 'number' && Number.isSafeInteger(one)) as readonly number[];
    conditions.push(numbers.length === 0 ? NOWHERE : piece`${column} = ANY (${value('bigint[]', numbers)})`);
  }
  if (range?.type === 'string') {
    conditions.push(NOWHERE);
  } else if (range !== undefined) {
    // Beyond these no time lies, and no `bigint` is told of.
    const clamp = (end: number): number => Math.max(Number.MIN_SAFE_INTEGER, Math.min(end, Number.MAX_SAFE_INTEGER));
    const [from, to] = [range.from as RangeEnd<number> | undefined, range.to as RangeEnd<number> | undefined];
    if (from !== undefined) {
      const least = from.inclusive ? Math.ceil(from.value) : Math.floor(from.value) + 1;
      conditions.push(piece`${column} >= ${value('bigint', clamp(least))}`);
    }
    if (to !== undefined) {
      const most = to.inclusive ? Math.floor(to.value) : Math.ceil(to.value) - 1;
      conditions.push(piece`${column} <= ${value('bigint', clamp(most))}`);
    }
  }
  return { conditions, exact: true };
}

function seekColumn(
  column: ColumnTerms,
  values: readonly IndexValue[] | undefined,
  range: IndexRange | undefined,
  textLength: number,
): Seek | undefined {
  if (column.kind === 'whole') {
    return withinWhole(column.column, values, range);
  }
  if (values !== undefined) {
    return amongValues(column.terms, values, textLength);
  }
  return range === undefined ? undefined : within(column.terms, range, textLength);
}

/** What holds for the entries of an access, and for those of all documents that it stands for; undefined where it cannot be told. */
export function seekConditions({ equal, range }: AccessPath, { columns, textLength }: IndexColumns): Seek | undefined {
  const conditions: SqlPiece[] = [];
  let exact = true;
  const add = (seek: Seek | undefined): boolean => {
    conditions.push(...(seek?.conditions ?? []));
    exact &&= seek?.exact === true;
    return seek !== undefined;
  };
  const areTold = equal.every((values, at) => add(seekColumn(columns[at] as ColumnTerms, values, undefined, textLength)));
  if (!areTold || (range !== undefined && !add(seekColumn(columns[equal.length] as ColumnTerms, undefined, range, textLength)))) {
    return undefined;
  }
  return { conditions, exact };
}
