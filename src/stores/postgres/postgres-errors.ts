import type { ErrorCode } from '../../core/error-codes.ts';
import { isPerigeeError, PerigeeError, type PerigeeErrorOptions } from '../../core/errors.ts';
import { containerGoneDuring } from '../../store/container-gone.ts';

/** SQLSTATE by which our functions say that a container is gone. */
export const GONE_STATE = 'PRG01';
/** SQLSTATE by which our functions say that a container has another definition than the caller knows. */
export const CHANGED_STATE = 'PRG02';

/** What of an error `pg` fills in where the server has answered. */
interface PgErrorLike {
  readonly code?: unknown;
  readonly constraint?: unknown;
}

/** The SQLSTATE of an error, or the code of a failed system call. */
export function stateOf(error: unknown): string | undefined {
  const { code } = (error ?? {}) as PgErrorLike;
  return typeof code === 'string' ? code : undefined;
}

/** First match decides: whole states stand before the class that they begin with. */
const MEANINGS: readonly (readonly [prefix: string, code: ErrorCode, why: string])[] = [
  ['57014', 'TIMEOUT', 'it was cancelled, as after a statement time-out. What it would have written was undone'],
  ['55P03', 'STORE_BUSY', 'another transaction holds a lock that it needs; try again, or raise lockTimeoutMs'],
  ['40001', 'RETRY_WITH', 'it met another transaction; try again'],
  ['40P01', 'RETRY_WITH', 'it and another transaction waited for each other; try again'],
  ['53300', 'UNAVAILABLE', 'the server has no connection left; lower maxConnections, or raise what the server allows'],
  ['53100', 'STORE_FULL', 'the disk of the server is full; free space and repeat'],
  ['53', 'UNAVAILABLE', 'the server is out of a resource; try again later'],
  ['57P01', 'CONNECTION_LOST', 'the server ended the connection. Read back before writing again'],
  ['57P02', 'CONNECTION_LOST', 'the server crashed. Read back before writing again'],
  ['57P03', 'UNAVAILABLE', 'the server is starting or stopping; try again'],
  ['25P03', 'CONNECTION_LOST', 'the server ended the connection, whose transaction was idle for too long, and undid it'],
  ['57P05', 'CONNECTION_LOST', 'the server ended the connection, which was idle for too long'],
  ['25006', 'STORE_READ_ONLY', 'the server takes no writes: it is a replica, or was set to read only'],
  ['42501', 'STORE_READ_ONLY', 'the user of the database may not; grant it the rights on the schemas of the store'],
  ['28', 'UNAUTHORIZED', 'the server refuses the user or the password'],
  ['3D000', 'UNREACHABLE', 'the server has no such database; create it first'],
  ['08P01', 'CONNECTION_LOST', 'the pooler before the server ended the connection. Read back before writing again'],
  ['08006', 'CONNECTION_LOST', 'the connection ended. Read back before writing again'],
  ['08', 'UNREACHABLE', 'the server cannot be reached'],
  ['54', 'TOO_LARGE', 'it is over a limit of the server'],
  ['22P05', 'BAD_REQUEST', 'a text holds what the server cannot store'],
  ['58', 'STORE_IO', 'the operating system of the server refused to read or write'],
  ['XX001', 'STORE_CORRUPT', 'a table of the server is damaged; restore a copy'],
  ['XX002', 'STORE_CORRUPT', 'an index of the server is damaged; rebuild it'],
  ['ECONNREFUSED', 'UNREACHABLE', 'the server refuses connections: it does not run, or listens elsewhere'],
  ['ENOTFOUND', 'UNREACHABLE', 'the name of the server is not known'],
  ['EAI_AGAIN', 'UNREACHABLE', 'the name of the server cannot be looked up now'],
  ['EHOSTUNREACH', 'UNREACHABLE', 'the server cannot be reached'],
  ['ENETUNREACH', 'UNREACHABLE', 'the server cannot be reached'],
  ['ETIMEDOUT', 'UNREACHABLE', 'the server did not answer in time'],
  ['ECONNRESET', 'CONNECTION_LOST', 'the connection ended. Read back before writing again'],
  ['EPIPE', 'CONNECTION_LOST', 'the connection ended. Read back before writing again'],
];

/** What PgBouncer says of work that it never gave to the server. */
const NEVER_RUN =
  /query_wait_timeout|client_login_timeout|cannot connect to server|no more connections allowed|server login has been failing/iu;

/** What `pg` says, without a code, where a connection ended or could not be made. */
const MESSAGES: readonly (readonly [pattern: RegExp, code: ErrorCode, why: string])[] = [
  [/timeout exceeded when trying to connect/u, 'UNAVAILABLE', 'no connection was free in time; raise maxConnections or connectTimeoutMs'],
  [/connection timeout|timeout expired/iu, 'UNREACHABLE', 'the server did not answer in time'],
  [/terminated|ended|closed|not queryable/iu, 'CONNECTION_LOST', 'the connection ended. Read back before writing again'],
  [/SSL|TLS|certificate/u, 'UNREACHABLE', 'no TLS connection can be made; look at the option tls'],
  [/password|SASL|SCRAM/u, 'UNAUTHORIZED', 'the server asks for a password, or refuses the one given'],
];

/**
 * Turns what the driver throws into a `PerigeeError`, once, at the edge of the backend; one that is a `PerigeeError` already stays as it is.
 *
 * `what` says what was attempted, as in `read from the PostgreSQL store`. Texts of the server are not repeated: they may hold values.
 */
export function wrapPostgresError(error: unknown, what: string): PerigeeError {
  if (isPerigeeError(error)) {
    return error;
  }
  const state = stateOf(error);
  const options: PerigeeErrorOptions = { cause: error, details: state === undefined ? {} : { sqlState: state } };
  if (state === GONE_STATE || state === '42P01' || state === '3F000') {
    return containerGoneDuring(what, options);
  }
  if (state === '08P01' && error instanceof Error && NEVER_RUN.test(error.message)) {
    return new PerigeeError('UNAVAILABLE', `Cannot ${what}: the pooler before the server has no connection for it; try again.`, options);
  }
  for (const [prefix, code, why] of state === undefined ? [] : MEANINGS) {
    if (state?.startsWith(prefix) === true) {
      return new PerigeeError(code, `Cannot ${what}: ${why}.`, options);
    }
  }
  const message = error instanceof Error ? error.message : '';
  for (const [pattern, code, why] of state === undefined ? MESSAGES : []) {
    if (pattern.test(message)) {
      return new PerigeeError(code, `Cannot ${what}: ${why}.`, options);
    }
  }
  return new PerigeeError(
    'INTERNAL',
    `Cannot ${what}: the server or its driver failed${state === undefined ? '' : ` (${state})`}.`,
    options,
  );
}

/** Whether a connection is of no further use after an error. */
export function endsConnection(error: unknown): boolean {
  const state = stateOf(error);
  return state === undefined ? true : /^(?:08|57P0|25P03|E[A-Z]+$)/u.test(state);
}
