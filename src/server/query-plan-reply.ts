import { PerigeeError } from '../core/errors.ts';
import { createQueryPlan, needsPlan } from '../query/plan/create-query-plan.ts';
import { partitionKeysOf } from '../query/partition-key-filter.ts';
import { prepareQuery } from '../query/prepare-query.ts';
import type { PreparedQuery } from '../query/prepared-query.ts';
import { searchPolicyOf } from '../query/search/search-policy.ts';
import type { ContainerDefinition, PartitionKeyDefinition } from '../store/container-definition.ts';
import { effectivePartitionKey, epkRangeOfPrefix, FULL_EPK_RANGE } from '../store/effective-partition-key.ts';
import type { QueryBody } from './query-body.ts';

interface QueryRange {
  readonly min: string;
  readonly max: string;
  readonly isMinInclusive: boolean;
  readonly isMaxInclusive: boolean;
}

const ALL: readonly QueryRange[] = [{ ...FULL_EPK_RANGE, isMinInclusive: true, isMaxInclusive: false }];

/** The parts of the hash space that a query can have rows from: sorted and disjoint, a point for each full key, none where no key will do. */
function queryRanges(prepared: PreparedQuery, query: QueryBody, definition: PartitionKeyDefinition): readonly QueryRange[] {
  const keys = partitionKeysOf(prepared, definition.paths, query.parameters);
  if (keys === 'all') {
    return ALL;
  }
  // A client needs a range to send the query to, also where nothing can come back: an aggregate over nothing has a row.
  if (keys === 'none') {
    return ALL;
  }
  const ranges = keys.map((key): QueryRange => {
    if (key.length < definition.paths.length) {
      return { ...epkRangeOfPrefix(key, definition), isMinInclusive: true, isMaxInclusive: false };
    }
    const point = effectivePartitionKey(key, definition);
    return { min: point, max: point, isMinInclusive: true, isMaxInclusive: true };
  });
  return ranges.toSorted((left, right) => (left.min < right.min ? -1 : left.min > right.min ? 1 : 0));
}

/** The body of the answer to a request for a plan. @throws what preparing and planning a query throw */
export function queryPlanText(query: QueryBody, definition: ContainerDefinition): string {
  const { partitionKey } = definition;
  const prepared = prepareQuery(query.query);
  return JSON.stringify({
    partitionedQueryExecutionInfoVersion: 2,
    ...createQueryPlan(prepared, query.parameters, partitionKey.paths, searchPolicyOf(definition)),
    queryRanges: queryRanges(prepared, query, partitionKey),
  });
}

/** Raises BAD_REQUEST with sub-status 1004 for a query that the service's gateway leaves to the client, with what the client looks for. */
export function refuseIfPlanned(query: QueryBody, definition: ContainerDefinition): void {
  const prepared = prepareQuery(query.query);
  if (!needsPlan(prepared)) {
    return;
  }
  const plan = createQueryPlan(prepared, query.parameters, [], searchPolicyOf(definition));
  throw new PerigeeError(
    'BAD_REQUEST',
    'The provided cross partition query can not be directly served by the gateway. Run its query plan instead.',
    { subStatus: 1004, details: { additionalErrorInfo: { partitionedQueryExecutionInfoVersion: 2, ...plan, queryRanges: ALL } } },
  );
}
