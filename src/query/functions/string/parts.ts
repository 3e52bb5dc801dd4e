import { defineFunction } from '../define-function.ts';
import type { Argument, FunctionEntry } from '../function-entry.ts';
import { required } from '../parameter.ts';

function substring(text: string, start: number, count: number): Argument {
  return start < 0 || count <= 0 ? '' : text.slice(start, start + count);
}

/** Parts of a text by position, in UTF-16 units. */
export const parts: readonly FunctionEntry[] = [
  defineFunction({
    name: 'LEFT',
    family: 'string',
    parameters: [required('text', 'string'), required('count', 'integer')],
    result: 'string',
    summary: 'The first characters; none for a count of 0 or less.',
    examples: [
      ["LEFT('perigee', 4)", 'peri'],
      ["LEFT('perigee', 99)", 'perigee'],
      ["LEFT('perigee', -1)", ''],
      ["LEFT('perigee', 1.5)", undefined],
    ],
    indexUse: 'precise',
    sqlite: 'superset',
    compute: (text, count) => text.slice(0, Math.max(count, 0)),
  }),
  defineFunction({
    name: 'RIGHT',
    family: 'string',
    parameters: [required('text', 'string'), required('count', 'integer')],
    result: 'string',
    summary: 'The last characters; none for a count of 0 or less.',
    examples: [
      ["RIGHT('perigee', 3)", 'gee'],
      ["RIGHT('perigee', 0)", ''],
    ],
    indexUse: 'precise',
    sqlite: 'superset',
    compute: (text, count) => text.slice(Math.max(text.length - Math.max(count, 0), 0)),
  }),
  defineFunction({
    name: 'SUBSTRING',
    family: 'string',
    parameters: [required('text', 'string'), required('start', 'integer'), required('count', 'integer')],
    result: 'string',
    summary: 'The part that begins at a position, counted from 0, and is at most so long.',
    examples: [
      ["SUBSTRING('perigee', 4, 2)", 'ge'],
      ["SUBSTRING('perigee', 4, 99)", 'gee'],
      ["SUBSTRING('perigee', -1, 2)", ''],
      ["SUBSTRING('perigee', 0.5, 2)", undefined],
    ],
    indexUse: 'precise',
    sqlite: 'superset',
    compute: substring,
  }),
];
