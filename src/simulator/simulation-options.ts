import type { ConflictPolicy } from '../sync/decide/conflict.ts';

import type { Dimension } from './dimensions/dimensions.ts';
import type { Mix } from './dimensions/mixes.ts';

/** What {@link simulate} takes. */
export interface SimulationOptions {
  /** Everything that happens follows from it. */
  readonly seed: number;
  /** Events of the run; 60 unless said otherwise. */
  readonly steps?: number | undefined;
  /** Devices; 3 unless said otherwise. The last belongs to another user than the others where there are more than two. */
  readonly devices?: number | undefined;
  /** Who stays in a conflict; last write wins unless said otherwise. */
  readonly policy?: ConflictPolicy | undefined;
  /**
   * How devices reach the remote: `store`, its contract itself, the default; or `sdk`: the official SDK, whose requests the server's own handlers answer
   * without sockets. Needs `@azure/cosmos`; takes some times longer.
   */
  readonly remote?: 'store' | 'sdk' | undefined;
  /** What the world has beside what all have; drawn from the seed unless given. */
  readonly dimensions?: readonly Dimension[] | undefined;
  /** Which events there are more of; drawn from the seed unless given, and `even` where `dimensions` are. */
  readonly mix?: Mix | undefined;
  /** Folder for the files of the devices; one of its own in the system's folder for temporary files unless said otherwise. */
  readonly folder?: string | undefined;
}

/** What a simulation came to. */
export interface SimulationReport {
  readonly seed: number;
  /** What must never happen and did; empty where all is well. */
  readonly violations: readonly string[];
  /** Every event, in order. The same seed gives the same lines. */
  readonly trace: readonly string[];
  /** Edits whose calls resolved, over all devices. */
  readonly edits: number;
  readonly requests: number;
  readonly crashes: number;
}
