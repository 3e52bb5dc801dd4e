import { Chance } from '../chance.ts';

/**
 * What only some worlds have:
 *
 * - `expiry`: documents with times to live
 * - `local-fields`: properties and a container that never leave the device
 * - `processes`: two engines on one file, one of which can be killed alone
 * - `receipts`: users who ask whether their writes have reached the remote
 * - `splits`: partitions of the remote that split and merge
 * - `tokens`: tokens that end or are revoked
 * - `versions`: programs that know different versions of the documents
 */
export const DIMENSIONS = ['expiry', 'local-fields', 'processes', 'receipts', 'splits', 'tokens', 'versions'] as const;

/** See {@link DIMENSIONS}. */
export type Dimension = (typeof DIMENSIONS)[number];

/** Worlds out of a hundred that have a dimension. */
const SHARE: Readonly<Record<Dimension, number>> = {
  expiry: 10,
  'local-fields': 10,
  processes: 12,
  receipts: 15,
  splits: 8,
  tokens: 8,
  versions: 10,
};

/**
 * Which events a world has more of: `patches` in conflict, loss of `power` while no time passes, `transactions` whose answers are lost.
 */
export type Mix = 'even' | 'patches' | 'power' | 'transactions';

/** The dimensions of a seed's world. Drawn apart from its events, which are so the same without them. */
export function dimensionsOf(seed: number): ReadonlySet<Dimension> {
  const chance = new Chance(`dimensions of ${seed}`);
  return new Set(DIMENSIONS.filter((dimension) => chance.happens(SHARE[dimension])));
}

/** What a seed's world has more of. */
export function mixOf(seed: number): Mix {
  return new Chance(`mix of ${seed}`).weighted<Mix>([
    [70, 'even'],
    [10, 'patches'],
    [10, 'power'],
    [10, 'transactions'],
  ]);
}
