const ISO_8601 = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d))?$/u;

/**
 * A moment that a person writes: milliseconds since 1970, or a date of ISO 8601 with its zone; a day alone begins at midnight UTC.
 *
 * @returns milliseconds since 1970, or `undefined` for anything else
 */
export function parseMoment(text: string): number | undefined {
  const ms = /^\d{1,15}$/u.test(text) ? Number(text) : ISO_8601.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? undefined : ms;
}
