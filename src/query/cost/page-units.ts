import type { PartitionKeyDefinition } from '../../store/container-definition.ts';
import { shareOfRange } from '../../store/hash-space.ts';
import type { QueryRequest } from '../../store/store-hooks.ts';
import { queryUnits, type PageCost } from './request-units.ts';

type Asked = Pick<QueryRequest, 'partitionKey' | 'range' | 'continuation'>;

/** Which part of a query a page begins. One partition key is a query of its own, however small the range around it. */
function shareOf({ partitionKey, range, continuation }: Asked, definition: PartitionKeyDefinition): number {
  if (continuation !== undefined) {
    return 0;
  }
  const isOneKey = partitionKey?.length === definition.paths.length;
  return range === undefined || isOneKey ? 1 : shareOfRange(range, definition);
}

/** The charge of the page of a query that a request asked for. */
export function pageUnits(request: Asked, definition: PartitionKeyDefinition, cost: Omit<PageCost, 'share'>): number {
  return queryUnits({ ...cost, share: shareOf(request, definition) });
}
