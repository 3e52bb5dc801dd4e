import { databaseSchema, quoteName } from './names.ts';
import { stopBuilds } from './indexes/index-catalog.ts';
import type { PostgresDatabase, Session, Statement } from './postgres-database.ts';

const WHAT = 'drop the tables of a deleted database of the PostgreSQL store';
/** Tables that one transaction drops: each takes a lock for itself and for everything that belongs to it, about ten in all, of some thousands that there are. */
export const TABLES_AT_ONCE = 50;

/** Drops up to {@link TABLES_AT_ONCE} tables of a schema, oldest first, or the schema once it has none; gives whether it is still there. @param schema quoted */
async function dropSomeIn(session: Session, schema: string): Promise<boolean> {
  const tables = await session.rows<{ name: string }>({
    text: "SELECT relname AS name FROM pg_class WHERE relnamespace = to_regnamespace($1) AND relkind = 'r' ORDER BY oid LIMIT $2",
    values: [schema, TABLES_AT_ONCE],
  });
  const isLeft = tables.length > 0;
  const names = tables.map(({ name }) => `${schema}.${quoteName(name)}`);
  await session.rows({ text: isLeft ? `DROP TABLE IF EXISTS ${names.join(', ')} CASCADE` : `DROP SCHEMA IF EXISTS ${schema} CASCADE` });
  return isLeft;
}

/** Drops up to {@link TABLES_AT_ONCE} tables of a database that is deleted, or what is left of it; gives whether something is left. Within a transaction. */
async function dropSome(session: Session, prefix: string, database: number): Promise<boolean> {
  const [still] = await session.rows({
    text: `SELECT number FROM ${quoteName(prefix)}.dropped_databases WHERE number = $1 FOR UPDATE`,
    values: [database],
  });
  if (still === undefined) {
    // Another server is done with it, or a snapshot was restored in its place.
    return false;
  }
  if (await dropSomeIn(session, databaseSchema(prefix, database))) {
    return true;
  }
  await session.rows({ text: `DELETE FROM ${quoteName(prefix)}.dropped_databases WHERE number = $1`, values: [database] });
  return false;
}

const restoreKey = (prefix: string): string => `perigee restore ${prefix}`;

/** Takes the lock that a restore holds until its transaction ends: nobody else drops what it makes meanwhile. */
export function restoreLock(prefix: string): Statement {
  return { text: 'SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', values: [restoreKey(prefix)] };
}

/** Drops up to {@link TABLES_AT_ONCE} tables of a schema that a restore left; gives whether something is left that may be dropped now. Within a transaction. */
async function dropSomeOf(session: Session, prefix: string, name: string): Promise<boolean> {
  const s = quoteName(prefix);
  const [lock] = await session.rows<{ taken: boolean }>({
    text: 'SELECT pg_try_advisory_xact_lock_shared(hashtextextended($1, 0)) AS taken',
    values: [restoreKey(prefix)],
  });
  const [still] =
    lock?.taken === true
      ? await session.rows({ text: `SELECT name FROM ${s}.dropped_schemas WHERE name = $1 FOR UPDATE`, values: [name] })
      : [];
  if (still === undefined) {
    return false;
  }
  const schema = quoteName(name);
  await stopBuilds(session, schema);
  if (await dropSomeIn(session, schema)) {
    return true;
  }
  await session.rows({ text: `DELETE FROM ${s}.dropped_schemas WHERE name = $1`, values: [name] });
  return false;
}

/**
 * Drops what is left of databases that are deleted, and of those that a restore replaced: their tables in several transactions, since a transaction takes
 * locks for each and the server has room for some thousands only. Who was killed in the middle leaves the rest to the next one.
 */
export async function dropDeletedDatabases(database: PostgresDatabase): Promise<void> {
  const { prefix } = database;
  const s = quoteName(prefix);
  const deleted = await database.rows<{ number: number }>(WHAT, { text: `SELECT number FROM ${s}.dropped_databases ORDER BY number` });
  for (const { number } of deleted) {
    while (await database.transaction(WHAT, (session) => dropSome(session, prefix, number))) {
      // Until nothing is left.
    }
  }
  const replaced = await database.rows<{ name: string }>(WHAT, { text: `SELECT name FROM ${s}.dropped_schemas ORDER BY name` });
  for (const { name } of replaced) {
    while (await database.transaction(WHAT, (session) => dropSomeOf(session, prefix, name))) {
      // Until nothing is left.
    }
  }
}
