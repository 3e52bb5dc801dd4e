import { PerigeeError } from '../core/errors.ts';
import { cursorBinding } from './change-cursor.ts';
import type { QueryRequest } from './store-hooks.ts';

/*
 * A store's own continuation says where in a query to go on, not in which container or for which keys: with another one it would answer, and
 * wrongly. So what leaves a store carries sixteen digits of that in front.
 */

const DIGITS = 16;

/** What the continuations of a query on a container begin with; `source` names its data. */
export function continuationBinding(source: string, request: Pick<QueryRequest, 'partitionKey' | 'range' | 'issuedFor'>): string {
  const { partitionKey, range, issuedFor } = request;
  return cursorBinding(source, { mode: 'query', partitionKey, range, issuedFor }).slice(0, DIGITS);
}

/** The continuation as callers see it. */
export function bindContinuation(binding: string, continuation: string | undefined): string | undefined {
  return continuation === undefined ? undefined : `${binding}.${continuation}`;
}

/** The continuation as the store gave it. @throws INVALID_CONTINUATION for one with another binding */
export function unbindContinuation(binding: string, continuation: string | undefined): string | undefined {
  if (continuation === undefined) {
    return undefined;
  }
  if (!continuation.startsWith(`${binding}.`)) {
    throw new PerigeeError(
      'INVALID_CONTINUATION',
      'Cannot continue the query: the continuation token was issued for another container, partition key or range. Start again without it.',
    );
  }
  return continuation.slice(binding.length + 1);
}
