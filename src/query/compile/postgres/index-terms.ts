import { rawSql } from '../common/sql-fragment.ts';
import { pathOf, type PathStep } from './path-expression.ts';

/**
 * What stands at a path as two expressions that are never NULL: all values lie in the order of the language by the first, then by the second.
 *
 * The number is that of a number; below all numbers it is `-Infinity` for what is undefined, null or a boolean, which the text tells apart; above them
 * `Infinity` for strings, whose text is their beginning, and `NaN` for arrays and objects, of whose order nothing is told.
 */
export interface IndexTerms {
  readonly number: string;
  readonly text: string;
}

/** {@link IndexTerms.text} of what has no number and no text of its own. */
export const SMALL_TEXTS = { undefined: '', null: '1', false: '2', true: '3' } as const;

/**
 * The terms of an index over a path, with texts of at most `characters` code points; undefined for a path that PostgreSQL cannot be told. For an odd
 * document they are those of undefined.
 */
export function indexTerms(path: readonly PathStep[], characters: number, doc: string = 'doc'): IndexTerms | undefined {
  const at = pathOf(rawSql(doc), path);
  if (at === undefined) {
    return undefined;
  }
  const { json, text } = { json: at.json.text, text: at.text.text };
  const type = `jsonb_typeof(${json})`;
  const boolean = `CASE WHEN ${json} = 'true'::jsonb THEN '${SMALL_TEXTS.true}'::text ELSE '${SMALL_TEXTS.false}'::text END`;
  return {
    number: `(CASE ${type} WHEN 'number' THEN ${json}::float8 WHEN 'string' THEN 'Infinity'::float8 WHEN 'array' THEN 'NaN'::float8 WHEN 'object' THEN 'NaN'::float8 ELSE '-Infinity'::float8 END)`,
    text: `(CASE ${type} WHEN 'string' THEN left(${text}, ${characters}) WHEN 'null' THEN '${SMALL_TEXTS.null}'::text WHEN 'boolean' THEN ${boolean} ELSE '${SMALL_TEXTS.undefined}'::text END COLLATE "C")`,
  };
}
