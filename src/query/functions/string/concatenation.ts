import type { JsonValue } from '../../../core/json.ts';
import { defineFunction } from '../define-function.ts';
import type { Argument, FunctionEntry } from '../function-entry.ts';
import { required, rest } from '../parameter.ts';
import { splitText } from './find-text.ts';

/** The longest text that REPLICATE makes, in UTF-16 units; beyond it the result is undefined. */
export const MAX_REPLICATED_LENGTH = 10_000;

function join(array: readonly JsonValue[], separator: string): Argument {
  return array.every((item) => typeof item === 'string') ? array.join(separator) : undefined;
}

function replicate(text: string, count: number): Argument {
  return count < 0 || text.length * count > MAX_REPLICATED_LENGTH ? undefined : text.repeat(text === '' ? 0 : count);
}

/** The longest array that STRINGSPLIT makes: more than the longest text of a document splits into. */
const MAX_PIECES = 2 ** 22;

function split(text: string, separator: string): Argument {
  const pieces = separator === '' ? [text] : splitText(text, separator, MAX_PIECES + 1);
  if (pieces.length > MAX_PIECES) {
    throw new RangeError(`STRINGSPLIT makes more than ${MAX_PIECES} pieces.`);
  }
  return pieces;
}

/** Texts put together and taken apart. */
export const concatenation: readonly FunctionEntry[] = [
  defineFunction({
    name: 'CONCAT',
    family: 'string',
    parameters: [required('first', 'string'), required('second', 'string'), rest('others', 'string')],
    result: 'string',
    summary: 'All texts, one after the other.',
    examples: [
      ["CONCAT('per', 'i', 'gee')", 'perigee'],
      ["CONCAT('orbit ', 1)", undefined],
    ],
    sqlite: 'exact',
    compute: (...texts) => texts.join(''),
  }),
  defineFunction({
    name: 'REPLICATE',
    family: 'string',
    parameters: [required('text', 'string'), required('count', 'integer')],
    result: 'string',
    summary: `The text so many times; undefined below 0 times, and beyond ${MAX_REPLICATED_LENGTH} characters.`,
    examples: [
      ["REPLICATE('ab', 3)", 'ababab'],
      ["REPLICATE('ab', 0)", ''],
      ["REPLICATE('ab', -1)", undefined],
      ["REPLICATE('ab', 5001)", undefined],
    ],
    compute: replicate,
  }),
  defineFunction({
    name: 'STRINGJOIN',
    aliases: ['STRING_JOIN'],
    family: 'string',
    parameters: [required('array', 'array'), required('separator', 'string')],
    result: 'string',
    summary: 'The texts of an array with a separator between them; undefined where an element is no text.',
    examples: [
      ["STRINGJOIN(c.tags, '+')", 'sulfur+inner+large'],
      ["STRINGJOIN(['a', 1], '-')", undefined],
    ],
    compute: join,
  }),
  defineFunction({
    name: 'STRINGSPLIT',
    aliases: ['STRING_SPLIT'],
    family: 'string',
    parameters: [required('text', 'string'), required('separator', 'string')],
    result: 'array',
    summary: 'The parts of a text between separators; the whole text where the separator is empty.',
    examples: [
      ["STRINGSPLIT('a,b,', ',')", ['a', 'b', '']],
      ["STRINGSPLIT('ab', '')", ['ab']],
    ],
    compute: split,
  }),
];
