import { formatWith } from './date-format.ts';
import { addParts, binStart, countBoundaries, datePart, partOf, type DatePart } from './date-parts.ts';
import { floorDivide, formatDateTime, fromFields, isRepresentable, parseDateTime, TICKS_PER_MS } from './date-time.ts';
import { contextual, scalar, type Argument, type EvaluationContext, type FunctionEntry, type ScalarFunction } from './function-entry.ts';

/** 1601-01-01: DATETIMEBIN takes no earlier origin. */
const EARLIEST_ORIGIN = -116_444_736_000_000_000n;

function moment(value: Argument): bigint | undefined {
  return typeof value === 'string' ? parseDateTime(value) : undefined;
}

function isWhole(value: Argument): value is number {
  return Number.isSafeInteger(value);
}

function ticksAt(ms: number): bigint {
  return BigInt(Math.floor(ms)) * TICKS_PER_MS;
}

function text(ticks: bigint | undefined): Argument {
  return ticks === undefined ? undefined : formatDateTime(ticks);
}

function add(partName: Argument, amount: Argument, ticks: bigint | undefined): Argument {
  const part = datePart(partName);
  return part === undefined || !isWhole(amount) || ticks === undefined ? undefined : text(addParts(ticks, part, amount));
}

function difference(partName: Argument, start: Argument, end: Argument): Argument {
  const part = datePart(partName);
  const from = moment(start);
  const to = moment(end);
  return part === undefined || from === undefined || to === undefined ? undefined : countBoundaries(part, from, to);
}

function bin(value: Argument, partName: Argument, size: Argument = 1, originText: Argument = '1970-01-01'): Argument {
  const ticks = moment(value);
  const part = datePart(partName);
  const origin = moment(originText);
  if (ticks === undefined || part === undefined || origin === undefined || origin < EARLIEST_ORIGIN || !isWhole(size) || size <= 0) {
    return undefined;
  }
  return text(binStart(ticks, part, size, origin));
}

function fromParts(...values: Argument[]): Argument {
  if (!values.every((value) => typeof value === 'number')) {
    return undefined;
  }
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, fraction = 0] = values;
  return text(fromFields({ year, month, day, hour, minute, second, fraction }));
}

function partByName(partName: Argument, value: Argument): Argument {
  const part = datePart(partName);
  const ticks = moment(value);
  return part === undefined || ticks === undefined ? undefined : partOf(ticks, part);
}

function ofMoment(compute: (ticks: bigint) => Argument): ScalarFunction {
  return (value) => {
    const ticks = moment(value);
    return ticks === undefined ? undefined : compute(ticks);
  };
}

function partEntry(name: string, part: DatePart): FunctionEntry {
  return scalar(
    'date',
    name,
    [1, 1],
    ofMoment((ticks) => partOf(ticks, part)),
    { indexUse: 'precise' },
  );
}

/** A function of the clock, and its twin that answers the same for the whole query. */
function clockPair(name: string, read: (ms: number) => Argument): readonly FunctionEntry[] {
  return [
    contextual('date', name, [0, 0], (context) => () => read(context.currentMs()), { deterministic: false }),
    contextual('date', `${name}STATIC`, [0, 0], (context: EvaluationContext) => {
      const value = read(context.nowMs);
      return () => value;
    }),
  ];
}

/** NOW() is the clock; NOW(part, amount) lies that much after it, as DATETIMEADD counts. */
function bindNow(context: EvaluationContext): ScalarFunction {
  return (...values) => {
    const now = ticksAt(context.currentMs());
    return values.length === 0 ? text(now) : add(values[0], values[1], now);
  };
}

/** AGO(part, amount) lies that much before the clock. */
function bindAgo(context: EvaluationContext): ScalarFunction {
  return (part, amount) => (isWhole(amount) ? add(part, -amount, ticksAt(context.currentMs())) : undefined);
}

/** The date and time functions. Moments are text in UTC; ticks are units of 100 ns since 1970. */
export const dateFunctions: readonly FunctionEntry[] = [
  contextual('date', 'AGO', [2, 2], bindAgo, { deterministic: false }),
  scalar('date', 'DATETIMEADD', [3, 3], (part, amount, value) => add(part, amount, moment(value))),
  scalar('date', 'DATETIMEBIN', [2, 4], bin),
  scalar('date', 'DATETIMEDIFF', [3, 3], difference),
  scalar('date', 'DATETIMEFORMAT', [2, 2], (value, format) => {
    const ticks = moment(value);
    return ticks === undefined || typeof format !== 'string' ? undefined : formatWith(ticks, format);
  }),
  scalar('date', 'DATETIMEFROMPARTS', [3, 7], fromParts),
  scalar('date', 'DATETIMEPART', [2, 2], partByName),
  scalar('date', 'DATETIMETOTICKS', [1, 1], ofMoment(Number)),
  scalar(
    'date',
    'DATETIMETOTIMESTAMP',
    [1, 1],
    ofMoment((ticks) => Number(floorDivide(ticks, TICKS_PER_MS))),
  ),
  partEntry('DAY', 'day'),
  ...clockPair('GETCURRENTDATETIME', (ms) => text(ticksAt(ms))),
  ...clockPair('GETCURRENTTICKS', (ms) => Number(ticksAt(ms))),
  ...clockPair('GETCURRENTTIMESTAMP', (ms) => Math.floor(ms)),
  partEntry('MONTH', 'month'),
  contextual('date', 'NOW', [0, 2], bindNow, { deterministic: false }),
  scalar('date', 'TICKSTODATETIME', [1, 1], (ticks) =>
    Number.isInteger(ticks) && isRepresentable(BigInt(ticks as number)) ? text(BigInt(ticks as number)) : undefined,
  ),
  scalar('date', 'TIMESTAMPTODATETIME', [1, 1], (ms) => (Number.isInteger(ms) ? text(BigInt(ms as number) * TICKS_PER_MS) : undefined)),
  partEntry('YEAR', 'year'),
];
