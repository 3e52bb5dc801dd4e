import { defineFunction } from '../define-function.ts';
import type { Argument, FunctionEntry } from '../function-entry.ts';
import { optional, required } from '../parameter.ts';
import { addParts, binStart, countBoundaries, type DatePart } from './date-parts.ts';
import { formatDateTime } from './date-time.ts';

/** 1601-01-01: DATETIMEBIN takes no earlier origin. */
const EARLIEST_ORIGIN = -116_444_736_000_000_000n;

function text(ticks: bigint | undefined): Argument {
  return ticks === undefined ? undefined : formatDateTime(ticks);
}

function bin(ticks: bigint, part: DatePart, size: number = 1, origin: bigint = 0n): Argument {
  return size <= 0 || origin < EARLIEST_ORIGIN ? undefined : text(binStart(ticks, part, size, origin));
}

/** Moments moved, compared and made coarser. Moments are texts in UTC. */
export const dateArithmetic: readonly FunctionEntry[] = [
  defineFunction({
    name: 'DATETIMEADD',
    family: 'date',
    parameters: [required('part', 'date part'), required('amount', 'integer'), required('moment', 'date')],
    result: 'string',
    summary: 'The moment so many parts later; a day that the month has not becomes its last.',
    examples: [
      ["DATETIMEADD('month', 1, '2024-01-31T10:00:00Z')", '2024-02-29T10:00:00.0000000Z'],
      ["DATETIMEADD('dd', -1, '2024-03-01')", '2024-02-29T00:00:00.0000000Z'],
      ["DATETIMEADD('day', 1.5, '2024-03-01')", undefined],
    ],
    compute: (part, amount, ticks) => text(addParts(ticks, part, amount)),
  }),
  defineFunction({
    name: 'DATETIMEBIN',
    family: 'date',
    parameters: [required('moment', 'date'), required('part', 'date part'), optional('size', 'integer'), optional('origin', 'date')],
    result: 'string',
    summary: 'The start of the bin, so many parts long and counted from 1970 or an origin, that holds the moment.',
    examples: [
      ["DATETIMEBIN('2024-03-05T14:35:50Z', 'mi', 15)", '2024-03-05T14:30:00.0000000Z'],
      ["DATETIMEBIN('2024-03-05T14:35:50Z', 'month', 3)", '2024-01-01T00:00:00.0000000Z'],
      ["DATETIMEBIN('2024-03-05', 'yyyy', 1, '2000-06-15')", '2023-06-15T00:00:00.0000000Z'],
      ["DATETIMEBIN('2024-03-05', 'day', 0)", undefined],
    ],
    compute: bin,
  }),
  defineFunction({
    name: 'DATETIMEDIFF',
    family: 'date',
    parameters: [required('part', 'date part'), required('start', 'date'), required('end', 'date')],
    result: 'integer',
    summary: 'How many boundaries of the part lie between two moments; negative when the second is earlier.',
    examples: [
      ["DATETIMEDIFF('year', '2023-12-31', '2024-01-01')", 1],
      ["DATETIMEDIFF('month', '2024-03-01', '2024-01-31')", -2],
      ["DATETIMEDIFF('ns', '2024-01-01', '2024-01-01T00:00:00.0000001Z')", 100],
    ],
    compute: (part, start, end) => countBoundaries(part, start, end),
  }),
];
