import { Emitter, type Unsubscribe } from '../../../core/emitter.ts';
import { sleep, type CancelTimer } from '../../../core/runtime.ts';
import { readDefinition } from '../../common/definition-text.ts';
import { unescapeText } from '../../../query/compile/postgres/nul-text.ts';
import type { ContainerRow } from '../container-row.ts';
import { Lease } from '../lease.ts';
import { LongConnection, type Connecting } from '../long-connection.ts';
import { containerNames, quoteName, type ContainerNames } from '../names.ts';
import type { PgRow, PostgresDatabase, Session, Statement } from '../postgres-database.ts';
import { stateOf } from '../postgres-errors.ts';
import { buildProgress, buildShare, type IndexBuildProgress } from './build-progress.ts';
import {
  agreesWith,
  indexMeans,
  indexMethod,
  indexName,
  indexRows,
  pendingRows,
  physicalName,
  reconcileIndexes,
  type IndexPlace,
  type IndexRow,
} from './index-catalog.ts';

/** How far an index is that is made in the background. */
export interface IndexProgress {
  /** Id of the database and of the container. */
  readonly database: string;
  readonly container: string;
  /** What is indexed: `/type, /rank DESC`. */
  readonly index: string;
  readonly state: 'building' | 'ready' | 'failed';
  /** How far PostgreSQL is: with every second of a build, not with its beginning. */
  readonly build?: IndexBuildProgress | undefined;
  /** Why it failed; it is tried again when the store is opened next. */
  readonly error?: unknown;
}

/** An index of a container, for people and programs. */
export interface IndexStatus {
  readonly database: string;
  readonly container: string;
  /** What is indexed: `/type, /rank DESC`. */
  readonly index: string;
  readonly kind: string;
  /** Whether the policy asks for it, or use under `autoIndex: 'create'`. */
  readonly origin: 'policy' | 'auto';
  readonly isReady: boolean;
  /** How far PostgreSQL is, while any server builds it. */
  readonly build?: IndexBuildProgress | undefined;
}

/** What an {@link IndexBuilder} works with. */
export interface IndexBuilderOptions {
  /** How to connect, past a pooler: an index takes as long as the container is large. */
  readonly connecting: Connecting;
  readonly database: PostgresDatabase;
  /** How often to look for what another server left unfinished; 0 for never. */
  readonly intervalMs: number;
  /** Is told of each container whose indexes have changed. */
  readonly onChange: (container: number) => void;
  /** Gives up indexes that nobody uses; gives the containers that had them. */
  readonly dropUnused: () => Promise<readonly number[]>;
}

const LEASE_MS = 15_000;
const RENEW_MS = 5000;
/** How long to wait for another server, or for a build that goes on without the one who began it. */
const WAIT_MS = 100;
/** How often to tell how far a build is. */
const COUNT_MS = 1000;
/** How long to stand back where the statement was cancelled, or was to end a deadlock. */
const YIELD_MS = 500;
const YIELDED = ['57014', '40P01'];
const WHAT = 'look after the indexes of the PostgreSQL store';

type PendingRow = IndexRow & IndexPlace;

/**
 * Makes the indexes of a store that are in its catalogue and not ready, one after the other, without keeping anybody from writing, and drops those that nobody
 * wants any more. Of all servers the one that has the lease does it. What a server leaves unfinished is made anew by the next.
 */
export class IndexBuilder {
  readonly #options: IndexBuilderOptions;
  readonly #lease: Lease;
  readonly #events = new Emitter<{ progress: IndexProgress }>();
  readonly #failed = new Set<number>();
  readonly #closing = new AbortController();
  #running: Promise<void> | undefined;
  #isAsked = false;
  #cancel: CancelTimer | undefined;
  #connection: LongConnection | undefined;

  constructor(options: IndexBuilderOptions) {
    this.#options = options;
    this.#lease = new Lease(options.database, 'indexes', LEASE_MS);
  }

  /** Looks after what earlier servers left, and goes on to do so. */
  start(): void {
    this.schedule();
    this.#lookAgain();
  }

  onProgress(listener: (progress: IndexProgress) => void): Unsubscribe {
    return this.#events.on('progress', listener);
  }

  /** Looks for indexes to make, soon and without being waited for. */
  schedule(): void {
    this.#isAsked = true;
    if (!this.#closing.signal.aborted) {
      this.#running ??= this.#work().finally(() => {
        this.#running = undefined;
      });
    }
  }

  /** Resolves when there is nothing left to make, by any server, but what failed here. */
  async ready(): Promise<void> {
    const { runtime } = this.#options.database;
    for (;;) {
      this.schedule();
      await this.#running;
      if (this.#closing.signal.aborted || (await this.#pending()).length === 0) {
        return;
      }
      await sleep(runtime, WAIT_MS, this.#closing.signal).catch(() => undefined);
    }
  }

  /** All indexes of the store, in the order in which they were asked for. */
  async status(): Promise<readonly IndexStatus[]> {
    const s = quoteName(this.#options.database.prefix);
    const rows = await this.#options.database.rows<IndexRow & IndexPlace>(WHAT, {
      text: `SELECT i.number, i.container, i.kind, i.key, i.ready, i.origin, c.database, c.id AS container_id, d.id AS database_id
        FROM ${s}.indexes i JOIN ${s}.containers c ON c.number = i.container LEFT JOIN ${s}.databases d ON d.number = c.database
        WHERE NOT i.dropped ORDER BY i.number`,
    });
    const building = rows.filter(({ ready }) => !ready);
    const progress = await buildProgress(this.#session, this.#options.database.prefix, building);
    return rows.map((row) => {
      const build = progress.get(row.number);
      return { ...placeOf(row), kind: row.kind, origin: row.origin, isReady: row.ready, ...(build === undefined ? {} : { build }) };
    });
  }

  /** How far the indexes of a container are, in whole percent; 100 only where all are ready. */
  async progressOf({ number, database }: ContainerRow): Promise<number> {
    const rows = (await indexRows(this.#session, this.#options.database.prefix, number)).filter(
      ({ dropped, origin }) => !dropped && origin === 'policy',
    );
    const missing = rows.filter(({ ready }) => !ready);
    if (missing.length === 0) {
      return 100;
    }
    const places = missing.map((row) => ({ ...row, database }));
    const progress = await buildProgress(this.#session, this.#options.database.prefix, places);
    const share = Array.from(progress.values(), buildShare).reduce((sum, one) => sum + one, rows.length - missing.length);
    return Math.min(99, Math.floor((100 * share) / rows.length));
  }

  /** Ends what is under way; the next server makes it anew. */
  async close(): Promise<void> {
    // A statement that makes an index may take hours: its connection is cut, and the server ends it.
    this.#closing.abort();
    this.#cancel?.();
    await this.#running;
  }

  get #session(): Session {
    const { database } = this.#options;
    return { rows: (statement) => database.rows(WHAT, statement) };
  }

  #lookAgain(): void {
    const { database, intervalMs } = this.#options;
    if (intervalMs > 0 && !this.#closing.signal.aborted) {
      this.#cancel = database.runtime.setTimer(intervalMs, () => {
        this.schedule();
        // Only then: a clock that jumps would bring a look for each interval that it jumps over.
        void (this.#running ?? Promise.resolve()).finally(() => this.#lookAgain());
      });
    }
  }

  async #pending(): Promise<readonly PendingRow[]> {
    const rows = await pendingRows(this.#session, this.#options.database.prefix);
    return rows.filter(({ number }) => !this.#failed.has(number));
  }

  async #work(): Promise<void> {
    const { logger } = this.#options.database;
    while (this.#isAsked && !this.#closing.signal.aborted) {
      this.#isAsked = false;
      try {
        await this.#reconcileAll();
        (await this.#options.dropUnused()).forEach((container) => this.#options.onChange(container));
        if ((await this.#pending()).length > 0 && (await this.#lease.take())) {
          await this.#makeAll();
        }
      } catch (error) {
        if (!this.#closing.signal.aborted) {
          logger.log('warn', 'The indexes of the PostgreSQL store could not be looked after; it is tried again.', { error });
        }
      }
    }
  }

  /** Makes the catalogue agree with definitions that were written before it knew of these indexes. */
  async #reconcileAll(): Promise<void> {
    const { database } = this.#options;
    const { prefix } = database;
    const s = quoteName(prefix);
    const select = `SELECT number, database, definition FROM ${s}.containers`;
    const rows = await indexRows(this.#session, prefix);
    const means = await indexMeans(this.#session, prefix);
    const containers = await this.#session.rows<ContainerRow>({ text: select });
    for (const { number, definition } of containers) {
      const own = rows.filter((row) => row.container === number);
      if (!agreesWith(own, readDefinition(definition), means)) {
        await database.transaction(WHAT, async (session) => {
          const [row] = await session.rows<ContainerRow>({ text: `${select} WHERE number = $1 FOR NO KEY UPDATE`, values: [number] });
          if (row !== undefined) {
            await reconcileIndexes(session, prefix, row, readDefinition(row.definition));
          }
        });
        this.#options.onChange(number);
      }
    }
  }

  async #makeAll(): Promise<void> {
    const { runtime } = this.#options.database;
    let cancel: CancelTimer | undefined;
    const renew = (): void => {
      cancel = runtime.setTimer(RENEW_MS, () => void this.#lease.take().then(renew, renew));
    };
    renew();
    try {
      for (;;) {
        const [row] = await this.#pending();
        if (row === undefined || this.#closing.signal.aborted || !(await this.#lease.take())) {
          return;
        }
        await this.#make(row);
      }
    } finally {
      cancel?.();
      await this.#end();
      await this.#lease.leave().catch(() => undefined);
    }
  }

  async #make(row: PendingRow): Promise<void> {
    const { database, onChange } = this.#options;
    const report = (state: IndexProgress['state'], more: Pick<IndexProgress, 'error' | 'build'> = {}): void => {
      if (!row.dropped) {
        this.#events.emit('progress', { ...placeOf(row), state, ...more });
      }
    };
    report('building');
    const names = containerNames(database.prefix, row.database, row.container);
    const stopCounting = this.#count(row, (build) => report('building', { build }));
    try {
      await (row.dropped ? this.#drop(row, names) : this.#build(row, names));
      stopCounting();
      report('ready');
    } catch (error) {
      stopCounting();
      if (this.#closing.signal.aborted || (await this.#isToBeTriedAgain(row, error))) {
        return;
      }
      this.#failed.add(row.number);
      database.logger.log('error', 'An index could not be made or dropped; queries run without it.', { index: indexName(row), error });
      report('failed', { error });
      await this.#end();
      await this.#dropPhysical(row, names).catch(() => undefined);
    }
    onChange(row.container);
  }

  /** Tells how far PostgreSQL is with an index, again and again until the function that it gives is called. */
  #count(row: PendingRow, report: (build: IndexBuildProgress) => void): () => void {
    const { runtime, prefix } = this.#options.database;
    let cancel: CancelTimer | undefined;
    let isDone = false;
    const look = async (): Promise<void> => {
      // What cannot be told now is told a second later; the build goes on.
      const build = (await buildProgress(this.#session, prefix, [row]).catch(() => undefined))?.get(row.number);
      if (!isDone) {
        if (build !== undefined) {
          report(build);
        }
        next();
      }
    };
    const next = (): void => {
      cancel = runtime.setTimer(COUNT_MS, () => void look());
    };
    next();
    return () => {
      isDone = true;
      cancel?.();
    };
  }

  /** Whether it is gone by now, or someone had to have its way first. */
  async #isToBeTriedAgain(row: PendingRow, error: unknown): Promise<boolean> {
    if (!(await this.#pending()).some(({ number }) => number === row.number)) {
      return true;
    }
    const state = stateOf(error instanceof Error ? error.cause : undefined);
    if (state === undefined || !YIELDED.includes(state)) {
      return false;
    }
    await sleep(this.#options.database.runtime, YIELD_MS, this.#closing.signal).catch(() => undefined);
    return true;
  }

  async #build(row: PendingRow, names: ContainerNames): Promise<void> {
    const { documents } = names;
    const s = quoteName(this.#options.database.prefix);
    const state = await this.#stateOf(row, names);
    if (state === 'invalid') {
      await this.#dropPhysical(row, names);
    }
    if (state !== 'valid') {
      await this.#run({
        text: `CREATE INDEX CONCURRENTLY ${physicalName(row.container, row.number)} ON ${documents} ${indexMethod(s, row)}`,
      });
    }
    // So that PostgreSQL knows how the values are spread.
    await this.#run({ text: `ANALYZE ${documents}` });
    await this.#run({ text: `UPDATE ${s}.indexes SET ready = true WHERE number = $1 AND NOT dropped`, values: [row.number] });
  }

  async #drop(row: PendingRow, names: ContainerNames): Promise<void> {
    await this.#dropPhysical(row, names);
    const s = quoteName(this.#options.database.prefix);
    await this.#run({ text: `DELETE FROM ${s}.indexes WHERE number = $1`, values: [row.number] });
  }

  #dropPhysical(row: PendingRow, { schema }: ContainerNames): Promise<unknown> {
    return this.#run({ text: `DROP INDEX CONCURRENTLY IF EXISTS ${schema}.${physicalName(row.container, row.number)}` });
  }

  /** What there is of an index already. A server that was killed may have left a build that its PostgreSQL goes on with: that is waited for. */
  async #stateOf(row: PendingRow, { schema }: ContainerNames): Promise<'valid' | 'invalid' | 'missing'> {
    const { runtime } = this.#options.database;
    for (;;) {
      const [found] = await this.#run<{ valid: boolean; building: boolean }>({
        text: `SELECT x.indisvalid AS valid, EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = x.indexrelid) AS building
          FROM pg_index x WHERE x.indexrelid = to_regclass($1)`,
        values: [`${schema}.${physicalName(row.container, row.number)}`],
      });
      if (found === undefined || found.valid || !found.building) {
        return found === undefined ? 'missing' : found.valid ? 'valid' : 'invalid';
      }
      await sleep(runtime, WAIT_MS, this.#closing.signal);
    }
  }

  /** Runs a statement, however long it takes, on the connection for that. */
  #run<R extends PgRow = PgRow>(statement: Statement): Promise<readonly R[]> {
    const { connecting, database } = this.#options;
    this.#connection ??= new LongConnection(connecting, database, WHAT, this.#closing.signal);
    return this.#connection.rows<R>(statement);
  }

  async #end(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    await connection?.end();
  }
}

function placeOf(row: PendingRow): Pick<IndexProgress, 'database' | 'container' | 'index'> {
  return { database: unescapeText(row.database_id ?? ''), container: unescapeText(row.container_id), index: indexName(row) };
}
