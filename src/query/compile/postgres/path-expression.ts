import { SYSTEM_PROPERTY_NAMES } from '../../../store/document.ts';
import { rawSql, type Sql } from '../common/sql-fragment.ts';
import { quoteText } from './literal.ts';

/** A step of a path: a name leads into objects only, a place into arrays only. */
export type PathStep = string | number;

/** The text of a place doubles what stands before it. */
const MAX_PLACES = 4;

/** `->` takes a text into objects only, but a number into what is no array as well: a lone value counts as its own first element. */
function follow(json: string, steps: readonly PathStep[], last: '->' | '->>'): string | undefined {
  let whole = json;
  let isOpen = false;
  for (const [index, step] of steps.entries()) {
    const arrow = index === steps.length - 1 ? last : '->';
    if (typeof step === 'number') {
      const array: string = isOpen ? `(${whole})` : whole;
      whole = `(CASE WHEN jsonb_typeof(${array}) = 'array' THEN ${array} ${arrow} ${step} END)`;
      isOpen = false;
      continue;
    }
    const name = quoteText(step);
    if (name === undefined) {
      return undefined;
    }
    whole = `${whole} ${arrow} ${name}`;
    isOpen = true;
  }
  return isOpen ? `(${whole})` : whole;
}

/**
 * What stands at a path inside a `jsonb`, as `(doc -> 'a' -> 'b')`: NULL where nothing does. One path has one spelling, so an index over the expression
 * serves the pieces of this compiler. Undefined for a name that PostgreSQL cannot be told, and for more than a few places.
 *
 * It is not `#>`, which would take the text `'0'` into arrays.
 */
export function pathExpression(path: readonly PathStep[], json: string = 'doc'): string | undefined {
  return path.filter((step) => typeof step === 'number').length > MAX_PLACES ? undefined : follow(json, path, '->');
}

/** {@link pathExpression} for an index or a statement over the documents as they are stored: undefined for system properties too, which do not stand there. */
export function storedPathExpression(path: readonly PathStep[]): string | undefined {
  return (SYSTEM_PROPERTY_NAMES as readonly unknown[]).includes(path[0]) ? undefined : pathExpression(path);
}

/** The text of what stands at a path, as `(doc -> 'a' ->> 'b')`: right for strings, which have to be told apart by {@link pathExpression}. */
export function pathTextExpression(path: readonly PathStep[], json: string = 'doc'): string | undefined {
  if (path.length === 0) {
    return `(${json} #>> '{}')`;
  }
  return pathExpression(path, json) === undefined ? undefined : follow(json, path, '->>');
}

/** {@link pathExpression} of a piece that binds no values. */
export function pathOf(json: Sql, path: readonly PathStep[]): { readonly json: Sql; readonly text: Sql } | undefined {
  if (json.values.length > 0) {
    return undefined;
  }
  const [whole, text] = [pathExpression(path, json.text), pathTextExpression(path, json.text)];
  return whole === undefined || text === undefined ? undefined : { json: rawSql(whole), text: rawSql(text) };
}
