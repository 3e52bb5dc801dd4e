import type { CancelTimer, Runtime } from '../../../core/runtime.ts';
import type { ConsistencyLevel } from '../../../store/operations.ts';
import type { PostgresContainer } from '../postgres-container.ts';
import type { PostgresDatabase } from '../postgres-database.ts';
import type { PrimarySample, Replica } from './replica.ts';

/** How a {@link ReplicaSet} works. */
export interface ReplicaSetOptions {
  readonly primary: PostgresDatabase;
  readonly replicas: readonly Replica[];
  /** A replica that is older is not read from. */
  readonly maxLagMs: number;
}

/** What of a call decides who may answer it. */
export interface ReadTerms {
  readonly consistency?: ConsistencyLevel | undefined;
  readonly session?: string | undefined;
}

/** A replica as its operator sees it. */
export interface ReplicaStatus {
  /** Whether it is read from. */
  readonly live: boolean;
  /** How old it is at most; `undefined` where that is not known. */
  readonly lagMs: number | undefined;
  /** Calls that it has answered. */
  readonly reads: number;
}

const LOOK_MS = 100;
/** Containers that nobody reads by sessions are not asked for. */
const INTEREST_MS = 60_000;
const WHAT = 'look how far the PostgreSQL store has come';

/** Where the log ends; behind the head of a page on which nothing was written yet it is the end of the page before, as replicas say it. */
const LOG_END = `SELECT (CASE WHEN at % 8192 = 24 THEN at - 24 WHEN at % segment = 40 THEN at - 40 ELSE at END)::bigint AS log, started
  FROM (SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn AS at, pg_size_bytes(current_setting('wal_segment_size')) AS segment,
    pg_postmaster_start_time()::text AS started) AS s`;

/**
 * The replicas of a store, and how far each has come.
 *
 * A session is a position: it covers writes with it and lower ones. The primary is asked first up to which position all writes of a container are done,
 * then for the end of its log; a replica that has replayed that log has all that a session up to that position may have seen.
 */
export class ReplicaSet {
  readonly #primary: PostgresDatabase;
  readonly #replicas: readonly Replica[];
  readonly #maxLagMs: number;
  readonly #interest = new Map<number, { readonly container: PostgresContainer; untilMs: number }>();
  #samples: readonly PrimarySample[] = [];
  #started: string | undefined;
  #next = 0;
  #cancel: CancelTimer | undefined;
  #looking: Promise<void> | undefined;
  #closed = false;

  constructor({ primary, replicas, maxLagMs }: ReplicaSetOptions) {
    this.#primary = primary;
    this.#replicas = replicas;
    this.#maxLagMs = maxLagMs;
  }

  start(): void {
    this.#schedule(0);
  }

  /** The replica that may answer a read, if any. */
  pick(container: PostgresContainer, { consistency = 'session', session }: ReadTerms, needsHorizon = false): Replica | undefined {
    if (consistency === 'strong' || (consistency === 'session' && session === undefined)) {
      return undefined;
    }
    const position = consistency === 'session' ? Number(session) : 0;
    if (consistency === 'session' || needsHorizon) {
      this.#note(container);
    }
    for (let tries = 0; tries < this.#replicas.length; tries += 1) {
      const replica = this.#replicas[this.#next++ % this.#replicas.length] as Replica;
      const horizon = replica.horizonOf(container.number);
      const isEnough = horizon === undefined ? consistency === 'eventual' && !needsHorizon : horizon >= position;
      if (replica.isLive && isEnough) {
        return replica;
      }
    }
    return undefined;
  }

  status(): readonly ReplicaStatus[] {
    const nowMs = this.#runtime.monotonicMs();
    return this.#replicas.map(({ isLive, freshMs, reads }) => ({
      live: isLive,
      lagMs: freshMs === undefined ? undefined : Math.round(nowMs - freshMs),
      reads,
    }));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancel?.();
    await this.#looking;
    await Promise.all(this.#replicas.map((replica) => replica.close()));
  }

  get #runtime(): Runtime {
    return this.#primary.runtime;
  }

  #note(container: PostgresContainer): void {
    const untilMs = this.#runtime.monotonicMs() + INTEREST_MS;
    const known = this.#interest.get(container.number);
    if (known?.container === container) {
      known.untilMs = untilMs;
    } else {
      this.#interest.set(container.number, { container, untilMs });
    }
  }

  #schedule(afterMs: number): void {
    if (!this.#closed) {
      this.#cancel = this.#runtime.setTimer(afterMs, () => {
        this.#looking = this.#look().finally(() => {
          this.#looking = undefined;
          this.#schedule(LOOK_MS);
        });
      });
    }
  }

  async #look(): Promise<void> {
    const atMs = this.#runtime.monotonicMs();
    const oldestMs = atMs - this.#maxLagMs;
    try {
      const sample = await this.#sample(atMs);
      this.#samples = [...this.#samples.filter((earlier) => earlier.atMs >= oldestMs), sample];
    } catch (error) {
      // Replicas answer until they are too old.
      this.#primary.logger.log('debug', 'The primary was not asked how far it has come.', { error });
    }
    await Promise.all(this.#replicas.map((replica) => replica.look(this.#samples, oldestMs)));
  }

  async #sample(atMs: number): Promise<PrimarySample> {
    const horizons = new Map<number, number>();
    for (const [number, { container, untilMs }] of this.#interest) {
      const horizon = untilMs < atMs ? undefined : await this.#horizonOf(container);
      if (horizon === undefined) {
        this.#interest.delete(number);
      } else {
        horizons.set(number, horizon);
      }
    }
    const [row] = await this.#primary.rows<{ log: number; started: string }>(WHAT, { text: LOG_END });
    const { log = 0, started } = row ?? {};
    if (started !== this.#started || log < (this.#samples.at(-1)?.log ?? 0)) {
      // Another primary has taken over, whose log is another from some place on.
      this.#started = started;
      this.#samples = [];
      for (const replica of this.#replicas) {
        replica.forget();
      }
    }
    return { atMs, log, horizons };
  }

  /** `undefined` where the container is gone. */
  async #horizonOf({ statements }: PostgresContainer): Promise<number | undefined> {
    try {
      const [row] = await this.#primary.rows<{ horizon: number }>(WHAT, { text: statements.horizon, values: [] });
      return row?.horizon;
    } catch {
      return undefined;
    }
  }
}
