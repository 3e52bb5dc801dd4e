import type { CancelTimer } from '../../core/runtime.ts';
import type { PostgresContainer } from './postgres-container.ts';
import type { PostgresDatabase } from './postgres-database.ts';
import { dropDeletedDatabases } from './drop-schemas.ts';
import { Lease } from './lease.ts';
import { tidyVersions } from './versions/tidy-versions.ts';

const LEAST_LEASE_MS = 10_000;
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
  readonly #lease: Lease;
  #cancel: CancelTimer | undefined;
  #running: Promise<unknown> = Promise.resolve();
  #closed = false;

  /** @param containers those with a time to live, or recorded versions */
  constructor(database: PostgresDatabase, intervalMs: number, containers: () => Promise<readonly PostgresContainer[]>) {
    this.#database = database;
    this.#intervalMs = intervalMs;
    this.#containers = containers;
    this.#lease = new Lease(database, 'sweeper', Math.max(3 * intervalMs, LEAST_LEASE_MS));
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
    if (!(await this.#lease.take())) {
      return undefined;
    }
    // Of a server that was killed.
    await dropDeletedDatabases(this.#database);
    for (const container of await this.#containers()) {
      if (container.isRecording) {
        await tidyVersions(container, undefined);
        continue;
      }
      for (let found = SWEEP_ROWS; found === SWEEP_ROWS && !this.#closed;) {
        if (!(await this.#lease.take())) {
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
}
