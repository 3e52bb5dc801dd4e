import { PerigeeError } from '../core/errors.ts';
import { FULL_EPK_RANGE } from '../store/effective-partition-key.ts';
import type { EpkRange } from '../store/queries.ts';

/** A part of the hash space of a container that clients address by id. */
export interface PartitionRange extends EpkRange {
  readonly id: string;
}

/** The ranges of every container: one, for a store is not cut into parts. They are adjacent and cover the whole space. */
export const PARTITION_RANGES: readonly [PartitionRange, ...PartitionRange[]] = [{ id: '0', ...FULL_EPK_RANGE }];

/** A range by id. @throws GONE, upon which clients read the ranges again */
export function partitionRange(id: string): PartitionRange {
  const range = PARTITION_RANGES.find((one) => one.id === id);
  if (range === undefined) {
    throw new PerigeeError('GONE', `There is no partition key range ${JSON.stringify(id)}. Read the ranges again.`);
  }
  return range;
}

function isFull(range: EpkRange): boolean {
  return range.min === FULL_EPK_RANGE.min && range.max === FULL_EPK_RANGE.max;
}

/**
 * What a request with a range id, and a part of that range or not, is restricted to; `undefined` for everything.
 *
 * @throws GONE, BAD_REQUEST
 */
export function scopeOfRange(rangeId: string | undefined, startEpk: string | undefined, endEpk: string | undefined): EpkRange | undefined {
  // Several ids may come at once; clients send them where they ask all ranges.
  const ranges = rangeId === undefined ? [] : rangeId.split(',').map((id) => partitionRange(id.trim()));
  const min = startEpk ?? ranges[0]?.min ?? FULL_EPK_RANGE.min;
  const max = endEpk ?? ranges.at(-1)?.max ?? FULL_EPK_RANGE.max;
  if (min >= max) {
    throw new PerigeeError('BAD_REQUEST', 'The range of effective partition keys in the request is empty.');
  }
  const range: EpkRange = { min, max };
  return isFull(range) ? undefined : range;
}
