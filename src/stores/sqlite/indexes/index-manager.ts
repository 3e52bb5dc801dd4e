import type { Unsubscribe } from '../../../core/emitter.ts';
import type { IndexColumn } from '../../../query/access/index-definition.ts';
import { DROP_AFTER_SECONDS, roomForIndex, type AutoIndex } from '../../common/auto-index.ts';
import { UsedIndexes, type ContainerAdvice } from '../../common/used-indexes.ts';
import { all, get, run, type Program, type SqliteConnection } from '../driver.ts';
import type { SqliteContainer } from '../sqlite-container.ts';
import type { SqliteDatabase } from '../sqlite-database.ts';
import { IndexBuilder, indexName, type IndexProgress } from './index-builder.ts';
import { addIndex, agreesWith, dropIndex, indexesOf, physicalName, reconcileIndexes, type IndexRow } from './index-catalog.ts';
import { indexTerms } from './index-expressions.ts';
import { rangeIndex, type WantedIndex } from './wanted-indexes.ts';

/** An index of a container, for people and programs. */
export interface IndexStatus {
  readonly database: string;
  readonly container: string;
  /** What is indexed: `/type, /rank DESC` for a range index, otherwise its kind and what it is made of. */
  readonly index: string;
  readonly kind: string;
  /** Whether the policy asks for it, or use under `autoIndex: 'create'`. */
  readonly origin: 'policy' | 'auto';
  readonly isReady: boolean;
}

const DATABASE_ID = "ifnull((SELECT id FROM databases WHERE number = c.database), '')";

/** Keeps the indexes of a file as its policies and its queries want them. */
export class IndexManager {
  readonly #autoIndex: AutoIndex;
  readonly #database: SqliteDatabase;
  readonly #builder: IndexBuilder;
  readonly #used: UsedIndexes<SqliteContainer>;

  constructor(database: SqliteDatabase, autoIndex: AutoIndex, connect: (() => Promise<SqliteConnection>) | undefined) {
    // Where nothing is written, what would be made is advised.
    this.#autoIndex = autoIndex === 'create' && database.isReadOnly ? 'advise' : autoIndex;
    this.#database = database;
    this.#builder = new IndexBuilder(database, connect);
    this.#used = new UsedIndexes({
      autoIndex: this.#autoIndex,
      formOf: indexTerms,
      logger: database.logger,
      add: (container, columns) => this.#add(container, columns),
      noteUse: (container, name, now) => this.#noteUse(container, name, now),
    });
  }

  /** Goes on with what an earlier process left unfinished, and with what was just added. */
  start(): void {
    if (!this.#database.isReadOnly) {
      this.#builder.schedule();
    }
  }

  onProgress(listener: (progress: IndexProgress) => void): Unsubscribe {
    return this.#builder.onProgress(listener);
  }

  /** Resolves when every index that is asked for can be used, or failed. */
  async ready(): Promise<void> {
    do {
      await this.#used.settled();
      await this.#builder.ready();
    } while (this.#used.isBusy);
  }

  /** Ends with the piece of work under way; the next one to open the file goes on. */
  async close(): Promise<void> {
    await this.#used.settled();
    await this.#builder.close();
  }

  /** Makes the catalogue agree with a container that is opened: a file of an early version has none of its indexes. */
  async open(container: SqliteContainer): Promise<void> {
    container.indexes.observer = this.#used;
    if (this.#database.isReadOnly) {
      return;
    }
    try {
      await this.#reconcile(container);
    } catch (error) {
      this.#database.logger.log('warn', 'The indexes of a container could not be looked after; queries run without those missing.', {
        error,
      });
    }
  }

  async #reconcile(container: SqliteContainer): Promise<void> {
    const { definition } = container.info;
    const now = container.nowSeconds();
    if (!(await this.#database.read(() => agreesWith(container.number, definition)))) {
      await this.#database.write(() => reconcileIndexes(container.number, definition, now));
      this.#database.invalidate();
      this.#builder.schedule();
    }
    if (this.#autoIndex === 'create') {
      await this.#dropUnused(container.number, now);
    }
  }

  /** All indexes of the file. */
  async status(): Promise<readonly IndexStatus[]> {
    type Row = IndexRow & { readonly database: string; readonly id: string };
    const sql = `SELECT i.*, c.id AS id, ${DATABASE_ID} AS database FROM indexes i JOIN containers c ON c.number = i.container ORDER BY i.number`;
    const rows = await this.#database.read(() => all<Row>(sql));
    return rows.map((row) => ({
      database: row.database,
      container: row.id,
      index: indexName(row),
      kind: row.kind,
      origin: row.origin,
      isReady: row.ready === 1,
    }));
  }

  /** How many of the indexes that the policy of a container asks for are ready, in whole percent. */
  async progressOf(container: number): Promise<number> {
    const rows = (await this.#database.read(() => indexesOf(container))).filter(({ origin }) => origin === 'policy');
    return rows.length === 0 ? 100 : Math.floor((100 * rows.filter(({ ready }) => ready === 1).length) / rows.length);
  }

  /** Indexes that queries since the opening would have used, those first that would have saved the most. */
  advice(): readonly ContainerAdvice[] {
    return this.#used.advice();
  }

  #noteUse(container: SqliteContainer, name: string, now: number): Promise<void> | undefined {
    const row = container.indexes.rows.find((one) => physicalName(one) === name);
    return row?.origin === 'auto' && !this.#database.isReadOnly
      ? this.#database.write(function* () {
          yield* run('UPDATE indexes SET used_at = ? WHERE number = ?', now, row.number);
        })
      : undefined;
  }

  async #add(container: SqliteContainer, columns: readonly IndexColumn[]): Promise<void> {
    const now = container.nowSeconds();
    const index = rangeIndex(columns);
    const isAdded = await this.#database.write(() => addAutomatic(container.number, index, now));
    if (isAdded) {
      this.#database.invalidate();
      this.#builder.schedule();
    }
  }

  async #dropUnused(container: number, now: number): Promise<void> {
    const oldest = now - DROP_AFTER_SECONDS;
    const unused = (): Program<readonly IndexRow[]> =>
      all<IndexRow>("SELECT * FROM indexes WHERE container = ? AND origin = 'auto' AND used_at < ?", container, oldest);
    if ((await this.#database.read(unused)).length > 0) {
      await this.#database.write(function* () {
        for (const row of yield* unused()) {
          yield* dropIndex(row);
        }
      });
      this.#database.invalidate();
    }
  }
}

/** Adds an index that use asks for; not where it is there, nor where there are too many that are used. */
function* addAutomatic(container: number, index: WantedIndex, now: number): Program<boolean> {
  const { isAdded, dropped } = roomForIndex(yield* indexesOf(container), index, now);
  const gone = (yield* get<{ number: number }>('SELECT number FROM containers WHERE number = ?', container)) === undefined;
  if (gone || !isAdded) {
    return false;
  }
  if (dropped !== undefined) {
    yield* dropIndex(dropped);
  }
  yield* addIndex(container, index, 'auto', now);
  return true;
}
