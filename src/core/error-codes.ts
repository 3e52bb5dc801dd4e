/** What kind of thing went wrong; callers branch on this before they branch on a code. */
export type ErrorCategory = 'connection' | 'timeout' | 'throttle' | 'data' | 'auth';

/** A stable error code; {@link ERROR_CODES} says what each means. */
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
  | 'SYNC_UNSENT';

/** One row of {@link ERROR_CODES}. */
export interface ErrorCodeInfo {
  readonly category: ErrorCategory;
  /** Whether the same call may succeed later without any change by the caller. */
  readonly retryable: boolean;
  /** HTTP status the server answers with. */
  readonly status: number;
  /** Cosmos DB sub-status (`x-ms-substatus`), where the service has one. */
  readonly subStatus?: number;
  /** Exit code of the command line. */
  readonly exitCode: number;
  /** One sentence for `docs/errors.md`. */
  readonly meaning: string;
  /** What the reader can do, for `docs/errors.md`. */
  readonly action: string;
}

const row = (
  category: ErrorCategory,
  retryable: boolean,
  status: number,
  exitCode: number,
  meaning: string,
  action: string,
  subStatus?: number,
): ErrorCodeInfo =>
  subStatus === undefined
    ? { category, retryable, status, exitCode, meaning, action }
    : { category, retryable, status, subStatus, exitCode, meaning, action };

/**
 * Every error code of Perigee, its category, its HTTP status and its exit code.
 *
 * Codes are stable within a major version; messages are not. `docs/errors.md` is this table in prose, and a test holds the two together.
 * Exit codes follow the category: 65 data, 69 connection, 74 storage, 75 throttle or time-out, 77 auth, 78 configuration, 70 internal.
 */
export const ERROR_CODES: Readonly<Record<ErrorCode, ErrorCodeInfo>> = {
  BAD_REQUEST: row('data', false, 400, 65, 'The request is malformed.', 'Correct what the message names.'),
  INVALID_ID: row(
    'data',
    false,
    400,
    65,
    'An id is empty, too long, or holds a character that ids may not hold.',
    'Use 1 to 1,023 bytes of UTF-8 without `/`, `\\` or `#`.',
  ),
  INVALID_DOCUMENT: row(
    'data',
    false,
    400,
    65,
    'A document is not a JSON object that can be stored.',
    'Correct the property that the message names.',
  ),
  INVALID_CONTAINER: row('data', false, 400, 65, 'A container definition is not acceptable.', 'Correct the member that the message names.'),
  INVALID_PATCH: row(
    'data',
    false,
    400,
    65,
    'A patch operation is malformed or does not apply to the document.',
    'Check the path and the operation; a patch has at most 10 operations.',
  ),
  INVALID_OPTION: row('data', false, 400, 78, 'An option has a value that it cannot have.', 'Use a value from the range in the message.'),
  VALIDATION_FAILED: row('data', false, 400, 65, 'A document does not satisfy the schema given to the store.', 'Read `details.issues`.'),
  PARTITION_KEY_MISMATCH: row(
    'data',
    false,
    400,
    65,
    'The partition key given is not the one in the document, or has the wrong number of parts.',
    'Pass the values found at the partition key paths.',
    1001,
  ),
  INVALID_CONTINUATION: row(
    'data',
    false,
    400,
    65,
    'A continuation token or cursor was not issued for this request.',
    'Start again without it.',
  ),
  OUTSIDE_RETENTION: row(
    'data',
    false,
    400,
    65,
    'The versions asked for are older than the container keeps them, or it keeps none.',
    'Start from now, from a time or a cursor within the retention of its change feed policy, or give it such a policy.',
  ),
  INVALID_SNAPSHOT: row(
    'data',
    false,
    400,
    65,
    'A snapshot cannot be used: it is foreign, newer, cut off or damaged.',
    'Read `details.fault`; nothing was restored.',
  ),
  QUERY_SYNTAX: row('data', false, 400, 65, 'The query text does not parse (SC1001).', 'Read `details.errors` for the position.'),
  QUERY_INVALID: row(
    'data',
    false,
    400,
    65,
    'The query parses but has no meaning (SC2xxx).',
    'Read `details.errors` for the code and the position.',
  ),
  QUERY_NOT_SUPPORTED: row(
    'data',
    false,
    400,
    65,
    'The query uses a feature or a function that is not there yet.',
    'Rewrite the query without the piece that the message names.',
  ),
  QUERY_LIMIT: row('data', false, 400, 65, 'The query is larger or deeper than a limit.', 'Make it smaller; the limit is in the message.'),
  QUERY_FAILED: row(
    'data',
    false,
    400,
    65,
    'The query failed while it ran.',
    'Read the message: a scalar subquery gave several rows, or a number is not finite.',
  ),
  UNAUTHORIZED: row('auth', false, 401, 77, 'No credential, or one that does not verify.', 'Check the key or fetch a new token.'),
  FORBIDDEN: row('auth', false, 403, 77, 'The credential does not permit this.', 'Use a credential with the right scope.'),
  TOKEN_EXPIRED: row('auth', false, 403, 77, 'A resource token has expired.', 'Fetch a new token; nothing was changed.', 5),
  NOT_FOUND: row('data', false, 404, 65, 'The document, container or database does not exist.', 'Check the id and the partition key.'),
  SESSION_NOT_AVAILABLE: row(
    'connection',
    true,
    404,
    75,
    'The replica that answered has not yet seen the session asked for.',
    'Try again, or read without the session.',
    1002,
  ),
  CONFLICT: row(
    'data',
    false,
    409,
    65,
    'A document, container or database with this id exists, or a unique key is taken.',
    'Use another id, or replace what exists.',
  ),
  GONE: row('connection', true, 410, 75, 'A partition key range has split or moved.', 'Read the ranges again and repeat.', 1002),
  PRECONDITION_FAILED: row(
    'data',
    false,
    412,
    65,
    'The document changed since the etag was read, or a condition is false.',
    'Read it again and decide.',
  ),
  NOT_MODIFIED: row('data', false, 304, 0, 'The document still has the etag given in `ifNoneMatch`.', 'Use the copy you have.'),
  TOO_LARGE: row('data', false, 413, 65, 'A document, a batch or a request is over its size limit.', 'Documents and batches end at 2 MB.'),
  FAILED_DEPENDENCY: row(
    'data',
    false,
    424,
    65,
    'Another operation of the same atomic batch failed, so this one was not applied.',
    'Look at the operation that has a code of its own.',
  ),
  THROTTLED: row('throttle', true, 429, 75, 'More request units were asked for than are provisioned.', 'Wait `retryAfterMs`.', 3200),
  RETRY_WITH: row('connection', true, 449, 75, 'The store met a transient conflict.', 'Try again.'),
  NOT_SUPPORTED: row(
    'data',
    false,
    400,
    65,
    'The backend lacks the capability.',
    'Read `capabilities` first; the capability is in `details`.',
  ),
  INTERNAL: row('data', false, 500, 70, 'A defect in Perigee or in a driver.', 'Report it with the activity id.'),
  UNAVAILABLE: row('connection', true, 503, 69, 'The remote store answers that it is not available.', 'Try again later.'),
  UNREACHABLE: row(
    'connection',
    true,
    503,
    69,
    'The remote store cannot be reached: name, address, port or TLS.',
    'Check the network and the endpoint; nothing was sent.',
  ),
  CONNECTION_LOST: row(
    'connection',
    true,
    503,
    69,
    'The connection ended before the answer was complete, so the outcome is unknown.',
    'Read back before writing again.',
  ),
  TIMEOUT: row('timeout', true, 408, 75, 'No answer came in time, so the outcome is unknown.', 'Read back before writing again.'),
  BAD_RESPONSE: row(
    'connection',
    true,
    502,
    69,
    'What answered does not speak the protocol: an HTML page, an empty body, broken JSON.',
    'Check the endpoint; a captive portal or a proxy may stand between.',
  ),
  CLOSED: row('data', false, 400, 70, 'The store or the backend is closed.', 'Open it again.'),
  STORE_BUSY: row('timeout', true, 503, 75, 'Another process holds the write lock of the file.', 'Try again, or raise `busyTimeoutMs`.'),
  STORE_CORRUPT: row(
    'data',
    false,
    500,
    74,
    'The file is damaged or is not a Perigee store.',
    'Restore a copy; the file was left as it was.',
  ),
  STORE_CHANGED: row(
    'data',
    false,
    500,
    74,
    'Another program changed or removed a file while it was open to write.',
    'Open the store again; nothing was overwritten.',
  ),
  STORE_TOO_NEW: row('data', false, 500, 74, 'The file was written by a newer version.', 'Update Perigee; the file was left as it was.'),
  STORE_KEY_WRONG: row(
    'auth',
    false,
    500,
    77,
    'A file cannot be read with the encryption key given.',
    'Give the key that the file was encrypted with. Without it nobody can read the file.',
  ),
  SCHEMA_TOO_NEW: row(
    'data',
    false,
    409,
    65,
    'A document has a newer version of its schema than the program knows, so writing it would cut it.',
    'Update the program. Reading and deleting the document is possible.',
  ),
  STORE_FULL: row(
    'data',
    true,
    507,
    74,
    'The disk, or the size allowed for the file, is full.',
    'Free space and repeat; nothing acknowledged was lost.',
  ),
  STORE_READ_ONLY: row(
    'data',
    false,
    500,
    74,
    'The file or its folder cannot be written, or the store was opened to read only.',
    'Check owner and mode of the path in the message, or open the store to write.',
  ),
  STORE_IO: row(
    'data',
    true,
    500,
    74,
    'The operating system refused to read or write the file.',
    'Look at the disk; `cause` has the error.',
  ),
  DRIVER_MISSING: row('data', false, 500, 78, 'An optional driver is not installed.', 'Install the package that the message names.'),
  PORT_IN_USE: row('connection', false, 500, 69, 'Another program listens on the port.', 'Choose another port, or 0 for a free one.'),
  SCRIPT_INVALID: row(
    'data',
    false,
    400,
    65,
    'A stored procedure, trigger or user-defined function does not compile, or cannot be used for this request.',
    'Correct the script, or the request that names it.',
  ),
  SCRIPT_FAILED: row(
    'data',
    false,
    400,
    65,
    'A script threw an error that nobody caught, aborted, or took more memory than it may.',
    "Read the message, which is the script's own; nothing of what the script did was kept.",
  ),
  SCRIPT_TIMEOUT: row(
    'timeout',
    false,
    408,
    75,
    'A script took more time than it may.',
    'Let the script look at what its calls return, and go on in another call; nothing of what it did was kept.',
  ),
  SYNC_BUSY: row(
    'timeout',
    true,
    409,
    75,
    'Another process, or another engine of this one, synchronises the file.',
    'Nothing: whoever runs sends what is pending. To run here, try again when the other is done, or raise `lockTimeoutMs`.',
  ),
  SYNC_SCOPE: row(
    'data',
    false,
    400,
    78,
    'A document or a call lies outside the scope of the sync engine.',
    'Add the partition key to the scope.',
  ),
  SYNC_STALLED: row(
    'timeout',
    true,
    408,
    75,
    'A run of sync made no progress for `stallTimeoutMs` and was ended: the remote store took a request and never came back to it.',
    'Run again, which goes on where it stopped; look at the connection and at the time-outs of the remote store.',
  ),
  SYNC_UNSENT: row(
    'data',
    false,
    409,
    75,
    'A user has work on the device that the remote has not acknowledged.',
    'Sync first, or say whether it is kept or discarded.',
  ),
};
