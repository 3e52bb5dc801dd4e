import type { Pool, PoolClient, PoolConfig, QueryResult } from 'pg';
import { isPerigeeError, PerigeeError, throwIfAborted } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import { sleep, type Runtime } from '../../core/runtime.ts';
import { beforeStatement, queryAfter, type OwnTimeouts } from './own-timeouts.ts';
import { copyIn } from './copy-in.ts';
import { LockBudget } from './lock-budget.ts';
import { COLUMN_TYPES, type PgModule } from './pg-driver.ts';
import { endsConnection, stateOf, wrapPostgresError } from './postgres-errors.ts';

/** A value that is bound to `$n`. */
export type PgValue = null | string | number | boolean | Uint8Array | readonly (string | number | null)[];

/** A row as {@link PostgresDatabase} gives it: whole numbers as numbers, JSON as text. */
export type PgRow = Readonly<Record<string, unknown>>;

/** One statement. */
export interface Statement {
  readonly text: string;
  readonly values?: readonly PgValue[] | undefined;
  /** Keeps the statement prepared under this name, one text for ever. */
  readonly name?: string | undefined;
  /** Settings of the server for the transaction in which it runs, which is its own outside of one. */
  readonly settings?: Readonly<Record<string, string>> | undefined;
}

/** What statements run on: the pool, or the one connection of a transaction. */
export interface Session {
  rows<R extends PgRow = PgRow>(statement: Statement): Promise<readonly R[]>;
}

/** The one connection of a transaction. */
export interface TransactionSession extends Session {
  /** Runs statements without values, the last of which is a `COPY … FROM STDIN` that takes `data`. */
  copy(text: string, data: Buffer): Promise<void>;
}

/** Connections to PostgreSQL at one moment. */
export interface ConnectionStatus {
  readonly used: number;
  readonly idle: number;
  /** Calls that wait for one. */
  readonly waiting: number;
  /** How many there may be. */
  readonly most: number;
}

/** How a {@link PostgresDatabase} is opened. */
export interface PostgresDatabaseOptions {
  readonly pg: PgModule;
  readonly pool: PoolConfig;
  readonly runtime: Runtime;
  readonly logger: Logger;
  /** The prefix of all schemas. */
  readonly prefix: string;
  /** Whether statements are kept prepared on connections. */
  readonly prepares: boolean;
  /** Time-outs that each transaction has to bring along. */
  readonly timeouts?: OwnTimeouts | undefined;
  /** Whether a pooler stands between. */
  readonly isPooled?: boolean | undefined;
}

/** Locks of partition keys that bulk calls hold at a time; a server that is set up as it comes has room for 6,400 locks. */
const BULK_LOCKS = 4000;
/** A transaction that met another is run again so often. */
const MAX_RUNS = 5;
const FIRST_PAUSE_MS = 5;
/** How long connections may take to end; one to a server that is gone may take minutes. */
const END_MS = 1000;
/** Transactions that met another: run again, they may find it gone. */
const MEETINGS = ['40001', '40P01'];
/** A read meets so many dead connections in a row before it fails: after a restart of the server all of the pool are. */
const MAX_DEAD = 5;

/** How far a transaction has come. */
interface Attempt {
  isCommitting: boolean;
}

/** The connections to one PostgreSQL database. */
export class PostgresDatabase {
  readonly runtime: Runtime;
  readonly logger: Logger;
  readonly prefix: string;
  readonly #pg: PgModule;
  /** Of partition keys, as bulk calls hold them. */
  readonly locks: LockBudget = new LockBudget(BULK_LOCKS);
  readonly #pool: Pool;
  readonly #prepares: boolean;
  readonly #timeouts: OwnTimeouts | undefined;
  readonly #isPooled: boolean;
  readonly #connections = new Set<PoolClient>();
  /** Connections on which a name is taken for a statement that is not there. */
  readonly #spoilt = new WeakSet<PoolClient>();

  constructor({ pg, pool, runtime, logger, prefix, prepares, timeouts, isPooled = false }: PostgresDatabaseOptions) {
    this.#pg = pg;
    this.#isPooled = isPooled;
    this.#timeouts = timeouts;
    this.runtime = runtime;
    this.logger = logger;
    this.prefix = prefix;
    this.#prepares = prepares;
    this.#pool = new pg.Pool({ ...pool, types: COLUMN_TYPES } as PoolConfig);
    this.#pool.on('connect', (client) => {
      this.#connections.add(client);
      // The pool listens to idle connections only; one that ends in use says so to whoever uses it, and without a listener to the process, which ends.
      client.on('error', (error) => logger.log('debug', 'A connection to PostgreSQL ended.', { error }));
    });
    this.#pool.on('remove', (client) => this.#connections.delete(client));
    // An idle connection that ends takes nothing with it; without a listener it would end the process.
    this.#pool.on('error', (error) => logger.log('warn', 'An idle connection to PostgreSQL ended; another takes its place.', { error }));
  }

  /** Runs a statement that only reads, on another connection where the one at hand turns out to be dead. */
  async read<R extends PgRow = PgRow>(what: string, statement: Statement): Promise<readonly R[]> {
    for (let dead = 1; ; dead += 1) {
      try {
        return await this.rows<R>(what, statement);
      } catch (error) {
        if (dead >= MAX_DEAD || !isPerigeeError(error, 'CONNECTION_LOST')) {
          throw error;
        }
      }
      // Meanwhile the pool notices which others have ended as well.
      await this.#pause(dead, undefined);
    }
  }

  /**
   * Runs one statement on a connection of its own, committed when it resolves. `what` names the attempt for errors.
   *
   * @throws CONNECTION_LOST, which leaves open whether what it wrote was committed
   */
  async rows<R extends PgRow = PgRow>(what: string, statement: Statement): Promise<readonly R[]> {
    const client = await this.#connect(what);
    try {
      const rows = await this.#run<R>(client, statement, this.#timeouts);
      client.release();
      return rows;
    } catch (error) {
      client.release(endsConnection(error) || this.#spoilt.has(client));
      throw wrapPostgresError(error, what);
    }
  }

  /**
   * Runs `work` in one transaction at READ COMMITTED.
   *
   * @param mode `once`: what `work` does cannot be done again, so that meeting another transaction is an error; `again`: it runs again then, and after
   * the loss of a connection before the commit was sent, with which the transaction was undone
   * @throws RETRY_WITH, CONNECTION_LOST (its outcome is unknown where the commit was sent) and what `work` throws, after the transaction was undone
   */
  async transaction<R>(
    what: string,
    work: (session: TransactionSession) => Promise<R>,
    options: { readonly mode?: 'once' | 'again' | undefined; readonly signal?: AbortSignal | undefined } = {},
  ): Promise<R> {
    const { mode = 'again', signal } = options;
    for (let run = 1; ; run += 1) {
      const attempt: Attempt = { isCommitting: false };
      try {
        return await this.#transactOnce(what, work, signal, attempt);
      } catch (error) {
        const state = stateOf((error as { cause?: unknown }).cause);
        const hasMet = state !== undefined && MEETINGS.includes(state);
        const isUndone = !attempt.isCommitting && isPerigeeError(error, 'CONNECTION_LOST');
        if (mode === 'once' || run >= MAX_RUNS || !(hasMet || isUndone)) {
          throw error;
        }
      }
      await this.#pause(run, signal);
    }
  }

  /** Reads in one transaction that sees one moment, however long it is read; it ends when the reader does. */
  async *readAtOnce<T>(what: string, read: (session: Session) => AsyncGenerator<T>): AsyncGenerator<T> {
    const client = await this.#connect(what);
    const session = this.#sessionOf(client, what);
    let failure: unknown;
    try {
      await session.rows({ text: `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY${this.#timeouts?.afterBegin ?? ''}` });
      // A reader takes its time, and its pauses are idle ones.
      await session.rows({ text: 'SET LOCAL idle_in_transaction_session_timeout = 0' });
      yield* read(session);
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      await this.#undo(client, failure);
    }
  }

  get connections(): ConnectionStatus {
    const { totalCount, idleCount, waitingCount, options } = this.#pool;
    return { used: totalCount - idleCount, idle: idleCount, waiting: waitingCount, most: options.max };
  }

  async close(): Promise<void> {
    await this.#pool.end();
    // The pool has only asked its connections to end. A server that is stopped next would end them itself, and be told of as one that failed.
    if (this.#connections.size > 0) {
      await new Promise<void>((resolve) => {
        const cancel = this.runtime.setTimer(END_MS, resolve);
        this.#pool.on('remove', () => {
          if (this.#connections.size === 0) {
            cancel();
            resolve();
          }
        });
      });
    }
  }

  /** Waits before a run after another, longer each time, and never as long as others that failed at the same moment. */
  #pause(run: number, signal: AbortSignal | undefined): Promise<void> {
    return sleep(this.runtime, FIRST_PAUSE_MS * 2 ** run * (0.5 + this.runtime.random()), signal);
  }

  async #transactOnce<R>(
    what: string,
    work: (session: TransactionSession) => Promise<R>,
    signal: AbortSignal | undefined,
    attempt: Attempt,
  ): Promise<R> {
    throwIfAborted(signal);
    const client = await this.#connect(what);
    const session = this.#sessionOf(client, what);
    try {
      await session.rows({ text: `BEGIN${this.#timeouts?.afterBegin ?? ''}` });
      const result = await work(session);
      throwIfAborted(signal);
      attempt.isCommitting = true;
      await this.#commit(client, what);
      client.release();
      return result;
    } catch (error) {
      await this.#undo(client, error);
      throw error;
    }
  }

  #sessionOf(client: PoolClient, what: string): TransactionSession {
    return {
      copy: async (text, data) => {
        try {
          await copyIn(client, text, data);
        } catch (error) {
          throw wrapPostgresError(error, what);
        }
      },
      rows: async <Row extends PgRow>(statement: Statement) => {
        try {
          return await this.#run<Row>(client, statement);
        } catch (error) {
          throw wrapPostgresError(error, what);
        }
      },
    };
  }

  async #commit(client: PoolClient, what: string): Promise<void> {
    let command: string;
    try {
      ({ command } = await client.query('COMMIT'));
    } catch (error) {
      throw wrapPostgresError(error, what);
    }
    // The server answers so, and not by an error, where a statement of the transaction had failed.
    if (command !== 'COMMIT') {
      throw new PerigeeError('INTERNAL', `Cannot ${what}: a statement of its transaction had failed, so the server undid it.`);
    }
  }

  /** Undoes a transaction, and gives its connection back where it is of further use. */
  async #undo(client: PoolClient, error: unknown): Promise<void> {
    const cause = (error as { cause?: unknown } | undefined)?.cause;
    if (error instanceof PerigeeError && cause !== undefined && endsConnection(cause)) {
      client.release(true);
      return;
    }
    try {
      await client.query('ROLLBACK');
      client.release(this.#spoilt.has(client));
    } catch {
      // The connection is gone, and its transaction with it; what the caller has to know is the first error.
      client.release(true);
    }
  }

  async #connect(what: string): Promise<PoolClient> {
    try {
      return await this.#pool.connect();
    } catch (error) {
      throw wrapPostgresError(error, what);
    }
  }

  /** @param timeouts of a statement that is a transaction by itself */
  async #run<R extends PgRow>(
    client: PoolClient,
    { text, values, name, settings }: Statement,
    timeouts?: OwnTimeouts,
  ): Promise<readonly R[]> {
    const query = {
      text,
      ...(values === undefined ? {} : { values: values as unknown[] }),
      ...(name === undefined || !this.#prepares ? {} : { name }),
    };
    try {
      const before = beforeStatement(timeouts, settings);
      const result = await (before === undefined ? client.query(query) : queryAfter(this.#pg, client, before, query));
      return (result as QueryResult<R>).rows;
    } catch (error) {
      // PgBouncer holds the name of a statement that could not be prepared, as for a table that is gone, and ends the connection when it comes again.
      if (this.#isPooled && 'name' in query && stateOf(error)?.startsWith('42') === true) {
        this.#spoilt.add(client);
      }
      throw error;
    }
  }
}
