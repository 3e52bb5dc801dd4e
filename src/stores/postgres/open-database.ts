import { learnConnection, type ConnectionFacts } from './connection-facts.ts';
import { PostgresDatabase, type PostgresDatabaseOptions } from './postgres-database.ts';

/** How a {@link PostgresDatabase} is opened of which it is not known yet what stands between. */
export interface OpenDatabaseOptions extends Pick<PostgresDatabaseOptions, 'pg' | 'pool' | 'prefix' | 'runtime' | 'logger'> {
  /** Whether statements are prepared; what stands between decides where this is left out. */
  readonly prepares: boolean | undefined;
}

/** Learns what a connection is, and opens a database on such connections. @throws UNREACHABLE, UNAUTHORIZED and what else connecting may throw */
export async function openDatabase({
  pg,
  pool,
  prefix,
  prepares,
  runtime,
  logger,
}: OpenDatabaseOptions): Promise<{ readonly database: PostgresDatabase; readonly facts: ConnectionFacts }> {
  const facts = await learnConnection(pg, pool, runtime);
  const { config, timeouts, isPooled, keepsNames } = facts;
  const database = new PostgresDatabase({
    pg,
    pool: config,
    runtime,
    logger,
    prefix,
    prepares: prepares ?? keepsNames,
    timeouts,
    isPooled,
  });
  return { database, facts };
}
