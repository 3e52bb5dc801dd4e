import type { PartitionKeyDefinition } from './container-definition.ts';
import type { EpkRange } from './queries.ts';
import { orderedNumberEpk, readOrderedNumberEpk } from './effective-partition-key.ts';

/*
 * Effective partition keys as whole numbers, so that the space between two can be divided. Version 2 has 32 digits whose highest two bits are clear;
 * with several paths the first of them decides. Version 1 begins with a 32-bit hash in a form of its own.
 */

const V1_SPACE = 1n << 32n;
const V2_DIGITS = 32;
const V2_SPACE = 1n << 126n;

/** The number of places in the hash space of a container. */
export function spaceOf({ kind, version }: PartitionKeyDefinition): bigint {
  return kind === 'Hash' && version === 1 ? V1_SPACE : V2_SPACE;
}

/** The effective partition key at a place from 1 to the end of the space. */
export function epkAt(place: bigint, definition: PartitionKeyDefinition): string {
  return spaceOf(definition) === V1_SPACE ? orderedNumberEpk(Number(place)) : place.toString(16).toUpperCase().padStart(V2_DIGITS, '0');
}

/** The place of an effective partition key; the ends of the whole space are `''` and `'FF'`. */
export function placeOfEpk(epk: string, definition: PartitionKeyDefinition): bigint {
  const space = spaceOf(definition);
  if (epk === '') {
    return 0n;
  }
  if (epk === 'FF') {
    return space;
  }
  if (space === V1_SPACE) {
    // A client may send the beginning of one, which says any number, or none.
    const hash = readOrderedNumberEpk(epk);
    return hash < Number(space) ? BigInt(Math.max(0, Math.floor(hash))) : space;
  }
  const place = BigInt(`0x${epk.slice(0, V2_DIGITS).padEnd(V2_DIGITS, '0')}`);
  return place > space ? space : place;
}

/** Which part of the hash space a range is, from 0 to 1; those of neighbours add up. */
export function shareOfRange({ min, max }: EpkRange, definition: PartitionKeyDefinition): number {
  const places = placeOfEpk(max, definition) - placeOfEpk(min, definition);
  return places <= 0n ? 0 : Number(places) / Number(spaceOf(definition));
}
