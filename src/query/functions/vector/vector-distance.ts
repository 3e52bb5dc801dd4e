import type { JsonValue } from '../../../core/json.ts';

/** How two vectors are compared. */
export type DistanceFunction = 'cosine' | 'dotproduct' | 'euclidean';

/** The distance function of a container without a vector policy. */
export const DEFAULT_DISTANCE: DistanceFunction = 'cosine';

/** Reads the name of a distance function, in any case; undefined for another text. */
export function readDistanceFunction(value: unknown): DistanceFunction | undefined {
  const name = typeof value === 'string' ? value.toLowerCase() : undefined;
  return name === 'cosine' || name === 'dotproduct' || name === 'euclidean' ? name : undefined;
}

/** Whether a greater result means more alike: for all but the euclidean distance. */
export function isSimilarity(distance: DistanceFunction): boolean {
  return distance !== 'euclidean';
}

/** The numbers of a vector; undefined for anything but an array of one number or more. */
export function readVector(value: JsonValue | undefined): readonly number[] | undefined {
  if (!Array.isArray(value) || value.length === 0) {
    return undefined;
  }
  for (let index = 0; index < value.length; index += 1) {
    if (typeof value[index] !== 'number') {
      return undefined;
    }
  }
  return value as readonly number[];
}

function dot(left: readonly number[], right: readonly number[]): number {
  let sum = 0;
  for (let index = 0; index < left.length; index += 1) {
    sum += (left[index] as number) * (right[index] as number);
  }
  return sum;
}

function euclidean(left: readonly number[], right: readonly number[]): number {
  let sum = 0;
  for (let index = 0; index < left.length; index += 1) {
    const difference = (left[index] as number) - (right[index] as number);
    sum += difference * difference;
  }
  return Math.sqrt(sum);
}

/** One root of the product of both squared lengths, not the product of two roots: so the last digit is that of the service. */
function cosine(left: readonly number[], right: readonly number[]): number {
  return dot(left, right) / Math.sqrt(dot(left, left) * dot(right, right));
}

const COMPUTE: Readonly<Record<DistanceFunction, (left: readonly number[], right: readonly number[]) => number>> = {
  cosine,
  dotproduct: dot,
  euclidean,
};

/**
 * Compares two vectors, in doubles. Undefined where they differ in length, and where there is no finite result: the cosine of a vector of
 * zeros, or an overflow.
 */
export function vectorDistance(left: readonly number[], right: readonly number[], distance: DistanceFunction): number | undefined {
  if (left.length !== right.length) {
    return undefined;
  }
  const result = COMPUTE[distance](left, right);
  return Number.isFinite(result) ? result : undefined;
}
