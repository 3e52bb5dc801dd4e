import type { PoolConfig } from 'pg';
import { PerigeeError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { Runtime } from '../../core/runtime.ts';
import { checkAutoIndex, type AutoIndex } from '../common/auto-index.ts';
import type { UserDefinedFunctions } from '../../store/user-functions.ts';

/** TLS as `pg` takes it: certificates as PEM texts. `rejectUnauthorized: false` encrypts without knowing to whom. */
export interface PostgresTlsOptions {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly servername?: string | undefined;
  readonly rejectUnauthorized?: boolean | undefined;
}

/** How a {@link PostgresBackend} is opened. */
export interface PostgresBackendOptions {
  /** `postgres://user:password@host:port/database`; what it leaves out comes from the environment (`PGHOST`, `PGUSER`, `PGPASSWORD`, …). */
  readonly connectionString: string;
  /** Prefix of the schemas that the store makes, `perigee` unless said otherwise: a lower-case letter, then up to 39 lower-case letters, digits and `_`. */
  readonly schema?: string | undefined;
  /** Connections at most, 10 unless said otherwise; one more is held for signals. */
  readonly maxConnections?: number | undefined;
  /** How long a call waits for a connection; 5,000 unless said otherwise. */
  readonly connectTimeoutMs?: number | undefined;
  /** How long a statement may run, 60,000 unless said otherwise; 0 for ever. */
  readonly statementTimeoutMs?: number | undefined;
  /** How long a statement waits for a lock, 10,000 unless said otherwise; 0 for ever. */
  readonly lockTimeoutMs?: number | undefined;
  /** `true` for TLS with the certificates of the system, or its options. Unless given, the connection string decides. */
  readonly tls?: boolean | PostgresTlsOptions | undefined;
  /**
   * Whether connections keep statements prepared. Unless given, they do but where a pooler stands between that does not know prepared statements, as PgBouncer
   * before 1.21; `true` behind one in session mode.
   */
  readonly preparedStatements?: boolean | undefined;
  /**
   * A connection string past any pooler, for the one connection on which servers tell each other of commits and the one on which indexes are made;
   * `connectionString` unless given. Where that leads to a pooler nobody can be told, and with `false` nobody is: followers of a change feed ask every
   * `pollIntervalMs`.
   */
  readonly signals?: string | false | undefined;
  /**
   * Connection strings of streaming replicas, which answer reads that allow it (`consistency` of a call): those of a session that the replica has seen the
   * writes of, and `eventual` ones. A replica that does not answer, or lags, is left out until it has caught up.
   */
  readonly replicas?: readonly string[] | undefined;
  /** How old a replica may be that is read from; 5,000 unless said otherwise. */
  readonly maxReplicaLagMs?: number | undefined;
  /** How often followers of a change feed ask for commits of other servers, whether or not they are told; 500 unless said otherwise. */
  readonly pollIntervalMs?: number | undefined;
  /** How often expired documents are removed from the tables, by one server of all; 30,000 unless said otherwise, 0 for never. They count as missing at once. */
  readonly sweepIntervalMs?: number | undefined;
  /**
   * Makes one view a container, for SQL tools: `"perigee:<database>"."<container>"`, to be read only. What other servers make without this option has its view
   * within `sweepIntervalMs`.
   */
  readonly readableViews?: boolean | undefined;
  /**
   * What is done about indexes that queries would use and that the index policy has only under `/*`: `advise` (the default) remembers those that queries of
   * this server lacked for {@link PostgresBackend.indexAdvice}; `create` makes them, a dozen for a container at most, and drops those that no server used
   * for a month; `off`.
   */
  readonly autoIndex?: AutoIndex | undefined;
  /** Name of the program as the server's administrator sees it; `perigee` unless said otherwise. */
  readonly applicationName?: string | undefined;
  readonly runtime?: Runtime | undefined;
  readonly logger?: Logger | undefined;
  /** Functions that queries may call as `udf.name(…)`. */
  readonly userDefinedFunctions?: UserDefinedFunctions | undefined;
}

/** Options that were checked. */
export interface CheckedPostgresOptions {
  readonly pool: PoolConfig;
  readonly prefix: string;
  /** `undefined` to find out. */
  readonly prepares: boolean | undefined;
  readonly signals: string | undefined;
  readonly replicas: readonly string[];
  readonly maxReplicaLagMs: number;
  readonly pollIntervalMs: number;
  readonly sweepIntervalMs: number;
  readonly readableViews: boolean;
  readonly autoIndex: AutoIndex;
}

const DEFAULTS = {
  maxConnections: 10,
  connectTimeoutMs: 5000,
  statementTimeoutMs: 60_000,
  lockTimeoutMs: 10_000,
  pollIntervalMs: 500,
  maxReplicaLagMs: 5000,
  sweepIntervalMs: 30_000,
};

/** Checks options. @throws INVALID_OPTION, which never repeats a connection string */
export function checkPostgresOptions(options: PostgresBackendOptions): CheckedPostgresOptions {
  const { connectionString, schema = 'perigee', tls, signals = connectionString, applicationName = 'perigee' } = options;
  checkConnectionString('connectionString', connectionString);
  if (typeof schema !== 'string' || !/^[a-z][a-z0-9_]{0,39}$/u.test(schema) || schema.startsWith('pg_')) {
    throw new PerigeeError(
      'INVALID_OPTION',
      'The option schema is a lower-case letter and up to 39 lower-case letters, digits and "_", and does not begin with "pg_".',
    );
  }
  if (signals !== false) {
    checkConnectionString('signals', signals);
  }
  const replicas = options.replicas ?? [];
  for (const replica of replicas) {
    checkConnectionString('replicas', replica);
  }
  const number = (name: keyof typeof DEFAULTS, least = 0): number => wholeNumber(name, options[name] ?? DEFAULTS[name], least);
  const connectTimeoutMs = number('connectTimeoutMs', 1);
  const statementTimeoutMs = number('statementTimeoutMs');
  return {
    pool: {
      connectionString,
      max: number('maxConnections', 1),
      connectionTimeoutMillis: connectTimeoutMs,
      statement_timeout: statementTimeoutMs,
      lock_timeout: number('lockTimeoutMs'),
      idle_in_transaction_session_timeout: statementTimeoutMs,
      application_name: applicationName,
      keepAlive: true,
      ...(tls === undefined ? {} : { ssl: tls as NonNullable<PoolConfig['ssl']> }),
    },
    prefix: schema,
    prepares: options.preparedStatements,
    signals: signals === false ? undefined : signals,
    replicas,
    maxReplicaLagMs: number('maxReplicaLagMs', 1),
    pollIntervalMs: number('pollIntervalMs', 1),
    sweepIntervalMs: number('sweepIntervalMs'),
    readableViews: options.readableViews === true,
    autoIndex: checkAutoIndex(options.autoIndex),
  };
}

function checkConnectionString(name: string, value: unknown): void {
  if (typeof value !== 'string' || !/^postgres(?:ql)?:\/\//u.test(value) || !URL.canParse(value)) {
    throw new PerigeeError('INVALID_OPTION', `The option ${name} is a URL such as postgres://user:password@host:5432/database.`);
  }
}

function wholeNumber(name: string, value: number, least: number): number {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new PerigeeError('INVALID_OPTION', `The option ${name} is a whole number from ${least}.`);
  }
  return value;
}
