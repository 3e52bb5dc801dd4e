import type { PoolConfig } from 'pg';
import { isPerigeeError, PerigeeError } from '../../../core/errors.ts';
import type { Logger } from '../../../core/logger.ts';
import type { Runtime } from '../../../core/runtime.ts';
import { openDatabase } from '../open-database.ts';
import type { PgModule } from '../pg-driver.ts';
import type { PostgresDatabase } from '../postgres-database.ts';

/** How a {@link Replica} is opened. */
export interface ReplicaOptions {
  readonly pg: PgModule;
  readonly pool: PoolConfig;
  readonly prefix: string;
  readonly prepares: boolean | undefined;
  readonly runtime: Runtime;
  readonly logger: Logger;
  /** The cluster that it has to be a copy of; empty where that is not known. */
  readonly system: string;
}

/** What was known of the primary at one moment. */
export interface PrimarySample {
  /** Before it was asked. */
  readonly atMs: number;
  /** How far its log had come. */
  readonly log: number;
  /** Positions of containers up to which every write that will ever be committed was in that log. */
  readonly horizons: ReadonlyMap<number, number>;
}

/** Codes that say that a replica is not to be asked for now; others are about the call. */
const GONE = ['CONNECTION_LOST', 'UNREACHABLE', 'UNAVAILABLE', 'UNAUTHORIZED'] as const;
const WHAT = 'read from a replica of the PostgreSQL store';

/** One streaming copy of the primary, and how far it has come. */
export class Replica {
  readonly #options: ReplicaOptions;
  readonly #horizons = new Map<number, number>();
  #database: PostgresDatabase | undefined;
  #freshMs: number | undefined;
  #isLive = false;
  #reads = 0;

  constructor(options: ReplicaOptions) {
    this.#options = options;
  }

  /** Whether it may be read from. */
  get isLive(): boolean {
    return this.#isLive;
  }

  /** Calls that it has answered. */
  get reads(): number {
    return this.#reads;
  }

  /** As of when it is, at least. */
  get freshMs(): number | undefined {
    return this.#freshMs;
  }

  /** The position of a container up to which it has every write that will ever be committed. */
  horizonOf(container: number): number | undefined {
    return this.#horizons.get(container);
  }

  /**
   * Reads; `undefined` where that failed, whatever the reason: then the primary is asked, which says it again where it is about the call itself.
   */
  async read<R>(signal: AbortSignal | undefined, work: (database: PostgresDatabase) => Promise<R>): Promise<R | undefined> {
    try {
      const result = await work(this.#database as PostgresDatabase);
      this.#reads += 1;
      return result;
    } catch (error) {
      if (signal?.aborted === true || !(error instanceof PerigeeError)) {
        throw error;
      }
      if (GONE.some((code) => isPerigeeError(error, code))) {
        this.#leaveOut(error);
      }
      return undefined;
    }
  }

  /** Looks how far it has come, connecting first where that is to be done. Leaves it out where it is older than `oldestMs`. */
  async look(samples: readonly PrimarySample[], oldestMs: number): Promise<void> {
    try {
      this.#database ??= await this.#open();
      const [row] = await this.#database.rows<{ standby: boolean; replayed: number | null; system: string }>(WHAT, {
        text: "SELECT pg_is_in_recovery() AS standby, (pg_last_wal_replay_lsn() - '0/0'::pg_lsn)::bigint AS replayed",
      });
      if (row?.standby !== true || row.replayed === null) {
        throw new PerigeeError('UNAVAILABLE', 'Cannot read from a replica of the PostgreSQL store: it is no replica any more.');
      }
      for (const { atMs, log, horizons } of samples) {
        if (log <= row.replayed) {
          this.#freshMs = Math.max(this.#freshMs ?? atMs, atMs);
          for (const [container, horizon] of horizons) {
            this.#horizons.set(container, Math.max(horizon, this.#horizons.get(container) ?? 0));
          }
        }
      }
    } catch (error) {
      this.#leaveOut(error);
      return;
    }
    const isFresh = this.#freshMs !== undefined && this.#freshMs >= oldestMs;
    if (isFresh !== this.#isLive) {
      this.#isLive = isFresh;
      this.#options.logger.log(
        isFresh ? 'info' : 'warn',
        isFresh ? 'A replica of the PostgreSQL store is read from.' : 'A replica of the PostgreSQL store is too old to be read from.',
      );
    }
  }

  /** Nothing that was known of it holds: the primary is another. */
  forget(): void {
    this.#horizons.clear();
    this.#freshMs = undefined;
    this.#isLive = false;
  }

  async close(): Promise<void> {
    this.#isLive = false;
    await this.#database?.close();
  }

  #leaveOut(error: unknown): void {
    if (this.#isLive) {
      this.#options.logger.log('warn', 'A replica of the PostgreSQL store is not read from until it answers.', { error });
    }
    this.forget();
  }

  async #open(): Promise<PostgresDatabase> {
    const { pg, pool, prefix, prepares, runtime, logger, system } = this.#options;
    const { database } = await openDatabase({ pg, pool, prefix, prepares, runtime, logger });
    try {
      if (system !== '') {
        const [row] = await database.rows<{ system: string }>(WHAT, {
          text: 'SELECT system_identifier::text AS system FROM pg_control_system()',
        });
        if (row?.system !== system) {
          throw new PerigeeError('UNAVAILABLE', 'Cannot read from a replica of the PostgreSQL store: it is a copy of another cluster.');
        }
      }
      return database;
    } catch (error) {
      await database.close();
      throw error;
    }
  }
}
