import { defineFunction } from '../define-function.ts';
import type { FunctionEntry, FunctionExample } from '../function-entry.ts';
import { required } from '../parameter.ts';
import { formatWith } from './date-format.ts';
import { partOf, type DatePart } from './date-parts.ts';

function partEntry(name: string, part: DatePart, examples: readonly FunctionExample[]): FunctionEntry {
  return defineFunction({
    name,
    family: 'date',
    parameters: [required('moment', 'date')],
    result: 'integer',
    summary: `The ${part} of a moment.`,
    examples,
    indexUse: 'precise',
    compute: (ticks) => partOf(ticks, part),
  });
}

/** Parts of a moment, as numbers and as text. */
export const dateComponents: readonly FunctionEntry[] = [
  defineFunction({
    name: 'DATETIMEFORMAT',
    family: 'date',
    parameters: [required('moment', 'date'), required('format', 'string')],
    result: 'string',
    summary: 'The moment in a format of `yyyy MM dd HH mm ss fff`; `FFF` drops trailing zeros, a backslash makes a letter literal.',
    examples: [
      ["DATETIMEFORMAT('2024-03-05T04:07:09.12Z', 'dd/MM/yy H:m:s.fff')", '05/03/24 4:7:9.120'],
      ["DATETIMEFORMAT('2024-03-05', '\\\\d\\\\a\\\\y d')", 'day 5'],
      ["DATETIMEFORMAT('2024-03-05', 'yyyyy')", undefined],
    ],
    compute: formatWith,
  }),
  defineFunction({
    name: 'DATETIMEPART',
    family: 'date',
    parameters: [required('part', 'date part'), required('moment', 'date')],
    result: 'integer',
    summary: 'The number of a part of a moment; parts below a second count from the start of the second.',
    examples: [
      ["DATETIMEPART('hh', '2024-03-05 21:02:03')", 21],
      ["DATETIMEPART('mcs', '2024-03-05T01:02:03.1234567Z')", 123456],
      ["DATETIMEPART('week', '2024-03-05')", undefined],
    ],
    compute: (part, ticks) => partOf(ticks, part),
  }),
  partEntry('DAY', 'day', [
    ["DAY('2024-03-05')", 5],
    ["DAY('5 March')", undefined],
  ]),
  partEntry('MONTH', 'month', [["MONTH('2024-03-05')", 3]]),
  partEntry('YEAR', 'year', [['YEAR(c.seen)', 1610]]),
];
