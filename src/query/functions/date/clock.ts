import { defineFunction } from '../define-function.ts';
import type { Argument, FunctionEntry, FunctionExample, ResultKind } from '../function-entry.ts';
import { optional, required } from '../parameter.ts';
import { addParts, type DatePart } from './date-parts.ts';
import { formatDateTime, TICKS_PER_MS } from './date-time.ts';

function ticksAt(ms: number): bigint {
  return BigInt(Math.floor(ms)) * TICKS_PER_MS;
}

function shifted(ms: number, part: DatePart, amount: number): Argument {
  const ticks = addParts(ticksAt(ms), part, amount);
  return ticks === undefined ? undefined : formatDateTime(ticks);
}

/** A function of the clock, and its twin that answers the same for the whole query. */
function clockPair(
  name: string,
  result: ResultKind,
  what: string,
  examples: readonly FunctionExample[],
  staticExamples: readonly FunctionExample[],
  read: (ms: number) => Argument,
): readonly FunctionEntry[] {
  return [
    defineFunction({
      name,
      family: 'date',
      parameters: [],
      result,
      summary: `${what} at the moment of the call.`,
      examples,
      deterministic: false,
      bind: (context) => () => read(context.currentMs()),
    }),
    defineFunction({
      name: `${name}STATIC`,
      family: 'date',
      parameters: [],
      result,
      summary: `${what} when the query began, the same for all its rows.`,
      examples: staticExamples,
      bind: (context) => {
        const value = read(context.nowMs);
        return () => value;
      },
    }),
  ];
}

/** The functions of the clock. */
export const clockFunctions: readonly FunctionEntry[] = [
  defineFunction({
    name: 'AGO',
    family: 'date',
    parameters: [required('part', 'date part'), required('amount', 'integer')],
    result: 'string',
    summary: 'The moment so many parts before now.',
    examples: [
      ["AGO('day', 1) < GETCURRENTDATETIME()", true],
      ["AGO('day', 0.5)", undefined],
      ["AGO('fortnight', 1)", undefined],
    ],
    deterministic: false,
    bind: (context) => (part, amount) => shifted(context.currentMs(), part, -amount),
  }),
  ...clockPair(
    'GETCURRENTDATETIME',
    'string',
    'The date and time in UTC',
    [['IS_DATETIME(GETCURRENTDATETIME())', true]],
    [['GETCURRENTDATETIMESTATIC() = GETCURRENTDATETIMESTATIC()', true]],
    (ms) => formatDateTime(ticksAt(ms)),
  ),
  ...clockPair(
    'GETCURRENTTICKS',
    'integer',
    'Units of 100 ns since 1970',
    [['TICKSTODATETIME(GETCURRENTTICKS()) >= GETCURRENTDATETIMESTATIC()', true]],
    [['GETCURRENTTICKSSTATIC() = GETCURRENTTIMESTAMPSTATIC() * 10000', true]],
    (ms) => Number(ticksAt(ms)),
  ),
  ...clockPair(
    'GETCURRENTTIMESTAMP',
    'integer',
    'Milliseconds since 1970',
    [['GETCURRENTTIMESTAMP() >= GETCURRENTTIMESTAMPSTATIC()', true]],
    [['TIMESTAMPTODATETIME(GETCURRENTTIMESTAMPSTATIC()) = GETCURRENTDATETIMESTATIC()', true]],
    (ms) => Math.floor(ms),
  ),
  defineFunction({
    name: 'NOW',
    family: 'date',
    parameters: [optional('part', 'date part'), optional('amount', 'integer')],
    result: 'string',
    summary: 'The date and time in UTC, or the moment so many parts after it.',
    examples: [
      ["NOW('hour', 1) > NOW()", true],
      ["NOW('hour', -1) < NOW()", true],
      ["NOW('hour', '1')", undefined],
    ],
    deterministic: false,
    bind: (context) => (part, amount) => {
      if (part === undefined) {
        return formatDateTime(ticksAt(context.currentMs()));
      }
      return amount === undefined ? undefined : shifted(context.currentMs(), part, amount);
    },
  }),
];
