import type { Logger } from '../../core/logger.ts';
import { indexKey, type IndexColumn, type IndexDefinition } from '../../query/access/index-definition.ts';
import type { ContainerInfo } from '../../store/backend.ts';
import type { AutoIndex } from './auto-index.ts';
import { IndexUsage, PAGES_BEFORE_INDEX, type IndexAdvice, type ScannedPage } from './index-usage.ts';
import type { FormOf } from './wanted-indexes.ts';

/** {@link IndexAdvice} with the container that it is for. */
export interface ContainerAdvice extends IndexAdvice {
  readonly database: string;
  readonly container: string;
}

/** What is told of a page that no index served. */
export type ObservedPage = Pick<ScannedPage, 'prepared' | 'parameters' | 'documentsScanned' | 'itemsReturned'>;

/** Is told how queries read a container. */
export interface IndexObserver<C> {
  /** A page that no index served. */
  scanned(container: C, page: ObservedPage): void;
  /** A page that an index served. */
  used(container: C, index: string): void;
}

/** A container whose use is recorded. */
export interface ObservedContainer {
  readonly number: number;
  readonly databaseId: string;
  readonly info: ContainerInfo;
  /** About how many documents it has. */
  readonly position: number;
  readonly indexes: { readonly ranges: readonly IndexDefinition[] };
  nowSeconds(): number;
}

/** What a {@link UsedIndexes} works with. */
export interface UsedIndexesOptions<C> {
  readonly autoIndex: AutoIndex;
  readonly formOf: FormOf;
  readonly logger: Logger;
  /** Adds an index that use asks for, unless it is there or there is no room. */
  readonly add: (container: C, columns: readonly IndexColumn[]) => Promise<void>;
  /** Writes down that an index is used; `undefined` for one whose use nobody asks for. */
  readonly noteUse: (container: C, index: string, nowSeconds: number) => Promise<void> | undefined;
}

/** How exactly the last use of an index is known, and how often the same one is asked for. */
const NOTE_SECONDS = 3600;
/** Uses and wishes that are remembered; beyond it they are forgotten, and written down once more. */
const MAX_NOTES = 10_000;

/**
 * Remembers which indexes the queries of this process lack and use, has the first made where that is wanted, and the second written down.
 *
 * Counts are kept in memory only: what is used will be used again.
 */
export class UsedIndexes<C extends ObservedContainer> implements IndexObserver<C> {
  readonly #options: UsedIndexesOptions<C>;
  readonly #usage = new Map<number, { readonly container: C; readonly usage: IndexUsage }>();
  readonly #notedAt = new Map<string, number>();
  /** What goes on beside queries: indexes that are added, uses that are written down. */
  readonly #tasks = new Set<Promise<void>>();

  constructor(options: UsedIndexesOptions<C>) {
    this.#options = options;
  }

  /** Indexes that queries lacked, those first that would have saved the most. */
  advice(): readonly ContainerAdvice[] {
    return [...this.#usage.values()]
      .flatMap(({ container, usage }) =>
        usage.advice.map((advice) => ({ database: container.databaseId, container: container.info.definition.id, ...advice })),
      )
      .sort((left, right) => right.documentsScanned - left.documentsScanned);
  }

  /** Whether something is being written. */
  get isBusy(): boolean {
    return this.#tasks.size > 0;
  }

  /** Resolves when what was begun is written. */
  async settled(): Promise<void> {
    await Promise.all(this.#tasks);
  }

  scanned(container: C, page: ObservedPage): void {
    const { autoIndex, formOf, add } = this.#options;
    if (autoIndex === 'off') {
      return;
    }
    const known = this.#usage.get(container.number) ?? { container, usage: new IndexUsage(formOf) };
    this.#usage.set(container.number, known);
    const { definition } = container.info;
    const documents = Math.max(container.position, page.documentsScanned);
    const advice = known.usage.record({ ...page, definition, indexes: container.indexes.ranges, documents });
    if (advice === undefined || autoIndex !== 'create' || advice.pages < PAGES_BEFORE_INDEX) {
      return;
    }
    known.usage.forget(advice.columns);
    // One that is being made, or that cannot be, would be asked for by every other page.
    if (this.#isNew(`wish ${container.number} ${indexKey(advice.columns)}`, container.nowSeconds())) {
      this.#run('An index that queries lack could not be added.', () => add(container, advice.columns));
    }
  }

  used(container: C, index: string): void {
    const now = container.nowSeconds();
    if (this.#isNew(`use ${container.number} ${index}`, now)) {
      this.#run('The use of an index could not be written down.', async () => this.#options.noteUse(container, index, now));
    }
  }

  /** Whether something was not noted for an hour; it is from now on. */
  #isNew(what: string, nowSeconds: number): boolean {
    const before = this.#notedAt.get(what);
    if (before !== undefined && nowSeconds - before < NOTE_SECONDS) {
      return false;
    }
    if (this.#notedAt.size >= MAX_NOTES) {
      this.#notedAt.clear();
    }
    this.#notedAt.set(what, nowSeconds);
    return true;
  }

  #run(failure: string, work: () => Promise<void> | undefined): void {
    const task = (async () => work())()
      .catch((error: unknown) => this.#options.logger.log('warn', failure, { error }))
      .finally(() => this.#tasks.delete(task));
    this.#tasks.add(task);
  }
}
