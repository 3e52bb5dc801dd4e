import { later, scalar, type Argument, type FunctionEntry, type IndexUse, type ScalarFunction } from './function-entry.ts';
import { foldCase, lowerCase, upperCase } from './letter-case.ts';

/** The longest text that REPLICATE makes, in UTF-16 units; beyond it the result is undefined. */
export const MAX_REPLICATED_LENGTH = 10_000;
const MANY = Number.POSITIVE_INFINITY;

function ofString(compute: (text: string) => Argument): ScalarFunction {
  return (text) => (typeof text === 'string' ? compute(text) : undefined);
}

/** A test of two strings whose third argument, when true, ignores case. */
function comparison(
  name: string,
  holds: (text: string, other: string) => boolean,
  indexUse: IndexUse,
  aliases: readonly string[] = [],
): FunctionEntry {
  const evaluate: ScalarFunction = (text, other, ignoreCase = false) => {
    if (typeof text !== 'string' || typeof other !== 'string' || typeof ignoreCase !== 'boolean') {
      return undefined;
    }
    return ignoreCase ? holds(foldCase(text), foldCase(other)) : holds(text, other);
  };
  return scalar('string', name, [2, 3], evaluate, { indexUse, aliases });
}

/** Three-valued AND (`decisive` false) or OR (`decisive` true) over "the text contains this term"; a term that is no string is undefined. */
function containsMany(decisive: boolean, fold: (text: string) => string): ScalarFunction {
  return (text, ...terms) => {
    if (typeof text !== 'string') {
      return undefined;
    }
    const whole = fold(text);
    let open = false;
    for (const term of terms) {
      if (typeof term !== 'string') {
        open = true;
      } else if (whole.includes(fold(term)) === decisive) {
        return decisive;
      }
    }
    return open ? undefined : !decisive;
  };
}

function containsManyEntry(name: string, decisive: boolean, fold: (text: string) => string): FunctionEntry {
  return scalar('string', name, [2, MANY], containsMany(decisive, fold), {
    undefinedArguments: 'pass',
    aliases: [name.replaceAll('_', '')],
  });
}

const asWritten = (text: string): string => text;

function indexOf(text: Argument, other: Argument, start: Argument = 0): Argument {
  return typeof text === 'string' && typeof other === 'string' && Number.isInteger(start)
    ? text.indexOf(other, start as number)
    : undefined;
}

/** `last` is the last position at which a match may end. */
function lastIndexOf(text: Argument, other: Argument, last: Argument = Number.MAX_SAFE_INTEGER): Argument {
  if (typeof text !== 'string' || typeof other !== 'string' || !Number.isInteger(last)) {
    return undefined;
  }
  const start = (last as number) - other.length + 1;
  return start < 0 ? -1 : text.lastIndexOf(other, start);
}

/** LEFT and RIGHT: a count below zero is zero. */
function part(take: (text: string, count: number) => string): ScalarFunction {
  return (text, count) => (typeof text === 'string' && Number.isInteger(count) ? take(text, Math.max(count as number, 0)) : undefined);
}

function substring(text: Argument, start: Argument, count: Argument): Argument {
  if (typeof text !== 'string' || !Number.isInteger(start) || !Number.isInteger(count)) {
    return undefined;
  }
  const from = start as number;
  return from < 0 || (count as number) <= 0 ? '' : text.slice(from, from + (count as number));
}

function trimEdges(text: string, set: string | undefined, left: boolean, right: boolean): string {
  if (set === undefined) {
    const start = left ? text.trimStart() : text;
    return right ? start.trimEnd() : start;
  }
  const characters = Array.from(text);
  const unwanted = new Set(set);
  let from = 0;
  let to = characters.length;
  while (left && from < to && unwanted.has(characters[from] as string)) {
    from += 1;
  }
  while (right && to > from && unwanted.has(characters[to - 1] as string)) {
    to -= 1;
  }
  return characters.slice(from, to).join('');
}

function trim(name: string, left: boolean, right: boolean): FunctionEntry {
  return scalar('string', name, [1, 2], (text, set) =>
    typeof text === 'string' && (set === undefined || typeof set === 'string') ? trimEdges(text, set, left, right) : undefined,
  );
}

function replace(text: Argument, search: Argument, by: Argument): Argument {
  if (typeof text !== 'string' || typeof search !== 'string' || typeof by !== 'string' || search === '') {
    return undefined;
  }
  return text.replaceAll(search, () => by);
}

function replicate(text: Argument, count: Argument): Argument {
  if (typeof text !== 'string' || !Number.isInteger(count) || (count as number) < 0) {
    return undefined;
  }
  return text.length * (count as number) > MAX_REPLICATED_LENGTH ? undefined : text.repeat(text === '' ? 0 : (count as number));
}

function isText(value: Argument): value is string {
  return typeof value === 'string';
}

function concatenate(...texts: Argument[]): Argument {
  return texts.every(isText) ? texts.join('') : undefined;
}

function join(array: Argument, separator: Argument): Argument {
  return Array.isArray(array) && typeof separator === 'string' && array.every(isText) ? array.join(separator) : undefined;
}

function split(text: Argument, separator: Argument): Argument {
  if (typeof text !== 'string' || typeof separator !== 'string') {
    return undefined;
  }
  return separator === '' ? [text] : text.split(separator);
}

/** The string functions. Lengths and positions count UTF-16 units; TRIM's sets are of whole characters. */
export const stringFunctions: readonly FunctionEntry[] = [
  scalar('string', 'CONCAT', [2, MANY], concatenate),
  comparison('CONTAINS', (text, other) => text.includes(other), 'scan'),
  containsManyEntry('CONTAINS_ALL_CI', false, foldCase),
  containsManyEntry('CONTAINS_ALL_CS', false, asWritten),
  containsManyEntry('CONTAINS_ANY_CI', true, foldCase),
  containsManyEntry('CONTAINS_ANY_CS', true, asWritten),
  comparison('ENDSWITH', (text, other) => text.endsWith(other), 'scan'),
  scalar('string', 'INDEX_OF', [2, 3], indexOf),
  scalar('string', 'LASTINDEXOF', [2, 3], lastIndexOf),
  scalar(
    'string',
    'LEFT',
    [2, 2],
    part((text, count) => text.slice(0, count)),
    { indexUse: 'precise' },
  ),
  scalar(
    'string',
    'LENGTH',
    [1, 1],
    ofString((text) => text.length),
  ),
  scalar('string', 'LOWER', [1, 1], ofString(lowerCase)),
  trim('LTRIM', true, false),
  later('string', 'REGEXMATCH', [2, 3], { indexUse: 'scan' }),
  scalar('string', 'REPLACE', [3, 3], replace),
  scalar('string', 'REPLICATE', [2, 2], replicate),
  scalar(
    'string',
    'REVERSE',
    [1, 1],
    ofString((text) => text.split('').reverse().join('')),
  ),
  scalar(
    'string',
    'RIGHT',
    [2, 2],
    part((text, count) => text.slice(Math.max(text.length - count, 0))),
    { indexUse: 'precise' },
  ),
  trim('RTRIM', false, true),
  comparison('STARTSWITH', (text, other) => text.startsWith(other), 'precise'),
  comparison('STRINGEQUALS', (text, other) => text === other, 'seek', ['STRING_EQUALS']),
  scalar('string', 'STRINGJOIN', [2, 2], join, { aliases: ['STRING_JOIN'] }),
  scalar('string', 'STRINGSPLIT', [2, 2], split, { aliases: ['STRING_SPLIT'] }),
  scalar('string', 'SUBSTRING', [3, 3], substring, { indexUse: 'precise' }),
  trim('TRIM', true, true),
  scalar('string', 'UPPER', [1, 1], ofString(upperCase)),
];
