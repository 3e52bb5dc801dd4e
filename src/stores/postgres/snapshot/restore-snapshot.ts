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
import { containerNames, databaseSchema, quoteName, type ContainerNames } from '../names.ts';
import { bigintArray, textArray } from '../pg-arrays.ts';
import type { PgRow, Session } from '../postgres-database.ts';
import { CATALOG_DATABASE, CATALOG_RID, type ContainerStamp } from '../../common/stored-container.ts';
import { Resources } from '../resource-statements.ts';
import { recordStatement, type NewChange } from '../versions/version-table.ts';

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
  readonly positions: ReadonlyMap<string, number>;
  readonly lastContainers: ReadonlyMap<string, number>;
  readonly columns: ReadonlyMap<string, readonly StoredColumn[]>;
}

/** Writes the records of a snapshot into a store, within one transaction. */
export class PostgresRestore implements RestoreSink {
  readonly #session: Session;
  readonly #prefix: string;
  readonly #s: string;
  readonly #runtime: Runtime;
  readonly #stamp: () => ContainerStamp;
  readonly #resources: Resources;
  readonly #databases = new Map<string, number>();
  #before: Before = { positions: new Map(), lastContainers: new Map(), columns: new Map() };
  #container: OpenContainer | undefined;
  #documents: DocumentRecord[] = [];
  #changes: ChangeRecord[] = [];
  #characters = 0;

  private constructor(session: Session, prefix: string, runtime: Runtime, stamp: () => ContainerStamp) {
    this.#session = session;
    this.#prefix = prefix;
    this.#s = quoteName(prefix);
    this.#runtime = runtime;
    this.#stamp = stamp;
    this.#resources = new Resources(session, prefix);
  }

  /** Makes room for a snapshot; whoever writes meanwhile waits, and finds the container gone. @throws CONFLICT */
  static async begin(
    session: Session,
    prefix: string,
    runtime: Runtime,
    stamp: () => ContainerStamp,
    replace: boolean,
  ): Promise<PostgresRestore> {
    const restore = new PostgresRestore(session, prefix, runtime, stamp);
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

  /** Writes what is left, once the last record was found right. */
  async finish(): Promise<void> {
    await this.#finishContainer();
    const catalogPosition = this.#before.positions.get(CATALOG_RID) ?? 0;
    if (this.#databases.has('') || catalogPosition === 0) {
      return;
    }
    // The catalog is empty, and its positions go on all the same.
    const row = await this.#resources.openCatalog(defineContainer({ id: 'catalog', partitionKey: '/scope' }), this.#stamp());
    await this.#raisePositions(containerNames(this.#prefix, row.database, row.number), catalogPosition);
  }

  /** Removes everything, and tells which numbers were given. */
  async #clear(replace: boolean): Promise<void> {
    await this.#session.rows({ text: `LOCK TABLE ${this.#s}.databases, ${this.#s}.containers IN ACCESS EXCLUSIVE MODE` });
    const databases = await this.#resources.databaseRows();
    const positions = new Map<string, number>();
    const catalog = await this.#resources.findCatalog();
    const rows = [...(await this.#resources.listAllContainers()).map(({ row }) => row), ...(catalog === undefined ? [] : [catalog])];
    for (const row of rows) {
      const head = await this.#resources.headOf(row);
      positions.set(row.rid, head);
      if (!replace && (databases.length > 0 || head > 0)) {
        throw notEmpty();
      }
    }
    if (!replace && databases.length > 0) {
      throw notEmpty();
    }
    for (const row of rows) {
      await this.#resources.dropContainer(row);
    }
    // A restored database has the number that it had, which may be that of a deleted one whose tables are still there.
    const deleted = await this.#session.rows<{ number: number }>({ text: `DELETE FROM ${this.#s}.dropped_databases RETURNING number` });
    for (const number of [...[...databases, ...deleted].map((one) => one.number), CATALOG_DATABASE]) {
      await this.#session.rows({ text: `DROP SCHEMA IF EXISTS ${databaseSchema(this.#prefix, number)} CASCADE` });
    }
    await this.#session.rows({ text: `DELETE FROM ${this.#s}.databases` });
    const lastContainers = new Map(databases.map(({ number, containers }) => [databaseRid(number), containers]));
    const columns = new Map(rows.map((row) => [row.rid, readColumns(row.columns)]));
    this.#before = { positions, lastContainers, columns };
  }

  async #raisePositions({ positions }: ContainerNames, position: number): Promise<void> {
    if (position > 0) {
      await this.#session.rows({ text: 'SELECT setval($1::regclass, $2::bigint)', values: [positions, position] });
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
        await this.#session.rows({ text: `CREATE SCHEMA ${databaseSchema(this.#prefix, checked.number)}` });
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
      await this.#session.rows({ text: `CREATE SCHEMA ${databaseSchema(this.#prefix, CATALOG_DATABASE)}` });
    }
    const owner = database === null ? CATALOG_DATABASE : (this.#databases.get(database) as number);
    const stamp = { etag, ts, incarnation: this.#stamp().incarnation };
    const floor = recorded ?? { position, atMs: Math.floor(this.#runtime.nowMs()) };
    const row: ContainerRow = await this.#resources.insertContainer(owner, rid, definition, stamp, floor);
    await this.#session.rows({
      text: `UPDATE ${this.#s}.containers SET etags = $2 WHERE number = $1`,
      values: [row.number, JSON.stringify(etags)],
    });
    const names = containerNames(this.#prefix, owner, row.number);
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
      await this.#session.rows({ text: 'SET CONSTRAINTS ALL DEFERRED' });
      await this.#assertVersions(container);
      const columns = this.#before.columns.get(container.row.rid) ?? [];
      await carryColumns(this.#session, this.#prefix, this.#runtime, container.row, columns);
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
      await this.#session.rows(
        recordStatement(
          container.names,
          changes.map((change) => newChange(container, change)),
        ),
      );
    }
  }

  async #orDamaged(what: string, statement: Parameters<Session['rows']>[0]): Promise<void> {
    try {
      await this.#session.rows(statement);
    } catch (error) {
      throw isPerigeeError(error) && error.details['sqlState'] === '23505' ? invalidSnapshot('damaged', what, error) : error;
    }
  }

  /** Whether each recorded write has the version that it left. */
  async #assertVersions({ names: { versions, documents }, isRecorded }: OpenContainer): Promise<void> {
    if (!isRecorded) {
      return;
    }
    const [row] = await this.#session.rows<PgRow & { lost: number }>({
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
