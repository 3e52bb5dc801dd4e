import { queryMayFail } from '../may-fail.ts';
import { runPipeline } from '../evaluator/pipeline.ts';
import { DocumentFeed } from './document-feed.ts';
import type { EdgeCounter } from './key-edge.ts';
import type { OrderedPlace } from './ordered-rows.ts';
import { sortKey, type Sorting } from './sorting.ts';
import { PageCollector } from './page-collector.ts';
import type { QueryRun, RunResult } from './query-run.ts';
import { counterFrom, positionBehind, type Resumption } from './resume-order.ts';

/** A page in an order, and how many rows OFFSET left out before it. */
export type OrderedResult = Omit<RunResult, 'read'> & { readonly skipped: number };

/** What is left of a page of an ordered run when its rows came in order. */
export interface StreamedPage {
  readonly page: PageCollector;
  /** Rows that OFFSET left out. */
  readonly skipped: number;
  /** The last row that is in the page, or was left out by OFFSET; undefined where there was none. */
  readonly last: OrderedPlace | undefined;
  readonly hasMore: boolean;
  readonly counter: EdgeCounter;
}

/** Where a page starts, and what it leaves out. */
export interface StreamStart {
  readonly behind: Resumption | undefined;
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
  // A scan comes by rows that the page does not need, and fails where one of them does. A source starts at a place, not between two.
  const isBetween = start.behind !== undefined && start.behind.place === undefined;
  if (source.ordered === undefined || isBetween || queryMayFail(pipeline.last.query.node)) {
    return undefined;
  }
  const counter = counterFrom(run.position, start.behind);
  const page = new PageCollector(start.skip, run.limit - start.taken, run.maxItemCount);
  let last: OrderedPlace | undefined;
  let ordinal = 0;
  let row = 0;
  const execution = runPipeline(
    pipeline,
    (frame) => {
      const place = { keys: sorting.keys.map((key) => sortKey(key(frame))), ordinal, row };
      row += 1;
      if (page.isClosed || start.behind?.isBehind(place) === false) {
        return;
      }
      const value = pipeline.last.project(frame);
      if (value !== undefined && page.add(value)) {
        last = place;
        counter.pass(place.keys);
      }
    },
    () => page.isClosed,
  );
  const begin = (next: number): boolean => {
    ordinal = next;
    row = 0;
    return true;
  };
  const feed = new DocumentFeed(pipeline, execution, pacer, { begin, isClosed: () => page.isClosed });
  const expectedRows = start.skip + Math.min(run.limit - start.taken, run.maxItemCount) + 1;
  const result = (): StreamedPage => {
    statistics.rowsMatched += execution.matched();
    return { page, skipped: start.skip - page.skip, last, hasMore: page.overflowed, counter };
  };
  for await (const batch of source.ordered({ from: start.behind?.place, expectedRows, signal })) {
    if (batch === 'gave-up') {
      return undefined;
    }
    pacer.check();
    statistics.rowsLookedAt += batch.looked;
    statistics.bytesRead += batch.bytes ?? 0;
    feed.open(batch.rows);
    for (let stop = feed.run(); stop !== 'end'; stop = feed.run()) {
      if (stop !== 'due') {
        return result();
      }
      await pacer.pause();
    }
  }
  return result();
}

/** The page as the result of a run; `taken` rows were returned by earlier pages. */
export function streamedResult({ page, skipped, last, hasMore, counter }: StreamedPage, taken: number): OrderedResult {
  const next = hasMore && last !== undefined ? positionBehind(last, taken + page.items.length, counter) : undefined;
  return { items: page.items, bytes: page.bytes, next, skipped };
}
