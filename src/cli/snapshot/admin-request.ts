import { createHmac } from 'node:crypto';
import { request as requestHttp, type ClientRequest, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { pipeline } from 'node:stream/promises';
import { ERROR_FACTS, type ErrorCode } from '../../core/error-facts.ts';
import { PerigeeError } from '../../core/errors.ts';
import { isJsonObject } from '../../core/json.ts';
import { systemRuntime } from '../../core/runtime.ts';

/** A request to an admin route of a running server. */
export interface AdminCall {
  readonly endpoint: string;
  readonly key: string;
  readonly method: string;
  /** Below `/_perigee/`, with what stands behind the question mark. */
  readonly route: string;
  readonly body?: AsyncIterable<Uint8Array> | undefined;
  readonly signal: AbortSignal;
}

const BY_STATUS: Readonly<Record<number, ErrorCode>> = {
  401: 'UNAUTHORIZED',
  403: 'FORBIDDEN',
  409: 'CONFLICT',
  413: 'TOO_LARGE',
  429: 'THROTTLED',
  503: 'UNAVAILABLE',
  507: 'STORE_FULL',
};
/** An error is short; what is longer is something else. */
const MAX_ERROR_BYTES = 64 * 1024;

/** Signs as clients sign all requests, so that the key itself is never sent. */
function signature({ key, method }: AdminCall, path: string, date: string): string {
  const text = `${method.toLowerCase()}\n_perigee\n${path}\n${date.toLowerCase()}\n\n`;
  const sig = createHmac('sha256', Buffer.from(key, 'base64')).update(text).digest('base64');
  return encodeURIComponent(`type=master&ver=1.0&sig=${sig}`);
}

function lost(endpoint: string, error: unknown): PerigeeError {
  const { code = '' } = error as NodeJS.ErrnoException;
  const where = `the server at ${JSON.stringify(endpoint)}`;
  if (/^(?:DEPTH_|SELF_|UNABLE_TO_(?:GET|VERIFY))/u.test(code)) {
    const how = 'Set NODE_EXTRA_CA_CERTS to the file that the server printed';
    return new PerigeeError('UNREACHABLE', `Cannot trust the certificate of ${where} (${code}). ${how}.`, { cause: error });
  }
  return /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|UNABLE_|CERT_|ERR_TLS|EPROTO)/u.test(code)
    ? new PerigeeError('UNREACHABLE', `Cannot reach ${where} (${code}).`, { cause: error })
    : new PerigeeError('CONNECTION_LOST', `The connection to ${where} ended early (${code === '' ? 'unknown reason' : code}).`, {
        cause: error,
      });
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response.setEncoding('utf8') as AsyncIterable<string>) {
    text += chunk;
    if (text.length > MAX_ERROR_BYTES) {
      break;
    }
  }
  return text;
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

async function refusal(response: IncomingMessage, endpoint: string): Promise<PerigeeError> {
  const { statusCode = 0, headers } = response;
  const body = parse(await textOf(response));
  const given = headers['x-perigee-code'];
  const code = typeof given === 'string' && Object.hasOwn(ERROR_FACTS, given) ? (given as ErrorCode) : BY_STATUS[statusCode];
  const message = body?.['message'];
  if (code !== undefined && typeof message === 'string') {
    return new PerigeeError(code, message);
  }
  const what = statusCode === 404 || statusCode === 401 ? 'is no server of Perigee: it has no admin routes' : `answered with ${statusCode}`;
  return new PerigeeError('BAD_RESPONSE', `What answers at ${JSON.stringify(endpoint)} ${what}.`);
}

/**
 * Sends a request and gives the answer, whose body is still to be read.
 *
 * @throws UNREACHABLE, CONNECTION_LOST, BAD_RESPONSE, and what the server refuses
 */
export async function callAdmin(call: AdminCall): Promise<IncomingMessage> {
  const { endpoint, method, route, body, signal } = call;
  const [path = ''] = route.split('?');
  const date = new Date(systemRuntime.nowMs()).toUTCString();
  const url = new URL(`/_perigee/${route}`, endpoint);
  const headers = { 'x-ms-date': date, authorization: signature(call, `_perigee/${path}`, date) };
  const send = url.protocol === 'https:' ? requestHttps : requestHttp;
  const request: ClientRequest = send(url, { method, headers, signal });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve);
    request.once('error', reject);
  });
  // A server that refuses answers before it has read everything, and the answer counts.
  const sent = body === undefined ? Promise.resolve(request.end()) : pipeline(body, request);
  sent.catch(() => undefined);
  let sourceError: unknown;
  const fromSource = body === undefined ? undefined : sent.catch((error: unknown) => (sourceError = error));
  let response: IncomingMessage;
  try {
    response = await answered;
  } catch (error) {
    await fromSource;
    throw sourceError instanceof PerigeeError ? sourceError : signal.aborted ? error : lost(endpoint, error);
  }
  if (response.statusCode !== 200) {
    throw await refusal(response, endpoint);
  }
  return response;
}

/** The body of an answer; an end that comes too early is said so. @throws CONNECTION_LOST */
export async function* bytesOf(response: IncomingMessage, endpoint: string): AsyncGenerator<Uint8Array> {
  try {
    yield* response as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw lost(endpoint, error);
  }
}

/** The body of an answer as JSON. @throws BAD_RESPONSE */
export async function jsonOf(response: IncomingMessage, endpoint: string): Promise<Readonly<Record<string, unknown>>> {
  const value = parse(await textOf(response));
  if (value === undefined) {
    throw new PerigeeError('BAD_RESPONSE', `What answers at ${JSON.stringify(endpoint)} does not answer with JSON.`);
  }
  return value;
}
