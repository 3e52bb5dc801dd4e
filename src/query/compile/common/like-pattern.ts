import { isBindableText } from './sql-value.ts';

/** A piece of a pattern: plain text, a run of anything, one character, or one character of a set such as `[^a-c]`. */
export type LikePiece = { readonly kind: 'text' | 'set'; readonly text: string } | { readonly kind: 'any' | 'one' };

/** A LIKE pattern that is more than a test of one text. */
export interface LikePattern {
  readonly kind: 'pattern';
  readonly pieces: readonly LikePiece[];
}

/** A LIKE pattern as read: a test of one text, or pieces. */
export type ReadPattern = { readonly kind: 'text' | 'prefix' | 'suffix' | 'infix'; readonly text: string } | LikePattern;

/** Engines refuse very long patterns, and are slow with many wildcards. */
const MAX_PATTERN_LENGTH = 4000;
const MAX_WILDCARDS = 6;

/** A set of letters, digits and ranges of these reads alike everywhere; whatever is subtler is left alone. */
const SIMPLE_SET = /^\[\^?(?:[A-Za-z0-9](?:-[A-Za-z0-9])?)+\]/;

function readPieces(pattern: string, escape: string | undefined): readonly LikePiece[] | undefined {
  const pieces: LikePiece[] = [];
  let text = '';
  const add = (piece: LikePiece): void => {
    if (text !== '') {
      pieces.push({ kind: 'text', text });
      text = '';
    }
    pieces.push(piece);
  };
  for (let rest = pattern; rest !== '';) {
    let character = String.fromCodePoint(rest.codePointAt(0) as number);
    rest = rest.slice(character.length);
    if (character === escape && rest !== '') {
      character = String.fromCodePoint(rest.codePointAt(0) as number);
      rest = rest.slice(character.length);
      text += character;
    } else if (character === '%') {
      add({ kind: 'any' });
    } else if (character === '_') {
      add({ kind: 'one' });
    } else if (character === '[') {
      const set = SIMPLE_SET.exec(`[${rest}`)?.[0];
      if (set === undefined) {
        return undefined;
      }
      add({ kind: 'set', text: set });
      rest = rest.slice(set.length - 1);
    } else {
      text += character;
    }
  }
  if (text !== '') {
    pieces.push({ kind: 'text', text });
  }
  return pieces;
}

/** Reads a constant pattern of LIKE; undefined where it is too subtle or too long for an engine. */
export function readPattern(pattern: string, escape: string | undefined): ReadPattern | undefined {
  if (!isBindableText(pattern) || pattern.length > MAX_PATTERN_LENGTH || pattern.split('%').length > MAX_WILDCARDS) {
    return undefined;
  }
  const pieces = readPieces(pattern, escape);
  const isPlain = pieces?.every(({ kind }) => kind === 'text' || kind === 'any') === true;
  // Beside an escape character, sets and single characters are rare.
  if (pieces === undefined || (!isPlain && escape !== undefined)) {
    return undefined;
  }
  const texts = pieces.flatMap((piece) => (piece.kind === 'text' ? [piece.text] : []));
  if (!isPlain || texts.length > 1) {
    return { kind: 'pattern', pieces };
  }
  const text = texts[0] ?? '';
  if (texts.length === pieces.length) {
    return { kind: 'text', text };
  }
  return {
    kind: texts.length === 0 ? 'infix' : pieces[0]?.kind === 'text' ? 'prefix' : pieces.at(-1)?.kind === 'text' ? 'suffix' : 'infix',
    text,
  };
}
