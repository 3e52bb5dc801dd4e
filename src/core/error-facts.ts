/** What kind of thing went wrong; callers branch on this before they branch on a code. */
export type ErrorCategory = 'connection' | 'timeout' | 'throttle' | 'data' | 'auth';

/** A stable error code; `ERROR_CODES` says what each means. */
export type ErrorCode =
  | 'BAD_REQUEST'
  | 'INVALID_ID'
  | 'INVALID_DOCUMENT'
  | 'INVALID_CONTAINER'
  | 'INVALID_PATCH'
  | 'INVALID_OPTION'
  | 'VALIDATION_FAILED'
  | 'PARTITION_KEY_MISMATCH'
  | 'INVALID_CONTINUATION'
  | 'OUTSIDE_RETENTION'
  | 'INVALID_SNAPSHOT'
  | 'QUERY_SYNTAX'
  | 'QUERY_INVALID'
  | 'QUERY_NOT_SUPPORTED'
  | 'QUERY_LIMIT'
  | 'QUERY_FAILED'
  | 'UNAUTHORIZED'
  | 'FORBIDDEN'
  | 'TOKEN_EXPIRED'
  | 'NOT_FOUND'
  | 'SESSION_NOT_AVAILABLE'
  | 'CONFLICT'
  | 'GONE'
  | 'PRECONDITION_FAILED'
  | 'NOT_MODIFIED'
  | 'TOO_LARGE'
  | 'FAILED_DEPENDENCY'
  | 'THROTTLED'
  | 'RETRY_WITH'
  | 'NOT_SUPPORTED'
  | 'INTERNAL'
  | 'UNAVAILABLE'
  | 'UNREACHABLE'
  | 'CONNECTION_LOST'
  | 'TIMEOUT'
  | 'BAD_RESPONSE'
  | 'CLOSED'
  | 'STORE_BUSY'
  | 'STORE_CORRUPT'
  | 'STORE_CHANGED'
  | 'STORE_TOO_NEW'
  | 'STORE_KEY_WRONG'
  | 'SCHEMA_TOO_NEW'
  | 'STORE_FULL'
  | 'STORE_READ_ONLY'
  | 'STORE_IO'
  | 'DRIVER_MISSING'
  | 'PORT_IN_USE'
  | 'SCRIPT_INVALID'
  | 'SCRIPT_FAILED'
  | 'SCRIPT_TIMEOUT'
  | 'SYNC_BUSY'
  | 'SYNC_SCOPE'
  | 'SYNC_STALLED'
  | 'SYNC_UNSENT'
  | 'SYNC_LOST';

/** What an error carries by its code. */
export interface ErrorFacts {
  readonly category: ErrorCategory;
  /** Whether the same call may succeed later without any change by the caller. */
  readonly retryable: boolean;
  /** HTTP status the server answers with. */
  readonly status: number;
  /** Cosmos DB sub-status (`x-ms-substatus`), where the service has one. */
  readonly subStatus?: number;
}

const facts = (category: ErrorCategory, retryable: boolean, status: number, subStatus?: number): ErrorFacts =>
  subStatus === undefined ? { category, retryable, status } : { category, retryable, status, subStatus };

/** The part of `ERROR_CODES` that every error needs; a page is spared the texts. */
export const ERROR_FACTS: Readonly<Record<ErrorCode, ErrorFacts>> = {
  BAD_REQUEST: facts('data', false, 400),
  INVALID_ID: facts('data', false, 400),
  INVALID_DOCUMENT: facts('data', false, 400),
  INVALID_CONTAINER: facts('data', false, 400),
  INVALID_PATCH: facts('data', false, 400),
  INVALID_OPTION: facts('data', false, 400),
  VALIDATION_FAILED: facts('data', false, 400),
  PARTITION_KEY_MISMATCH: facts('data', false, 400, 1001),
  INVALID_CONTINUATION: facts('data', false, 400),
  OUTSIDE_RETENTION: facts('data', false, 400),
  INVALID_SNAPSHOT: facts('data', false, 400),
  QUERY_SYNTAX: facts('data', false, 400),
  QUERY_INVALID: facts('data', false, 400),
  QUERY_NOT_SUPPORTED: facts('data', false, 400),
  QUERY_LIMIT: facts('data', false, 400),
  QUERY_FAILED: facts('data', false, 400),
  UNAUTHORIZED: facts('auth', false, 401),
  FORBIDDEN: facts('auth', false, 403),
  TOKEN_EXPIRED: facts('auth', false, 403, 5),
  NOT_FOUND: facts('data', false, 404),
  SESSION_NOT_AVAILABLE: facts('connection', true, 404, 1002),
  CONFLICT: facts('data', false, 409),
  GONE: facts('connection', true, 410, 1002),
  PRECONDITION_FAILED: facts('data', false, 412),
  NOT_MODIFIED: facts('data', false, 304),
  TOO_LARGE: facts('data', false, 413),
  FAILED_DEPENDENCY: facts('data', false, 424),
  THROTTLED: facts('throttle', true, 429, 3200),
  RETRY_WITH: facts('connection', true, 449),
  NOT_SUPPORTED: facts('data', false, 400),
  INTERNAL: facts('data', false, 500),
  UNAVAILABLE: facts('connection', true, 503),
  UNREACHABLE: facts('connection', true, 503),
  CONNECTION_LOST: facts('connection', true, 503),
  TIMEOUT: facts('timeout', true, 408),
  BAD_RESPONSE: facts('connection', true, 502),
  CLOSED: facts('data', false, 400),
  STORE_BUSY: facts('timeout', true, 503),
  STORE_CORRUPT: facts('data', false, 500),
  STORE_CHANGED: facts('data', false, 500),
  STORE_TOO_NEW: facts('data', false, 500),
  STORE_KEY_WRONG: facts('auth', false, 500),
  SCHEMA_TOO_NEW: facts('data', false, 409),
  STORE_FULL: facts('data', true, 507),
  STORE_READ_ONLY: facts('data', false, 500),
  STORE_IO: facts('data', true, 500),
  DRIVER_MISSING: facts('data', false, 500),
  PORT_IN_USE: facts('connection', false, 500),
  SCRIPT_INVALID: facts('data', false, 400),
  SCRIPT_FAILED: facts('data', false, 400),
  SCRIPT_TIMEOUT: facts('timeout', false, 408),
  SYNC_BUSY: facts('timeout', true, 409),
  SYNC_SCOPE: facts('data', false, 400),
  SYNC_STALLED: facts('timeout', true, 408),
  SYNC_UNSENT: facts('data', false, 409),
  SYNC_LOST: facts('data', false, 409),
};
