import { defineFunction } from '../define-function.ts';
import type { FunctionEntry, FunctionExample, IndexUse } from '../function-entry.ts';
import { foldCase } from '../letter-case.ts';
import { optional, required } from '../parameter.ts';
import { findText } from './find-text.ts';

/** A test of two texts whose third argument, when true, ignores case. */
function comparison(
  name: string,
  aliases: readonly string[],
  indexUse: IndexUse,
  summary: string,
  examples: readonly FunctionExample[],
  holds: (text: string, other: string) => boolean,
): FunctionEntry {
  return defineFunction({
    name,
    aliases,
    family: 'string',
    parameters: [required('text', 'string'), required('other', 'string'), optional('ignoreCase', 'boolean')],
    result: 'boolean',
    summary,
    examples,
    indexUse,
    sqlite: 'exact',
    compute: (text, other, ignoreCase = false) => (ignoreCase ? holds(foldCase(text), foldCase(other)) : holds(text, other)),
  });
}

/** One text within another. Case counts unless told otherwise. */
export const comparisons: readonly FunctionEntry[] = [
  comparison(
    'CONTAINS',
    [],
    'scan',
    'Whether the text contains the other; each contains the empty one.',
    [
      ["CONTAINS(c.note, 'sulfur')", true],
      ["CONTAINS(c.note, 'Sulfur')", false],
      ["CONTAINS(c.note, 'Sulfur', true)", true],
    ],
    (text, other) => findText(text, other) >= 0,
  ),
  comparison(
    'ENDSWITH',
    [],
    'scan',
    'Whether the text ends with the other.',
    [
      ["ENDSWITH('notes.TXT', '.txt')", false],
      ["ENDSWITH('notes.TXT', '.txt', true)", true],
    ],
    (text, other) => text.endsWith(other),
  ),
  comparison(
    'STARTSWITH',
    [],
    'precise',
    'Whether the text begins with the other.',
    [
      ["STARTSWITH(c.planet, 'Ju')", true],
      ["STARTSWITH(c.planet, 'ju')", false],
      ["STARTSWITH(c.planet, 'ju', true)", true],
    ],
    (text, other) => text.startsWith(other),
  ),
  comparison(
    'STRINGEQUALS',
    ['STRING_EQUALS'],
    'seek',
    'Whether both texts are the same; undefined for what is no text, null included.',
    [
      ["STRINGEQUALS('Io', 'io')", false],
      ["STRINGEQUALS('Io', 'io', true)", true],
      ['STRINGEQUALS(null, null)', undefined],
    ],
    (text, other) => text === other,
  ),
];
