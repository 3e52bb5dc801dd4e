import { isPerigeeError, PerigeeError } from '../core/errors.ts';
import { systemRuntime, type Runtime } from '../core/runtime.ts';
import { abortable } from '../store/call-tracker.ts';
import { partitionKeyJson } from '../store/partition-key.ts';
import type { AccessToken } from '../store/token-provider.ts';
import { chunksOf, readChunks } from './read-bounded.ts';
import { checkEndpoint } from './token-endpoint.ts';
import { readTokenAnswer, refusalOf } from './token-answer.ts';
import { createTokenSource, type TokenSource, type TokenSourceOptions, type UserTokenRequest } from './token-source.ts';

/** Headers for a request of one user. */
export type TokenHeaders = Readonly<Record<string, string>>;

/** Settings of {@link httpTokens}. */
export interface HttpTokensOptions extends TokenSourceOptions {
  /** Address of the token service: https, or http on this machine. */
  readonly url: string | URL;
  /** Headers of each request, with the user's credential; a function is asked each time, so that the credential is always the newest. */
  readonly headers?:
    | TokenHeaders
    | ((request: Pick<UserTokenRequest, 'user' | 'signal'>) => TokenHeaders | Promise<TokenHeaders>)
    | undefined;
  /** Time for one token, the credential included, in milliseconds; 10,000 unless said otherwise. */
  readonly timeoutMs?: number | undefined;
  /** Sends requests: the host's `fetch` unless said otherwise. */
  readonly fetch?: typeof fetch | undefined;
}

interface Settings {
  readonly url: string;
  readonly headers: HttpTokensOptions['headers'];
  readonly timeoutMs: number;
  readonly send: typeof fetch;
  readonly runtime: Runtime;
}

/** An answer is a token and some facts. */
const MAX_ANSWER_BYTES = 64 * 1024;
const MAX_TIMEOUT_MS = 0x7fffffff;

function checkTimeout(value: number | undefined): number {
  const checked = value ?? 10_000;
  if (typeof checked !== 'number' || !(checked >= 1 && checked <= MAX_TIMEOUT_MS)) {
    throw new PerigeeError('INVALID_OPTION', `timeoutMs is a number of milliseconds from 1 to ${MAX_TIMEOUT_MS}.`);
  }
  return checked;
}

async function headersOf({ headers = {} }: Settings, { user, signal }: UserTokenRequest): Promise<Headers> {
  let given: TokenHeaders;
  try {
    given = typeof headers === 'function' ? await headers({ user, signal }) : headers;
  } catch (cause) {
    throw isPerigeeError(cause)
      ? cause
      : new PerigeeError('UNAUTHORIZED', 'Cannot get a token: the function that gives the headers failed. `cause` says how.', { cause });
  }
  try {
    return new Headers({ ...given, 'content-type': 'application/json', accept: 'application/json' });
  } catch {
    // What was thrown repeats the header, and so the credential.
    throw new PerigeeError('UNAUTHORIZED', 'Cannot get a token: a header for the token service cannot be written as HTTP.');
  }
}

async function send(settings: Settings, request: UserTokenRequest, signal: AbortSignal): Promise<AccessToken> {
  const { databaseId, container, partitionKey, mode } = request;
  if (container === undefined) {
    throw new PerigeeError('FORBIDDEN', 'Cannot get a token for the account or a database: the token service gives tokens for containers.');
  }
  const body = {
    database: databaseId,
    container,
    partitionKey: partitionKey === undefined ? undefined : partitionKeyJson(partitionKey),
    mode,
  };
  const headers = await headersOf(settings, request);
  let response: Response;
  try {
    response = await settings.send(settings.url, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
      redirect: 'manual',
      signal,
    });
  } catch (cause) {
    throw unreachable(settings, signal, cause);
  }
  let text: string | undefined;
  try {
    text = response.body === null ? '' : await readChunks(chunksOf(response.body), MAX_ANSWER_BYTES);
  } catch (cause) {
    throw unreachable(settings, signal, cause);
  }
  if (!response.ok) {
    throw refusalOf(response.status, response.headers, text);
  }
  return readTokenAnswer(text, request);
}

function unreachable({ url }: Settings, signal: AbortSignal, cause: unknown): unknown {
  if (signal.aborted) {
    return signal.reason;
  }
  const { host } = new URL(url);
  // The cause is left out, apart from its code: nobody knows what of the request it repeats.
  const { code } = ((cause as { cause?: unknown } | undefined)?.cause ?? {}) as { code?: unknown };
  return new PerigeeError(
    'UNREACHABLE',
    `Cannot get a token: the token service at ${host} cannot be reached${typeof code === 'string' ? ` (${code})` : ''}. Check the network and the address.`,
    { details: { host, ...(typeof code === 'string' ? { code } : {}) } },
  );
}

async function fetchToken(settings: Settings, request: UserTokenRequest): Promise<AccessToken> {
  const { runtime, timeoutMs } = settings;
  const late = new AbortController();
  const cancel = runtime.setTimer(timeoutMs, () =>
    late.abort(new PerigeeError('TIMEOUT', `Cannot get a token: the token service gave none within ${timeoutMs} ms.`)),
  );
  const signal = AbortSignal.any([late.signal, request.signal]);
  try {
    return await abortable(send(settings, request, signal), signal);
  } finally {
    cancel();
    // Whatever is left of an answer is not waited for.
    late.abort();
  }
}

/**
 * Tokens from a token service over HTTP, such as {@link createTokenService} or `perigee tokens`.
 *
 * Each token is kept for its user, container, partition key and mode; however many calls need it, one request is under way, and it is renewed in the
 * background when three quarters of its life have passed. Changing the user drops what was kept for the one before.
 *
 * Calls fail with UNAUTHORIZED and FORBIDDEN where the service says so, THROTTLED with `retryAfterMs`, UNREACHABLE, TIMEOUT, UNAVAILABLE, and
 * BAD_RESPONSE where something else answers. No message holds a token.
 *
 * @throws INVALID_OPTION
 *
 * @example
 * ```ts
 * import { createServer } from 'node:http';
 * import { httpTokens } from 'perigee/tokens';
 *
 * const service = createServer((request, response) => {
 *   const facts = { container: 'todos', partitionKey: ['ada'], mode: 'all', lifetimeSeconds: 3600 };
 *   response.end(JSON.stringify({ token: `for ${request.headers.authorization}`, ...facts }));
 * }).listen(0, '127.0.0.1');
 * await new Promise((resolve) => service.once('listening', resolve));
 *
 * const source = httpTokens({
 *   url: `http://127.0.0.1:${(service.address() as { port: number }).port}/`,
 *   headers: ({ user }) => ({ authorization: `Bearer ${user}'s own credential` }),
 * });
 * const tokens = source.forUser('ada'); // the tokenProvider of openCosmosBackend
 * const { token } = await tokens.getToken({ container: 'todos', partitionKey: ['ada'], mode: 'all' });
 * console.log(token); // -> for Bearer ada's own credential
 * source.signOut();
 * service.close();
 * ```
 */
export function httpTokens(options: HttpTokensOptions): TokenSource {
  const settings: Settings = {
    url: checkEndpoint('url', options.url),
    headers: options.headers,
    timeoutMs: checkTimeout(options.timeoutMs),
    // A browser's fetch must be called as the function that it is, and not as a member of something else.
    send: options.fetch ?? ((...request) => globalThis.fetch(...request)),
    runtime: options.runtime ?? systemRuntime,
  };
  return createTokenSource((request) => fetchToken(settings, request), options);
}
