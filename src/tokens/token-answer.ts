import { PerigeeError } from '../core/errors.ts';
import { isJsonObject } from '../core/json.ts';
import { partitionKeyText } from '../store/partition-key.ts';
import type { AccessToken, TokenRequest } from '../store/token-provider.ts';
import { readWireKey } from './partition-key-json.ts';

const MAX_LIFETIME_SECONDS = 366 * 24 * 3600;
const MAX_TOKEN_CHARACTERS = 16 * 1024;
/** What an HTTP header can carry. */
const TOKEN = /^[\x21-\x7e]+(?: [\x21-\x7e]+)*$/u;

function badResponse(what: string, status?: number): PerigeeError {
  return new PerigeeError(
    'BAD_RESPONSE',
    `Cannot get a token: what answered does not speak as a token service (${what}). Check the address.`,
    {
      details: status === undefined ? {} : { answeredStatus: status },
    },
  );
}

function parse(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '') as unknown;
  } catch {
    return undefined;
  }
}

function keyTextOf(value: unknown): string | undefined {
  try {
    return partitionKeyText(readWireKey(value));
  } catch {
    return undefined;
  }
}

/** Reads the answer to a request; `text` is `undefined` for one that is too long. @throws BAD_RESPONSE */
export function readTokenAnswer(text: string | undefined, request: TokenRequest): AccessToken {
  const answer = parse(text);
  if (!isJsonObject(answer)) {
    throw badResponse(text === undefined ? 'an answer that is too long' : 'a body that is not a JSON object');
  }
  const { token, container, partitionKey, mode, lifetimeSeconds } = answer;
  if (typeof token !== 'string' || token.length > MAX_TOKEN_CHARACTERS || !TOKEN.test(token)) {
    throw badResponse('no token that a header can carry');
  }
  if (container !== request.container) {
    throw badResponse('a token for another container');
  }
  if (mode !== undefined && mode !== request.mode && mode !== 'all') {
    throw badResponse('a token for another mode');
  }
  if (request.partitionKey !== undefined && keyTextOf(partitionKey) !== partitionKeyText(request.partitionKey)) {
    throw badResponse('a token for another partition key');
  }
  if (typeof lifetimeSeconds !== 'number' || !(lifetimeSeconds > 0 && lifetimeSeconds <= MAX_LIFETIME_SECONDS)) {
    throw badResponse('no lifetimeSeconds');
  }
  return { token, lifetimeMs: lifetimeSeconds * 1000 };
}

function retryAfterOf(headers: Headers, body: unknown): number | undefined {
  const said = isJsonObject(body) ? body['retryAfterMs'] : undefined;
  if (typeof said === 'number' && said >= 0) {
    return said;
  }
  const seconds = Number(headers.get('retry-after') ?? Number.NaN);
  return seconds >= 0 ? seconds * 1000 : undefined;
}

/**
 * The error that an answer without success stands for. None of them is about a document: a sync that cannot get a token waits, and must take nothing
 * for missing or refused.
 */
export function refusalOf(status: number, headers: Headers, text: string | undefined): PerigeeError {
  const retryAfterMs = retryAfterOf(headers, parse(text));
  switch (status) {
    case 401:
      return new PerigeeError('UNAUTHORIZED', 'Cannot get a token: the token service does not accept the credential. Sign in again.');
    case 403:
      return new PerigeeError(
        'FORBIDDEN',
        'Cannot get a token: the token service does not give this user one for this container, partition key and mode.',
      );
    case 429:
      return new PerigeeError('THROTTLED', 'Cannot get a token: the token service was asked too often. Wait `retryAfterMs`.', {
        retryAfterMs,
        subStatus: 0,
      });
    default:
      return status === 408 || (status >= 500 && status !== 511)
        ? new PerigeeError('UNAVAILABLE', `Cannot get a token: the token service answers with status ${status}. Try again later.`, {
            retryAfterMs,
          })
        : badResponse(`status ${status}`, status);
  }
}
