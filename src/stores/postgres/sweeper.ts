import { toHex, type CancelTimer } from '../../core/runtime.ts';
import type { PostgresContainer } from './postgres-container.ts';
import type { PostgresDatabase } from './postgres-database.ts';
import { quoteName } from './names.ts';
import { tidyVersions } from './versions/tidy-versions.ts';

const LEASE = 'sweeper';
/** Rows that one statement removes. */
const SWEEP_ROWS = 500;

/**
 * Removes rows whose time to live has run out, which count as missing long before, and versions that are older than they are kept. Of all servers on the same data the one that has the lease does it; the
 * lease of one that was killed ends by itself.
 */
export class Sweeper {
  readonly #database: PostgresDatabase;
  readonly #intervalMs: number;
  readonly #containers: () => Promise<readonly PostgresContainer[]>;
  readonly #holder: string;
  #cancel: CancelTimer | undefined;
  #running: Promise<unknown> = Promise.resolve();
  #closed = false;

  /** @param containers those with a time to live, or recorded versions */
  constructor(database: PostgresDatabase, intervalMs: number, containers: () => Promise<readonly PostgresContainer[]>) {
    this.#database = database;
    this.#intervalMs = intervalMs;
    this.#containers = containers;
    this.#holder = toHex(database.runtime.randomBytes(8));
  }

  start(): void {
    if (!this.#closed && this.#intervalMs > 0) {
      this.#cancel = this.#database.runtime.setTimer(this.#intervalMs, () => {
        this.#running = this.sweep()
          .catch((error: unknown) => this.#database.logger.log('warn', 'Removing expired documents failed; it is tried again.', { error }))
          .finally(() => this.start());
      });
    }
  }

  /** Removes what has expired, where this server has the lease; gives how many rows, `undefined` without it. */
  async sweep(): Promise<number | undefined> {
    let swept = 0;
    for (const container of (await this.#hasLease()) ? await this.#containers() : []) {
      if (container.isRecording) {
        await tidyVersions(container, undefined);
        continue;
      }
      for (let found = SWEEP_ROWS; found === SWEEP_ROWS && !this.#closed;) {
        if (!(await this.#hasLease())) {
          return undefined;
        }
        found = (
          await this.#database.rows('remove expired documents of the PostgreSQL store', {
            text: `${container.statements.sweep} RETURNING ordinal`,
            values: [container.nowSeconds(), SWEEP_ROWS, container.info.etag],
          })
        ).length;
        swept += found;
      }
    }
    return swept;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancel?.();
    await this.#running;
  }

  async #hasLease(): Promise<boolean> {
    const nowMs = Math.floor(this.#database.runtime.nowMs());
    const rows = await this.#database.rows('take the lease of the sweeper of the PostgreSQL store', {
      text: `INSERT INTO ${quoteName(this.#database.prefix)}.leases AS l (name, holder, until_ms) VALUES ($1, $2, $3)
        ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until_ms = excluded.until_ms
        WHERE l.holder = excluded.holder OR l.until_ms < $4 RETURNING holder`,
      values: [LEASE, this.#holder, nowMs + Math.max(3 * this.#intervalMs, 10_000), nowMs],
    });
    return rows.length > 0;
  }
}
