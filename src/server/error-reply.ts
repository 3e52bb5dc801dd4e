import { ERROR_CODES, type ErrorCode } from '../core/error-codes.ts';
import { isPerigeeError, PerigeeError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { jsonReply, type Reply } from './reply.ts';

/** The service's name of a status, which is the `code` of an error body. */
const STATUS_NAMES: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  408: 'RequestTimeout',
  409: 'Conflict',
  410: 'Gone',
  412: 'PreconditionFailed',
  413: 'RequestEntityTooLarge',
  424: 'FailedDependency',
  429: 'TooManyRequests',
  431: 'RequestHeaderFieldsTooLarge',
  449: 'RetryWith',
  500: 'InternalServerError',
  502: 'BadGateway',
  503: 'ServiceUnavailable',
  507: 'InsufficientStorage',
};

/** The `code` of an error body. */
export function statusName(status: number): string {
  return STATUS_NAMES[status] ?? 'InternalServerError';
}

/** Errors whose message is for whoever runs the server (it names files, for one); a client gets the general meaning. */
function isPrivate(code: ErrorCode): boolean {
  return code.startsWith('STORE_') || code === 'INTERNAL' || code === 'DRIVER_MISSING';
}

/** The message for a client; programs look for the service's own words in some, and for the entries of query errors as JSON. */
function messageOf(error: PerigeeError, activityId: string): string {
  if (isPrivate(error.code)) {
    return ERROR_CODES[error.code].meaning;
  }
  if (error.code === 'TOO_LARGE') {
    return `Message: {"Errors":["Request size is too large"]}\r\nActivityId: ${activityId}, ${error.message}`;
  }
  if (isOfScript(error)) {
    return `Message: ${JSON.stringify({ Errors: [error.message] })}\r\nActivityId: ${activityId}`;
  }
  if (error.code === 'INVALID_CONTINUATION') {
    return `Invalid Continuation Token. ${error.message}`;
  }
  const errors: unknown = error.details['errors'];
  if (error.code.startsWith('QUERY_') && Array.isArray(errors)) {
    return `${error.message}\r\n${JSON.stringify({ errors })}`;
  }
  return error.message;
}

/** Whether an error is in the words of a script, which the service gives as a list. */
function isOfScript({ code, message }: PerigeeError): boolean {
  return code.startsWith('SCRIPT_') || (code === 'QUERY_FAILED' && message.startsWith('Encountered exception'));
}

function describe(error: unknown): PerigeeError {
  if (!isPerigeeError(error)) {
    return new PerigeeError('INTERNAL', 'The request failed inside the server.', { cause: error });
  }
  // What is closed is the served backend or store, not something of the client's.
  return error.code === 'CLOSED' ? new PerigeeError('UNAVAILABLE', 'The server is closing.', { cause: error }) : error;
}

/** The answer to a request that failed; what only the operator may know goes to the log. */
export function errorReply(thrown: unknown, logger: Logger, activityId: string): Reply {
  const error = describe(thrown);
  if (error.status >= 500) {
    logger.log('error', 'request failed', { activityId, code: error.code, error: thrown });
  }
  const headers = ['x-ms-request-charge', error.category === 'auth' ? '0' : '1'];
  if (error.subStatus !== 0) {
    headers.push('x-ms-substatus', String(error.subStatus));
  }
  if (error.status === 400) {
    // The service has one status for all of these; Perigee's own client can tell them apart.
    headers.push('x-perigee-code', error.code);
  }
  if (error.retryAfterMs !== undefined) {
    headers.push('x-ms-retry-after-ms', String(Math.ceil(error.retryAfterMs)));
  }
  if (error.status === 304) {
    const etag: unknown = error.details['etag'];
    return { status: 304, headers: typeof etag === 'string' ? [...headers, 'etag', etag] : headers, body: undefined };
  }
  const allow: unknown = error.details['allow'];
  if (typeof allow === 'string') {
    headers.push('allow', allow);
  }
  const additionalErrorInfo: unknown = error.details['additionalErrorInfo'];
  const body = { code: statusName(error.status), message: messageOf(error, activityId) };
  return jsonReply(error.status, typeof additionalErrorInfo === 'string' ? { ...body, additionalErrorInfo } : body, headers);
}
