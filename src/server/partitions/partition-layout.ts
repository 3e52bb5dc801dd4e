import { PerigeeError } from '../../core/errors.ts';
import type { PartitionKeyDefinition } from '../../store/container-definition.ts';
import { FULL_EPK_RANGE } from '../../store/effective-partition-key.ts';
import type { EpkRange } from '../../store/queries.ts';
import { epkAt, placeOfEpk, spaceOf } from '../../store/hash-space.ts';

/** A part of the hash space of a container that clients address by id. */
export interface PartitionRange extends EpkRange {
  readonly id: string;
  /** Ids of the ranges that it came from, the oldest first. */
  readonly parents: readonly string[];
}

/** A range that was split or merged. */
export interface RetiredRange extends EpkRange {
  readonly id: string;
  /** Sub-status of the 410 that tells of it while the change completes, until a time in milliseconds since 1970; afterwards it is simply gone. */
  readonly completing?: { readonly subStatus: 1007 | 1008; readonly untilMs: number } | undefined;
}

/** How the hash space of a container is cut: adjacent ranges that cover the whole of it, in order, and those that were there before. */
export interface PartitionLayout {
  readonly ranges: readonly PartitionRange[];
  readonly retired: readonly RetiredRange[];
  /** Id of the next range; ids are never given twice. */
  readonly nextId: number;
}

/** How many ranges a container may have. */
export const MAX_PARTITIONS = 1000;
/** How many retired ranges are told from ids that never were. */
const MAX_RETIRED = 2000;

/** One range for everything. */
export const SINGLE_PARTITION: PartitionLayout = { ranges: [{ id: '0', ...FULL_EPK_RANGE, parents: [] }], retired: [], nextId: 1 };

/** A layout of `count` ranges of equal size. @throws BAD_REQUEST for more than {@link MAX_PARTITIONS} */
export function evenLayout(count: number, definition: PartitionKeyDefinition): PartitionLayout {
  if (count <= 1) {
    return SINGLE_PARTITION;
  }
  checkCount(count);
  const width = (spaceOf(definition) - 1n) / BigInt(count);
  const bound = (index: number): string => (index === 0 ? '' : index === count ? 'FF' : epkAt(width * BigInt(index), definition));
  const ranges = Array.from({ length: count }, (_, index) => ({
    id: String(index),
    min: bound(index),
    max: bound(index + 1),
    parents: [],
  }));
  return { ranges, retired: [], nextId: count };
}

function checkCount(count: number): void {
  if (count > MAX_PARTITIONS) {
    throw new PerigeeError('BAD_REQUEST', `A container has at most ${MAX_PARTITIONS} partition key ranges.`);
  }
}

/** A range that there is now, by id. @throws GONE for one that was split or merged, or never was */
export function rangeById(layout: PartitionLayout, id: string, nowMs: number): PartitionRange {
  const range = layout.ranges.find((one) => one.id === id);
  if (range !== undefined) {
    return range;
  }
  const completing = layout.retired.find((one) => one.id === id)?.completing;
  const message = `There is no partition key range ${JSON.stringify(id)} any more. Read the ranges again.`;
  throw new PerigeeError(
    'GONE',
    message,
    completing !== undefined && nowMs < completing.untilMs ? { subStatus: completing.subStatus } : {},
  );
}

/** How a split or a merge is told to clients that do not know of it yet. */
export interface TransitionOptions {
  /** Until when the old ranges answer "completing" (1007 for a split, 1008 for a merge) instead of "gone" (1002), in milliseconds since 1970. */
  readonly completingUntilMs?: number | undefined;
}

/**
 * Cuts a range in two, in its middle unless told where.
 *
 * @throws NOT_FOUND for an id that is none of the ranges, BAD_REQUEST where it cannot be cut
 */
export function splitRange(
  layout: PartitionLayout,
  id: string,
  definition: PartitionKeyDefinition,
  at?: string,
  options: TransitionOptions = {},
): PartitionLayout {
  const index = indexOf(layout, id);
  const range = layout.ranges[index] as PartitionRange;
  const cut = at ?? epkAt((placeOfEpk(range.min, definition) + placeOfEpk(range.max, definition)) / 2n, definition);
  if (!/^[0-9A-F]+$/u.test(cut) || cut <= range.min || cut >= range.max) {
    throw new PerigeeError(
      'BAD_REQUEST',
      `Cannot split the range ${JSON.stringify(id)} there: the place is an effective partition key within it.`,
    );
  }
  checkCount(layout.ranges.length + 1);
  const parents = [...range.parents, range.id];
  const children: readonly PartitionRange[] = [
    { id: String(layout.nextId), min: range.min, max: cut, parents },
    { id: String(layout.nextId + 1), min: cut, max: range.max, parents },
  ];
  return {
    ranges: layout.ranges.toSpliced(index, 1, ...children),
    retired: retire(layout, [range], 1007, options),
    nextId: layout.nextId + 2,
  };
}

/** Joins a range with the one behind it. @throws NOT_FOUND, BAD_REQUEST for the last range */
export function mergeRange(layout: PartitionLayout, id: string, options: TransitionOptions = {}): PartitionLayout {
  const index = indexOf(layout, id);
  const [left, right] = layout.ranges.slice(index, index + 2);
  if (left === undefined || right === undefined) {
    throw new PerigeeError('BAD_REQUEST', `Cannot merge the range ${JSON.stringify(id)}: there is none behind it.`);
  }
  const parents = [...new Set([...left.parents, ...right.parents, left.id, right.id])];
  const merged: PartitionRange = { id: String(layout.nextId), min: left.min, max: right.max, parents };
  return {
    ranges: layout.ranges.toSpliced(index, 2, merged),
    retired: retire(layout, [left, right], 1008, options),
    nextId: layout.nextId + 1,
  };
}

/** Splits the widest ranges until there are at least `count`. */
export function growLayout(layout: PartitionLayout, count: number, definition: PartitionKeyDefinition): PartitionLayout {
  let grown = layout;
  while (grown.ranges.length < count) {
    const width = ({ min, max }: PartitionRange): bigint => placeOfEpk(max, definition) - placeOfEpk(min, definition);
    const widest = grown.ranges.reduce((best, range) => (width(range) > width(best) ? range : best));
    grown = splitRange(grown, widest.id, definition);
  }
  return grown;
}

function indexOf(layout: PartitionLayout, id: string): number {
  const index = layout.ranges.findIndex((range) => range.id === id);
  if (index === -1) {
    throw new PerigeeError('NOT_FOUND', `There is no partition key range ${JSON.stringify(id)}.`);
  }
  return index;
}

function retire(
  layout: PartitionLayout,
  gone: readonly PartitionRange[],
  subStatus: 1007 | 1008,
  { completingUntilMs }: TransitionOptions,
): readonly RetiredRange[] {
  const completing = completingUntilMs === undefined ? {} : { completing: { subStatus, untilMs: completingUntilMs } };
  return [...layout.retired, ...gone.map(({ id, min, max }) => ({ id, min, max, ...completing }))].slice(-MAX_RETIRED);
}
