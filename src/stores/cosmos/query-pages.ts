import type { FeedOptions, QueryIterator, SqlQuerySpec } from '@azure/cosmos';
import type { JsonObject, JsonValue } from '../../core/json.ts';
import { randomUuid, type Runtime } from '../../core/runtime.ts';
import { partitionKeyText } from '../../store/partition-key.ts';
import type { QueryPage } from '../../store/queries.ts';
import type { QueryRequest } from '../../store/store-hooks.ts';
import type { CallScope } from './call-scope.ts';
import { sdkPartitionKey, sessionOption, type ContainerLink } from './container-link.ts';
import { badResponse } from './cosmos-errors.ts';
import { endlessQuery, finishSearches, MAX_IDLE_ASKS } from './finish-searches.ts';
import { bindingOf, formatToken, parseToken } from './opaque-token.ts';

/** Planned queries kept open between their pages; one that was dropped is run again and its first items are skipped. */
const OPEN_QUERIES = 16;

/** A query that the SDK plans and merges itself, open between two pages. */
interface OpenQuery {
  readonly iterator: QueryIterator<JsonValue>;
  /** Items given out so far. */
  readonly given: number;
  /** Pages in a row that had no items and sent nothing. */
  readonly idle: number;
}

/** A page of a query, and what the service says about its indexes. */
export interface CosmosQueryPage extends QueryPage<JsonValue> {
  readonly planned: boolean;
  readonly indexMetrics: string | undefined;
}

/** The single partition key of a request; a prefix is none. */
function fullKey(link: ContainerLink, request: QueryRequest): QueryRequest['partitionKey'] {
  const { partitionKey } = request;
  return partitionKey?.length === link.info.definition.partitionKey.paths.length ? partitionKey : undefined;
}

function bindingFor(link: ContainerLink, request: QueryRequest): string {
  const { query, parameters, partitionKey, range } = request;
  return bindingOf(
    JSON.stringify([
      link.info.rid,
      query,
      parameters.map(({ name, value }) => [name, value]),
      partitionKey === undefined ? null : partitionKeyText(partitionKey),
      range === undefined ? null : [range.min, range.max],
    ]),
  );
}

/** Headers that restrict a request to a range of effective partition keys. */
export function rangeHeaders(range: { readonly min: string; readonly max: string } | undefined): Record<string, string> {
  return range === undefined
    ? {}
    : { 'x-ms-start-epk': range.min, 'x-ms-end-epk': range.max, 'x-ms-read-key-type': 'EffectivePartitionKeyRange' };
}

/**
 * Reads queries page by page.
 *
 * Where the service answers a query itself, a page goes on from the service's own continuation. Where it refuses (most queries over several ranges that
 * sort, group or count), the SDK plans and merges, and such a query stays open between its pages.
 */
export class QueryPager {
  readonly #link: ContainerLink;
  readonly #runtime: Runtime;
  readonly #open = new Map<string, OpenQuery>();

  constructor(link: ContainerLink, runtime: Runtime) {
    this.#link = link;
    this.#runtime = runtime;
  }

  /** Reads one page. */
  readPage(request: QueryRequest, indexMetrics = false): Promise<CosmosQueryPage> {
    const binding = bindingFor(this.#link, request);
    const state = request.continuation === undefined ? undefined : parseToken(request.continuation, binding, 'continuation');
    const scope = this.#link.scope({
      kind: 'query',
      what: 'run the query over the documents',
      partitionKey: fullKey(this.#link, request),
      mode: 'read',
      options: request,
      continued: typeof state?.['token'] === 'string',
      headers: rangeHeaders(request.range),
    });
    return scope.run(() =>
      state === undefined || typeof state['token'] === 'string'
        ? this.#firstOrDirect(request, binding, state, scope, indexMetrics)
        : this.#planned(request, binding, state, scope),
    );
  }

  /** Forgets the queries that are open. */
  close(): void {
    this.#open.clear();
  }

  #iterator(request: QueryRequest, token: string | undefined, indexMetrics: boolean): QueryIterator<JsonValue> {
    const spec: SqlQuerySpec = {
      query: request.query,
      parameters: request.parameters.map(({ name, value }) => ({ name, value: value as never })),
    };
    const options: FeedOptions = {
      ...sessionOption(request),
      maxItemCount: request.maxItemCount,
      populateQueryMetrics: true,
      ...(indexMetrics ? { populateIndexMetrics: true } : {}),
      ...(request.partitionKey === undefined ? {} : { partitionKey: sdkPartitionKey(request.partitionKey) }),
      ...(token === undefined ? {} : { continuationToken: token }),
    };
    const iterator = this.#link.container.items.query<JsonValue>(spec, options);
    finishSearches(iterator);
    return iterator;
  }

  async #firstOrDirect(
    request: QueryRequest,
    binding: string,
    state: JsonObject | undefined,
    scope: CallScope,
    indexMetrics: boolean,
  ): Promise<CosmosQueryPage> {
    const iterator = this.#iterator(request, state?.['token'] as string | undefined, indexMetrics);
    const response = await iterator.fetchNext();
    const items = response.resources as readonly JsonValue[] | undefined;
    if (scope.planned) {
      return this.#plannedPage(binding, { iterator, given: 0, idle: 0 }, items ?? [], response.hasMoreResults, scope);
    }
    if (!Array.isArray(items) || scope.answer?.status !== 200 || scope.answer.body === '') {
      throw badResponse(scope, 'JSON without documents', scope.answer?.status);
    }
    // The header as it came: the SDK rewrites it for some kinds of query.
    const token = scope.answer?.headers['x-ms-continuation'];
    return {
      items,
      continuation: token === undefined || token === '' ? undefined : formatToken(binding, { token }),
      documentsScanned: scope.documentsScanned || items.length,
      requestUnits: scope.requestUnits,
      session: scope.session,
      planned: false,
      indexMetrics: scope.indexMetrics,
    };
  }

  async #planned(request: QueryRequest, binding: string, state: JsonObject, scope: CallScope): Promise<CosmosQueryPage> {
    const id = state['open'] as string;
    const skip = Number(state['given']);
    const open = this.#open.get(id);
    this.#open.delete(id);
    if (open !== undefined && open.given === skip) {
      const response = await open.iterator.fetchNext();
      return this.#plannedPage(binding, open, response.resources ?? [], response.hasMoreResults, scope);
    }
    const iterator = this.#iterator(request, undefined, false);
    let passed = 0;
    for (let idle = 0; idle <= MAX_IDLE_ASKS;) {
      const { answers } = scope;
      const response = await iterator.fetchNext();
      const items: readonly JsonValue[] = response.resources ?? [];
      if (passed + items.length > skip || !response.hasMoreResults) {
        const rest = items.slice(Math.max(0, skip - passed));
        return this.#plannedPage(binding, { iterator, given: skip, idle: 0 }, rest, response.hasMoreResults, scope);
      }
      passed += items.length;
      idle = items.length === 0 && scope.answers === answers ? idle + 1 : 0;
    }
    throw endlessQuery();
  }

  #plannedPage(binding: string, before: OpenQuery, items: readonly JsonValue[], more: boolean, scope: CallScope): CosmosQueryPage {
    let continuation: string | undefined;
    if (more) {
      const open = randomUuid(this.#runtime);
      const given = before.given + items.length;
      const idle = items.length === 0 && scope.answers === 0 ? before.idle + 1 : 0;
      if (idle > MAX_IDLE_ASKS) {
        throw endlessQuery();
      }
      this.#open.set(open, { iterator: before.iterator, given, idle });
      if (this.#open.size > OPEN_QUERIES) {
        this.#open.delete(this.#open.keys().next().value as string);
      }
      continuation = formatToken(binding, { open, given });
    }
    return {
      items,
      continuation,
      documentsScanned: scope.documentsScanned || items.length,
      requestUnits: scope.requestUnits,
      session: scope.session,
      planned: true,
      indexMetrics: scope.indexMetrics,
    };
  }
}
