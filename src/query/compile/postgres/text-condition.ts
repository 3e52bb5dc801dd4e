import { anyOf, over, type Condition } from '../common/condition.ts';
import type { TextTest } from '../common/dialect.ts';
import type { LikePattern } from '../common/like-pattern.ts';
import { bound, sql, type Sql } from '../common/sql-fragment.ts';
import { isBindableText, TYPES, type SqlValue } from '../common/sql-value.ts';
import { textBehind } from '../common/text-range.ts';

/** Where a text starts with another, as a range, which an index can serve. */
function startsWithConstant(value: SqlValue, prefix: string): Sql {
  const text = value.text ?? value.string();
  const guard = (piece: Sql): Sql => (value.text === undefined ? piece : sql`(${value.is(TYPES.string)} AND ${piece})`);
  const start = sql`${text} >= ${bound(prefix)}::text`;
  const end = textBehind(prefix);
  return guard(end === undefined ? start : sql`(${start} AND ${text} < ${bound(end)}::text)`);
}

/** A test of two texts; NULL unless both are there. */
function test(kind: TextTest, text: Sql, other: Sql): Sql {
  switch (kind) {
    case 'text':
      return sql`${text} = ${other}`;
    case 'infix':
      return sql`strpos(${text}, ${other}) > 0`;
    case 'prefix':
      return sql`starts_with(${text}, ${other})`;
    default:
      return sql`right(${text}, length(${other})) = ${other}`;
  }
}

/** Where a text is, starts with, ends with or contains another, or where both are strings and it does not. */
export function textCondition(kind: TextTest, value: SqlValue, other: SqlValue, wanted: boolean): Condition {
  if ((value.types & other.types & TYPES.string) === 0) {
    return anyOf([]);
  }
  const constant = other.constant?.value;
  if (wanted && kind === 'prefix' && typeof constant === 'string' && isBindableText(constant)) {
    return over(startsWithConstant(value, constant), value);
  }
  const holds = test(kind, value.string(), other.string());
  return over(wanted ? holds : sql`NOT (${holds})`, value, other);
}

/** A pattern without sets, for LIKE with its usual escape character. */
function likeText({ pieces }: LikePattern): string {
  return pieces
    .map((piece) =>
      piece.kind === 'text' || piece.kind === 'set'
        ? piece.text.replaceAll(/[\\%_]/g, (character) => `\\${character}`)
        : piece.kind === 'any'
          ? '%'
          : '_',
    )
    .join('');
}

/** Whether a set has a range that runs backwards, which a regular expression refuses. */
function runsBackwards(set: string): boolean {
  return [...set.matchAll(/(\w)-(\w)/g)].some(([, from, to]) => (from as string) > (to as string));
}

/** More pieces make an automaton that is slow on long texts. */
const MAX_PIECES = 100;

/** A pattern with sets as a regular expression. */
function regularExpression({ pieces }: LikePattern): string | undefined {
  if (pieces.length > MAX_PIECES || pieces.some((piece) => piece.kind === 'set' && runsBackwards(piece.text))) {
    return undefined;
  }
  const written = pieces.map((piece) => {
    switch (piece.kind) {
      case 'text':
        return piece.text.replaceAll(/[^\w\s\u0080-\u{10ffff}]/gu, (character) => `\\${character}`);
      case 'set':
        return piece.text;
      default:
        return piece.kind === 'any' ? '.*' : '.';
    }
  });
  return `^${written.join('')}$`;
}

/** Where a text matches a pattern with wildcards, or is a text and does not; undefined where PostgreSQL has no equal. */
export function likeCondition(value: SqlValue, pattern: LikePattern, wanted: boolean): Condition | undefined {
  const hasSets = pattern.pieces.some(({ kind }) => kind === 'set');
  const written = hasSets ? regularExpression(pattern) : likeText(pattern);
  if (written === undefined) {
    return undefined;
  }
  const matches = hasSets ? sql`${value.string()} ~ ${bound(written)}::text` : sql`${value.string()} LIKE ${bound(written)}::text`;
  return over(wanted ? matches : sql`NOT (${matches})`, value);
}
