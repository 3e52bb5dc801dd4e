import type { Dimension } from '../../src/simulator/dimensions/dimensions.ts';
import type { Mix } from '../../src/simulator/dimensions/mixes.ts';

/** A fault that is put into the sources on purpose. */
export interface Mutant {
  /** What is wrong, as a person would report it. */
  readonly fault: string;
  /** Where such a fault was met: a trap of the system that sync replaces, a row of the published losses, or a rule of `src/sync/ARCHITECTURE.md`. */
  readonly origin: string;
  /** What all worlds have in which it is looked for; drawn from the seeds unless given. */
  readonly worlds?: readonly Dimension[];
  /** What all worlds have more of in which it is looked for; drawn from the seeds unless given. */
  readonly mix?: Mix;
  /** Below `src`. */
  readonly file: string;
  /** Occurs once in the file. */
  readonly find: string;
  readonly replace: string;
}
