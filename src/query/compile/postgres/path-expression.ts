import { rawSql, type Sql } from '../common/sql-fragment.ts';
import { quoteText } from './literal.ts';

/** A step of a path: a name leads into objects only, a place into arrays only. */
export type PathStep = string | number;

function stepsOf(steps: readonly PathStep[]): readonly string[] | undefined {
  const written = steps.map((step) => (typeof step === 'number' ? String(step) : quoteText(step)));
  return written.includes(undefined) ? undefined : (written as readonly string[]);
}

/**
 * What stands at a path inside a `jsonb`, as `(doc -> 'a' -> 0)`: NULL where nothing does. One path has one spelling, so an index over the expression
 * serves the pieces of this compiler. Undefined for a name that PostgreSQL cannot be told.
 *
 * `->` takes a text into objects and a number into arrays; `#>` would take the text `'0'` into both.
 */
export function pathExpression(path: readonly PathStep[], json: string = 'doc'): string | undefined {
  const steps = stepsOf(path);
  return steps === undefined ? undefined : steps.length === 0 ? json : `(${[json, ...steps].join(' -> ')})`;
}

/** The text of what stands at a path, as `(doc -> 'a' ->> 'b')`: right for strings, which have to be told apart by {@link pathExpression}. */
export function pathTextExpression(path: readonly PathStep[], json: string = 'doc'): string | undefined {
  const steps = stepsOf(path);
  if (steps === undefined) {
    return undefined;
  }
  const last = steps.at(-1);
  return last === undefined ? `(${json} #>> '{}')` : `(${[json, ...steps.slice(0, -1)].join(' -> ')} ->> ${last})`;
}

/** {@link pathExpression} of a piece, which may bind values of its own. */
export function pathOf(json: Sql, path: readonly PathStep[]): { readonly json: Sql; readonly text: Sql } | undefined {
  const [whole, text] = [pathExpression(path, json.text), pathTextExpression(path, json.text)];
  return whole === undefined || text === undefined
    ? undefined
    : { json: { ...rawSql(whole), values: json.values }, text: { ...rawSql(text), values: json.values } };
}
