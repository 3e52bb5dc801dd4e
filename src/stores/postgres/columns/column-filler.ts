import { isPerigeeError, PerigeeError, throwIfAborted } from '../../../core/errors.ts';
import { sleep } from '../../../core/runtime.ts';
import { quoteName, type ContainerNames } from '../names.ts';
import type { PgRow, PostgresDatabase, Session } from '../postgres-database.ts';
import type { StoredColumn } from './column-definition.ts';
import { columnIndexName, columnKey, columnValue, createColumnIndex, hasMisfit, RELEASED } from './column-sql.ts';

/** What a {@link ColumnFiller} works with. */
export interface FillerOptions {
  readonly database: Pick<PostgresDatabase, 'prefix' | 'runtime' | 'rows'>;
  /** For statements that take as long as the container is large. */
  readonly long: Session;
  readonly names: ContainerNames;
  readonly container: number;
}

const WHAT = 'fill columns of the PostgreSQL store';
/** Rows that one statement fills, so that a writer waits for it no longer than for another. */
const SLICE_ROWS = 200;
const RELEASED_ROWS = 1000;
const BUILD_ATTEMPTS = 20;
const LOOK_AGAIN_MS = 200;
/** Somebody had to have their way first: a definition was replaced, or it would have been a deadlock. */
const YIELDED = ['57014', '40P01'];

/** Brings values into columns whose trigger is in force, or looks whether it may be. */
export class ColumnFiller {
  readonly #options: FillerOptions;
  readonly #s: string;

  constructor(options: FillerOptions) {
    this.#options = options;
    this.#s = quoteName(options.database.prefix);
  }

  /** Looks whether all documents fit. @throws INVALID_DOCUMENT, CONFLICT */
  async check(columns: readonly StoredColumn[]): Promise<void> {
    const { long, names } = this.#options;
    const counts = columns.map((column, index) => `count(*) FILTER (WHERE ${this.#isUnfit(column)}) AS unfit${index}`);
    const [found] = await long.rows({
      text: `SELECT ${counts.join(', ')} FROM ${names.documents} WHERE ${this.#isLiving('$1')}`,
      values: [this.#nowSeconds],
    });
    columns.forEach((column, index) => refuseUnfit(column, Number(found?.[`unfit${index}`] ?? 0)));
    for (const column of columns.filter(({ unique }) => unique)) {
      await this.#refuseShared(column, columnValue(this.#s, column, 'body'));
    }
  }

  /** Gives the columns their values. @throws INVALID_DOCUMENT */
  async fill(columns: readonly StoredColumn[], signal: AbortSignal | undefined, onSlice: (documents: number) => void): Promise<void> {
    const { database, names } = this.#options;
    const isDue = columns
      .map((column) => `${quoteName(column.name)} IS DISTINCT FROM ${columnValue(this.#s, column, 'body')}`)
      .join(' OR ');
    const unfit = columns.map((column, index) => `${this.#isLiving('$2')} AND ${this.#isUnfit(column)} AS unfit${index}`);
    const touch = `UPDATE ${names.documents} SET ${RELEASED} = ${RELEASED} WHERE ordinal =`;
    const text = `WITH slice AS MATERIALIZED (SELECT ordinal, ${isDue} AS is_due, ${unfit.join(', ')}
        FROM ${names.documents} WHERE ordinal > $1 ORDER BY ordinal LIMIT ${SLICE_ROWS}),
      free AS (SELECT ordinal FROM ${names.documents} WHERE ordinal = ANY (ARRAY(SELECT ordinal FROM slice WHERE is_due)) FOR NO KEY UPDATE SKIP LOCKED),
      filled AS (${touch} ANY (ARRAY(SELECT ordinal FROM free)) RETURNING ordinal)
      SELECT max(ordinal) AS last, count(*) AS looked, ${columns.map((_, index) => `count(*) FILTER (WHERE unfit${index}) AS unfit${index}`).join(', ')},
        array_agg(ordinal) FILTER (WHERE is_due AND ordinal NOT IN (SELECT ordinal FROM filled)) AS locked FROM slice`;
    let looked = 0;
    for (let behind: number | null = 0; behind !== null;) {
      throwIfAborted(signal);
      const [slice]: readonly (PgRow & { last: number | null; looked: number; locked: number[] | null })[] = await database.rows(WHAT, {
        text,
        values: [behind, this.#nowSeconds],
      });
      columns.forEach((column, index) => refuseUnfit(column, Number(slice?.[`unfit${index}`] ?? 0)));
      // Who has these locked writes them, and the trigger sees to it; or undoes what it did, or deletes them.
      for (const ordinal of slice?.locked ?? []) {
        await database.rows(WHAT, { text: `${touch} $1`, values: [ordinal] });
      }
      looked += slice?.looked ?? 0;
      onSlice(looked);
      behind = slice?.last ?? null;
    }
  }

  /** Makes the index of a unique column. @throws CONFLICT */
  async index(column: StoredColumn, signal: AbortSignal | undefined): Promise<void> {
    const { database, long, names, container } = this.#options;
    const name = `${names.schema}.${columnIndexName(container, column)}`;
    for (let attempt = 1; !(await this.#hasIndex(name, signal)); attempt += 1) {
      await this.#releaseExpired();
      try {
        await long.rows({ text: createColumnIndex(this.#s, names, container, column, 'CONCURRENTLY ') });
      } catch (error) {
        throwIfAborted(signal);
        const state = isPerigeeError(error) ? error.details['sqlState'] : undefined;
        const isShared = state === '23505';
        if (attempt === BUILD_ATTEMPTS || !(isShared || YIELDED.includes(String(state)))) {
          throw error;
        }
        if (isShared) {
          await this.#refuseShared(column, quoteName(column.name));
        }
        await sleep(database.runtime, LOOK_AGAIN_MS, signal);
      }
    }
    await long.rows({ text: `ANALYZE ${names.documents} (${quoteName(column.name)})` });
  }

  /** Whether the index is there; what a build that failed or was killed has left is dropped, one that goes on is waited for. */
  async #hasIndex(name: string, signal: AbortSignal | undefined): Promise<boolean> {
    const { database, long } = this.#options;
    for (;;) {
      const [found] = await long.rows<{ valid: boolean; building: boolean }>({
        text: `SELECT x.indisvalid AS valid, EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = x.indexrelid) AS building
          FROM pg_index x WHERE x.indexrelid = to_regclass($1)`,
        values: [name],
      });
      if (found === undefined || found.valid) {
        return found !== undefined;
      }
      if (!found.building) {
        await long.rows({ text: `DROP INDEX CONCURRENTLY IF EXISTS ${name}` });
        return false;
      }
      await sleep(database.runtime, LOOK_AGAIN_MS, signal);
    }
  }

  /** Lets all expired documents give up their unique values. */
  async #releaseExpired(): Promise<void> {
    const { database, names } = this.#options;
    for (let found = RELEASED_ROWS; found === RELEASED_ROWS;) {
      const rows = await database.rows(WHAT, {
        text: `UPDATE ${names.documents} SET ${RELEASED} = true WHERE ordinal = ANY (ARRAY(SELECT ordinal FROM ${names.documents}
          WHERE expires_at <= $1 AND NOT ${RELEASED} LIMIT ${RELEASED_ROWS} FOR NO KEY UPDATE SKIP LOCKED)) RETURNING ordinal`,
        values: [this.#nowSeconds],
      });
      found = rows.length;
    }
  }

  async #refuseShared(column: StoredColumn, value: string): Promise<void> {
    const { long, names } = this.#options;
    const key = columnKey(this.#s, column, value);
    const [found] = await long.rows<{ shared: number }>({
      text: `SELECT coalesce(sum(alike), 0)::bigint AS shared FROM (SELECT count(*) AS alike FROM ${names.documents}
        WHERE ${this.#isLiving('$1')} AND ${value} IS NOT NULL GROUP BY ${key} HAVING count(*) > 1) AS groups`,
      values: [this.#nowSeconds],
    });
    const documents = found?.shared ?? 0;
    if (documents > 0) {
      throw new PerigeeError(
        'CONFLICT',
        `${promoting(column)}: ${documents} documents share values there with others, and it is to be unique. Nothing was changed.`,
        {
          details: { path: column.path, column: column.name, type: column.type, documents },
        },
      );
    }
  }

  #isLiving(now: string): string {
    return `(expires_at IS NULL OR expires_at > ${now})`;
  }

  #isUnfit(column: StoredColumn): string {
    return column.notNull ? `${columnValue(this.#s, column, 'body')} IS NULL` : hasMisfit(this.#s, column, 'body');
  }

  get #nowSeconds(): number {
    return Math.floor(this.#options.database.runtime.nowMs() / 1000);
  }
}

function promoting({ path, name }: StoredColumn): string {
  return `Cannot promote the path ${JSON.stringify(path)} to the column ${JSON.stringify(name)}`;
}

function refuseUnfit(column: StoredColumn, documents: number): void {
  if (documents > 0) {
    const { path, name, type, notNull } = column;
    const lacking = notNull ? `no value of the type ${type} there` : `something there that is neither null nor of the type ${type}`;
    throw new PerigeeError('INVALID_DOCUMENT', `${promoting(column)}: ${documents} documents have ${lacking}. Nothing was changed.`, {
      details: { path, column: name, type, documents },
    });
  }
}
