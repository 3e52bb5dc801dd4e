import { checkOrderByIndexes } from '../../query/index-policy/check-order-by.ts';
import { partitionKeysOf } from '../../query/partition-key-filter.ts';
import { prepareQuery } from '../../query/prepare-query.ts';
import type { PreparedQuery } from '../../query/prepared-query.ts';
import type { ContainerDefinition } from '../../store/container-definition.ts';
import { parsePropertyPath, partitionKeyText, type PartitionKey } from '../../store/partition-key.ts';
import type { EpkRange } from '../../store/queries.ts';
import type { QueryRequest } from '../../store/store-hooks.ts';

/** Which documents a query or a change feed reads. */
export interface KeyScope {
  /** Partition keys, each full or a prefix; `undefined` for all. */
  readonly partitionKeys: readonly PartitionKey[] | undefined;
  /** How many components a full partition key has. */
  readonly pathCount: number;
  readonly range: EpkRange | undefined;
  /** Ids that alone can satisfy the query; `undefined` for all. */
  readonly ids?: readonly string[] | undefined;
}

/** What a query reads, and whether its filter said so. */
export interface QueryScope {
  readonly scope: KeyScope;
  /** Whether WHERE narrows the scope further than the request does. */
  readonly isNarrowed: boolean;
}

/** The query of a request, prepared. @throws QUERY_INVALID, also for an ORDER BY that the indexes of the container do not serve, if that is asked for */
export function checkedQuery({ query, orderBy }: QueryRequest, definition: ContainerDefinition): PreparedQuery {
  const prepared = prepareQuery(query);
  checkOrderByIndexes(prepared, definition, orderBy);
  return prepared;
}

function startsWith(key: PartitionKey, prefix: PartitionKey): boolean {
  return key.length >= prefix.length && partitionKeyText(key.slice(0, prefix.length)) === partitionKeyText(prefix);
}

/** The keys that lie in both: each is full or a prefix, and covers all that begin with it. */
function intersect(asked: PartitionKey | undefined, found: readonly PartitionKey[] | undefined): readonly PartitionKey[] | undefined {
  if (asked === undefined || found === undefined) {
    return asked === undefined ? found : [asked];
  }
  const both: PartitionKey[] = [];
  for (const key of found) {
    if (startsWith(key, asked)) {
      both.push(key);
    } else if (startsWith(asked, key)) {
      both.push(asked);
    }
  }
  return both;
}

/** The partition keys that a condition on `paths` leaves, `undefined` for all. */
function keysOf(prepared: PreparedQuery, paths: readonly string[], request: QueryRequest): readonly PartitionKey[] | undefined {
  const keys = partitionKeysOf(prepared, paths, request.parameters);
  return keys === 'all' ? undefined : keys === 'none' ? [] : keys;
}

/** Works out which documents a query has to read: those asked for, less those that WHERE excludes by partition key or id. */
export function queryScope(prepared: PreparedQuery, request: QueryRequest, definition: ContainerDefinition): QueryScope {
  const { paths } = definition.partitionKey;
  // A computed property of the same name is what the query means then.
  const computed = new Set(definition.computedProperties.map(({ name }) => name));
  const isPlain = (path: string): boolean => !computed.has(parsePropertyPath(path)[0] as string);
  const found = paths.every(isPlain) ? keysOf(prepared, paths, request) : undefined;
  const ids = isPlain('/id') ? keysOf(prepared, ['/id'], request) : undefined;
  return {
    scope: {
      partitionKeys: intersect(request.partitionKey, found),
      pathCount: paths.length,
      range: request.range,
      ids: ids?.flatMap(([id]) => (typeof id === 'string' ? [id] : [])),
    },
    isNarrowed: found !== undefined || ids !== undefined,
  };
}
