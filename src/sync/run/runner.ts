import { PerigeeError, throwIfAborted } from '../../core/errors.ts';
import { sleep, type Runtime } from '../../core/runtime.ts';
import type { ExclusiveLock } from '../../stores/sqlite/exclusive-lock.ts';
import type { SqliteDatabase } from '../../stores/sqlite/sqlite-database.ts';

const LOCK = 'runner';
/** Between two looks at a lock that another holds. */
const POLL_MS = 50;

/** Who synchronises a file at a moment. */
export type RunnerState = 'this' | 'other' | 'none';

/** Lets one engine at a time synchronise a file, over all processes; reading and writing locally is free to all of them. */
export class Runner {
  readonly #database: SqliteDatabase;
  readonly #runtime: Runtime;
  readonly #lock: ExclusiveLock;

  constructor(database: SqliteDatabase, runtime: Runtime) {
    this.#database = database;
    this.#runtime = runtime;
    this.#lock = database.lock(LOCK);
  }

  /** Does work while no other engine synchronises the file; waits so long for its turn. @throws SYNC_BUSY, the signal's reason, and what `work` throws */
  async alone<R>(signal: AbortSignal, waitMs: number, work: () => Promise<R>): Promise<R> {
    await this.#take(signal, waitMs);
    try {
      return await work();
    } finally {
      await this.#lock.release();
    }
  }

  /** Who runs at this moment. */
  async state(): Promise<RunnerState> {
    return this.#lock.isHeld ? 'this' : (await this.#lock.isTaken()) ? 'other' : 'none';
  }

  close(): Promise<void> {
    return this.#lock.close();
  }

  async #take(signal: AbortSignal, waitMs: number): Promise<void> {
    const untilMs = this.#runtime.monotonicMs() + waitMs;
    for (;;) {
      throwIfAborted(signal);
      if (await this.#lock.tryTake()) {
        return;
      }
      if (this.#runtime.monotonicMs() >= untilMs) {
        throw new PerigeeError(
          'SYNC_BUSY',
          `Cannot synchronise the file ${JSON.stringify(this.#database.path)}: another process, or another engine of this one, is doing so. ` +
            'It sends what is pending; try again when it is done, or raise lockTimeoutMs.',
        );
      }
      await sleep(this.#runtime, POLL_MS, signal);
    }
  }
}

/** Who synchronises the file of a database that no engine is opened on. */
export async function runnerOf(database: SqliteDatabase): Promise<Exclude<RunnerState, 'this'>> {
  const lock = database.lock(LOCK);
  try {
    return (await lock.isTaken()) ? 'other' : 'none';
  } finally {
    await lock.close();
  }
}
