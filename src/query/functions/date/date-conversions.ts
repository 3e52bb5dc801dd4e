import { defineFunction } from '../define-function.ts';
import type { Argument, FunctionEntry } from '../function-entry.ts';
import { optional, required } from '../parameter.ts';
import { floorDivide, formatDateTime, fromFields, TICKS_PER_MS } from './date-time.ts';

/** Beyond it no moment is representable, and a conversion of what comes in would only cost time. */
const MOST_MS = 1e15;

function text(ticks: bigint | undefined): Argument {
  return ticks === undefined ? undefined : formatDateTime(ticks);
}

/** Moments from and to numbers. Ticks are units of 100 ns since 1970. */
export const dateConversions: readonly FunctionEntry[] = [
  defineFunction({
    name: 'DATETIMEFROMPARTS',
    family: 'date',
    parameters: [
      required('year', 'integer'),
      required('month', 'integer'),
      required('day', 'integer'),
      optional('hour', 'integer'),
      optional('minute', 'integer'),
      optional('second', 'integer'),
      optional('fraction', 'integer'),
    ],
    result: 'string',
    summary: 'The moment of these numbers; the fraction counts units of 100 ns.',
    examples: [
      ['DATETIMEFROMPARTS(2024, 3, 5)', '2024-03-05T00:00:00.0000000Z'],
      ['DATETIMEFROMPARTS(2024, 3, 5, 1, 2, 3, 4)', '2024-03-05T01:02:03.0000004Z'],
      ['DATETIMEFROMPARTS(2024, 2, 30)', undefined],
    ],
    compute: (year, month, day, hour = 0, minute = 0, second = 0, fraction = 0) =>
      text(fromFields({ year, month, day, hour, minute, second, fraction })),
  }),
  defineFunction({
    name: 'DATETIMETOTICKS',
    family: 'date',
    parameters: [required('moment', 'date')],
    result: 'int64',
    summary: 'Units of 100 ns since 1970; negative before it.',
    examples: [
      ["DATETIMETOTICKS('1970-01-02')", 864000000000],
      ["DATETIMETOTICKS('1969-12-31T23:59:59.9999999Z')", -1],
    ],
    compute: (ticks) => ticks,
  }),
  defineFunction({
    name: 'DATETIMETOTIMESTAMP',
    family: 'date',
    parameters: [required('moment', 'date')],
    result: 'integer',
    summary: 'Milliseconds since 1970; negative before it.',
    examples: [
      ["DATETIMETOTIMESTAMP('1970-01-01T00:00:01.5Z')", 1500],
      ["DATETIMETOTIMESTAMP('tomorrow')", undefined],
    ],
    compute: (ticks) => Number(floorDivide(ticks, TICKS_PER_MS)),
  }),
  defineFunction({
    name: 'TICKSTODATETIME',
    family: 'date',
    parameters: [required('ticks', 'int64')],
    result: 'string',
    summary: 'The moment so many units of 100 ns after 1970.',
    examples: [
      ['TICKSTODATETIME(17)', '1970-01-01T00:00:00.0000017Z'],
      ["TICKSTODATETIME(DATETIMETOTICKS('2024-03-05T01:02:03.1234567Z'))", '2024-03-05T01:02:03.1234567Z'],
      ['TICKSTODATETIME(0.5)', undefined],
    ],
    compute: text,
  }),
  defineFunction({
    name: 'TIMESTAMPTODATETIME',
    family: 'date',
    parameters: [required('timestamp', 'integer')],
    result: 'string',
    summary: 'The moment so many milliseconds after 1970.',
    examples: [
      ['TIMESTAMPTODATETIME(-1)', '1969-12-31T23:59:59.9990000Z'],
      ['TIMESTAMPTODATETIME(253402300800000)', undefined],
    ],
    compute: (ms) => (Math.abs(ms) > MOST_MS ? undefined : text(BigInt(ms) * TICKS_PER_MS)),
  }),
];
