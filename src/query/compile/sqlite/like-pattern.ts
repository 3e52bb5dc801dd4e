import { isBindableText } from './sql-value.ts';

/** A LIKE pattern read for SQLite. */
export type SqlPattern =
  /** The text itself. */
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'prefix' | 'suffix' | 'infix'; readonly text: string }
  /** A pattern of GLOB. */
  | { readonly kind: 'glob'; readonly text: string };

const GLOB_SPECIAL = /[*?[]/g;

/** SQLite refuses very long patterns, and is slow with many wildcards. */
const MAX_PATTERN_LENGTH = 4000;
const MAX_WILDCARDS = 6;

/** The runs of plain characters between `%`; undefined where the pattern holds more than that. */
function literalRuns(pattern: string, escape: string | undefined): string[] | undefined {
  const runs = [''];
  const characters = Array.from(pattern);
  for (let index = 0; index < characters.length; index += 1) {
    let character = characters[index] as string;
    if (character === escape && index + 1 < characters.length) {
      index += 1;
      character = characters[index] as string;
    } else if (character === '%') {
      runs.push('');
      continue;
    } else if (character === '_' || character === '[') {
      return undefined;
    }
    runs[runs.length - 1] += character;
  }
  return runs;
}

/** A pattern with `_` and simple sets as a pattern of GLOB; undefined where the two languages may differ. */
function globOf(pattern: string, escape: string | undefined): string | undefined {
  if (escape !== undefined) {
    return undefined;
  }
  // A set of letters, digits and ranges of these reads alike in both; whatever is subtler is left alone.
  const rest = pattern.replaceAll(/\[\^?(?:[A-Za-z0-9](?:-[A-Za-z0-9])?)+\]/g, '');
  if (rest.includes('[')) {
    return undefined;
  }
  return pattern
    .replaceAll(/[*?]/g, (character) => `[${character}]`)
    .replaceAll('%', '*')
    .replaceAll('_', '?');
}

/** Reads a constant pattern of LIKE; undefined where SQLite has no equal. */
export function readPattern(pattern: string, escape: string | undefined): SqlPattern | undefined {
  if (!isBindableText(pattern) || pattern.length > MAX_PATTERN_LENGTH || pattern.split('%').length > MAX_WILDCARDS) {
    return undefined;
  }
  const runs = literalRuns(pattern, escape);
  if (runs === undefined) {
    const glob = globOf(pattern, escape);
    return glob === undefined ? undefined : { kind: 'glob', text: glob };
  }
  const filled = runs.filter((run) => run !== '');
  if (runs.length === 1) {
    return { kind: 'text', text: runs[0] as string };
  }
  if (filled.length === 0) {
    return { kind: 'infix', text: '' };
  }
  if (filled.length === 1) {
    const text = filled[0] as string;
    const kind = runs[0] !== '' ? 'prefix' : runs.at(-1) !== '' ? 'suffix' : 'infix';
    return { kind, text };
  }
  return { kind: 'glob', text: runs.map((run) => run.replaceAll(GLOB_SPECIAL, (character) => `[${character}]`)).join('*') };
}
