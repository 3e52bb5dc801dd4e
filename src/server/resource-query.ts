import type { JsonObject, JsonValue } from '../core/json.ts';
import type { Runtime } from '../core/runtime.ts';
import { executeQuery } from '../query/executor/execute-query.ts';
import type { QuerySource } from '../query/executor/query-source.ts';
import { prepareQuery } from '../query/prepare-query.ts';
import type { QueryBody } from './query-body.ts';

/** One page of the rows of a query. */
export interface ResourcePage {
  readonly items: readonly JsonValue[];
  readonly continuation: string | undefined;
}

function sourceOf(resources: readonly JsonObject[]): QuerySource {
  return {
    async *scan({ afterOrdinal }) {
      const rows = resources.map((document, index) => ({ ordinal: index + 1, document })).slice(afterOrdinal);
      yield await Promise.resolve({ rows, scannedTo: resources.length, looked: rows.length });
    },
  };
}

/** Runs one page of a query over databases, containers or offers. @throws what preparing and running a query throw */
export function queryResources(
  { query, parameters }: QueryBody,
  resources: readonly JsonObject[],
  page: { readonly maxItemCount: number; readonly continuation: string | undefined },
  runtime: Runtime,
): Promise<ResourcePage> {
  return executeQuery({ prepared: prepareQuery(query), parameters, source: sourceOf(resources), ...page, signal: undefined, runtime });
}
