import type { Emitter } from '../core/emitter.ts';
import type { Logger } from '../core/logger.ts';
import type { Runtime } from '../core/runtime.ts';
import type { SqliteDatabase } from '../stores/sqlite/sqlite-database.ts';
import type { LATE } from './late-parts.ts';
import type { RequestUnitBudget } from './run/request-unit-budget.ts';
import type { SyncClock } from './state/sync-clock.ts';
import type { SyncEvents } from './sync-events.ts';
import type { SyncPoint } from './sync-options.ts';
import type { Watchdog } from './run/watchdog.ts';

/** What all parts of one engine share. */
export interface SyncContext {
  readonly database: SqliteDatabase;
  /** Id of the device. */
  readonly device: string;
  /** Parts that may have to be loaded first. */
  readonly late: typeof LATE;
  readonly runtime: Runtime;
  readonly logger: Logger;
  readonly clock: SyncClock;
  readonly toleranceMs: number;
  readonly tombstoneTtlSeconds: number;
  readonly pageItems: number;
  readonly markerIntervalMs: number;
  readonly events: Emitter<SyncEvents>;
  readonly watchdog: Watchdog;
  /**
   * Whether a loss of power could take versions out of the journal, be they of an earlier life: what took their place must not be sent before that is over.
   * Nor may it take the number of a life of which anything was sent, where policies merge: the next life would have it again.
   */
  readonly atRisk: { losers: boolean };
  readonly budget: RequestUnitBudget | undefined;
  readonly probe: ((point: SyncPoint) => void | Promise<void>) | undefined;
  /** Tells people of something that is not an error, once per text. */
  readonly warn: (warning: string) => void;
}
