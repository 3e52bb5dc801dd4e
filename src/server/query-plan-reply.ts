import { PerigeeError } from '../core/errors.ts';
import { checkOrderByIndexes } from '../query/index-policy/check-order-by.ts';
import { partitionKeyFilter } from '../query/partition-key-filter.ts';
import { createQueryPlan, needsPlan } from '../query/plan/create-query-plan.ts';
import type { QueryPlan } from '../query/plan/query-info.ts';
import { prepareQuery } from '../query/prepare-query.ts';
import type { PreparedQuery } from '../query/prepared-query.ts';
import { searchPolicyOf } from '../query/search/search-policy.ts';
import type { ContainerDefinition } from '../store/container-definition.ts';
import { effectivePartitionKey, epkRangeOfPrefix, FULL_EPK_RANGE } from '../store/effective-partition-key.ts';
import { parsePropertyPath } from '../store/partition-key.ts';
import type { OrderByMode } from '../store/queries.ts';
import type { QueryBody } from './query-body.ts';

interface QueryRange {
  readonly min: string;
  readonly max: string;
  readonly isMinInclusive: boolean;
  readonly isMaxInclusive: boolean;
}

const ALL: readonly QueryRange[] = [{ ...FULL_EPK_RANGE, isMinInclusive: true, isMaxInclusive: false }];
/** A point that lies in the first range. Something has to be asked, also where no document can be met: an aggregate over nothing has a row. */
const NOWHERE: readonly QueryRange[] = [{ min: '', max: '', isMinInclusive: true, isMaxInclusive: true }];

interface PlannedRanges {
  readonly text: string;
  /** Whether they hold for these parameters only. */
  readonly readsParameters: boolean;
}

/** A filter on a computed property that has the name of a partition key is about the property. */
function isShadowed({ partitionKey, computedProperties }: ContainerDefinition): boolean {
  const computed = new Set(computedProperties.map(({ name }) => name));
  return computed.size > 0 && partitionKey.paths.some((path) => computed.has(parsePropertyPath(path)[0] as string));
}

/** The parts of the hash space that a query can have rows from: sorted and disjoint, a point for each full key. */
function rangesOf(prepared: PreparedQuery, query: QueryBody, definition: ContainerDefinition): PlannedRanges {
  const { partitionKey } = definition;
  if (prepared.root.sources.length === 0) {
    return { text: JSON.stringify(NOWHERE), readsParameters: false };
  }
  if (isShadowed(definition)) {
    return { text: JSON.stringify(ALL), readsParameters: false };
  }
  const { keys, readsParameters } = partitionKeyFilter(prepared, partitionKey.paths, query.parameters);
  if (typeof keys === 'string') {
    return { text: JSON.stringify(keys === 'all' ? ALL : NOWHERE), readsParameters };
  }
  const ranges = keys.map((key): QueryRange => {
    if (key.length < partitionKey.paths.length) {
      return { ...epkRangeOfPrefix(key, partitionKey), isMinInclusive: true, isMaxInclusive: false };
    }
    const point = effectivePartitionKey(key, partitionKey);
    return { min: point, max: point, isMinInclusive: true, isMaxInclusive: true };
  });
  const sorted = ranges.toSorted((left, right) => (left.min < right.min ? -1 : left.min > right.min ? 1 : 0));
  return { text: JSON.stringify(sorted), readsParameters };
}

/** What is known of a query on one container: its prepared form is shared, so it lives as long as that. */
const rangeTexts = new WeakMap<ContainerDefinition, WeakMap<PreparedQuery, string>>();
const planTexts = new WeakMap<QueryPlan, string>();

function rangesText(prepared: PreparedQuery, query: QueryBody, definition: ContainerDefinition): string {
  const texts = rangeTexts.get(definition) ?? new WeakMap<PreparedQuery, string>();
  const known = texts.get(prepared);
  if (known !== undefined) {
    return known;
  }
  const { text, readsParameters } = rangesOf(prepared, query, definition);
  if (!readsParameters) {
    texts.set(prepared, text);
    rangeTexts.set(definition, texts);
  }
  return text;
}

/** The members of a plan as JSON, without the braces. */
function membersText(plan: QueryPlan): string {
  const known = planTexts.get(plan);
  if (known !== undefined) {
    return known;
  }
  const text = JSON.stringify(plan).slice(1, -1);
  planTexts.set(plan, text);
  return text;
}

/**
 * The body of the answer to a request for a plan. What depends on the text alone is worked out once for each query and container.
 *
 * @throws what preparing and planning a query throw, and QUERY_INVALID for an ORDER BY that the ranges would refuse, in the words of this text
 */
export function queryPlanText(query: QueryBody, definition: ContainerDefinition, orderBy: OrderByMode): string {
  const prepared = prepareQuery(query.query);
  checkOrderByIndexes(prepared, definition, orderBy);
  const plan = createQueryPlan(prepared, query.parameters, definition.partitionKey.paths, searchPolicyOf(definition));
  return `{"partitionedQueryExecutionInfoVersion":2,${membersText(plan)},"queryRanges":${rangesText(prepared, query, definition)}}`;
}

/** Raises BAD_REQUEST with sub-status 1004 for a query that the service's gateway leaves to the client, with the plan that clients look for. */
export function refuseIfPlanned(query: QueryBody, definition: ContainerDefinition, orderBy: OrderByMode): void {
  if (!needsPlan(prepareQuery(query.query))) {
    return;
  }
  const additionalErrorInfo = queryPlanText(query, definition, orderBy);
  throw new PerigeeError(
    'BAD_REQUEST',
    'The provided cross partition query can not be directly served by the gateway. Run its query plan instead.',
    { subStatus: 1004, details: { additionalErrorInfo } },
  );
}
