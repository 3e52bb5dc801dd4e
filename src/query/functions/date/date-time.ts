/** A moment of the proleptic Gregorian calendar, in UTC. */
export interface DateTimeFields {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  /** Units of 100 ns within the second: 0 to 9,999,999. */
  readonly fraction: number;
}

/** Units of 100 ns. Moments count them from 1970-01-01T00:00:00Z. */
export const TICKS_PER_MS = 10_000n;
const TICKS_PER_SECOND = 10_000_000n;
const SECONDS_PER_DAY = 86_400;

/** 0001-01-01T00:00:00.0000000Z. */
const MIN_TICKS = -621_355_968_000_000_000n;
/** 9999-12-31T23:59:59.9999999Z. */
const MAX_TICKS = 2_534_023_007_999_999_999n;

/** Whether a moment lies in the years 1 to 9999. */
export function isRepresentable(ticks: bigint): boolean {
  return ticks >= MIN_TICKS && ticks <= MAX_TICKS;
}

/** The quotient rounded down, also below zero. */
export function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value % by < 0n ? quotient - 1n : quotient;
}

function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

/** How many days a month has; `month` from 1. */
export function daysInMonth(year: number, month: number): number {
  return month === 2 ? (isLeapYear(year) ? 29 : 28) : month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Days from 1970-01-01; years start in March here, so that the leap day is their last. */
function daysFromCivil(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

function civilFromDays(days: number): { year: number; month: number; day: number } {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1,
  };
}

function isWithin(value: number, least: number, most: number): boolean {
  return value >= least && value <= most;
}

/** The moment of these whole numbers; undefined where one is out of range. */
export function fromFields({ year, month, day, hour, minute, second, fraction }: DateTimeFields): bigint | undefined {
  if (
    !isWithin(year, 1, 9999) ||
    !isWithin(month, 1, 12) ||
    !isWithin(day, 1, daysInMonth(year, month)) ||
    !isWithin(hour, 0, 23) ||
    !isWithin(minute, 0, 59) ||
    !isWithin(second, 0, 59) ||
    !isWithin(fraction, 0, 9_999_999)
  ) {
    return undefined;
  }
  const seconds = daysFromCivil(year, month, day) * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second;
  return BigInt(seconds) * TICKS_PER_SECOND + BigInt(fraction);
}

/** The fields of a moment. */
export function toFields(ticks: bigint): DateTimeFields {
  const wholeSeconds = floorDivide(ticks, TICKS_PER_SECOND);
  const seconds = Number(wholeSeconds);
  const days = Math.floor(seconds / SECONDS_PER_DAY);
  const inDay = seconds - days * SECONDS_PER_DAY;
  const { year, month, day } = civilFromDays(days);
  return {
    year,
    month,
    day,
    hour: Math.floor(inDay / 3600),
    minute: Math.floor(inDay / 60) % 60,
    second: inDay % 60,
    fraction: Number(ticks - wholeSeconds * TICKS_PER_SECOND),
  };
}

const DATE_TIME = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,7}))?)?)?Z?$/;

/** The moment that a text names: a date, or a date and a time after `T` or a blank, with up to 7 decimals, with or without the final `Z`. */
export function parseDateTime(text: string): bigint | undefined {
  const parts = DATE_TIME.exec(text);
  if (parts === null) {
    return undefined;
  }
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '0'] = parts;
  return fromFields({
    year: Number(year),
    month: Number(month),
    day: Number(day),
    hour: Number(hour),
    minute: Number(minute),
    second: Number(second),
    fraction: Number(fraction.padEnd(7, '0')),
  });
}

/** A number with leading zeros. */
export function padded(value: number, digits: number): string {
  return String(value).padStart(digits, '0');
}

/** `yyyy-MM-ddTHH:mm:ss.fffffffZ`; undefined outside the years 1 to 9999. */
export function formatDateTime(ticks: bigint): string | undefined {
  if (!isRepresentable(ticks)) {
    return undefined;
  }
  const at = toFields(ticks);
  const date = `${padded(at.year, 4)}-${padded(at.month, 2)}-${padded(at.day, 2)}`;
  return `${date}T${padded(at.hour, 2)}:${padded(at.minute, 2)}:${padded(at.second, 2)}.${padded(at.fraction, 7)}Z`;
}
