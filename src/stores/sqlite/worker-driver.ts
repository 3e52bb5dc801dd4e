import { Worker } from 'node:worker_threads';
import type { ErrorCode } from '../../core/error-codes.ts';
import { PerigeeError } from '../../core/errors.ts';
import type { SqliteConnection, SqliteConnectionOptions, SqliteDriver, SqliteStep } from './driver.ts';
import type { WorkerAnswer, WorkerErrorData, WorkerRequest } from './worker-protocol.ts';

/** The part of a `node:worker_threads` Worker that the driver uses. */
export interface WorkerLike {
  postMessage(message: unknown): void;
  on(event: 'message', listener: (message: WorkerAnswer) => void): unknown;
  on(event: 'error', listener: (error: unknown) => void): unknown;
  on(event: 'exit', listener: (exitCode: number) => void): unknown;
  terminate(): Promise<number>;
  ref(): void;
  unref(): void;
}

/** Options of {@link workerDriver}. */
export interface WorkerDriverOptions {
  /** Starts the thread that runs `worker-thread.js`; give one where a bundler moves files. */
  readonly createWorker?: (() => WorkerLike) | undefined;
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

function rebuild({ code, message, details, causeMessage }: WorkerErrorData): PerigeeError {
  return new PerigeeError(code as ErrorCode, message, {
    details,
    cause: causeMessage === undefined ? undefined : new Error(causeMessage),
  });
}

class WorkerConnection implements SqliteConnection {
  readonly executeSync = undefined;
  readonly #worker: WorkerLike;
  readonly #waiting: Waiting[] = [];
  #failure: PerigeeError | undefined;

  constructor(worker: WorkerLike) {
    this.#worker = worker;
    worker.on('message', (answer) => this.#settle(answer));
    worker.on('error', (cause) => this.#fail(cause));
    worker.on('exit', (exitCode) => this.#fail(new Error(`exit code ${exitCode}`)));
    // An idle store does not keep the process alive; a call under way does.
    worker.unref();
  }

  send(request: WorkerRequest): Promise<unknown> {
    if (this.#failure !== undefined) {
      return Promise.reject(this.#failure);
    }
    return new Promise((resolve, reject) => {
      if (this.#waiting.length === 0) {
        this.#worker.ref();
      }
      this.#waiting.push({ resolve, reject });
      this.#worker.postMessage(request);
    });
  }

  execute(step: SqliteStep): Promise<unknown> {
    return this.send({ type: 'step', step });
  }

  async close(): Promise<void> {
    try {
      await this.send({ type: 'close' });
    } finally {
      await this.#worker.terminate();
    }
  }

  #settle(answer: WorkerAnswer): void {
    const waiting = this.#waiting.shift();
    if (this.#waiting.length === 0) {
      this.#worker.unref();
    }
    if ('error' in answer) {
      waiting?.reject(rebuild(answer.error));
    } else {
      waiting?.resolve(answer.result);
    }
  }

  #fail(cause: unknown): void {
    this.#failure ??= new PerigeeError('STORE_IO', 'The thread that holds the SQLite connection ended. Open the store again.', { cause });
    for (const { reject } of this.#waiting.splice(0)) {
      reject(this.#failure);
    }
  }
}

/**
 * better-sqlite3 in a thread of its own for each connection: no statement ever blocks the caller's event loop.
 *
 * A single call takes longer than with {@link betterSqlite3Driver}, by the way to the thread and back.
 */
export function workerDriver(options: WorkerDriverOptions = {}): SqliteDriver {
  const createWorker = options.createWorker ?? (() => new Worker(new URL('./worker-thread.js', import.meta.url)));
  return {
    name: 'worker',
    async open(connectionOptions: SqliteConnectionOptions): Promise<SqliteConnection> {
      const connection = new WorkerConnection(createWorker());
      try {
        await connection.send({ type: 'open', ...connectionOptions });
      } catch (error) {
        await connection.close().catch(() => undefined);
        throw error;
      }
      return connection;
    },
  };
}
