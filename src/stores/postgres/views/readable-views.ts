import type { CancelTimer } from '../../../core/runtime.ts';
import type { ContainerRow } from '../container-row.ts';
import { quoteName } from '../names.ts';
import type { PostgresDatabase } from '../postgres-database.ts';
import { Resources } from '../resource-statements.ts';
import { refreshView, SCHEMA_MARK, viewMark } from './container-view.ts';
import { viewName, viewSchemaPrefix } from './view-names.ts';
import { viewSelect } from './view-statement.ts';

const WHAT = 'make the readable views of the PostgreSQL store';

/**
 * Keeps one view a container, under a name that people know. What another server does without these is followed every `intervalMs`; what goes with a table goes
 * at once, whoever drops it.
 */
export class ReadableViews {
  readonly #database: PostgresDatabase;
  readonly #intervalMs: number;
  #cancel: CancelTimer | undefined;
  #running: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(database: PostgresDatabase, intervalMs: number) {
    this.#database = database;
    this.#intervalMs = intervalMs;
  }

  /** Makes what is missing, and goes on to look after it. @throws STORE_READ_ONLY without the right to make schemas */
  async start(): Promise<void> {
    await this.#refresh();
    this.#lookAgain();
  }

  /** Makes views agree with the catalogue; a failure is told to the logger, and tried again later. */
  refresh(): Promise<void> {
    const running = this.#running.then(() =>
      this.#isClosed
        ? undefined
        : this.#refresh().catch((error: unknown) =>
            this.#database.logger.log('warn', 'The readable views could not be looked after; it is tried again.', { error }),
          ),
    );
    this.#running = running;
    return running;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel?.();
    await this.#running;
  }

  #lookAgain(): void {
    if (this.#intervalMs > 0 && !this.#isClosed) {
      this.#cancel = this.#database.runtime.setTimer(this.#intervalMs, () => void this.refresh().finally(() => this.#lookAgain()));
    }
  }

  async #refresh(): Promise<void> {
    const { prefix, logger } = this.#database;
    const resources = new Resources({ rows: (statement) => this.#database.read(WHAT, statement) }, prefix);
    const marks = await this.#marks();
    const containers = await resources.listAllContainers();
    for (const { databaseId, row } of containers) {
      const { schema, view } = viewName(prefix, databaseId, row.id);
      if (
        marks.get(`${schema}\0${view}`) !== viewMark(row.number, viewSelect(prefix, row)) &&
        (await this.#make(databaseId, row)) === 'foreign'
      ) {
        logger.log('warn', 'A readable view was not made: something of another program has its name.', { schema, view });
      }
    }
    const databases = await resources.listDatabases();
    await this.#dropEmpty(databases.map(({ id }) => viewName(prefix, id, '').schema));
  }

  /** Marks of all views in schemas of views, by their names. */
  async #marks(): Promise<ReadonlyMap<string, string | null>> {
    const rows = await this.#database.read<{ schema: string; view: string; mark: string | null }>(WHAT, {
      text: `SELECT n.nspname AS schema, c.relname AS view, obj_description(c.oid, 'pg_class') AS mark
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE starts_with(n.nspname, $1) AND c.relkind = 'v'`,
      values: [viewSchemaPrefix(this.#database.prefix)],
    });
    return new Map(rows.map(({ schema, view, mark }) => [`${schema}\0${view}`, mark]));
  }

  #make(databaseId: string, { id, rid }: ContainerRow): Promise<'made' | 'left' | 'foreign'> {
    const { prefix } = this.#database;
    return this.#database.transaction(WHAT, async (session) => {
      await session.rows({ text: 'SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', values: [`perigee views ${prefix}`] });
      const row = await new Resources(session, prefix).findContainer(databaseId, id);
      return row === undefined || row.rid !== rid ? 'left' : refreshView(session, prefix, row, 'make');
    });
  }

  /** Drops schemas of views whose database is gone, where nothing of anybody is left in them. */
  async #dropEmpty(kept: readonly string[]): Promise<void> {
    const rows = await this.#database.read<{ schema: string }>(WHAT, {
      text: `SELECT n.nspname AS schema FROM pg_namespace n WHERE starts_with(n.nspname, $1) AND obj_description(n.oid, 'pg_namespace') = $2
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = n.oid)`,
      values: [viewSchemaPrefix(this.#database.prefix), SCHEMA_MARK],
    });
    for (const { schema } of rows.filter((one) => !kept.includes(one.schema))) {
      // Without CASCADE: what came into it meanwhile keeps it.
      await this.#database.rows(WHAT, { text: `DROP SCHEMA IF EXISTS ${quoteName(schema)}` });
    }
  }
}
