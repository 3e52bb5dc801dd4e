import { PerigeeError } from '../../core/errors.ts';
import { checkEpkRange } from '../../store/check-epk-range.ts';
import { effectivePartitionKey, epkRangeOfPrefix, FULL_EPK_RANGE, isInEpkRange } from '../../store/effective-partition-key.ts';
import type { PartitionKeyDefinition } from '../../store/container-definition.ts';
import type { PartitionKey } from '../../store/partition-key.ts';
import type { EpkRange } from '../../store/queries.ts';
import { rangeById, type PartitionLayout, type PartitionRange } from './partition-layout.ts';

/** How a request names a part of the hash space. */
export interface RangeHeaders {
  /** One id, or several with commas between. */
  readonly rangeId: string | undefined;
  readonly startEpk: string | undefined;
  readonly endEpk: string | undefined;
}

/**
 * What a request with a range id, and a part of that range or not, is restricted to; `undefined` for everything.
 *
 * @throws GONE, BAD_REQUEST
 */
export function scopeOfRange(layout: PartitionLayout, { rangeId, startEpk, endEpk }: RangeHeaders, nowMs: number): EpkRange | undefined {
  const named = rangeId === undefined ? [] : rangeId.split(',').map((id) => rangeById(layout, id.trim(), nowMs));
  const ranges = named.toSorted((left, right) => (left.min < right.min ? -1 : 1));
  if (ranges.some((range, index) => index > 0 && range.min !== ranges[index - 1]?.max)) {
    throw new PerigeeError('BAD_REQUEST', 'The partition key ranges that the request names are not adjacent.');
  }
  const least = ranges[0]?.min ?? FULL_EPK_RANGE.min;
  const most = ranges.at(-1)?.max ?? FULL_EPK_RANGE.max;
  const asked = checkEpkRange({ min: startEpk ?? '', max: endEpk ?? most });
  const range: EpkRange = { min: later(asked.min, least), max: earlier(asked.max, most) };
  if (range.min >= range.max) {
    throw new PerigeeError('BAD_REQUEST', 'The range of effective partition keys in the request is empty.');
  }
  return range.min === FULL_EPK_RANGE.min && range.max === FULL_EPK_RANGE.max ? undefined : range;
}

function later(left: string, right: string): string {
  return left > right ? left : right;
}

function earlier(left: string, right: string): string {
  return left < right ? left : right;
}

/** The ranges in which a request may find or leave documents. */
export function touchedRanges(
  layout: PartitionLayout,
  definition: PartitionKeyDefinition,
  key: PartitionKey | undefined,
  scope: EpkRange | undefined,
): readonly PartitionRange[] {
  if (layout.ranges.length === 1) {
    return layout.ranges;
  }
  if (key !== undefined && key.length === definition.paths.length) {
    const epk = effectivePartitionKey(key, definition);
    return layout.ranges.filter((range) => isInEpkRange(epk, range));
  }
  const wanted = key === undefined ? scope : epkRangeOfPrefix(key, definition);
  return wanted === undefined ? layout.ranges : layout.ranges.filter((range) => range.min < wanted.max && wanted.min < range.max);
}
