import { escapeSet, type CodePoints } from './character-set.ts';
import { invalid, unsupported } from './pattern-fault.ts';
import type { PatternReader } from './pattern-reader.ts';

/** What a backslash and the characters after it stand for, where they mean the same within a class and outside. */
export type Escape =
  | { readonly kind: 'character'; readonly codePoint: number }
  | { readonly kind: 'ranges'; readonly ranges: readonly CodePoints[] }
  | { readonly kind: 'category'; readonly text: string }
  /** A letter whose meaning depends on where it stands. */
  | { readonly kind: 'other'; readonly letter: string };

const CONTROLS: Readonly<Record<string, number>> = { a: 7, e: 27, f: 12, n: 10, r: 13, t: 9 };
const CATEGORIES = /^(?:C[cfos]?|L[lmotu]?|M[cen]?|N[dlo]?|P[cdefios]?|S[ckmo]?|Z[lps]?)$/;
const CASED_CATEGORIES: ReadonlySet<string> = new Set(['Lu', 'Ll', 'Lt']);
const MAX_CODE_POINT = 0x10_ff_ff;

function character(codePoint: number): Escape {
  // A surrogate is no character of its own in UTF mode.
  return codePoint > MAX_CODE_POINT || (codePoint >= 0xd8_00 && codePoint <= 0xdf_ff) ? invalid() : { kind: 'character', codePoint };
}

function hexadecimal(reader: PatternReader): Escape {
  const braced = reader.match(/\{([0-9a-fA-F]+)\}/y);
  if (braced !== undefined) {
    return character(Number.parseInt(braced[1] as string, 16));
  }
  if (reader.peek() === '{') {
    invalid();
  }
  return character(Number.parseInt(reader.match(/[0-9a-fA-F]{1,2}/y)?.[0] ?? '0', 16));
}

function control(reader: PatternReader): Escape {
  const code = reader.next().toUpperCase().codePointAt(0) as number;
  return code < 0x20 || code > 0x7e ? invalid() : character(code ^ 0x40);
}

function category(reader: PatternReader, negated: boolean): Escape {
  // Bounded, and without neighbours that take the same characters: this engine backtracks.
  const found = reader.match(/\{([^{}]{0,40})\}|([A-Za-z])/y) ?? invalid();
  const inner = (found[1] ?? (found[2] as string)).trim();
  const isComplement = inner.startsWith('^');
  const name = isComplement ? inner.slice(1).trim() : inner;
  if (!CATEGORIES.test(name)) {
    unsupported('a property of characters other than a general category, such as \\p{Greek}');
  }
  if (reader.flags.ignoreCase && CASED_CATEGORIES.has(name)) {
    unsupported('the category of a case, such as \\p{Lu}, where case is ignored');
  }
  return { kind: 'category', text: `\\${negated === isComplement ? 'p' : 'P'}{${name}}` };
}

/** Reads what follows a backslash. */
export function readEscape(reader: PatternReader): Escape {
  const letter = reader.next();
  if (!/[0-9A-Za-z]/.test(letter)) {
    return { kind: 'character', codePoint: letter.codePointAt(0) as number };
  }
  const ranges = escapeSet(letter);
  if (ranges !== undefined) {
    return { kind: 'ranges', ranges };
  }
  if (Object.hasOwn(CONTROLS, letter)) {
    return { kind: 'character', codePoint: CONTROLS[letter] as number };
  }
  switch (letter) {
    case '0':
      return character(Number.parseInt(reader.match(/[0-7]{1,2}/y)?.[0] ?? '0', 8));
    case 'o': {
      const octal = reader.match(/\{([0-7]+)\}/y);
      return octal === undefined ? invalid() : character(Number.parseInt(octal[1] as string, 8));
    }
    case 'x':
      return hexadecimal(reader);
    case 'c':
      return control(reader);
    case 'p':
    case 'P':
      return category(reader, letter === 'P');
    default:
      return { kind: 'other', letter };
  }
}
