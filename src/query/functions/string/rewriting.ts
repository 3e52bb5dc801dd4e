import { defineFunction } from '../define-function.ts';
import type { Argument, FunctionEntry } from '../function-entry.ts';
import { lowerCase, upperCase } from '../letter-case.ts';
import { required } from '../parameter.ts';
import { splitText } from './find-text.ts';

function replaceAll(text: string, search: string, by: string): Argument {
  return search === '' ? undefined : splitText(text, search, text.length + 1).join(by);
}

/** Texts with other letters. */
export const rewriting: readonly FunctionEntry[] = [
  defineFunction({
    name: 'LOWER',
    family: 'string',
    parameters: [required('text', 'string')],
    result: 'string',
    summary: 'The text in lower case, whatever the language.',
    examples: [
      ["LOWER('ÀB')", 'àb'],
      ['LOWER(1)', undefined],
    ],
    sqlite: 'superset',
    compute: lowerCase,
  }),
  defineFunction({
    name: 'REPLACE',
    family: 'string',
    parameters: [required('text', 'string'), required('search', 'string'), required('by', 'string')],
    result: 'string',
    summary: 'The text with each occurrence replaced; undefined for an empty search text.',
    examples: [
      ["REPLACE('a.b.c', '.', '--')", 'a--b--c'],
      ["REPLACE('abc', '', 'x')", undefined],
    ],
    sqlite: 'exact',
    compute: replaceAll,
  }),
  defineFunction({
    name: 'REVERSE',
    family: 'string',
    parameters: [required('text', 'string')],
    result: 'string',
    summary: 'The text from its end, by UTF-16 units.',
    examples: [["REVERSE('abc')", 'cba']],
    compute: (text) => text.split('').reverse().join(''),
  }),
  defineFunction({
    name: 'UPPER',
    family: 'string',
    parameters: [required('text', 'string')],
    result: 'string',
    summary: 'The text in upper case, whatever the language; letters without a single capital stay.',
    examples: [
      ["UPPER('straße')", 'STRAßE'],
      ['UPPER(null)', undefined],
    ],
    sqlite: 'superset',
    compute: upperCase,
  }),
];
