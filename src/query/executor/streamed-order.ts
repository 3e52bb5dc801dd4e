import { queryMayFail } from '../may-fail.ts';
import { runPipeline } from '../evaluator/pipeline.ts';
import type { OrderedPlace } from './ordered-rows.ts';
import { sortKey, type Sorting } from './sorting.ts';
import { PageCollector } from './page-collector.ts';
import type { QueryRun, RunResult } from './query-run.ts';

/** What is left of a page of an ordered run when its rows came in order. */
export interface StreamedPage {
  readonly page: PageCollector;
  /** The last row that is in the page, or was left out by OFFSET; undefined where there was none. */
  readonly last: OrderedPlace | undefined;
  readonly hasMore: boolean;
}

/** Where a page starts, and what it leaves out. */
export interface StreamStart {
  readonly behind: OrderedPlace | undefined;
  readonly skip: number;
  readonly taken: number;
}

/**
 * Fills a page from a source that gives documents in the order of the query: it reads about as many as the page has.
 *
 * Undefined where the source has no such order, or gave up: then the page has to be made another way, and nothing was taken.
 */
export async function streamInOrder(run: QueryRun, sorting: Sorting, start: StreamStart): Promise<StreamedPage | undefined> {
  const { pipeline, source, signal, pacer, statistics } = run;
  // A scan comes by rows that the page does not need, and fails where one of them does.
  if (source.ordered === undefined || queryMayFail(pipeline.last.query.node)) {
    return undefined;
  }
  const page = new PageCollector(start.skip, run.limit - start.taken, run.maxItemCount);
  let last: OrderedPlace | undefined;
  let ordinal = 0;
  let row = 0;
  const execution = runPipeline(
    pipeline,
    (frame) => {
      const place = { keys: sorting.keys.map((key) => sortKey(key(frame))), ordinal, row };
      row += 1;
      if (page.isClosed || (start.behind !== undefined && sorting.order(place, start.behind) <= 0)) {
        return;
      }
      const value = pipeline.last.project(frame);
      if (value !== undefined && page.add(value)) {
        last = place;
      }
    },
    () => page.isClosed,
  );
  const expectedRows = start.skip + Math.min(run.limit - start.taken, run.maxItemCount) + 1;
  const result = (): StreamedPage => {
    statistics.rowsMatched += execution.matched();
    return { page, last, hasMore: page.overflowed };
  };
  for await (const batch of source.ordered({ from: start.behind, expectedRows, signal })) {
    if (batch === 'gave-up') {
      return undefined;
    }
    pacer.check();
    statistics.rowsLookedAt += batch.looked;
    for (const { ordinal: next, document } of batch.rows) {
      ordinal = next;
      row = 0;
      pipeline.begin(document, ordinal);
      while (execution.step()) {
        if (page.isClosed) {
          return result();
        }
        if (pacer.isDue()) {
          await pacer.pause();
        }
      }
      if (pacer.isDue()) {
        await pacer.pause();
      }
    }
  }
  return result();
}

/** The page as the result of a run. */
export function streamedResult({ page, last, hasMore }: StreamedPage, positionOf: (last: OrderedPlace) => RunResult['next']): RunResult {
  return { items: page.items, bytes: page.bytes, next: hasMore && last !== undefined ? positionOf(last) : undefined };
}
