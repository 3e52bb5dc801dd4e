import { defineFunction } from '../define-function.ts';
import type { FunctionEntry, FunctionExample } from '../function-entry.ts';
import { optional, required } from '../parameter.ts';

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

function entry(name: string, where: string, left: boolean, right: boolean, examples: readonly FunctionExample[]): FunctionEntry {
  return defineFunction({
    name,
    family: 'string',
    parameters: [required('text', 'string'), optional('characters', 'string')],
    result: 'string',
    summary: `The text without blanks, or without any of the given characters, at ${where}.`,
    examples,
    sqlite: 'superset',
    compute: (text, set) => trimEdges(text, set, left, right),
  });
}

/** Texts without what stands at their edges. */
export const trimming: readonly FunctionEntry[] = [
  entry('LTRIM', 'its beginning', true, false, [
    ["LTRIM('  a ')", 'a '],
    ["LTRIM('xxyax', 'yx')", 'ax'],
  ]),
  entry('RTRIM', 'its end', false, true, [
    ["RTRIM(' a  ')", ' a'],
    ["RTRIM('xaxy', 'yx')", 'xa'],
  ]),
  entry('TRIM', 'both ends', true, true, [
    ["TRIM('  a b ')", 'a b'],
    ["TRIM('--a-b--', '-')", 'a-b'],
    ["TRIM('a', 1)", undefined],
  ]),
];
