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

/** The dimensions of a seed's world. Drawn apart from its events, which are so the same without them. */
export function dimensionsOf(seed: number): ReadonlySet<Dimension> {
  const chance = new Chance(`dimensions of ${seed}`);
  return new Set(DIMENSIONS.filter((dimension) => chance.happens(SHARE[dimension])));
}
