import { balanced, fitsStatement, sql, type Sql } from './sql-fragment.ts';
import { ALWAYS, NEVER, type SqlValue } from './sql-value.ts';

/** When something holds: exactly, or a superset of that. NULL counts as false. */
export interface Condition {
  readonly sql: Sql;
  readonly exact: boolean;
}

/** Holds for every row, and so does the expression. */
export const EVERY: Condition = { sql: ALWAYS, exact: true };
/** Holds for no row. */
export const NONE: Condition = { sql: NEVER, exact: true };
/** Nothing is known: a superset of whatever. */
export const UNKNOWN: Condition = { sql: ALWAYS, exact: false };

/** A condition that no row decides. */
export function decided(holds: boolean): Condition {
  return holds ? EVERY : NONE;
}

function distinct(pieces: readonly Sql[]): readonly Sql[] {
  const seen = new Map(pieces.map((piece) => [piece.values.length === 0 ? piece.text : piece, piece] as const));
  return [...seen.values()];
}

/** A condition over values; where one of them is unsure, the row is let through. */
export function over(condition: Sql, ...values: readonly Pick<SqlValue, 'unsure'>[]): Condition {
  const unsure = distinct(values.flatMap((value) => value.unsure));
  if (unsure.length === 0) {
    return { sql: condition, exact: true };
  }
  return condition === ALWAYS ? UNKNOWN : { sql: balanced('OR', [condition, ...unsure]), exact: false };
}

/** All of the conditions. What does not fit is left out, which only widens the set. */
export function allOf(conditions: readonly Condition[]): Condition {
  if (conditions.some((condition) => condition.sql === NEVER)) {
    return NONE;
  }
  let exact = conditions.every((condition) => condition.exact);
  const pieces: Sql[] = [];
  for (const { sql: piece } of conditions) {
    if (piece === ALWAYS) {
      continue;
    }
    if (fitsStatement([...pieces, piece])) {
      pieces.push(piece);
    } else {
      exact = false;
    }
  }
  return pieces.length === 0 ? { sql: ALWAYS, exact } : { sql: balanced('AND', pieces), exact };
}

/** Any of the conditions. */
export function anyOf(conditions: readonly Condition[]): Condition {
  if (conditions.some((condition) => condition.sql === ALWAYS && condition.exact)) {
    return EVERY;
  }
  const pieces = conditions.map((condition) => condition.sql).filter((piece) => piece !== NEVER);
  if (pieces.length === 0) {
    return NONE;
  }
  if (pieces.includes(ALWAYS) || !fitsStatement(pieces)) {
    return UNKNOWN;
  }
  return { sql: balanced('OR', pieces), exact: conditions.every((condition) => condition.exact) };
}

/** Where a condition does not hold, NULL included. The opposite of a superset is none, so an inexact condition says nothing. */
export function opposite({ sql: piece, exact }: Condition): Condition {
  if (!exact) {
    return UNKNOWN;
  }
  return piece === ALWAYS ? NONE : piece === NEVER ? EVERY : { sql: sql`((${piece}) IS NOT TRUE)`, exact };
}
