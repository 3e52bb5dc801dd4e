import type { Backend } from '../store/backend.ts';
import type { CopyCheckpoint } from './copy-checkpoint.ts';
import type { CopyProgress } from './copy-report.ts';
import type { CopyTimeToLive } from './remaining-life.ts';

/** Settings of {@link copyContainers}. */
export interface CopyOptions {
  readonly from: Backend;
  readonly to: Backend;
  /** One database; all unless said otherwise. */
  readonly database?: string | undefined;
  /** One container of the database; all unless said otherwise. */
  readonly container?: string | undefined;
  /** Puts the source's version also over one of the target that is newer. */
  readonly overwrite?: boolean | undefined;
  /**
   * What becomes of a time to live: `restart` (the default) lets it begin again with the copy, `remaining` writes what is left of it into the copy's
   * `ttl`. Given, it also lets documents into a container with another default time to live.
   */
  readonly timeToLive?: CopyTimeToLive | undefined;
  /** Compares both sides at the end; true unless said otherwise. */
  readonly verify?: boolean | undefined;
  /** Where to keep how far the copy is. Without one, a copy that was stopped begins anew, and finds what is there. */
  readonly checkpoint?: CopyCheckpoint | undefined;
  /** Differences that are named for each container; 100 unless said otherwise. */
  readonly maxNamed?: number | undefined;
  /** Documents read and written at a time; 100 unless said otherwise. */
  readonly pageItems?: number | undefined;
  readonly onProgress?: ((progress: CopyProgress) => void) | undefined;
  /** Called with what a person should know before a container is copied. */
  readonly onNotice?: ((text: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}
