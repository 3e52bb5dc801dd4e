import { defineFunction } from '../define-function.ts';
import type { Argument, FunctionEntry, FunctionExample } from '../function-entry.ts';
import { required } from '../parameter.ts';
import { findLastText, findText } from './find-text.ts';

function entry(
  name: string,
  summary: string,
  examples: readonly FunctionExample[],
  find: (text: string, delimiter: string) => number,
  take: (text: string, at: number, length: number) => string,
): FunctionEntry {
  return defineFunction({
    name,
    family: 'string',
    parameters: [required('text', 'string'), required('delimiter', 'string')],
    result: 'string',
    summary: `${summary}; undefined where the delimiter is not in it.`,
    examples,
    compute: (text, delimiter): Argument => {
      const at = find(text, delimiter);
      return at < 0 ? undefined : take(text, at, delimiter.length);
    },
  });
}

const first = (text: string, delimiter: string): number => findText(text, delimiter);
const last = (text: string, delimiter: string): number => findLastText(text, delimiter, text.length);
const before = (text: string, at: number): string => text.slice(0, at);
const after = (text: string, at: number, length: number): string => text.slice(at + length);

/**
 * What stands before or after a delimiter. Their pages at learn.microsoft.com/cosmos-db/query do not say what a text without the delimiter
 * gives; see "Choices" in docs/query-language.md.
 */
export const aroundDelimiter: readonly FunctionEntry[] = [
  entry(
    'LASTSUBSTRINGAFTER',
    'What follows the last delimiter',
    [
      ["LASTSUBSTRINGAFTER('io/tvashtar/plume', '/')", 'plume'],
      ["LASTSUBSTRINGAFTER('io', '/')", undefined],
    ],
    last,
    after,
  ),
  entry(
    'LASTSUBSTRINGBEFORE',
    'What stands before the last delimiter',
    [
      ["LASTSUBSTRINGBEFORE('io/tvashtar/plume', '/')", 'io/tvashtar'],
      ["LASTSUBSTRINGBEFORE('io', '/')", undefined],
    ],
    last,
    before,
  ),
  entry(
    'SUBSTRINGAFTER',
    'What follows the first delimiter',
    [
      ["SUBSTRINGAFTER('io/tvashtar/plume', '/')", 'tvashtar/plume'],
      ["SUBSTRINGAFTER('io/', '/')", ''],
    ],
    first,
    after,
  ),
  entry(
    'SUBSTRINGBEFORE',
    'What stands before the first delimiter',
    [
      ["SUBSTRINGBEFORE('io/tvashtar/plume', '/')", 'io'],
      ["SUBSTRINGBEFORE('io', '')", ''],
    ],
    first,
    before,
  ),
];
