import { sureBeginning } from '../../../query/functions/full-text/sure-beginning.ts';
import type { PreparedQuery } from '../../../query/prepared-query.ts';
import type { SearchPolicy } from '../../../query/search/search-policy.ts';
import { readTextCondition, type TextCondition } from '../../../query/search/text-condition.ts';
import type { QueryParameter } from '../../../query/syntax-nodes.ts';
import { allOf, anyOf, piece, value, type SqlPiece } from '../scan-scope.ts';
import { pathKey, type PathIndex } from './path-index.ts';
import { FULL_TEXT } from './text-index.ts';
import { anyLookup, wordsLookup } from './text-words.ts';

/** How indexes over texts serve a query. */
export interface TextAccess {
  readonly indexes: readonly PathIndex[];
  /** What holds for every document that passes and is not odd. */
  readonly condition: SqlPiece;
}

/** What a query is looked up for. */
export interface TextQuery {
  readonly prepared: PreparedQuery;
  readonly parameters: readonly QueryParameter[];
  readonly policy: SearchPolicy;
  readonly computedProperties: ReadonlySet<string>;
}

const NOWHERE: SqlPiece = { sql: 'false', parameters: [] };

type Phrases = TextCondition & { readonly kind: 'phrases' };

/** What is looked up for phrases: false where no document has them, undefined where nothing is told, as of words in letters that no entry has. */
function lookupOf({ every, phrases, text }: Phrases): string | false | undefined {
  // Without words, as of stop words alone, a term is nowhere.
  const found = phrases.filter((words) => words.length > 0);
  if (found.length === 0 || (every && found.length < phrases.length)) {
    return false;
  }
  const all = (every ? [found.flat()] : found).map((words) => wordsLookup(words.map((word) => sureBeginning(word, text.language))));
  const lookups = all.filter((lookup) => lookup !== undefined);
  return lookups.length < all.length ? undefined : anyLookup(lookups);
}

/** What PostgreSQL can tell of a condition, and the keys of the indexes that it takes for that; undefined where nothing. */
function read(condition: TextCondition, s: string, served: Set<string>): SqlPiece | undefined {
  if (condition.kind === 'phrases') {
    const { path } = condition.text;
    const lookup = lookupOf(condition);
    if (lookup === undefined || lookup === false) {
      return lookup === false ? NOWHERE : undefined;
    }
    served.add(pathKey(path));
    return piece`${FULL_TEXT.expression(s, path)} @@ ${value('tsquery', lookup)}`;
  }
  const { every, conditions } = condition;
  const own = new Set<string>();
  const all = conditions.map((one) => read(one, s, own));
  const told = all.filter((one) => one !== undefined);
  if (told.length === 0 || (!every && told.length < all.length)) {
    return undefined;
  }
  own.forEach((key) => served.add(key));
  return every ? allOf(told) : anyOf(told);
}

/**
 * Finds what a query says of texts that have an index; undefined where it says nothing.
 *
 * @param s the quoted schema of the catalogue
 */
export function textAccess(
  s: string,
  indexes: readonly PathIndex[],
  { prepared, parameters, ...options }: TextQuery,
): TextAccess | undefined {
  const byKey = new Map(indexes.map((index) => [pathKey(index.path), index] as const));
  const condition =
    indexes.length === 0
      ? undefined
      : readTextCondition(prepared, parameters, { ...options, isIndexed: ({ path }) => byKey.has(pathKey(path)) });
  const served = new Set<string>();
  const told = condition && read(condition, s, served);
  return told === undefined
    ? undefined
    : { indexes: [...byKey].filter(([key]) => served.has(key)).map(([, index]) => index), condition: told };
}
