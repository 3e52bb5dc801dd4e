import { isPerigeeError } from '../../../core/errors.ts';
import type { JsonObject } from '../../../core/json.ts';
import type { Runtime } from '../../../core/runtime.ts';
import { escapeText } from '../../../query/compile/postgres/nul-text.ts';
import { defineContainer, type ContainerDefinition } from '../../../store/container-definition.ts';
import { parsePropertyPath } from '../../../store/partition-key.ts';
import { databaseRid } from '../../../store/resource-id.ts';
import { notEmpty, type RestoreSink } from '../../../store/snapshot/backend-snapshots.ts';
import { invalidSnapshot } from '../../../store/snapshot/invalid-snapshot.ts';
import type { CheckedRecord } from '../../../store/snapshot/snapshot-checker.ts';
import { CHANGE_KINDS } from '../../common/change-kinds.ts';
import { EpkCache } from '../../common/epk-cache.ts';
import { uniqueValues } from '../../common/unique-values.ts';
import { carryColumns } from '../columns/carry-columns.ts';
import { readColumns, type StoredColumn } from '../columns/column-definition.ts';
import type { ContainerRow } from '../container-row.ts';
import { insertRows } from '../container-statements.ts';
import { keyText, uniqueDigest } from '../key-text.ts';
import { restoreLock } from '../drop-schemas.ts';
import { containerNames, containerNamesIn, databaseSchema, quoteName, type ContainerNames } from '../names.ts';
import { bigintArray, textArray } from '../pg-arrays.ts';
import type { PgRow, Session } from '../postgres-database.ts';
import { CATALOG_DATABASE, CATALOG_RID, type ContainerStamp } from '../../common/stored-container.ts';
import { Resources } from '../resource-statements.ts';
import { recordStatement, type NewChange } from '../versions/version-table.ts';

/** Sequences that are read at once: each takes a lock. */
const TURN_SEQUENCES = 500;
/** Characters of documents, and records, that are written at once. */
const TURN_CHARACTERS = 2_000_000;
const TURN_RECORDS = 1000;

type Of<K extends CheckedRecord['kind']> = Extract<CheckedRecord, { readonly kind: K }>;
type DocumentRecord = Of<'document'>;
type ChangeRecord = Of<'change'>;

interface OpenContainer {
  readonly row: ContainerRow;
  readonly names: ContainerNames;
  readonly definition: ContainerDefinition;
  readonly uniquePaths: readonly (readonly (readonly string[])[])[];
  readonly epks: EpkCache;
  readonly isRecorded: boolean;
}

/** What was in the store before, as far as it has to be known afterwards. */
interface Before {
  /** The numbers of databases, also of those that are deleted and not gone yet. */
  readonly databases: readonly number[];
  readonly positions: ReadonlyMap<string, number>;
  readonly lastContainers: ReadonlyMap<string, number>;
  readonly columns: ReadonlyMap<string, readonly StoredColumn[]>;
}

/** What a {@link PostgresRestore} works with. */
export interface RestoreParts {
  /** The transaction that writes the catalogue. */
  readonly session: Session;
  /** Another connection, on which tables are made beside those that are there, one transaction a container. */
  readonly tables: Session;
  readonly prefix: string;
  readonly runtime: Runtime;
  readonly stamp: () => ContainerStamp;
}

/**
 * Writes the records of a snapshot into a store, all or nothing.
 *
 * A transaction takes locks for each table that it makes or drops, and the server has room for some thousands. So the tables are made in schemas of other
 * names, each container in a transaction of its own, and put in place by renaming these in the transaction that writes the catalogue. The schemas that
 * they replace, or those that were made in vain, are in `dropped_schemas`, and dropped piece by piece afterwards by `dropDeletedDatabases`.
 */
export class PostgresRestore implements RestoreSink {
  readonly #session: Session;
  readonly #tables: Session;
  readonly #prefix: string;
  readonly #s: string;
  readonly #runtime: Runtime;
  readonly #stamp: () => ContainerStamp;
  readonly #resources: Resources;
  readonly #databases = new Map<string, number>();
  /** Tells the schemas of this restore from those of others. */
  readonly #mark: string;
  /** Schemas that are to be put in place, by the number of their database. */
  readonly #made = new Map<number, string>();
  #before: Before = { databases: [], positions: new Map(), lastContainers: new Map(), columns: new Map() };
  #container: OpenContainer | undefined;
  #documents: DocumentRecord[] = [];
  #changes: ChangeRecord[] = [];
  #characters = 0;

  private constructor({ session, tables, prefix, runtime, stamp }: RestoreParts) {
    this.#session = session;
    this.#tables = tables;
    this.#prefix = prefix;
    this.#s = quoteName(prefix);
    this.#runtime = runtime;
    this.#stamp = stamp;
    // A name has 63 characters at most, of which a prefix may have 40 and a number 10.
    this.#mark = stamp().incarnation.slice(0, 6);
    this.#resources = new Resources(session, prefix, {
      session: tables,
      namesOf: (database, container) => this.#namesOf(database, container),
    });
  }

  /** Makes room for a snapshot; whoever writes meanwhile waits, and finds the container gone. @throws CONFLICT */
  static async begin(parts: RestoreParts, replace: boolean): Promise<PostgresRestore> {
    const restore = new PostgresRestore(parts);
    await restore.#clear(replace);
    return restore;
  }

  write(checked: CheckedRecord): Promise<void> | undefined {
    if (checked.kind === 'document') {
      this.#documents.push(checked);
      this.#characters += checked.document.text.length;
    } else if (checked.kind === 'change') {
      this.#changes.push(checked);
      this.#characters += checked.before?.text.length ?? 0;
    } else {
      return this.#writeResource(checked);
    }
    const isFull = this.#documents.length + this.#changes.length >= TURN_RECORDS || this.#characters >= TURN_CHARACTERS;
    return isFull ? this.#writeRows() : undefined;
  }

  /** Writes what is left, once the last record was found right, and puts it in place. */
  async finish(): Promise<void> {
    await this.#finishContainer();
    const catalogPosition = this.#before.positions.get(CATALOG_RID) ?? 0;
    if (!this.#databases.has('') && catalogPosition > 0) {
      // The catalog is empty, and its positions go on all the same.
      const definition = defineContainer({ id: 'catalog', partitionKey: '/scope' });
      await this.#makeSchema(CATALOG_DATABASE);
      const row = await this.#resources.insertContainer(CATALOG_DATABASE, CATALOG_RID, definition, this.#stamp());
      await this.#raisePositions(this.#namesOf(row.database, row.number), catalogPosition);
    }
    await this.#putInPlace();
  }

  /** Renames schemas: those that are there, and those that were made in their place. */
  async #putInPlace(): Promise<void> {
    const rename = async (from: string, to: string): Promise<void> => {
      await this.#session.rows({ text: `ALTER SCHEMA ${quoteName(from)} RENAME TO ${quoteName(to)}` });
    };
    for (const number of new Set([...this.#before.databases, ...this.#made.keys()])) {
      const name = `${this.#prefix}_${number}`;
      const [found] = await this.#session.rows<{ there: boolean }>({
        text: 'SELECT to_regnamespace($1) IS NOT NULL AS there',
        values: [databaseSchema(this.#prefix, number)],
      });
      if (found?.there === true) {
        const old = `${name}_old_${this.#mark}`;
        await rename(name, old);
        await this.#session.rows({ text: `INSERT INTO ${this.#s}.dropped_schemas (name) VALUES ($1)`, values: [old] });
      }
      const made = this.#made.get(number);
      if (made !== undefined) {
        await rename(made, name);
        await this.#session.rows({ text: `DELETE FROM ${this.#s}.dropped_schemas WHERE name = $1`, values: [made] });
      }
    }
  }

  /** Takes everything out of the catalogue, and tells which numbers were given. */
  async #clear(replace: boolean): Promise<void> {
    await this.#session.rows(restoreLock(this.#prefix));
    // Behind this nobody is in the middle of a write.
    await this.#session.rows({ text: `LOCK TABLE ${this.#s}.databases, ${this.#s}.containers IN ACCESS EXCLUSIVE MODE` });
    const databases = await this.#resources.databaseRows();
    const catalog = await this.#resources.findCatalog();
    const rows = [...(await this.#resources.listAllContainers()).map(({ row }) => row), ...(catalog === undefined ? [] : [catalog])];
    const positions = await this.#headsOf(rows);
    if (!replace && (databases.length > 0 || [...positions.values()].some((head) => head > 0))) {
      throw notEmpty();
    }
    // A restored database has the number that it had, which may be that of a deleted one whose tables are still there.
    const deleted = await this.#session.rows<{ number: number }>({ text: `DELETE FROM ${this.#s}.dropped_databases RETURNING number` });
    await this.#session.rows({ text: `DELETE FROM ${this.#s}.containers` });
    await this.#session.rows({ text: `DELETE FROM ${this.#s}.databases` });
    this.#before = {
      databases: [...[...databases, ...deleted].map(({ number }) => number), CATALOG_DATABASE],
      positions,
      lastContainers: new Map(databases.map(({ number, containers }) => [databaseRid(number), containers])),
      columns: new Map(rows.map((row) => [row.rid, readColumns(row.columns)])),
    };
  }

  /** The last position that was taken in each container, by its resource id. */
  async #headsOf(rows: readonly ContainerRow[]): Promise<ReadonlyMap<string, number>> {
    const heads = new Map<string, number>();
    for (let at = 0; at < rows.length; at += TURN_SEQUENCES) {
      const some = rows.slice(at, at + TURN_SEQUENCES);
      const found = await this.#tables.rows<{ n: number; head: number }>({
        text: 'SELECT n, coalesce(pg_sequence_last_value(name::regclass), 0) AS head FROM unnest($1::text[]) WITH ORDINALITY AS s(name, n)',
        values: [some.map(({ database, number }) => containerNames(this.#prefix, database, number).positions)],
      });
      found.forEach(({ n, head }) => heads.set((some[n - 1] as ContainerRow).rid, head));
    }
    return heads;
  }

  #namesOf(database: number, container: number): ContainerNames {
    return containerNamesIn(quoteName(this.#made.get(database) as string), container);
  }

  /** Makes a schema that takes the place of a database's in the end. Until then whoever comes behind a restore that was killed drops it. */
  async #makeSchema(database: number): Promise<void> {
    const name = `${this.#prefix}_${database}_new_${this.#mark}`;
    await this.#tables.rows({ text: `INSERT INTO ${this.#s}.dropped_schemas (name) VALUES ($1)`, values: [name] });
    await this.#tables.rows({ text: `CREATE SCHEMA ${quoteName(name)}` });
    this.#made.set(database, name);
  }

  async #raisePositions({ positions }: ContainerNames, position: number): Promise<void> {
    if (position > 0) {
      await this.#tables.rows({ text: 'SELECT setval($1::regclass, $2::bigint)', values: [positions, position] });
    }
  }

  async #writeResource(checked: Exclude<CheckedRecord, DocumentRecord | ChangeRecord>): Promise<void> {
    await this.#finishContainer();
    switch (checked.kind) {
      case 'header':
        await this.#raiseLastDatabase(checked.record.lastDatabase);
        return;
      case 'database': {
        const { id, rid, etag, ts, lastContainer } = checked.record;
        const containers = Math.max(lastContainer, this.#before.lastContainers.get(rid) ?? 0);
        await this.#session.rows({
          text: `INSERT INTO ${this.#s}.databases (number, id, etag, ts, containers) OVERRIDING SYSTEM VALUE VALUES ($1, $2, $3, $4, $5)`,
          values: [checked.number, escapeText(id), etag, ts, containers],
        });
        await this.#makeSchema(checked.number);
        this.#databases.set(id, checked.number);
        return;
      }
      case 'container':
        this.#container = await this.#beginContainer(checked);
        return;
      default:
        checked satisfies never;
    }
  }

  async #raiseLastDatabase(last: number): Promise<void> {
    const sequence = 'pg_get_serial_sequence($1, $2)::regclass';
    await this.#session.rows({
      text: `SELECT setval(${sequence}, greatest($3::bigint, coalesce(pg_sequence_last_value(${sequence}), 0))) WHERE $3::bigint > 0`,
      values: [`${this.#s}.databases`, 'number', last],
    });
  }

  async #beginContainer({ record, definition }: Of<'container'>): Promise<OpenContainer> {
    const { database, rid, etag, ts, etags, recorded, position } = record;
    if (database === null) {
      this.#databases.set('', CATALOG_DATABASE);
      await this.#makeSchema(CATALOG_DATABASE);
    }
    const owner = database === null ? CATALOG_DATABASE : (this.#databases.get(database) as number);
    const stamp = { etag, ts, incarnation: this.#stamp().incarnation };
    const floor = recorded ?? { position, atMs: Math.floor(this.#runtime.nowMs()) };
    await this.#tables.rows({ text: 'BEGIN' });
    await this.#tables.rows({ text: 'SET LOCAL idle_in_transaction_session_timeout = 0' });
    const row: ContainerRow = await this.#resources.insertContainer(owner, rid, definition, stamp, floor);
    await this.#session.rows({
      text: `UPDATE ${this.#s}.containers SET etags = $2 WHERE number = $1`,
      values: [row.number, JSON.stringify(etags)],
    });
    const names = this.#namesOf(owner, row.number);
    await this.#raisePositions(names, Math.max(position, this.#before.positions.get(rid) ?? 0));
    const uniquePaths = definition.uniqueKeys.map((paths) => paths.map(parsePropertyPath));
    return { row, names, definition, uniquePaths, epks: new EpkCache(), isRecorded: recorded !== null };
  }

  async #finishContainer(): Promise<void> {
    await this.#writeRows();
    const container = this.#container;
    this.#container = undefined;
    if (container !== undefined) {
      await this.#orDamaged('two documents of one unique key', { text: 'SET CONSTRAINTS ALL IMMEDIATE' });
      await this.#assertVersions(container);
      const { row, names } = container;
      const columns = this.#before.columns.get(row.rid) ?? [];
      const place = { prefix: this.#prefix, number: row.number, names, tables: this.#tables, catalogue: this.#session };
      await carryColumns(place, this.#runtime, columns);
      await this.#tables.rows({ text: 'COMMIT' });
    }
  }

  async #writeRows(): Promise<void> {
    const [documents, changes, container] = [this.#documents, this.#changes, this.#container];
    this.#documents = [];
    this.#changes = [];
    this.#characters = 0;
    if (container === undefined) {
      return;
    }
    if (documents.length > 0) {
      await this.#orDamaged('two documents of one key', insertStatement(container, documents));
    }
    if (changes.length > 0) {
      await this.#tables.rows(
        recordStatement(
          container.names,
          changes.map((change) => newChange(container, change)),
        ),
      );
    }
  }

  async #orDamaged(what: string, statement: Parameters<Session['rows']>[0]): Promise<void> {
    try {
      await this.#tables.rows(statement);
    } catch (error) {
      throw isPerigeeError(error) && error.details['sqlState'] === '23505' ? invalidSnapshot('damaged', what, error) : error;
    }
  }

  /** Whether each recorded write has the version that it left. */
  async #assertVersions({ names: { versions, documents }, isRecorded }: OpenContainer): Promise<void> {
    if (!isRecorded) {
      return;
    }
    const [row] = await this.#tables.rows<PgRow & { lost: number }>({
      text: `SELECT count(*) AS lost FROM ${versions} l LEFT JOIN ${versions} n ON n.previous = l.position
        LEFT JOIN ${documents} d ON d.ordinal = l.ordinal AND d.position = l.position
        WHERE l.kind <= ${CHANGE_KINDS.replace} AND n.position IS NULL AND d.position IS NULL`,
    });
    if ((row?.lost ?? 0) > 0) {
      throw invalidSnapshot('damaged', 'a change without its document');
    }
  }
}

function insertStatement(container: OpenContainer, records: readonly DocumentRecord[]): Parameters<Session['rows']>[0] {
  const { names, uniquePaths, epks, definition } = container;
  const digests = records.map(({ document }) =>
    uniquePaths.length === 0
      ? []
      : uniqueValues(uniquePaths, { ...document, value: JSON.parse(document.text) as JsonObject }).map(uniqueDigest),
  );
  return {
    text: insertRows(names, uniquePaths.length),
    values: [
      bigintArray(records.map(({ record }) => record.ordinal)),
      textArray(records.map(({ document }) => keyText(document.partitionKey))),
      textArray(records.map(({ document }) => escapeText(document.id))),
      bigintArray(records.map(({ record }) => record.position)),
      textArray(records.map(({ document }) => epks.of(document, definition.partitionKey))),
      bigintArray(records.map(({ record }) => record.ts)),
      bigintArray(records.map(({ expiresAt }) => expiresAt ?? null)),
      textArray(records.map(({ document }) => document.text)),
      ...uniquePaths.map((_, index) => textArray(digests.map((one) => one[index] as string))),
    ],
  };
}

function newChange({ epks, definition }: OpenContainer, { record, partitionKey, before }: ChangeRecord): NewChange {
  const key = { partitionKey, partitionKeyText: record.partitionKey, id: record.id };
  return {
    position: record.position,
    ordinal: record.ordinal,
    kind: CHANGE_KINDS[record.change],
    atMs: record.atMs,
    pk: keyText(partitionKey),
    id: escapeText(record.id),
    epk: epks.of(key, definition.partitionKey),
    key: record.partitionKey,
    before:
      record.before === null || before === undefined
        ? undefined
        : { position: record.before.position, ts: record.before.ts, expires_at: record.before.expiresAt, body: before.text },
  };
}
