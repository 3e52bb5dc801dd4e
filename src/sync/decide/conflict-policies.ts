import { compareStamps } from '../../core/hybrid-logical-clock.ts';
import type { Conflict } from './conflict.ts';

/** A policy that chooses one of the sides. */
export type SidePolicy = (conflict: Conflict) => 'local' | 'remote';

/** The later write stays: by time, then counter, then device, then the write's name. A total order, so all devices choose alike. */
export const lastWriteWins: SidePolicy = ({ local, remote }) => {
  const order = compareStamps(local.stamp, remote.stamp);
  return (order === 0 ? (local.write > remote.write ? 1 : -1) : order) > 0 ? 'local' : 'remote';
};

/** What the remote holds stays, whenever it was written: who sends first. */
export const serverWins: SidePolicy = () => 'remote';

/** What the device holds stays, whenever it was written: who sends last. */
export const clientWins: SidePolicy = () => 'local';
