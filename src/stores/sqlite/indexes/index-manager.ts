import type { Unsubscribe } from '../../../core/emitter.ts';
import { all, get, run, type Program, type SqliteConnection } from '../driver.ts';
import type { SqliteContainer } from '../sqlite-container.ts';
import type { SqliteDatabase } from '../sqlite-database.ts';
import type { IndexObserver } from './container-indexes.ts';
import { IndexBuilder, indexName, type IndexProgress } from './index-builder.ts';
import { addIndex, agreesWith, dropIndex, indexesOf, physicalName, reconcileIndexes, type IndexRow } from './index-catalog.ts';
import { IndexUsage, PAGES_BEFORE_INDEX, type AutoIndex, type IndexAdvice, type ScannedPage } from './index-usage.ts';
import { rangeIndex } from './wanted-indexes.ts';

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

/** {@link IndexAdvice} with the container that it is for. */
export interface ContainerAdvice extends IndexAdvice {
  readonly database: string;
  readonly container: string;
}

/** Indexes of one container that use may ask for: each costs every write. */
export const MAX_AUTO_INDEXES = 12;
/** How exactly the last use of an index is known in the file. */
const SAVE_USE_SECONDS = 3600;
/** An index that nobody used for so long is dropped, and so is, when there are too many, one that nobody used for a day. */
const DROP_AFTER_SECONDS = 30 * 86_400;
const REPLACE_AFTER_SECONDS = 86_400;

const DATABASE_ID = "ifnull((SELECT id FROM databases WHERE number = c.database), '')";

/** Keeps the indexes of a file as its policies and its queries want them. */
export class IndexManager implements IndexObserver {
  readonly autoIndex: AutoIndex;
  readonly #database: SqliteDatabase;
  readonly #builder: IndexBuilder;
  readonly #usage = new Map<number, { readonly container: SqliteContainer; readonly usage: IndexUsage }>();
  readonly #usedAt = new Map<string, number>();
  /** What goes on besides the builder: indexes that are added, uses that are written down. */
  readonly #tasks = new Set<Promise<void>>();

  constructor(database: SqliteDatabase, autoIndex: AutoIndex, connect: (() => Promise<SqliteConnection>) | undefined) {
    // Where nothing is written, what would be made is advised.
    this.autoIndex = autoIndex === 'create' && database.isReadOnly ? 'advise' : autoIndex;
    this.#database = database;
    this.#builder = new IndexBuilder(database, connect);
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
      await Promise.all(this.#tasks);
      await this.#builder.ready();
    } while (this.#tasks.size > 0);
  }

  /** Ends with the piece of work under way; the next one to open the file goes on. */
  async close(): Promise<void> {
    await Promise.all(this.#tasks);
    await this.#builder.close();
  }

  /** Makes the catalogue agree with a container that is opened: a file of an early version has none of its indexes. */
  async open(container: SqliteContainer): Promise<void> {
    container.indexes.observer = this;
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
    if (this.autoIndex === 'create') {
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
    return [...this.#usage.values()]
      .flatMap(({ container, usage }) =>
        usage.advice.map((advice) => ({ database: container.databaseId, container: container.info.definition.id, ...advice })),
      )
      .sort((left, right) => right.documentsScanned - left.documentsScanned);
  }

  scanned(container: SqliteContainer, page: Pick<ScannedPage, 'prepared' | 'parameters' | 'documentsScanned' | 'itemsReturned'>): void {
    if (this.autoIndex === 'off') {
      return;
    }
    const known = this.#usage.get(container.number) ?? { container, usage: new IndexUsage() };
    this.#usage.set(container.number, known);
    const { definition } = container.info;
    const advice = known.usage.record({ ...page, definition, indexes: container.indexes.ranges, documents: container.position });
    if (advice !== undefined && this.autoIndex === 'create' && advice.pages >= PAGES_BEFORE_INDEX) {
      known.usage.forget(advice.columns);
      this.#run('An index that queries lack could not be added.', () => this.#add(container, advice));
    }
  }

  used(container: SqliteContainer, name: string): void {
    const now = container.nowSeconds();
    const before = this.#usedAt.get(name);
    if (this.#database.isReadOnly) {
      return;
    }
    if (before !== undefined && now - before < SAVE_USE_SECONDS) {
      return;
    }
    this.#usedAt.set(name, now);
    const row = container.indexes.rows.find((one) => physicalName(one) === name);
    if (row?.origin === 'auto') {
      this.#run('The use of an index could not be written down.', async () => {
        await this.#database.write(() => run('UPDATE indexes SET used_at = ? WHERE number = ?', now, row.number));
      });
    }
  }

  #run(failure: string, work: () => Promise<void>): void {
    const task = work()
      .catch((error: unknown) => this.#database.logger.log('warn', failure, { error }))
      .finally(() => this.#tasks.delete(task));
    this.#tasks.add(task);
  }

  async #add(container: SqliteContainer, { columns }: IndexAdvice): Promise<void> {
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
function* addAutomatic(container: number, index: ReturnType<typeof rangeIndex>, now: number): Program<boolean> {
  const rows = yield* indexesOf(container);
  const gone = (yield* get<{ number: number }>('SELECT number FROM containers WHERE number = ?', container)) === undefined;
  if (gone || rows.some(({ kind, key }) => kind === index.kind && key === index.key)) {
    return false;
  }
  if (rows.filter(({ origin }) => origin === 'auto').length >= MAX_AUTO_INDEXES) {
    const oldest = yield* get<IndexRow & { readonly used_at: number }>(
      "SELECT * FROM indexes WHERE container = ? AND origin = 'auto' ORDER BY used_at, number LIMIT 1",
      container,
    );
    if (oldest === undefined || oldest.used_at > now - REPLACE_AFTER_SECONDS) {
      return false;
    }
    yield* dropIndex(oldest);
  }
  yield* addIndex(container, index, 'auto', now);
  return true;
}
