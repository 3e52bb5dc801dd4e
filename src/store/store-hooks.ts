import type { JsonValue } from '../core/json.ts';
import type { ChangesFrom } from './changes.ts';
import type { ConsistencyLevel } from './operations.ts';
import type { PartitionKey } from './partition-key.ts';
import type { EpkRange, OrderByMode } from './queries.ts';
import type { UserDefinedFunctions } from './user-functions.ts';

/** A checked query page request, as a backend's hook receives it. */
export interface QueryRequest {
  readonly query: string;
  readonly parameters: readonly { readonly name: string; readonly value: JsonValue }[];
  /** A full partition key, or a prefix of one. */
  readonly partitionKey: PartitionKey | undefined;
  readonly range: EpkRange | undefined;
  readonly issuedFor?: EpkRange | 'all' | undefined;
  readonly maxItemCount: number;
  readonly continuation: string | undefined;
  readonly orderBy: OrderByMode;
  /** Only where `capabilities.userDefinedFunctions` is true. */
  readonly userDefinedFunctions?: UserDefinedFunctions | undefined;
  readonly session: string | undefined;
  readonly consistency?: ConsistencyLevel | undefined;
  readonly signal: AbortSignal | undefined;
}

/** A checked request for an explanation, as a backend's hook receives it. */
export interface ExplainRequest extends QueryRequest {
  /** Only where `capabilities.measuredPlans` is true. */
  readonly analyze: boolean;
}

/** A checked change feed page request, as a backend's hook receives it. */
export interface ChangesRequest {
  readonly from: ChangesFrom;
  readonly partitionKey: PartitionKey | undefined;
  readonly range: EpkRange | undefined;
  readonly issuedFor?: EpkRange | 'all' | undefined;
  readonly mode: 'latest' | 'all';
  readonly maxItemCount: number;
  readonly session: string | undefined;
  readonly consistency?: ConsistencyLevel | undefined;
  readonly signal: AbortSignal | undefined;
}
