import { padded, toFields, type DateTimeFields } from './date-time.ts';

function fractionText(at: DateTimeFields, digits: number, keepZeros: boolean): string | undefined {
  if (digits > 7) {
    return undefined;
  }
  const text = padded(at.fraction, 7).slice(0, digits);
  return keepZeros ? text : text.replace(/0+$/, '');
}

function twoDigits(value: number, length: number): string | undefined {
  return length === 1 ? String(value) : length === 2 ? padded(value, 2) : undefined;
}

/** The text of one run of a format letter; undefined for a length without a meaning. */
function component(letter: string, length: number, at: DateTimeFields): string | undefined {
  switch (letter) {
    case 'y':
      return length === 4 ? padded(at.year, 4) : twoDigits(at.year % 100, length);
    case 'M':
      return twoDigits(at.month, length);
    case 'd':
      return twoDigits(at.day, length);
    case 'H':
      return twoDigits(at.hour, length);
    case 'm':
      return twoDigits(at.minute, length);
    case 's':
      return twoDigits(at.second, length);
    default:
      return fractionText(at, length, letter === 'f');
  }
}

const RUN = /\\([\s\S])|y+|M+|d+|H+|m+|s+|f+|F+|[\s\S]/g;
const LETTERS = 'yMdHmsfF';

/**
 * A moment in a format of `yyyy MM dd HH mm ss fff FFF`; `FFF` drops trailing zeros, a backslash makes the next character literal, and any
 * other character stands for itself. Undefined where a run of letters has a length without a meaning.
 */
export function formatWith(ticks: bigint, format: string): string | undefined {
  const at = toFields(ticks);
  let text = '';
  for (const match of format.matchAll(RUN)) {
    const run = match[0];
    const piece = match[1] ?? (LETTERS.includes(run.charAt(0)) ? component(run.charAt(0), run.length, at) : run);
    if (piece === undefined) {
      return undefined;
    }
    text += piece;
  }
  return text;
}
