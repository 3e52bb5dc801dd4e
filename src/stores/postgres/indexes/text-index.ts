import { pathText } from '../../../query/access/index-definition.ts';
import { storedPathExpression } from '../../../query/compile/postgres/path-expression.ts';
import type { IndexPolicy } from '../../../query/index-policy/index-policy.ts';
import type { ContainerDefinition } from '../../../store/container-definition.ts';
import { MAX_POLICY_INDEXES, type WantedIndex } from '../../common/wanted-indexes.ts';
import { TEXT_WORDS } from './text-words.ts';

/** Name of the kind in the catalogue. */
export const FULL_TEXT = 'full-text';

/** An index over the words of texts: GIN. It does not depend on the language, of which only those know who look words up. */
export interface TextIndex {
  /** Its name in the schema of the table. */
  readonly name: string;
  /** The path of the texts. */
  readonly path: readonly string[];
}

/** The expression that is indexed, behind the name of the schema with the function; undefined for a path that PostgreSQL cannot be told. */
function wordsExpression(path: readonly string[]): string | undefined {
  const expression = storedPathExpression(path);
  return expression === undefined ? undefined : `${TEXT_WORDS}(${expression})`;
}

/** The expression that is indexed, which every statement has to hold that is to use the index. */
export function textExpression(s: string, path: readonly string[]): string {
  return `${s}.${wordsExpression(path) as string}`;
}

/** What stands behind the name of the table in CREATE INDEX, of the form in the catalogue. */
export function textMethod(s: string, form: string): string {
  return `USING gin (${s}.${form})`;
}

/** {@link textMethod} of the index over a path. */
export function textPathMethod(s: string, path: readonly string[]): string {
  return textMethod(s, wordsExpression(path) as string);
}

/** The indexes over texts that a policy asks for. A computed property hides what is stored under its name. */
export function wantedTextIndexes({ fullText }: IndexPolicy, { computedProperties }: ContainerDefinition): readonly WantedIndex[] {
  const wanted = new Map<string, WantedIndex>();
  for (const { path } of fullText) {
    const form = computedProperties.some(({ name }) => name === path[0]) ? undefined : wordsExpression(path);
    if (form !== undefined && wanted.size < MAX_POLICY_INDEXES) {
      wanted.set(textKey(path), { kind: FULL_TEXT, key: textKey(path), form });
    }
  }
  return [...wanted.values()];
}

/** The same text exactly for the same path. */
export function textKey(path: readonly string[]): string {
  return JSON.stringify(path);
}

/** Reads {@link textKey}. */
export function readTextKey(key: string): readonly string[] {
  return JSON.parse(key) as readonly string[];
}

/** An index for people: `full text /title`. */
export function textIndexText({ path }: Pick<TextIndex, 'path'>): string {
  return `full text ${pathText(path)}`;
}
