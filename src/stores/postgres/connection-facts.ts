import type { Client, PoolConfig } from 'pg';
import { toHex, type Runtime } from '../../core/runtime.ts';
import { COLUMN_TYPES, type PgModule } from './pg-driver.ts';
import { wrapPostgresError } from './postgres-errors.ts';
import { ownTimeouts, type OwnTimeouts } from './own-timeouts.ts';

/** What a connection turns out to be. */
export interface ConnectionFacts {
  /** Whether something stands between that gives each transaction another connection to PostgreSQL, or may. */
  readonly isPooled: boolean;
  /** How to connect. */
  readonly config: PoolConfig;
  /** Time-outs that the connection does not bring along, so that each transaction has to. */
  readonly timeouts: OwnTimeouts | undefined;
  /** Whether a prepared statement is found again under its name, and no other in its place. */
  readonly keepsNames: boolean;
}

const OPENING = 'open the PostgreSQL store';

/**
 * Connects once to learn what stands between. A pooler such as PgBouncer refuses time-outs in the greeting of a connection, or reads over them, and those
 * before PgBouncer 1.21 mix up the prepared statements of all who use them.
 *
 * @throws UNREACHABLE, UNAUTHORIZED and what else connecting may throw
 */
export async function learnConnection(pg: PgModule, config: PoolConfig, runtime: Runtime): Promise<ConnectionFacts> {
  try {
    return await learn(pg, config, config, runtime);
  } catch (error) {
    if (!isGreetingRefused(error)) {
      throw wrapPostgresError(error, OPENING);
    }
  }
  try {
    return await learn(pg, withoutTimeouts(config), config, runtime);
  } catch (error) {
    throw wrapPostgresError(error, OPENING);
  }
}

/** Whether a connection is to a process of PostgreSQL, and not to something that stands between. */
export async function isDirect(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  return rows[0]?.pid === processOf(client);
}

/** A configuration without what a pooler refuses. */
export function withoutTimeouts(config: PoolConfig): PoolConfig {
  const { statement_timeout: _, lock_timeout: __, idle_in_transaction_session_timeout: ___, ...others } = config;
  return others;
}

async function learn(pg: PgModule, config: PoolConfig, wanted: PoolConfig, runtime: Runtime): Promise<ConnectionFacts> {
  const client = new pg.Client({ ...config, types: COLUMN_TYPES });
  // It says so to whoever waits for an answer as well.
  client.on('error', () => undefined);
  try {
    await client.connect();
    if (await isDirect(client)) {
      return { isPooled: false, config, timeouts: undefined, keepsNames: true };
    }
    const timeouts = (await hasTimeouts(client, wanted)) ? undefined : ownTimeouts(wanted);
    return {
      isPooled: true,
      config: timeouts === undefined ? config : withoutTimeouts(config),
      timeouts,
      keepsNames: await keepsNames(client, toHex(runtime.randomBytes(8))),
    };
  } finally {
    await client.end().catch(() => undefined);
  }
}

function isGreetingRefused(error: unknown): boolean {
  return error instanceof Error && /startup parameter/u.test(error.message);
}

/** The number of the process by which the other side has named itself. */
function processOf(client: Client): number | null {
  return (client as Client & { readonly processID: number | null }).processID;
}

async function hasTimeouts(client: Client, wanted: PoolConfig): Promise<boolean> {
  const { rows } = await client.query<{ name: keyof PoolConfig; setting: string }>(
    "SELECT name, setting FROM pg_settings WHERE name IN ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout')",
  );
  return rows.every(({ name, setting }) => Number(setting) === wanted[name]);
}

/** Whether statements are PostgreSQL's own under the names that this client gives them, which is how poolers that know nothing of them have it. */
async function keepsNames(client: Client, suffix: string): Promise<boolean> {
  const name = `perigee probe ${suffix}`;
  await client.query('BEGIN');
  try {
    await client.query({ text: 'SELECT 1', name });
    const { rows } = await client.query('SELECT FROM pg_prepared_statements WHERE name = $1', [name]);
    if (rows.length > 0) {
      await client.query(`DEALLOCATE "${name}"`);
    }
    return rows.length === 0;
  } finally {
    await client.query('ROLLBACK');
  }
}
