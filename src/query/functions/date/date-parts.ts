import { daysInMonth, floorDivide, fromFields, toFields } from './date-time.ts';

/** A unit of time that the date functions take by name. */
export type DatePart = 'year' | 'month' | 'day' | 'hour' | 'minute' | 'second' | 'millisecond' | 'microsecond' | 'nanosecond';

const NAMES: ReadonlyMap<string, DatePart> = new Map<string, DatePart>(
  (
    [
      ['year', 'yyyy', 'yy'],
      ['month', 'mm', 'm'],
      ['day', 'dd', 'd'],
      ['hour', 'hh'],
      ['minute', 'mi', 'n'],
      ['second', 'ss', 's'],
      ['millisecond', 'ms'],
      ['microsecond', 'mcs'],
      ['nanosecond', 'ns'],
    ] as const
  ).flatMap((names) => names.map((name) => [name, names[0]] as const)),
);

/** The part that `name` means, whatever its case; undefined for another value. */
export function datePart(name: unknown): DatePart | undefined {
  return typeof name === 'string' ? NAMES.get(name.toLowerCase()) : undefined;
}

type FixedPart = Exclude<DatePart, 'year' | 'month'>;

const NANOSECONDS: Readonly<Record<FixedPart, bigint>> = {
  day: 86_400_000_000_000n,
  hour: 3_600_000_000_000n,
  minute: 60_000_000_000n,
  second: 1_000_000_000n,
  millisecond: 1_000_000n,
  microsecond: 1000n,
  nanosecond: 1n,
};
const NANOSECONDS_PER_TICK = 100n;

function monthsOf(part: DatePart): number | undefined {
  return part === 'year' ? 12 : part === 'month' ? 1 : undefined;
}

function monthNumber(ticks: bigint): number {
  const { year, month } = toFields(ticks);
  return year * 12 + month - 1;
}

/** The same day some months away, or the last day of a month that is too short; undefined outside the calendar. */
function addMonths(ticks: bigint, months: number): bigint | undefined {
  const at = toFields(ticks);
  const total = at.year * 12 + at.month - 1 + months;
  const year = Math.floor(total / 12);
  const month = total - year * 12 + 1;
  return fromFields({ ...at, year, month, day: Math.min(at.day, daysInMonth(year, month)) });
}

/** The moment `amount` parts later. */
export function addParts(ticks: bigint, part: DatePart, amount: number): bigint | undefined {
  const months = monthsOf(part);
  return months === undefined
    ? ticks + (BigInt(amount) * NANOSECONDS[part as FixedPart]) / NANOSECONDS_PER_TICK
    : addMonths(ticks, amount * months);
}

/** How many boundaries of the part lie between two moments; negative when `end` is earlier. */
export function countBoundaries(part: DatePart, start: bigint, end: bigint): number {
  if (part === 'year') {
    return toFields(end).year - toFields(start).year;
  }
  if (part === 'month') {
    return monthNumber(end) - monthNumber(start);
  }
  const unit = NANOSECONDS[part];
  return Number(floorDivide(end * NANOSECONDS_PER_TICK, unit) - floorDivide(start * NANOSECONDS_PER_TICK, unit));
}

/** The start of the bin, `size` parts long and counted from `origin`, that holds the moment. */
export function binStart(ticks: bigint, part: DatePart, size: number, origin: bigint): bigint | undefined {
  const months = monthsOf(part);
  if (months === undefined) {
    const width = BigInt(size) * NANOSECONDS[part as FixedPart];
    const start = floorDivide((ticks - origin) * NANOSECONDS_PER_TICK, width) * width;
    return origin + floorDivide(start, NANOSECONDS_PER_TICK);
  }
  const width = size * months;
  const bins = Math.floor((monthNumber(ticks) - monthNumber(origin)) / width);
  const start = addMonths(origin, bins * width);
  return start !== undefined && start > ticks ? addMonths(origin, (bins - 1) * width) : start;
}

/** The number of the part within the moment; the parts below a second count from the start of the second. */
export function partOf(ticks: bigint, part: DatePart): number {
  const at = toFields(ticks);
  switch (part) {
    case 'millisecond':
      return Math.floor(at.fraction / 10_000);
    case 'microsecond':
      return Math.floor(at.fraction / 10);
    case 'nanosecond':
      return at.fraction * 100;
    default:
      return at[part];
  }
}
