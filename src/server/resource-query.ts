import type { JsonObject, JsonValue } from '../core/json.ts';
import type { Runtime } from '../core/runtime.ts';
import { executeQuery } from '../query/executor/execute-query.ts';
import type { QuerySource } from '../query/executor/query-source.ts';
import { prepareQuery } from '../query/prepare-query.ts';
import type { QueryBody } from './query-body.ts';

/** A resource and its place among those of its feed, which it keeps for life: a whole number above 0. */
export interface FeedResource {
  readonly ordinal: number;
  readonly json: JsonObject;
}

/** One page of the rows of a query. */
export interface ResourcePage {
  readonly items: readonly JsonValue[];
  readonly continuation: string | undefined;
}

function sourceOf(resources: readonly FeedResource[]): QuerySource {
  return {
    async *scan({ afterOrdinal }) {
      const rows = resources.filter(({ ordinal }) => ordinal > afterOrdinal).map(({ ordinal, json }) => ({ ordinal, document: json }));
      yield await Promise.resolve({ rows, scannedTo: rows.at(-1)?.ordinal ?? afterOrdinal, looked: rows.length });
    },
  };
}

/** Runs one page of a query over databases, containers, users and so on, sorted by their ordinals. @throws what preparing and running a query throw */
export function queryResources(
  { query, parameters }: QueryBody,
  resources: readonly FeedResource[],
  page: { readonly maxItemCount: number; readonly continuation: string | undefined },
  runtime: Runtime,
): Promise<ResourcePage> {
  return executeQuery({ prepared: prepareQuery(query), parameters, source: sourceOf(resources), ...page, signal: undefined, runtime });
}
