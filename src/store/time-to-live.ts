import { PerigeeError } from '../core/errors.ts';

const MAX_TTL_SECONDS = 2147483647;

/** Checks a time to live: a whole number of seconds from 1, or -1. */
export function checkTtl(value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && (value === -1 || value >= 1) && value <= MAX_TTL_SECONDS) {
    return value;
  }
  throw new PerigeeError('BAD_REQUEST', 'A time to live is a whole number of seconds from 1 to 2147483647, or -1.');
}
