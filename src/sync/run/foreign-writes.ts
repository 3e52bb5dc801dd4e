import type { Logger } from '../../core/logger.ts';
import { get, type Program } from '../../stores/sqlite/driver.ts';
import type { SqliteDatabase } from '../../stores/sqlite/sqlite-database.ts';
import type { Runner } from './runner.ts';

/** Notices what other processes have left to send in the same file. */
export class ForeignWrites {
  readonly #database: SqliteDatabase;
  readonly #runner: Runner;
  readonly #logger: Logger;
  #epoch: number;

  constructor(database: SqliteDatabase, runner: Runner, logger: Logger) {
    this.#database = database;
    this.#runner = runner;
    this.#logger = logger;
    this.#epoch = database.epoch;
  }

  /** Whether something waits to be sent since others have written to the file. While another process runs there is nothing to do, for it sends it. */
  async look(): Promise<boolean> {
    try {
      await this.#database.pollCommits();
      const { epoch } = this.#database;
      if (epoch === this.#epoch || (await this.#runner.state()) === 'other') {
        return false;
      }
      this.#epoch = epoch;
      return await this.#database.read(hasSendable);
    } catch (error) {
      // The next run meets whatever is wrong with the file, and reports it.
      this.#logger.log('debug', 'Cannot look for the writes of other processes.', { error });
      return false;
    }
  }
}

function* hasSendable(): Program<boolean> {
  return (yield* get('SELECT 1 AS one FROM sync_outbox WHERE rejected_code IS NULL LIMIT 1')) !== undefined;
}
