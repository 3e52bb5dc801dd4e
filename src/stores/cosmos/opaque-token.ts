import { PerigeeError } from '../../core/errors.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { effectivePartitionKey } from '../../store/effective-partition-key.ts';
import { parseJson } from './cosmos-errors.ts';

/** A text of 32 digits that is equal only for equal texts: it binds a continuation or a cursor to what it was issued for. */
export function bindingOf(text: string): string {
  return effectivePartitionKey([text], { paths: ['/binding'], kind: 'Hash', version: 2 });
}

/** State of a page sequence as opaque text, bound to what it belongs to. */
export function formatToken(binding: string, state: JsonObject): string {
  return `${binding}.${Buffer.from(JSON.stringify(state)).toString('base64url')}`;
}

/** Reads {@link formatToken}. @throws INVALID_CONTINUATION unless it was issued with the same binding */
export function parseToken(token: string, binding: string, what: string): JsonObject {
  const dot = token.indexOf('.');
  const state = token.slice(0, dot) === binding ? parseJson(Buffer.from(token.slice(dot + 1), 'base64url').toString('utf8')) : undefined;
  if (!isJsonObject(state)) {
    throw new PerigeeError('INVALID_CONTINUATION', `The ${what} was not issued for this container and request. Start again without it.`);
  }
  return state;
}
