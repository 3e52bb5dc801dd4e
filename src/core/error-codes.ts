import { ERROR_FACTS, type ErrorCode, type ErrorFacts } from './error-facts.ts';

export type { ErrorCategory, ErrorCode, ErrorFacts } from './error-facts.ts';

/** One row of {@link ERROR_CODES}. */
export interface ErrorCodeInfo extends ErrorFacts {
  /** Exit code of the command line. */
  readonly exitCode: number;
  /** One sentence for `docs/errors.md`. */
  readonly meaning: string;
  /** What the reader can do, for `docs/errors.md`. */
  readonly action: string;
}

type ErrorText = Omit<ErrorCodeInfo, keyof ErrorFacts>;

const text = (exitCode: number, meaning: string, action: string): ErrorText => ({ exitCode, meaning, action });

const TEXTS: Readonly<Record<ErrorCode, ErrorText>> = {
  BAD_REQUEST: text(65, 'The request is malformed.', 'Correct what the message names.'),
  INVALID_ID: text(
    65,
    'An id is empty, too long, or holds a character that ids may not hold.',
    'Use 1 to 1,023 bytes of UTF-8 without `/`, `\\` or `#`.',
  ),
  INVALID_DOCUMENT: text(65, 'A document is not a JSON object that can be stored.', 'Correct the property that the message names.'),
  INVALID_CONTAINER: text(65, 'A container definition is not acceptable.', 'Correct the member that the message names.'),
  INVALID_PATCH: text(
    65,
    'A patch operation is malformed or does not apply to the document.',
    'Check the path and the operation; a patch has at most 10 operations.',
  ),
  INVALID_OPTION: text(78, 'An option has a value that it cannot have.', 'Use a value from the range in the message.'),
  VALIDATION_FAILED: text(65, 'A document does not satisfy the schema given to the store.', 'Read `details.issues`.'),
  PARTITION_KEY_MISMATCH: text(
    65,
    'The partition key given is not the one in the document, or has the wrong number of parts.',
    'Pass the values found at the partition key paths.',
  ),
  INVALID_CONTINUATION: text(65, 'A continuation token or cursor was not issued for this request.', 'Start again without it.'),
  OUTSIDE_RETENTION: text(
    65,
    'The versions asked for are older than the container keeps them, or it keeps none.',
    'Start from now, from a time or a cursor within the retention of its change feed policy, or give it such a policy.',
  ),
  INVALID_SNAPSHOT: text(
    65,
    'A snapshot cannot be used: it is foreign, newer, cut off or damaged.',
    'Read `details.fault`; nothing was restored.',
  ),
  QUERY_SYNTAX: text(65, 'The query text does not parse (SC1001).', 'Read `details.errors` for the position.'),
  QUERY_INVALID: text(65, 'The query parses but has no meaning (SC2xxx).', 'Read `details.errors` for the code and the position.'),
  QUERY_NOT_SUPPORTED: text(
    65,
    'The query uses a feature or a function that is not there yet.',
    'Rewrite the query without the piece that the message names.',
  ),
  QUERY_LIMIT: text(65, 'The query is larger or deeper than a limit.', 'Make it smaller; the limit is in the message.'),
  QUERY_FAILED: text(
    65,
    'The query failed while it ran.',
    'Read the message: a scalar subquery gave several rows, or a number is not finite.',
  ),
  UNAUTHORIZED: text(77, 'No credential, or one that does not verify.', 'Check the key or fetch a new token.'),
  FORBIDDEN: text(77, 'The credential does not permit this.', 'Use a credential with the right scope.'),
  TOKEN_EXPIRED: text(77, 'A resource token has expired.', 'Fetch a new token; nothing was changed.'),
  NOT_FOUND: text(65, 'The document, container or database does not exist.', 'Check the id and the partition key.'),
  SESSION_NOT_AVAILABLE: text(
    75,
    'The replica that answered has not yet seen the session asked for.',
    'Try again, or read without the session.',
  ),
  CONFLICT: text(
    65,
    'A document, container or database with this id exists, or a unique key is taken.',
    'Use another id, or replace what exists.',
  ),
  GONE: text(75, 'A partition key range has split or moved.', 'Read the ranges again and repeat.'),
  PRECONDITION_FAILED: text(65, 'The document changed since the etag was read, or a condition is false.', 'Read it again and decide.'),
  NOT_MODIFIED: text(0, 'The document still has the etag given in `ifNoneMatch`.', 'Use the copy you have.'),
  TOO_LARGE: text(
    65,
    'A document, a batch or a request is over its size limit.',
    'Documents and batches end at 2 MB, and what sync sends as one transaction at 100 documents too.',
  ),
  FAILED_DEPENDENCY: text(
    65,
    'Another operation of the same atomic batch failed, so this one was not applied.',
    'Look at the operation that has a code of its own.',
  ),
  THROTTLED: text(
    75,
    'More request units were asked for than are provisioned, or more requests than the server can carry out.',
    'Wait `retryAfterMs`.',
  ),
  RETRY_WITH: text(75, 'The store met a transient conflict.', 'Try again.'),
  NOT_SUPPORTED: text(65, 'The backend lacks the capability.', 'Read `capabilities` first; the capability is in `details`.'),
  INTERNAL: text(70, 'A defect in Perigee or in a driver.', 'Report it with the activity id.'),
  UNAVAILABLE: text(69, 'The remote store answers that it is not available.', 'Try again later.'),
  UNREACHABLE: text(
    69,
    'The remote store cannot be reached: name, address, port or TLS.',
    'Check the network and the endpoint; nothing was sent.',
  ),
  CONNECTION_LOST: text(
    69,
    'The connection ended before the answer was complete, so the outcome is unknown.',
    'Read back before writing again.',
  ),
  TIMEOUT: text(75, 'No answer came in time, so the outcome is unknown.', 'Read back before writing again.'),
  BAD_RESPONSE: text(
    69,
    'What answered does not speak the protocol: an HTML page, an empty body, broken JSON.',
    'Check the endpoint; a captive portal or a proxy may stand between.',
  ),
  CLOSED: text(70, 'The store or the backend is closed.', 'Open it again.'),
  STORE_BUSY: text(75, 'Another process holds the write lock of the file.', 'Try again, or raise `busyTimeoutMs`.'),
  STORE_CORRUPT: text(74, 'The file is damaged or is not a Perigee store.', 'Restore a copy; the file was left as it was.'),
  STORE_CHANGED: text(
    74,
    'Another program changed or removed a file while it was open to write.',
    'Open the store again; nothing was overwritten.',
  ),
  STORE_TOO_NEW: text(74, 'The file was written by a newer version.', 'Update Perigee; the file was left as it was.'),
  STORE_KEY_WRONG: text(
    77,
    'A file cannot be read with the encryption key given.',
    'Give the key that the file was encrypted with. Without it nobody can read the file.',
  ),
  SCHEMA_TOO_NEW: text(
    65,
    'A document has a newer version of its schema than the program knows, so writing it would cut it.',
    'Update the program. Reading and deleting the document is possible.',
  ),
  STORE_FULL: text(74, 'The disk, or the size allowed for the file, is full.', 'Free space and repeat; nothing acknowledged was lost.'),
  STORE_READ_ONLY: text(
    74,
    'The file or its folder cannot be written, or the store was opened to read only.',
    'Check owner and mode of the path in the message, or open the store to write.',
  ),
  STORE_IO: text(74, 'The operating system refused to read or write the file.', 'Look at the disk; `cause` has the error.'),
  DRIVER_MISSING: text(78, 'An optional driver is not installed.', 'Install the package that the message names.'),
  PORT_IN_USE: text(69, 'Another program listens on the port.', 'Choose another port, or 0 for a free one.'),
  SCRIPT_INVALID: text(
    65,
    'A stored procedure, trigger or user-defined function does not compile, or cannot be used for this request.',
    'Correct the script, or the request that names it.',
  ),
  SCRIPT_FAILED: text(
    65,
    'A script threw an error that nobody caught, aborted, or took more memory than it may.',
    "Read the message, which is the script's own; nothing of what the script did was kept.",
  ),
  SCRIPT_TIMEOUT: text(
    75,
    'A script took more time than it may.',
    'Let the script look at what its calls return, and go on in another call; nothing of what it did was kept.',
  ),
  SYNC_BUSY: text(
    75,
    'Another process, or another engine of this one, synchronises the file.',
    'Nothing: whoever runs sends what is pending. To run here, try again when the other is done, or raise `lockTimeoutMs`.',
  ),
  SYNC_SCOPE: text(78, 'A document or a call lies outside the scope of the sync engine.', 'Add the partition key to the scope.'),
  SYNC_STALLED: text(
    75,
    'A run of sync made no progress for `stallTimeoutMs` and was ended: the remote store took a request and never came back to it.',
    'Run again, which goes on where it stopped; look at the connection and at the time-outs of the remote store.',
  ),
  SYNC_UNSENT: text(
    75,
    'A user has work on the device that the remote has not acknowledged.',
    'Sync first, or say whether it is kept or discarded.',
  ),
  SYNC_LOST: text(
    65,
    'A write lost a conflict with another version, or was given up, before the remote acknowledged it.',
    'It is in the journal under `details.journalSeq`, from which `restore` brings it back.',
  ),
};

/**
 * Every error code of Perigee, its category, its HTTP status and its exit code.
 *
 * Codes are stable within a major version; messages are not. `docs/errors.md` is this table in prose, and a test holds the two together.
 * Exit codes follow the category: 65 data, 69 connection, 74 storage, 75 throttle or time-out, 77 auth, 78 configuration, 70 internal.
 */
export const ERROR_CODES: Readonly<Record<ErrorCode, ErrorCodeInfo>> = Object.fromEntries(
  (Object.keys(ERROR_FACTS) as ErrorCode[]).map((code) => [code, { ...ERROR_FACTS[code], ...TEXTS[code] }]),
) as Record<ErrorCode, ErrorCodeInfo>;
