import { PerigeeError } from '../core/errors.ts';
import type { EpkRange } from './queries.ts';

const HEX = /^[0-9A-F]*$/u;

/** Checks that the ends of a range are effective partition keys, or the beginning of one, and gives the range. @throws BAD_REQUEST */
export function checkEpkRange(range: EpkRange): EpkRange {
  for (const end of [range.min, range.max]) {
    if (typeof end !== 'string' || !HEX.test(end)) {
      throw new PerigeeError(
        'BAD_REQUEST',
        'The ends of a range of effective partition keys are texts of hexadecimal digits in upper case, from "" to "FF".',
      );
    }
  }
  return range;
}
