import type { DatabaseInfo } from '../../store/backend.ts';
import type { CreateRefusal } from '../../store/base-backend.ts';
import type { ContainerDefinition } from '../../store/container-definition.ts';
import { checkContainerEtag } from '../../store/container-etag.ts';
import { containerRid, databaseRid } from '../../store/resource-id.ts';
import type { RetentionFloor } from '../../store/version-retention.ts';
import { definitionText } from '../common/definition-text.ts';
import { CATALOG_DATABASE, CATALOG_RID, type ContainerStamp, type Stamp } from '../common/stored-container.ts';
import { dropColumnTrigger } from './columns/column-sql.ts';
import { CONTAINER_COLUMNS, type ContainerRow } from './container-row.ts';
import { createContainerTable, createDatabaseSchema } from './container-statements.ts';
import { TABLES_AT_ONCE } from './drop-schemas.ts';
import { reconcileIndexes, stopBuilds } from './indexes/index-catalog.ts';
import { escapeText, unescapeText } from '../../query/compile/postgres/nul-text.ts';
import { containerNames, databaseSchema, quoteName, type ContainerNames } from './names.ts';
import type { PgRow, Session } from './postgres-database.ts';
import { createVersionTable } from './versions/version-table.ts';

/** A database of the catalogue, its id as the table has it. */
export interface DatabaseRow extends PgRow {
  readonly number: number;
  readonly id: string;
  readonly etag: string;
  readonly ts: number;
  readonly containers: number;
}

/** Where the tables of new containers are made, and on what: while a snapshot is restored, beside those that it replaces. */
export interface TablePlace {
  readonly session: Session;
  readonly namesOf: (database: number, container: number) => ContainerNames;
}

/** Databases and containers in the catalogue of one store, on a session or a transaction. */
export class Resources {
  readonly #session: Session;
  readonly #prefix: string;
  readonly #s: string;
  readonly #tables: TablePlace;

  constructor(session: Session, prefix: string, tables?: TablePlace) {
    this.#session = session;
    this.#prefix = prefix;
    this.#tables = tables ?? { session, namesOf: (database, container) => containerNames(prefix, database, container) };
    this.#s = quoteName(prefix);
  }

  /** Within a transaction. */
  async createDatabase(id: string, { etag, ts }: Stamp): Promise<DatabaseInfo | 'exists'> {
    const [row] = await this.#session.rows<DatabaseRow>({
      text: `INSERT INTO ${this.#s}.databases (id, etag, ts, containers) VALUES ($1, $2, $3, 0) ON CONFLICT (id) DO NOTHING RETURNING *`,
      values: [escapeText(id), etag, ts],
    });
    if (row === undefined) {
      return 'exists';
    }
    await this.#session.rows({ text: createDatabaseSchema(this.#prefix, row.number) });
    return databaseInfo(row);
  }

  async readDatabase(id: string): Promise<DatabaseInfo | undefined> {
    const row = await this.#database(id);
    return row === undefined ? undefined : databaseInfo(row);
  }

  async listDatabases(): Promise<readonly DatabaseInfo[]> {
    return (await this.databaseRows()).map(databaseInfo);
  }

  /** All databases, in the order of their creation. */
  async databaseRows(): Promise<readonly DatabaseRow[]> {
    return this.#session.rows<DatabaseRow>({ text: `SELECT * FROM ${this.#s}.databases ORDER BY number` });
  }

  /**
   * Deletes a database with its containers; `false` when there is none. The tables of more than a few are left to `dropDeletedDatabases`. Within a
   * transaction.
   */
  async deleteDatabase(id: string): Promise<boolean> {
    const [row] = await this.#session.rows<DatabaseRow>({
      text: `DELETE FROM ${this.#s}.databases WHERE id = $1 RETURNING *`,
      values: [escapeText(id)],
    });
    if (row === undefined) {
      return false;
    }
    const containers = await this.#session.rows({
      text: `DELETE FROM ${this.#s}.containers WHERE database = $1 RETURNING number`,
      values: [row.number],
    });
    await stopBuilds(this.#session, databaseSchema(this.#prefix, row.number));
    await this.#session.rows(
      containers.length > TABLES_AT_ONCE
        ? { text: `INSERT INTO ${this.#s}.dropped_databases (number) VALUES ($1)`, values: [row.number] }
        : { text: `DROP SCHEMA IF EXISTS ${databaseSchema(this.#prefix, row.number)} CASCADE` },
    );
    return true;
  }

  /** Within a transaction. */
  async createContainer(databaseId: string, definition: ContainerDefinition, stamp: ContainerStamp): Promise<ContainerRow | CreateRefusal> {
    // The row stays locked, so the database is there until the container is.
    const [database] = await this.#session.rows<DatabaseRow>({
      text: `UPDATE ${this.#s}.databases SET containers = containers + 1 WHERE id = $1 RETURNING *`,
      values: [escapeText(databaseId)],
    });
    if (database === undefined) {
      return 'no-database';
    }
    if ((await this.#containerIn(database.number, definition.id)) !== undefined) {
      return 'exists';
    }
    return this.insertContainer(database.number, containerRid(databaseRid(database.number), database.containers), definition, stamp);
  }

  async findContainer(databaseId: string, id: string): Promise<ContainerRow | undefined> {
    const database = await this.#database(databaseId);
    return database === undefined ? undefined : this.#containerIn(database.number, id);
  }

  /** `undefined` when the database is missing. */
  async listContainers(databaseId: string): Promise<readonly ContainerRow[] | undefined> {
    const database = await this.#database(databaseId);
    return database === undefined ? undefined : this.#containers('database = $1 ORDER BY number', [database.number]);
  }

  /** All containers of users, in the order of their creation. */
  async listAllContainers(): Promise<readonly { readonly databaseId: string; readonly row: ContainerRow }[]> {
    const found: { readonly databaseId: string; readonly row: ContainerRow }[] = [];
    for (const { number, id } of await this.databaseRows()) {
      const rows = await this.#containers('database = $1 ORDER BY number', [number]);
      found.push(...rows.map((row) => ({ databaseId: unescapeText(id), row })));
    }
    return found;
  }

  /** The last position that was taken in a container, 0 for none. */
  async headOf({ database, number }: ContainerRow): Promise<number> {
    const { positions } = containerNames(this.#prefix, database, number);
    const text = 'SELECT coalesce(pg_sequence_last_value($1::regclass), 0) AS head';
    return (await this.#session.rows<{ head: number }>({ text, values: [positions] }))[0]?.head ?? 0;
  }

  /** Within a transaction. @throws PRECONDITION_FAILED where the container does not have the etag `ifMatch` */
  async deleteContainer(databaseId: string, id: string, ifMatch: string | undefined): Promise<boolean> {
    const found = await this.holdContainer(await this.findContainer(databaseId, id), ifMatch);
    return found !== undefined && this.dropContainer(found);
  }

  /**
   * Keeps others from changing a container until the transaction ends, and gives it as it is now; `undefined` when it is gone. Whoever changes a container
   * does this before it locks the table, so that no two wait for each other.
   *
   * @throws PRECONDITION_FAILED where the container does not have the etag `ifMatch`
   */
  async holdContainer(known: ContainerRow | undefined, ifMatch?: string): Promise<ContainerRow | undefined> {
    const [row] = known === undefined ? [] : await this.#containers('number = $1 FOR UPDATE', [known.number]);
    if (row !== undefined) {
      checkContainerEtag(row.id, row.etag, ifMatch);
    }
    return row;
  }

  /** Removes a container with its tables; `false` when it is gone. Within a transaction. */
  async dropContainer({ database, number }: ContainerRow): Promise<boolean> {
    const gone = await this.#session.rows({
      text: `DELETE FROM ${this.#s}.containers WHERE number = $1 RETURNING number`,
      values: [number],
    });
    const { schema, documents, versions } = containerNames(this.#prefix, database, number);
    await stopBuilds(this.#session, schema, documents);
    // With views of it, whoever made them, as they go with a database.
    await this.#session.rows({ text: `DROP TABLE IF EXISTS ${versions}, ${documents} CASCADE` });
    await this.#session.rows({ text: dropColumnTrigger({ schema }, number) });
    return gone.length > 0;
  }

  /** Writes a definition in place of the one before; `undefined` when the container is gone. Within a transaction. */
  async replaceDefinition(rid: string, definition: ContainerDefinition, { etag, ts }: Stamp): Promise<ContainerRow | undefined> {
    const [row] = await this.#session.rows<ContainerRow>({
      text: `UPDATE ${this.#s}.containers SET definition = $2, etag = $3, ts = $4 WHERE rid = $1 RETURNING ${CONTAINER_COLUMNS}`,
      values: [rid, definitionText(definition), etag, ts],
    });
    return row === undefined ? undefined : named(row);
  }

  /** Makes the table of a container's versions; what is behind the floor will be recorded. Within a transaction. */
  async beginRecording(row: ContainerRow, floor: RetentionFloor): Promise<ContainerRow> {
    for (const text of createVersionTable(this.#tables.namesOf(row.database, row.number))) {
      await this.#tables.session.rows({ text });
    }
    return this.#saveFloor(row, floor);
  }

  /** Drops what was recorded of a container. Within a transaction. */
  async endRecording(row: ContainerRow): Promise<ContainerRow> {
    await this.#session.rows({ text: `DROP TABLE IF EXISTS ${containerNames(this.#prefix, row.database, row.number).versions}` });
    return this.#saveFloor(row, undefined);
  }

  /** The container of the catalog, where it was made. */
  async findCatalog(): Promise<ContainerRow | undefined> {
    return (await this.#containers('database = $1', [CATALOG_DATABASE]))[0];
  }

  /** The container of the catalog, made when it is first asked for; many may ask at once. Within a transaction. */
  async openCatalog(definition: ContainerDefinition, stamp: ContainerStamp): Promise<ContainerRow> {
    await this.#session.rows({
      text: 'SELECT pg_advisory_xact_lock(hashtextextended($1, 0))',
      values: [`perigee catalog ${this.#prefix}`],
    });
    const found = await this.findCatalog();
    if (found !== undefined) {
      return found;
    }
    await this.#session.rows({ text: `CREATE SCHEMA IF NOT EXISTS ${databaseSchema(this.#prefix, CATALOG_DATABASE)}` });
    return this.insertContainer(CATALOG_DATABASE, CATALOG_RID, definition, stamp);
  }

  async #database(id: string): Promise<DatabaseRow | undefined> {
    const [row] = await this.#session.rows<DatabaseRow>({
      text: `SELECT * FROM ${this.#s}.databases WHERE id = $1`,
      values: [escapeText(id)],
    });
    return row;
  }

  async #containerIn(database: number, id: string): Promise<ContainerRow | undefined> {
    return (await this.#containers('database = $1 AND id = $2', [database, escapeText(id)]))[0];
  }

  async #containers(condition: string, values: readonly (string | number)[]): Promise<readonly ContainerRow[]> {
    const text = `SELECT ${CONTAINER_COLUMNS} FROM ${this.#s}.containers WHERE ${condition}`;
    return (await this.#session.rows<ContainerRow>({ text, values })).map(named);
  }

  /** Adds a container with its tables. @param floor behind which its versions are recorded, where its definition says so. Within a transaction. */
  async insertContainer(
    database: number,
    rid: string,
    definition: ContainerDefinition,
    stamp: ContainerStamp,
    floor: RetentionFloor = { position: 0, atMs: stamp.ts * 1000 },
  ): Promise<ContainerRow> {
    const [row] = await this.#session.rows<ContainerRow>({
      text: `INSERT INTO ${this.#s}.containers (database, id, rid, definition, etag, ts, incarnation) VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING ${CONTAINER_COLUMNS}`,
      values: [database, escapeText(definition.id), rid, definitionText(definition), stamp.etag, stamp.ts, stamp.incarnation],
    });
    const made = named(row as ContainerRow);
    const names = this.#tables.namesOf(database, made.number);
    for (const text of createContainerTable(names, made.number, definition.uniqueKeys.length)) {
      await this.#tables.session.rows({ text });
    }
    await reconcileIndexes(this.#session, this.#prefix, made, definition, { session: this.#tables.session, names });
    return definition.changeFeedPolicy === undefined ? made : this.beginRecording(made, floor);
  }

  async #saveFloor(row: ContainerRow, floor: RetentionFloor | undefined): Promise<ContainerRow> {
    const versions_floor = floor?.position ?? null;
    const versions_from_ms = floor?.atMs ?? null;
    await this.#session.rows({
      text: `UPDATE ${this.#s}.containers SET versions_floor = $2, versions_from_ms = $3 WHERE number = $1`,
      values: [row.number, versions_floor, versions_from_ms],
    });
    return { ...row, versions_floor, versions_from_ms };
  }
}

function named(row: ContainerRow): ContainerRow {
  return { ...row, id: unescapeText(row.id) };
}

function databaseInfo(row: DatabaseRow): DatabaseInfo {
  return { id: unescapeText(row.id), rid: databaseRid(row.number), etag: row.etag, ts: row.ts };
}
