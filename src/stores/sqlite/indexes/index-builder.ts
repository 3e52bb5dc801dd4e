import { Emitter, type Unsubscribe } from '../../../core/emitter.ts';
import type { JsonObject } from '../../../core/json.ts';
import { indexText, readIndexKey } from '../../../query/access/index-definition.ts';
import { BODY_TEXT, tableNames } from '../container-statements.ts';
import { all, get, run, type Program, type SqliteConnection } from '../driver.ts';
import type { SqliteDatabase } from '../sqlite-database.ts';
import { buildRangeIndex, findIndex, maintainedIndex, markReady, pendingIndexes, type IndexRow } from './index-catalog.ts';

/** How far an index is that is made in the background. */
export interface IndexProgress {
  /** Id of the database and of the container. */
  readonly database: string;
  readonly container: string;
  /** What is indexed: `/type, /rank DESC` for a range index, otherwise its kind and what it is made of. */
  readonly index: string;
  readonly state: 'building' | 'ready' | 'failed';
  /** Documents that are in the index, and those that will be; a range index takes all at once. */
  readonly done: number;
  readonly total: number;
  /** Why it failed; it is tried again when the store is opened next. */
  readonly error?: unknown;
}

/** Documents that a maintained index takes in one transaction. */
const FILL_ROWS = 200;

interface Place {
  readonly database: string;
  readonly container: string;
  readonly total: number;
}

function* placeOf({ container }: IndexRow): Program<Place | undefined> {
  const { documents } = tableNames(container);
  const sql = `SELECT d.id AS database, c.id AS container, (SELECT count(*) FROM ${documents}) AS total
    FROM containers c LEFT JOIN databases d ON d.number = c.database WHERE c.number = ?`;
  const row = yield* get<{ database: string | null; container: string; total: number }>(sql, container);
  return row === undefined ? undefined : { ...row, database: row.database ?? '' };
}

/** An index for people. */
export function indexName({ kind, key }: Pick<IndexRow, 'kind' | 'key'>): string {
  return kind === 'range' ? indexText({ columns: readIndexKey(key) }) : `${kind} ${key}`;
}

/** Makes an index that still waits for it; the row may be gone, or another process may have done it a moment ago. */
function* buildProgram(number: number): Program<void> {
  const row = yield* findIndex(number);
  if (row?.ready === 0) {
    yield* buildRangeIndex(row);
  }
}

/** Gives a maintained index some more documents; the last ordinal, or undefined when it has all. */
function* fillProgram(number: number): Program<{ readonly filled: number; readonly isDone: boolean }> {
  const row = yield* findIndex(number);
  const index = row === undefined || row.ready === 1 ? undefined : maintainedIndex(row);
  if (row === undefined || index === undefined) {
    return { filled: 0, isDone: true };
  }
  const { documents } = tableNames(row.container);
  const rows = yield* all<{ ordinal: number; body: string }>(
    `SELECT ordinal, ${BODY_TEXT} AS body FROM ${documents} WHERE ordinal > ? ORDER BY ordinal LIMIT ${FILL_ROWS}`,
    row.place,
  );
  for (const { ordinal, body } of rows) {
    yield* index.put({ ordinal, value: JSON.parse(body) as JsonObject }, false);
  }
  const last = rows.at(-1);
  if (last !== undefined) {
    yield* run('UPDATE indexes SET place = ? WHERE number = ?', last.ordinal, number);
  }
  if (rows.length < FILL_ROWS) {
    yield* markReady(number);
  }
  return { filled: rows.length, isDone: rows.length < FILL_ROWS };
}

/**
 * Makes the indexes of a file that are in its catalogue and not ready, one after the other, each in a transaction of its own. What a process leaves
 * unfinished, the next one that opens the file goes on with.
 */
export class IndexBuilder {
  readonly #database: SqliteDatabase;
  /** Opens a connection in a thread of its own; undefined where there can be none, as in memory. */
  readonly #connect: (() => Promise<SqliteConnection>) | undefined;
  readonly #events = new Emitter<{ progress: IndexProgress }>();
  #running: Promise<void> | undefined;
  #isAsked = false;
  #isClosed = false;
  readonly #failed = new Set<number>();

  constructor(database: SqliteDatabase, connect: (() => Promise<SqliteConnection>) | undefined) {
    this.#database = database;
    this.#connect = connect;
  }

  onProgress(listener: (progress: IndexProgress) => void): Unsubscribe {
    return this.#events.on('progress', listener);
  }

  /** Looks for indexes to make, soon and without being waited for. */
  schedule(): void {
    this.#isAsked = true;
    if (!this.#isClosed) {
      this.#running ??= this.#work().finally(() => {
        this.#running = undefined;
      });
    }
  }

  /** Resolves when there is nothing left to make but what failed. */
  async ready(): Promise<void> {
    while (this.#running !== undefined) {
      await this.#running;
    }
  }

  /** Ends with the piece of work under way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.ready();
  }

  async #work(): Promise<void> {
    while (this.#isAsked && !this.#isClosed) {
      this.#isAsked = false;
      try {
        const pending = await this.#database.read(() => pendingIndexes());
        await this.#makeAll(pending.filter(({ number }) => !this.#failed.has(number)));
      } catch (error) {
        this.#database.logger.log('warn', 'The catalogue of indexes could not be read; it is tried again later.', { error });
      }
    }
  }

  async #makeAll(rows: readonly IndexRow[]): Promise<void> {
    const connection = rows.some(({ kind }) => kind === 'range') ? await this.#openConnection() : undefined;
    try {
      for (const row of rows) {
        if (!this.#isClosed) {
          await this.#make(row, connection);
        }
      }
    } finally {
      await connection?.close();
    }
  }

  async #openConnection(): Promise<SqliteConnection | undefined> {
    try {
      return await this.#connect?.();
    } catch (error) {
      this.#database.logger.log('warn', 'No thread could be started to make indexes; they are made in this one.', { error });
      return undefined;
    }
  }

  async #make(row: IndexRow, connection: SqliteConnection | undefined): Promise<void> {
    const place = await this.#database.read(() => placeOf(row));
    if (place === undefined) {
      return;
    }
    const report = (state: IndexProgress['state'], done: number, error?: unknown): void =>
      this.#events.emit('progress', { ...place, index: indexName(row), state, done, ...(error === undefined ? {} : { error }) });
    report('building', 0);
    try {
      if (row.kind === 'range') {
        await this.#build(row, connection);
      } else {
        await this.#fill(row, (done) => report('building', done));
      }
      if (!this.#isClosed) {
        report('ready', place.total);
      }
    } catch (error) {
      this.#failed.add(row.number);
      this.#database.logger.log('error', 'An index could not be made; queries run without it.', { index: indexName(row), error });
      report('failed', 0, error);
    }
    this.#database.invalidate();
  }

  async #build({ number }: IndexRow, connection: SqliteConnection | undefined): Promise<void> {
    if (connection === undefined) {
      await this.#database.write(() => buildProgram(number));
    } else {
      await this.#database.writeThrough(connection, () => buildProgram(number));
    }
  }

  async #fill({ number, place }: IndexRow, report: (done: number) => void): Promise<void> {
    let done = place;
    while (!this.#isClosed) {
      const { filled, isDone } = await this.#database.write(() => fillProgram(number));
      done += filled;
      report(done);
      if (isDone) {
        return;
      }
      await this.#database.runtime.yieldTask();
    }
  }
}
