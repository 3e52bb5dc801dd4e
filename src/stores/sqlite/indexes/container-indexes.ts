import { readIndexKey, type IndexDefinition } from '../../../query/access/index-definition.ts';
import type { PreparedDocument } from '../../../store/prepared-document.ts';
import type { IndexObserver } from '../../common/used-indexes.ts';
import type { Program } from '../driver.ts';
import type { SqliteContainer } from '../sqlite-container.ts';
import type { SqliteDatabase } from '../sqlite-database.ts';
import { indexesOf, maintainedIndex, physicalName, type IndexRow } from './index-catalog.ts';
import type { MaintainedIndex } from './maintained-index.ts';

/** An index that queries may use. */
export interface ReadyIndex {
  readonly kind: string;
  readonly key: string;
  /** Name of the index, or what the names of its tables begin with. */
  readonly name: string;
}

/**
 * What a container knows of its indexes.
 *
 * A write finds it up to date, since {@link load} runs at the start of each transaction behind a change by another connection. A query asks
 * {@link isStale} first; where another process added an index meanwhile, it only runs as it would have without.
 */
export class ContainerIndexes {
  readonly #database: Pick<SqliteDatabase, 'epoch'>;
  readonly #container: number;
  #epoch = 0;
  #rows: readonly IndexRow[] = [];
  #maintained: readonly MaintainedIndex[] = [];
  /** Indexes that queries may use, of every kind. */
  ready: readonly ReadyIndex[] = [];
  /** The range indexes among them; names are those of the indexes in the file. */
  ranges: readonly IndexDefinition[] = [];

  /** Undefined where nobody wants to know. */
  observer: IndexObserver<SqliteContainer> | undefined;

  constructor(database: Pick<SqliteDatabase, 'epoch'>, container: number) {
    this.#database = database;
    this.#container = container;
  }

  /** The catalogue's rows as last read. */
  get rows(): readonly IndexRow[] {
    return this.#rows;
  }

  /** Whether the catalogue has to be read before a query. */
  get isStale(): boolean {
    return this.#epoch !== this.#database.epoch;
  }

  *load(): Program<void> {
    const { epoch } = this.#database;
    const rows = yield* indexesOf(this.#container);
    this.#epoch = epoch;
    this.#rows = rows;
    this.#maintained = rows.map(maintainedIndex).filter((index) => index !== undefined);
    const usable = rows.filter(({ ready }) => ready === 1);
    this.ready = usable.map((row) => ({ kind: row.kind, key: row.key, name: physicalName(row) }));
    this.ranges = usable.filter(({ kind }) => kind === 'range').map((row) => ({ name: physicalName(row), columns: readIndexKey(row.key) }));
  }

  /** Whether some index has to be told of writes. */
  get isMaintained(): boolean {
    return this.#maintained.length > 0;
  }

  /** Tells all maintained indexes of a document that was written. */
  *put(ordinal: number, document: PreparedDocument, isNew: boolean): Program<void> {
    for (const index of this.#maintained) {
      yield* index.put({ ordinal, value: document.value }, isNew);
    }
  }

  /** Tells all maintained indexes that a document is gone. */
  *remove(ordinal: number): Program<void> {
    for (const index of this.#maintained) {
      yield* index.remove(ordinal);
    }
  }
}
