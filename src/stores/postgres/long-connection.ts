import type { Client, PoolConfig } from 'pg';
import { throwIfAborted } from '../../core/errors.ts';
import { isDirect } from './connection-facts.ts';
import { COLUMN_TYPES, type PgModule } from './pg-driver.ts';
import type { PgRow, PostgresDatabase, Session, Statement } from './postgres-database.ts';
import { wrapPostgresError } from './postgres-errors.ts';

/** How connections are made. */
export interface Connecting {
  readonly pg: PgModule;
  readonly connection: PoolConfig;
}

/** A connection for statements that take as long as a container is large: none of them times out, and an abort ends the one under way. */
export class LongConnection implements Session {
  readonly #client: Client;
  readonly #what: string;
  readonly #signal: AbortSignal | undefined;
  readonly #cut: () => void;
  #isOpen = false;

  constructor({ pg, connection }: Connecting, { logger }: PostgresDatabase, what: string, signal: AbortSignal | undefined) {
    this.#what = what;
    this.#signal = signal;
    this.#client = new pg.Client({ ...connection, types: COLUMN_TYPES });
    this.#client.on('error', (error) => logger.log('debug', 'A connection for long statements ended.', { error }));
    this.#cut = () => void this.end();
    signal?.addEventListener('abort', this.#cut, { once: true });
  }

  /** @throws the signal's reason, and what the statement throws */
  async rows<R extends PgRow = PgRow>({ text, values }: Statement): Promise<readonly R[]> {
    throwIfAborted(this.#signal);
    try {
      if (!this.#isOpen) {
        this.#isOpen = true;
        await this.#client.connect();
        if (await isDirect(this.#client)) {
          // Elsewhere whoever is given the connection next would have them.
          await this.#client.query('SET statement_timeout = 0; SET lock_timeout = 0');
        }
      }
      return (await this.#client.query<R>({ text, ...(values === undefined ? {} : { values: values as unknown[] }) })).rows;
    } catch (error) {
      throwIfAborted(this.#signal);
      throw wrapPostgresError(error, this.#what);
    }
  }

  async end(): Promise<void> {
    this.#signal?.removeEventListener('abort', this.#cut);
    await this.#client.end().catch(() => undefined);
  }
}
