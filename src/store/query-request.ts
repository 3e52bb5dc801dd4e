import { PerigeeError } from '../core/errors.ts';
import { checkEpkRange } from './check-epk-range.ts';
import type { ChangesOptions } from './changes.ts';
import { STORE_LIMITS } from './limits.ts';
import type { ConsistencyLevel } from './operations.ts';
import { checkOrderByMode } from './order-by-mode.ts';
import { normalizePartitionKey } from './partition-key.ts';
import type { QueryInput, QueryOptions } from './queries.ts';
import type { QueryRequest } from './store-hooks.ts';

/** What a request for a page is restricted to, whatever it reads. */
export type RequestScope = Pick<QueryRequest, 'partitionKey' | 'range' | 'issuedFor' | 'maxItemCount' | 'session' | 'consistency'>;

/** Checks what the options of a query or a change feed restrict it to. @throws INVALID_OPTION, BAD_REQUEST, PARTITION_KEY_MISMATCH */
export function requestScope(options: QueryOptions | ChangesOptions, pathCount: number): RequestScope {
  const maxItemCount = options.maxItemCount ?? STORE_LIMITS.defaultPageItems;
  if (!Number.isInteger(maxItemCount) || maxItemCount < 1) {
    throw new PerigeeError('INVALID_OPTION', 'maxItemCount is a whole number from 1.');
  }
  return {
    partitionKey: options.partitionKey === undefined ? undefined : normalizePartitionKey(options.partitionKey, pathCount, true),
    range: options.range === undefined ? undefined : checkEpkRange(options.range),
    issuedFor: options.issuedFor,
    maxItemCount,
    session: options.session,
    consistency: checkConsistency(options.consistency),
  };
}

/** @throws INVALID_OPTION */
export function checkConsistency(level: ConsistencyLevel | undefined): ConsistencyLevel | undefined {
  if (level !== undefined && level !== 'strong' && level !== 'session' && level !== 'eventual') {
    throw new PerigeeError('INVALID_OPTION', 'The option consistency is strong, session or eventual.');
  }
  return level;
}

/** Checks a query and its options. @throws BAD_REQUEST, and what {@link requestScope} throws */
export function queryRequest(query: QueryInput, options: QueryOptions, pathCount: number): QueryRequest {
  const { query: text, parameters } = typeof query === 'string' ? { query, parameters: undefined } : query;
  if (typeof text !== 'string') {
    throw new PerigeeError('BAD_REQUEST', 'A query is a text, or an object with the member "query".');
  }
  return {
    query: text,
    parameters: parameters ?? [],
    ...requestScope(options, pathCount),
    continuation: options.continuation,
    orderBy: checkOrderByMode(options.orderBy),
    userDefinedFunctions: options.userDefinedFunctions,
    signal: options.signal,
  };
}
