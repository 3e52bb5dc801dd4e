import { PerigeeError } from '../../core/errors.ts';
import type { DatabaseInfo } from '../../store/backend.ts';
import type { CreateRefusal } from '../../store/base-backend.ts';
import type { ContainerDefinition } from '../../store/container-definition.ts';
import { checkContainerEtag } from '../../store/container-etag.ts';
import { containerRid, databaseRid } from '../../store/resource-id.ts';
import { createContainerTables, dropContainerTables, tableNames } from './container-statements.ts';
import { definitionText } from '../common/definition-text.ts';
import { CATALOG_DATABASE, CATALOG_RID, type ContainerStamp, type Stamp } from '../common/stored-container.ts';
import { all, get, run, type Program, type SqliteRow } from './driver.ts';
import { createIndexes, dropIndexes, reconcileIndexes } from './indexes/index-catalog.ts';
import type { ContainerRow } from './container-row.ts';
import { beginRecording } from './versions/version-recorder.ts';

const CONTAINER_COLUMNS = 'number, id, rid, definition, etag, ts, incarnation, journal, etags, floor AS head';

interface DatabaseRow extends SqliteRow {
  readonly number: number;
  readonly id: string;
  readonly etag: string;
  readonly ts: number;
}

function databaseInfo(row: DatabaseRow): DatabaseInfo {
  return { id: row.id, rid: databaseRid(row.number), etag: row.etag, ts: row.ts };
}

function* findDatabase(id: string): Program<DatabaseRow | undefined> {
  return yield* get<DatabaseRow>('SELECT number, id, etag, ts FROM databases WHERE id = ?', id);
}

export function* createDatabase(id: string, stamp: Stamp): Program<DatabaseInfo | 'exists'> {
  if ((yield* findDatabase(id)) !== undefined) {
    return 'exists';
  }
  yield* run('INSERT INTO databases (id, etag, ts, containers) VALUES (?, ?, ?, 0)', id, stamp.etag, stamp.ts);
  return databaseInfo((yield* findDatabase(id)) as DatabaseRow);
}

export function* readDatabase(id: string): Program<DatabaseInfo | undefined> {
  const row = yield* findDatabase(id);
  return row === undefined ? undefined : databaseInfo(row);
}

export function* listDatabases(): Program<readonly DatabaseInfo[]> {
  return (yield* all<DatabaseRow>('SELECT number, id, etag, ts FROM databases ORDER BY number')).map(databaseInfo);
}

/** Deletes a database with its containers and their tables; `false` when there is none. */
export function* deleteDatabase(id: string): Program<boolean> {
  const database = yield* findDatabase(id);
  if (database === undefined) {
    return false;
  }
  for (const container of yield* containersOf(database.number)) {
    yield* dropContainer(container);
  }
  yield* run('DELETE FROM databases WHERE number = ?', database.number);
  return true;
}

/** The containers of a database, by its number, in the order of their creation. */
export function* containersOf(database: number): Program<readonly ContainerRow[]> {
  return yield* all<ContainerRow>(`SELECT ${CONTAINER_COLUMNS} FROM containers WHERE database = ? ORDER BY number`, database);
}

/** Removes a container with its tables. @throws SYNC_SCOPE for one whose journal may still hold writes that were acknowledged and not sent */
export function* dropContainer({ number, id, journal }: ContainerRow): Program<void> {
  if (journal !== null) {
    throw new PerigeeError(
      'SYNC_SCOPE',
      `Cannot delete the container ${JSON.stringify(id)}: ${JSON.stringify(journal)} records its writes, and some may not have been sent. Release the journal first.`,
      { details: { journal } },
    );
  }
  yield* dropIndexes(number);
  for (const sql of dropContainerTables(number)) {
    yield* run(sql);
  }
  yield* run('DELETE FROM containers WHERE number = ?', number);
}

/** Adds a container with its tables and without indexes. */
export function* insertContainer(
  database: number,
  rid: string,
  definition: ContainerDefinition,
  stamp: ContainerStamp,
): Program<ContainerRow> {
  yield* run(
    'INSERT INTO containers (database, id, rid, definition, etag, ts, incarnation, floor) VALUES (?, ?, ?, ?, ?, ?, ?, 0)',
    database,
    definition.id,
    rid,
    definitionText(definition),
    stamp.etag,
    stamp.ts,
    stamp.incarnation,
  );
  const row = (yield* findIn(database, definition.id)) as ContainerRow;
  for (const sql of createContainerTables(row.number, definition.uniqueKeys.length > 0)) {
    yield* run(sql);
  }
  return row;
}

function* insertNewContainer(database: number, rid: string, definition: ContainerDefinition, stamp: ContainerStamp): Program<ContainerRow> {
  const row = yield* insertContainer(database, rid, definition, stamp);
  yield* createIndexes(row.number, definition, stamp.ts);
  if (definition.changeFeedPolicy !== undefined) {
    yield* beginRecording(row.number, { position: 0, atMs: stamp.ts * 1000 });
  }
  return row;
}

function* findIn(database: number, id: string): Program<ContainerRow | undefined> {
  return yield* get<ContainerRow>(`SELECT ${CONTAINER_COLUMNS} FROM containers WHERE database = ? AND id = ?`, database, id);
}

export function* createContainer(
  databaseId: string,
  definition: ContainerDefinition,
  stamp: ContainerStamp,
): Program<ContainerRow | CreateRefusal> {
  const database = yield* findDatabase(databaseId);
  if (database === undefined) {
    return 'no-database';
  }
  if ((yield* findIn(database.number, definition.id)) !== undefined) {
    return 'exists';
  }
  yield* run('UPDATE databases SET containers = containers + 1 WHERE number = ?', database.number);
  const counted = yield* get<{ containers: number }>('SELECT containers FROM databases WHERE number = ?', database.number);
  const rid = containerRid(databaseRid(database.number), counted?.containers ?? 1);
  return yield* insertNewContainer(database.number, rid, definition, stamp);
}

export function* findContainer(databaseId: string, id: string): Program<ContainerRow | undefined> {
  const database = yield* findDatabase(databaseId);
  return database === undefined ? undefined : yield* findIn(database.number, id);
}

/** `undefined` when the database is missing. */
export function* listContainers(databaseId: string): Program<readonly ContainerRow[] | undefined> {
  const database = yield* findDatabase(databaseId);
  return database === undefined ? undefined : yield* containersOf(database.number);
}

/** All containers of all databases, in the order of their creation. */
export function* listAllContainers(): Program<readonly { readonly databaseId: string; readonly row: ContainerRow }[]> {
  const found: { readonly databaseId: string; readonly row: ContainerRow }[] = [];
  for (const { number, id } of yield* all<DatabaseRow>('SELECT number, id, etag, ts FROM databases ORDER BY number')) {
    found.push(...(yield* containersOf(number)).map((row) => ({ databaseId: id, row })));
  }
  return found;
}

/** @throws PRECONDITION_FAILED where the container does not have the etag `ifMatch` */
export function* deleteContainer(databaseId: string, id: string, ifMatch: string | undefined): Program<boolean> {
  const row = yield* findContainer(databaseId, id);
  if (row === undefined) {
    return false;
  }
  checkContainerEtag(id, row.etag, ifMatch);
  yield* dropContainer(row);
  return true;
}

/** Writes a definition in place of the one before; `undefined` when the container is gone. Indexes that it adds are in the catalogue and not ready. */
export function* replaceDefinition(rid: string, definition: ContainerDefinition, stamp: Stamp): Program<ContainerRow | undefined> {
  yield* run('UPDATE containers SET definition = ?, etag = ?, ts = ? WHERE rid = ?', definitionText(definition), stamp.etag, stamp.ts, rid);
  const row = yield* get<ContainerRow>(`SELECT ${CONTAINER_COLUMNS} FROM containers WHERE rid = ?`, rid);
  if (row !== undefined) {
    yield* reconcileIndexes(row.number, definition, stamp.ts);
  }
  return row;
}

/**
 * Up to `limit` documents behind an ordinal get the expiry that a new default time to live gives them; gives the last ordinal, or `undefined` at the
 * end. What has expired stays so.
 */
export function* restampExpiry(
  container: number,
  defaultTtl: number | undefined,
  nowSeconds: number,
  behind: number,
  limit: number,
): Program<number | undefined> {
  const { documents } = tableNames(container);
  const last = yield* get<{ last: number | null }>(
    `SELECT max(ordinal) AS last FROM (SELECT ordinal FROM ${documents} WHERE ordinal > ? ORDER BY ordinal LIMIT ?)`,
    behind,
    limit,
  );
  if (last === undefined || last.last === null) {
    return undefined;
  }
  const ttl = "coalesce(json_extract(body, '$.ttl'), given.ttl)";
  yield* run(
    `UPDATE ${documents} SET expires_at = CASE WHEN given.ttl IS NULL OR ${ttl} = -1 THEN NULL ELSE ts + ${ttl} END
      FROM (SELECT ? AS ttl) AS given WHERE ordinal > ? AND ordinal <= ? AND (expires_at IS NULL OR expires_at > ?)`,
    defaultTtl ?? null,
    behind,
    last.last,
    nowSeconds,
  );
  return last.last;
}

/** Marks a container as one whose writes a journal records, or as free again. */
export function* setJournal(container: number, journal: string | null): Program<void> {
  yield* run('UPDATE containers SET journal = ? WHERE number = ?', journal, container);
}

/** The container of the catalog, where it was made. */
export function* findCatalog(): Program<ContainerRow | undefined> {
  return (yield* containersOf(CATALOG_DATABASE))[0];
}

/** The container of the catalog, made when it is first asked for. */
export function* openCatalog(definition: ContainerDefinition, stamp: ContainerStamp): Program<ContainerRow> {
  const found = yield* findIn(CATALOG_DATABASE, definition.id);
  return found ?? (yield* insertNewContainer(CATALOG_DATABASE, CATALOG_RID, definition, stamp));
}
