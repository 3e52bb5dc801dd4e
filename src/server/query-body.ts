import { PerigeeError } from '../core/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import type { RequestContext } from './server-context.ts';

/** A query as it comes in a request. */
export interface QueryBody {
  readonly query: string;
  readonly parameters: readonly { readonly name: string; readonly value: JsonValue }[];
}

/** The query in the body of a request. @throws BAD_REQUEST */
export function queryBody(context: RequestContext): QueryBody {
  return readQuery(context.jsonObject());
}

/** A query with its parameters. A parameter without a value is undefined, so it is left out. @throws BAD_REQUEST */
export function readQuery({ query, parameters }: JsonObject): QueryBody {
  if (typeof query !== 'string') {
    throw new PerigeeError(
      'BAD_REQUEST',
      'The body of a query has the form {"query":"SELECT ...","parameters":[{"name":"@p","value":1}]}.',
    );
  }
  const list: unknown = parameters ?? [];
  if (!Array.isArray(list) || !list.every((item: unknown) => isJsonObject(item) && typeof item['name'] === 'string')) {
    throw new PerigeeError('BAD_REQUEST', 'The parameters of a query are a list of {"name":"@p","value":1}.');
  }
  const given = list as readonly { readonly name: string; readonly value?: JsonValue }[];
  return {
    query,
    parameters: given.flatMap(({ name, value }) => (value === undefined ? [] : [{ name, value }])),
  };
}
