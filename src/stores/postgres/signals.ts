import type { Client, ClientConfig } from 'pg';
import type { Unsubscribe } from '../../core/emitter.ts';
import type { Logger } from '../../core/logger.ts';
import type { CancelTimer, Runtime } from '../../core/runtime.ts';
import { isDirect } from './connection-facts.ts';
import type { PgModule } from './pg-driver.ts';
import { quoteName } from './names.ts';

/** Commits of one server are told to others at most so often. */
const COALESCE_MS = 20;
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 30_000;
/** A notification has room for 8,000 bytes. */
const MAX_NUMBERS = 500;

/** How {@link Signals} are opened. */
export interface SignalsOptions {
  readonly pg: PgModule;
  /** A connection to the server itself: behind a pooler nobody can listen. */
  readonly connection: ClientConfig;
  readonly channel: string;
  readonly runtime: Runtime;
  readonly logger: Logger;
}

/**
 * Tells servers on the same data of each other's commits, so that those who follow a change feed are woken at once.
 *
 * On a connection of its own and outside the transactions that write: a `NOTIFY` within one makes all commits of the database wait for each other.
 * A signal may be lost, so whoever waits for one asks now and then too.
 */
export class Signals {
  readonly #options: SignalsOptions;
  readonly #listeners = new Set<(containers: ReadonlySet<number> | 'all') => void>();
  #dirty = new Set<number>();
  #client: Client | undefined;
  #connecting: Promise<void> | undefined;
  #cancelFlush: CancelTimer | undefined;
  #cancelRetry: CancelTimer | undefined;
  #isFlushing = false;
  #retryMs = FIRST_RETRY_MS;
  #isDeaf = false;
  #closed = false;

  constructor(options: SignalsOptions) {
    this.#options = options;
  }

  /** Takes note of a commit of this process, to tell it soon. */
  committed(container: number): void {
    this.#dirty.add(container);
    this.#flushSoon();
  }

  /** Calls `listener` with the containers to which others may have committed. */
  listen(listener: (containers: ReadonlySet<number> | 'all') => void): Unsubscribe {
    this.#listeners.add(listener);
    void this.#connect();
    return () => {
      this.#listeners.delete(listener);
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelFlush?.();
    this.#cancelRetry?.();
    await this.#connecting;
    const client = this.#client;
    this.#client = undefined;
    try {
      await client?.end();
    } catch (error) {
      this.#options.logger.log('debug', 'The connection for signals did not end in order.', { error });
    }
  }

  #flushSoon(): void {
    if (!this.#closed && this.#cancelFlush === undefined && !this.#isFlushing) {
      this.#cancelFlush = this.#options.runtime.setTimer(COALESCE_MS, () => {
        this.#cancelFlush = undefined;
        this.#isFlushing = true;
        void this.#flush().finally(() => {
          this.#isFlushing = false;
          // What could not be sent waits for the next connection.
          if (this.#dirty.size > 0 && this.#client !== undefined) {
            this.#flushSoon();
          }
        });
      });
    }
  }

  async #flush(): Promise<void> {
    await this.#connect();
    const client = this.#client;
    if (client === undefined || this.#closed) {
      return;
    }
    const dirty = [...this.#dirty];
    this.#dirty = new Set();
    const payload = dirty.length > MAX_NUMBERS ? 'all' : dirty.join(',');
    try {
      await client.query('SELECT pg_notify($1, $2)', [this.#options.channel, payload]);
    } catch (error) {
      this.#options.logger.log('debug', 'A signal was not sent; followers notice the commit when they ask next.', { error });
    }
  }

  #connect(): Promise<void> {
    if (this.#client !== undefined || this.#closed || this.#cancelRetry !== undefined) {
      return Promise.resolve();
    }
    this.#connecting ??= this.#open().finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  async #open(): Promise<void> {
    const { pg, connection, channel, logger } = this.#options;
    const client = new pg.Client(connection);
    const lost = (error?: unknown): void => {
      if (this.#client === client) {
        this.#client = undefined;
        this.#retryLater(error);
      }
    };
    client.on('error', lost);
    client.on('end', lost);
    client.on('notification', ({ payload }) => this.#tell(containersIn(payload ?? '')));
    try {
      await client.connect();
      if (await isDirect(client)) {
        await client.query(`LISTEN ${quoteName(channel)}`);
      } else if (!this.#isDeaf) {
        // The connection behind a pooler is another's in a moment, who would be told instead. What is told here, others may still hear.
        this.#isDeaf = true;
        logger.log(
          'warn',
          'The connection for signals goes through a pooler, so followers of change feeds notice commits of other servers only when they ask; give the option signals the address of PostgreSQL itself.',
        );
      }
    } catch (error) {
      client.end().catch((ending: unknown) => logger.log('debug', 'A connection that failed did not end in order.', { error: ending }));
      this.#retryLater(error);
      return;
    }
    this.#client = client;
    this.#retryMs = FIRST_RETRY_MS;
    // Who listened before may have missed something, and so may others who were to be told.
    this.#tell('all');
    if (this.#dirty.size > 0) {
      this.#flushSoon();
    }
  }

  #retryLater(error: unknown): void {
    if (this.#closed || this.#cancelRetry !== undefined) {
      return;
    }
    this.#options.logger.log('debug', 'The connection for signals ended; it is made again.', { error });
    this.#cancelRetry = this.#options.runtime.setTimer(this.#retryMs, () => {
      this.#cancelRetry = undefined;
      void this.#connect();
    });
    this.#retryMs = Math.min(this.#retryMs * 2, LONGEST_RETRY_MS);
  }

  #tell(containers: ReadonlySet<number> | 'all'): void {
    for (const listener of this.#listeners) {
      listener(containers);
    }
  }
}

function containersIn(payload: string): ReadonlySet<number> | 'all' {
  return payload === 'all' ? 'all' : new Set(payload.split(',').map(Number));
}
