import { PerigeeError } from '../../core/errors.ts';
import { isJsonObject, type JsonValue } from '../../core/json.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { QueryAccess } from '../cost/query-work.ts';
import { compilePipeline, type Pipeline } from '../evaluator/pipeline.ts';
import { createEnvironment, type PreparedComputedProperty } from '../evaluator/query-environment.ts';
import type { ScalarFunction } from '../functions/function-entry.ts';
import type { PreparedQuery } from '../prepared-query.ts';
import { queryCounts } from '../query-counts.ts';
import type { SearchPolicy } from '../search/search-policy.ts';
import type { EpkRange } from '../../store/queries.ts';
import type { QueryParameter } from '../syntax-nodes.ts';
import { decodePosition, encodePosition, tokenScope } from './continuation-token.ts';
import { measureValue } from './measure-value.ts';
import { rewrittenOrder } from '../rewritten-order.ts';
import { runCounted } from './counted-run.ts';
import { runRanked } from './ranked-run.ts';
import { runOrdered, runOrderedDistinct } from './ordered-run.ts';
import { Pacer } from './pacer.ts';
import type { PageReading, QueryRun, RunResult, RunStatistics, TextStatisticsSource } from './query-run.ts';
import { virtualSource, type QuerySource } from './query-source.ts';
import { runStreaming } from './streaming-run.ts';

/** A text from so many characters on may have much to do with a single row. */
const LONG_TEXT = 1000;

/** One page of a query over a source. */
export interface ExecuteRequest {
  readonly prepared: PreparedQuery;
  readonly parameters: readonly QueryParameter[];
  readonly source: QuerySource;
  /**
   * Every document of the container, also those that WHERE, a partition key or a range leave out of `source`: what FULLTEXTSCORE counts.
   * Default: `source`.
   */
  readonly wholeSource?: QuerySource | undefined;
  readonly textStatistics?: TextStatisticsSource | undefined;
  /** Items of the page at most, from 1. */
  readonly maxItemCount: number;
  /** The continuation of the page before, from the same query with the same parameters. */
  readonly continuation: string | undefined;
  /** What the source is restricted to, where that is a range: a continuation that counts rows is for it alone. */
  readonly range?: EpkRange | undefined;
  readonly signal: AbortSignal | undefined;
  readonly runtime: Runtime;
  /** Whether the source gives exactly the documents that satisfy WHERE. Only for queries without JOIN. */
  readonly whereIsExact?: boolean | undefined;
  readonly computedProperties?: readonly PreparedComputedProperty[] | undefined;
  readonly udfs?: ReadonlyMap<string, ScalarFunction> | undefined;
  readonly searchPolicy?: SearchPolicy | undefined;
  /** How the model of request units takes the query to find its documents: `served` unless said otherwise. */
  readonly access?: QueryAccess | undefined;
}

/** A page of results and what it took. */
export interface ExecutedPage extends RunStatistics {
  /** The items. They may share structure with the documents of the source. */
  readonly items: readonly JsonValue[];
  /** `undefined` when there is nothing more. */
  readonly continuation: string | undefined;
  /** About how many bytes the items take as JSON; without what a client that runs a plan asked for besides, to put rows in order. */
  readonly bytesReturned: number;
  /** Documents that the page is charged for reading: see {@link QueryAccess}. Those of all pages add up to the same, whatever their sizes. */
  readonly documentsRead: number;
}

function runnerOf(pipeline: Pipeline): (run: QueryRun) => Promise<RunResult> {
  const { grouping, query } = pipeline.last;
  if (query.rank !== undefined) {
    return runRanked;
  }
  if (query.orderBy.length > 0 && grouping === undefined) {
    return query.distinct ? runOrderedDistinct : runOrdered;
  }
  return pipeline.isStreaming ? runStreaming : runCounted;
}

/** Size of what the rows of a rewritten ORDER BY bring for the one who asked. */
function payloadBytes(items: readonly JsonValue[]): number {
  const payloads = items.map((item) => (isJsonObject(item) ? item['payload'] : undefined));
  return payloads.reduce<number>((bytes, payload) => bytes + (payload === undefined ? 0 : measureValue(payload)), 0);
}

function chargedFor({ access, source, signal }: QueryRun, { rows, scanned }: PageReading): Promise<number> | number {
  if (access !== 'scan' || source.count === undefined) {
    return rows;
  }
  return scanned === undefined ? 0 : source.count(scanned.behind, scanned.upTo, signal);
}

/** Evaluating a query never goes wrong with a range error but for want of stack or of room. */
function asLimit(error: unknown): unknown {
  return error instanceof RangeError
    ? new PerigeeError(
        'QUERY_LIMIT',
        'Cannot run the query: a value became too large or too deep. Make the query or the documents simpler.',
        {
          cause: error,
        },
      )
    : error;
}

/**
 * Runs a query over documents and gives one page: this is the definition of what every store answers.
 *
 * Rows follow ORDER BY, and the order of creation where it leaves them open. A page ends with `maxItemCount` items or with about 4 MB; it may
 * be the last one and be empty. Continuations are stateless and survive a restart: a query that streams goes on from the document where it
 * stopped, one with ORDER BY goes on behind the last row by its sort keys, one with DISTINCT, GROUP BY or aggregates starts again and leaves
 * out what it returned. Memory does not grow with the container, but for DISTINCT and GROUP BY, which are bounded. The event loop gets its turn
 * every few milliseconds, and an abort rejects with the signal's reason.
 *
 * @throws QUERY_INVALID for a bad value of TOP, OFFSET or LIMIT or a missing user-defined function; INVALID_CONTINUATION; QUERY_FAILED for a
 * scalar subquery of several rows or a number that is not finite; QUERY_LIMIT; what the source throws; the signal's reason
 */
export async function executeQuery(request: ExecuteRequest): Promise<ExecutedPage> {
  const { prepared, parameters, maxItemCount, continuation, signal, runtime } = request;
  const counts = queryCounts(prepared, parameters);
  const scope = tokenScope(prepared, parameters, request.range);
  const pacer = new Pacer(runtime, signal, prepared.udfs.length > 0 || prepared.text.length > LONG_TEXT);
  pacer.check();
  const pipeline = compilePipeline(prepared, createEnvironment(request), request.whereIsExact);
  const statistics: RunStatistics = { rowsLookedAt: 0, bytesRead: 0, rowsMatched: 0 };
  const run: QueryRun = {
    pipeline,
    source: pipeline.readsContainer ? request.source : virtualSource,
    wholeSource: request.wholeSource ?? request.source,
    textStatistics: request.textStatistics,
    signal,
    pacer,
    maxItemCount,
    offset: counts.offset ?? 0,
    limit: counts.top ?? counts.limit ?? Number.POSITIVE_INFINITY,
    position: continuation === undefined ? undefined : decodePosition(scope, continuation),
    statistics,
    access: request.access ?? 'served',
  };
  if (run.limit === 0) {
    return { items: [], continuation: undefined, bytesReturned: 0, documentsRead: 0, ...statistics };
  }
  try {
    const { items, bytes, next, read } = await runnerOf(pipeline)(run);
    const documentsRead = pipeline.readsContainer ? await chargedFor(run, read) : 0;
    const nextToken = next === undefined ? undefined : encodePosition(scope, next);
    const bytesReturned = rewrittenOrder(prepared) === undefined ? bytes : payloadBytes(items);
    return { items, continuation: nextToken, bytesReturned, documentsRead, ...statistics };
  } catch (error) {
    throw asLimit(error);
  }
}
