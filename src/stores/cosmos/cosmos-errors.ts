import { ERROR_FACTS, type ErrorCode } from '../../core/error-facts.ts';
import { PerigeeError } from '../../core/errors.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';

/** What a call does, as far as the meaning of an answer depends on it. */
export type CallKind = 'read' | 'write' | 'patch' | 'batch' | 'query' | 'changes' | 'manage';

/** An HTTP answer; header names are lower-case. */
export interface WireAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What an error message needs to know of the call that failed. */
export interface FailedCall {
  readonly kind: CallKind;
  /** What was attempted, on what: `read the document "a" of the container "todos"`. */
  readonly attempt: string;
  /** The call continued an earlier page. */
  readonly continued: boolean;
}

const SERVICE_MESSAGE_CHARACTERS = 500;

/** What went wrong and what to do, for codes whose sentence does not depend on the call. */
const SENTENCES: Partial<Record<ErrorCode, string>> = {
  UNAUTHORIZED: 'the service does not accept the credential. Check the key, or fetch a new token.',
  FORBIDDEN: 'the credential does not permit it. Use one with the right scope.',
  TOKEN_EXPIRED: 'the token has expired. Fetch a new one; nothing was changed.',
  NOT_FOUND: 'there is none.',
  SESSION_NOT_AVAILABLE: 'the replica that answered has not yet seen the session. Try again, or read without it.',
  CONFLICT: 'one with this id exists, or a unique key is taken.',
  GONE: 'a partition key range has split or moved. Try again.',
  PRECONDITION_FAILED: 'it changed since the etag was read, or a condition is false. Read it again and decide.',
  TOO_LARGE: 'it is over a size limit of the service. Request size is too large.',
  FAILED_DEPENDENCY: 'another operation of the same atomic batch failed.',
  THROTTLED: 'more request units were asked for than are provisioned. Wait `retryAfterMs`.',
  RETRY_WITH: 'the service met a transient conflict. Try again.',
  UNAVAILABLE: 'the service is not available. Try again later.',
  TIMEOUT: 'no answer came in time, so the outcome is unknown. Read back before writing again.',
  NOT_MODIFIED: 'the document still has this etag.',
  PARTITION_KEY_MISMATCH: 'the partition key is not the one in the document, or has the wrong number of parts.',
  INVALID_CONTINUATION: 'the service does not accept the continuation. Start again without it.',
};

const PARTITION_KEY_MISMATCH = 1001;
const WRITE_FORBIDDEN = 3;
const ACCOUNT_NOT_FOUND = 1008;
const EXPIRED = 5;
const SESSION_NOT_AVAILABLE = 1002;
const NETWORK_AUTHENTICATION_REQUIRED = 511;

/** Sub-status of an answer; 0 where it has none. */
export function subStatusOf(answer: WireAnswer): number {
  const value = Number(answer.headers['x-ms-substatus'] ?? 0);
  return Number.isInteger(value) ? value : 0;
}

/** How long the service asks to wait, in milliseconds. */
export function retryAfterOf(answer: WireAnswer): number | undefined {
  const milliseconds = Number(answer.headers['x-ms-retry-after-ms'] ?? Number.NaN);
  if (milliseconds >= 0) {
    return milliseconds;
  }
  const seconds = Number(answer.headers['retry-after'] ?? Number.NaN);
  return seconds >= 0 ? seconds * 1000 : undefined;
}

/** Parses JSON; `undefined` for anything else. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Whether a refused call means that the account writes elsewhere by now, and not that the credential is bad. */
export function isMovedAccount(status: number, subStatus: number): boolean {
  return status === 403 && (subStatus === WRITE_FORBIDDEN || subStatus === ACCOUNT_NOT_FOUND);
}

/**
 * Whether an answer of 400 or above comes from the service: one of the service's own headers, with a body that names the error or with none.
 *
 * A captive portal, a proxy or another server answers 401, 403 and 404 as well, some with JSON that has a `message`, and a 404 of theirs must never
 * pass for a missing document.
 */
function isFromService(answer: WireAnswer, body: unknown): boolean {
  const named = isJsonObject(body) && (typeof body['message'] === 'string' || typeof body['code'] === 'string');
  return (named || answer.body === '') && Object.keys(answer.headers).some((name) => name.startsWith('x-ms-'));
}

/** Statuses that load balancers send too, and that mean the same from them. */
function isTrustedAlone(status: number): boolean {
  return status === 408 || status === 413 || status === 429 || (status >= 500 && status !== NETWORK_AUTHENTICATION_REQUIRED);
}

function codeOf400(call: FailedCall, subStatus: number, errors: readonly JsonObject[]): ErrorCode {
  if (subStatus === PARTITION_KEY_MISMATCH) {
    return 'PARTITION_KEY_MISMATCH';
  }
  if (errors.length > 0) {
    return errors.some((error) => error['code'] === 'SC1001')
      ? 'QUERY_SYNTAX'
      : errors.every((error) => error['code'] === 'SC2990')
        ? 'QUERY_NOT_SUPPORTED'
        : 'QUERY_INVALID';
  }
  if (call.continued) {
    return 'INVALID_CONTINUATION';
  }
  return call.kind === 'patch' ? 'INVALID_PATCH' : call.kind === 'query' ? 'QUERY_INVALID' : 'BAD_REQUEST';
}

/** The code that Perigee's own server names beside a 400, for which the service has one status and many reasons. */
function namedCode(answer: WireAnswer): ErrorCode | undefined {
  const name = answer.headers['x-perigee-code'];
  if (name === undefined || !Object.hasOwn(ERROR_FACTS, name)) {
    return undefined;
  }
  const code = name as ErrorCode;
  return ERROR_FACTS[code].status === answer.status && answer.status === 400 ? code : undefined;
}

function codeOf(call: FailedCall, status: number, subStatus: number, errors: readonly JsonObject[]): ErrorCode {
  switch (status) {
    case 304:
      return 'NOT_MODIFIED';
    case 401:
      return 'UNAUTHORIZED';
    case 403:
      return isMovedAccount(status, subStatus) ? 'UNAVAILABLE' : subStatus === EXPIRED ? 'TOKEN_EXPIRED' : 'FORBIDDEN';
    case 404:
      return subStatus === SESSION_NOT_AVAILABLE ? 'SESSION_NOT_AVAILABLE' : 'NOT_FOUND';
    case 408:
      return 'TIMEOUT';
    case 409:
      return 'CONFLICT';
    case 410:
      return 'GONE';
    case 412:
      return 'PRECONDITION_FAILED';
    case 413:
      return 'TOO_LARGE';
    case 424:
      return 'FAILED_DEPENDENCY';
    case 429:
      return 'THROTTLED';
    case 449:
      return 'RETRY_WITH';
    default:
      return status >= 500 ? 'UNAVAILABLE' : codeOf400(call, subStatus, errors);
  }
}

/** The errors of a query that a 400 lists: as JSON within `message`, whole or behind the word "Message:". */
function queryErrors(message: string): readonly JsonObject[] {
  const start = message.indexOf('{');
  const end = message.lastIndexOf('}');
  const parsed = start < 0 ? undefined : parseJson(message.slice(start, end + 1));
  const errors = isJsonObject(parsed) ? (parsed['errors'] ?? parsed['Errors']) : undefined;
  return Array.isArray(errors) ? errors.filter((error): error is JsonObject => isJsonObject(error)) : [];
}

/** The error of one operation or request that the service refused with a status of its own. */
export function refusedBy(
  call: FailedCall,
  facts: {
    readonly status: number;
    readonly subStatus: number;
    readonly retryAfterMs?: number | undefined;
    readonly message?: string | undefined;
    readonly activityId?: string | undefined;
    readonly code?: ErrorCode | undefined;
  },
): PerigeeError {
  const { status, subStatus } = facts;
  const message = facts.message ?? '';
  const errors = status === 400 ? queryErrors(message) : [];
  const code = facts.code ?? codeOf(call, status, subStatus, errors);
  // The service's own words are the only help for a 400; it does not repeat documents or parameters in them.
  const words =
    errors.length > 0
      ? errors.map((error) => (typeof error['message'] === 'string' ? error['message'] : '')).join(' ')
      : message.slice(0, SERVICE_MESSAGE_CHARACTERS) || `the service refuses it with status ${status}.`;
  return new PerigeeError(code, `Cannot ${call.attempt}: ${SENTENCES[code] ?? words}`, {
    status,
    subStatus,
    retryAfterMs: facts.retryAfterMs,
    details: {
      ...(errors.length > 0 ? { errors } : {}),
      ...(facts.activityId === undefined ? {} : { activityId: facts.activityId }),
    },
  });
}

/** What answers is not the service. */
export function badResponse(call: FailedCall, what: string, status?: number, cause?: unknown): PerigeeError {
  return new PerigeeError(
    'BAD_RESPONSE',
    `Cannot ${call.attempt}: what answered does not speak the protocol (${what}). Check the endpoint.`,
    {
      details: status === undefined ? {} : { answeredStatus: status },
      cause,
    },
  );
}

/** The error that an answer stands for; only for answers of 300 and above other than 304. */
export function refusal(call: FailedCall, answer: WireAnswer): PerigeeError {
  if (answer.status < 400) {
    return badResponse(call, `a redirection, status ${answer.status}`, answer.status);
  }
  const body = parseJson(answer.body);
  if (!isFromService(answer, body) && !isTrustedAlone(answer.status)) {
    const what = answer.body === '' ? 'an empty body' : isJsonObject(body) ? 'JSON of another kind' : 'a body that is not JSON';
    return badResponse(call, `status ${answer.status} with ${what}`, answer.status);
  }
  return refusedBy(call, {
    status: answer.status,
    subStatus: subStatusOf(answer),
    retryAfterMs: retryAfterOf(answer),
    message: isJsonObject(body) && typeof body['message'] === 'string' ? body['message'] : undefined,
    activityId: answer.headers['x-ms-activity-id'],
    code: namedCode(answer),
  });
}
