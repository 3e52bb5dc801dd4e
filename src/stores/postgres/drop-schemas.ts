import { databaseSchema, quoteName } from './names.ts';
import type { PostgresDatabase, Session } from './postgres-database.ts';

const WHAT = 'drop the tables of a deleted database of the PostgreSQL store';
/** Tables that one transaction drops: each takes a lock for itself and for everything that belongs to it, about ten in all, of some thousands that there are. */
export const TABLES_AT_ONCE = 50;

/** Drops up to {@link TABLES_AT_ONCE} tables of a database that is deleted, or what is left of it; gives whether something is left. Within a transaction. */
async function dropSome(session: Session, prefix: string, database: number): Promise<boolean> {
  const schema = databaseSchema(prefix, database);
  const [still] = await session.rows({
    text: `SELECT number FROM ${quoteName(prefix)}.dropped_databases WHERE number = $1 FOR UPDATE`,
    values: [database],
  });
  if (still === undefined) {
    // Another server is done with it, or a snapshot was restored in its place.
    return false;
  }
  const tables = await session.rows<{ name: string }>({
    text: "SELECT relname AS name FROM pg_class WHERE relnamespace = to_regnamespace($1) AND relkind = 'r' ORDER BY oid LIMIT $2",
    values: [schema, TABLES_AT_ONCE],
  });
  if (tables.length > 0) {
    const names = tables.map(({ name }) => `${schema}.${quoteName(name)}`);
    await session.rows({ text: `DROP TABLE IF EXISTS ${names.join(', ')} CASCADE` });
    return true;
  }
  await session.rows({ text: `DROP SCHEMA IF EXISTS ${schema} CASCADE` });
  await session.rows({ text: `DELETE FROM ${quoteName(prefix)}.dropped_databases WHERE number = $1`, values: [database] });
  return false;
}

/**
 * Drops what is left of databases that are deleted: their tables in several transactions, since a transaction takes locks for each and the server has room for
 * some thousands only. Who was killed in the middle leaves the rest to the next one.
 */
export async function dropDeletedDatabases(database: PostgresDatabase): Promise<void> {
  const { prefix } = database;
  const deleted = await database.rows<{ number: number }>(WHAT, {
    text: `SELECT number FROM ${quoteName(prefix)}.dropped_databases ORDER BY number`,
  });
  for (const { number } of deleted) {
    while (await database.transaction(WHAT, (session) => dropSome(session, prefix, number))) {
      // Until nothing is left.
    }
  }
}
