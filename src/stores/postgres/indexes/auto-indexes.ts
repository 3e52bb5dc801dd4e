import { readDefinition } from '../../common/definition-text.ts';
import { DROP_AFTER_SECONDS, mayFollowUse, roomForIndex, type AutoIndex } from '../../common/auto-index.ts';
import { UsedIndexes, type ContainerAdvice } from '../../common/used-indexes.ts';
import { rangeIndexOf } from '../../common/wanted-indexes.ts';
import type { IndexColumn } from '../../../query/access/index-definition.ts';
import type { ContainerRow } from '../container-row.ts';
import { quoteName } from '../names.ts';
import type { PostgresContainer } from '../postgres-container.ts';
import type { PostgresDatabase } from '../postgres-database.ts';
import { addIndexRow, dropRows, indexRows } from './index-catalog.ts';
import { indexForm } from './index-columns.ts';

const WHAT = 'look after the indexes of the PostgreSQL store that use asks for';

/** What an {@link AutoIndexes} works with. */
export interface AutoIndexesOptions {
  readonly database: PostgresDatabase;
  readonly autoIndex: AutoIndex;
  /** Has the index made that was added to the catalogue. */
  readonly schedule: () => void;
}

/**
 * Indexes that follow use, of any number of servers.
 *
 * Each server counts for itself what its queries lack; the catalogue, under the lock of the container, is where they agree on which indexes there are and
 * how many. When one was last used every server writes down, whatever its own option is, so that none drops what another needs.
 */
export class AutoIndexes {
  readonly #database: PostgresDatabase;
  readonly #autoIndex: AutoIndex;
  readonly #schedule: () => void;
  readonly #used: UsedIndexes<PostgresContainer>;

  constructor({ database, autoIndex, schedule }: AutoIndexesOptions) {
    this.#database = database;
    this.#autoIndex = autoIndex;
    this.#schedule = schedule;
    this.#used = new UsedIndexes({
      autoIndex,
      formOf: indexForm,
      logger: database.logger,
      add: (container, columns) => this.#add(container, columns),
      noteUse: (container, name, nowSeconds) => this.#noteUse(container, name, nowSeconds),
    });
  }

  /** Is to be told of this container's queries. */
  observe(container: PostgresContainer): void {
    container.indexes.observer = this.#used;
  }

  advice(): readonly ContainerAdvice[] {
    return this.#used.advice();
  }

  /** Resolves when what was begun is in the catalogue; gives whether there was anything. */
  async settled(): Promise<boolean> {
    const wasBusy = this.#used.isBusy;
    await this.#used.settled();
    return wasBusy;
  }

  /** Gives up indexes that no server used for a month. Gives the containers that had them. */
  async dropUnused(): Promise<readonly number[]> {
    if (this.#autoIndex !== 'create') {
      return [];
    }
    const oldest = Math.floor(this.#database.runtime.nowMs() / 1000) - DROP_AFTER_SECONDS;
    const rows = await this.#database.rows<{ container: number }>(WHAT, {
      text: `UPDATE ${this.#table} SET dropped = true, ready = false WHERE origin = 'auto' AND NOT dropped AND used_at < $1 RETURNING container`,
      values: [oldest],
    });
    return [...new Set(rows.map(({ container }) => container))];
  }

  get #table(): string {
    return `${quoteName(this.#database.prefix)}.indexes`;
  }

  async #noteUse(container: PostgresContainer, name: string, nowSeconds: number): Promise<void> {
    const number = container.indexes.automatic.get(name);
    if (number !== undefined) {
      await this.#database.rows(WHAT, {
        text: `UPDATE ${this.#table} SET used_at = $2 WHERE number = $1 AND used_at < $2`,
        values: [number, nowSeconds],
      });
    }
  }

  async #add(container: PostgresContainer, columns: readonly IndexColumn[]): Promise<void> {
    const { prefix } = this.#database;
    const index = rangeIndexOf(columns, indexForm);
    const nowSeconds = container.nowSeconds();
    const isAdded = await this.#database.transaction(WHAT, async (session) => {
      // As whoever replaces the definition: of several servers one adds the index, and none adds one too many.
      const [row] = await session.rows<Pick<ContainerRow, 'definition'>>({
        text: `SELECT definition FROM ${quoteName(prefix)}.containers WHERE number = $1 FOR NO KEY UPDATE`,
        values: [container.number],
      });
      if (row === undefined || !mayFollowUse(columns, readDefinition(row.definition), indexForm)) {
        return false;
      }
      const rows = (await indexRows(session, prefix, container.number)).filter((one) => !one.dropped);
      const room = roomForIndex(rows, index, nowSeconds);
      if (room.dropped !== undefined) {
        await dropRows(session, prefix, [room.dropped]);
      }
      if (room.isAdded) {
        await addIndexRow(session, prefix, container.number, { ...index, origin: 'auto' }, { isReady: false, nowSeconds });
      }
      return room.isAdded;
    });
    if (isAdded) {
      container.indexes.forget();
      this.#schedule();
    }
  }
}
