import { defineFunction } from '../define-function.ts';
import type { Argument, FunctionEntry } from '../function-entry.ts';
import { optional, required } from '../parameter.ts';
import { findLastText, findText } from './find-text.ts';

/** `last` is the last position at which a match may end. */
function lastIndexOf(text: string, other: string, last: number = Number.MAX_SAFE_INTEGER): Argument {
  const start = last - other.length + 1;
  return start < 0 ? -1 : findLastText(text, other, start);
}

/** Lengths and positions, in UTF-16 units. */
export const positions: readonly FunctionEntry[] = [
  defineFunction({
    name: 'INDEX_OF',
    family: 'string',
    parameters: [required('text', 'string'), required('other', 'string'), optional('start', 'integer')],
    result: 'integer',
    summary: 'Where the other text begins for the first time, from a position on; -1 where it does not.',
    examples: [
      ["INDEX_OF('banana', 'an')", 1],
      ["INDEX_OF('banana', 'an', 2)", 3],
      ["INDEX_OF('banana', 'x')", -1],
    ],
    sqlite: 'superset',
    compute: (text, other, start = 0) => findText(text, other, start),
  }),
  defineFunction({
    name: 'LASTINDEXOF',
    family: 'string',
    parameters: [required('text', 'string'), required('other', 'string'), optional('last', 'integer')],
    result: 'integer',
    summary: 'Where the other text begins for the last time, ending at a position at the latest; -1 where it does not.',
    examples: [
      ["LASTINDEXOF('banana', 'an')", 3],
      ["LASTINDEXOF('banana', 'an', 3)", 1],
      ["LASTINDEXOF('banana', 'x')", -1],
    ],
    compute: lastIndexOf,
  }),
  defineFunction({
    name: 'LENGTH',
    family: 'string',
    parameters: [required('text', 'string')],
    result: 'integer',
    summary: 'How many UTF-16 units the text has.',
    examples: [
      ["LENGTH('perigee')", 7],
      ["LENGTH('')", 0],
      ['LENGTH(c.tags)', undefined],
    ],
    sqlite: 'superset',
    compute: (text) => text.length,
  }),
];
