import type { JsonValue } from '../../core/json.ts';
import type { CompileScope, Evaluate } from '../evaluator/compile-scope.ts';
import { runPipeline, type Pipeline } from '../evaluator/pipeline.ts';
import { ValueMap } from '../evaluator/value-set.ts';
import { isVectorDistance } from '../search/vector-options.ts';
import { rewrittenOrder } from '../rewritten-order.ts';
import type { OrderByItemNode } from '../syntax-nodes.ts';
import type { EdgeCounter } from './key-edge.ts';
import { wrongPosition } from './continuation-token.ts';
import { everyRowHasValue } from './every-row-has-value.ts';
import { measureValue } from './measure-value.ts';
import { FirstRows, placeOrder, type OrderedPlace, type OrderedRow } from './ordered-rows.ts';
import { PAGE_BYTES, PageCollector } from './page-collector.ts';
import { readOnFirstPage, type PageReading, type QueryRun, type RunResult } from './query-run.ts';
import { behindPlace, counterFrom, positionBehind, resumeOrder, type Resumption } from './resume-order.ts';
import { scanAll } from './scan-all.ts';
import { sortKey, type Sorting } from './sorting.ts';
import { streamedResult, streamInOrder, type OrderedResult } from './streamed-order.ts';
import { vectorKey, type ScoreKey } from './score-key.ts';

/** Up to here the rows that OFFSET leaves out are kept beside those of the page; more are counted in scans of their own, without values. */
const MAX_KEPT_OFFSET = 1000;
const MAX_COUNTED_OFFSET = 100_000;
/** How much the rows kept may take when some of them are left out by OFFSET. */
const OFFSET_BYTES = 8 * PAGE_BYTES;

type SortKey = Pick<ScoreKey, 'direction'> & { readonly value: Evaluate };

function sortKeyOf({ expression, descending, explicitDirection }: OrderByItemNode, scope: CompileScope): SortKey {
  const direction = descending ? -1 : 1;
  return isVectorDistance(expression)
    ? vectorKey(expression, scope, explicitDirection ? direction : undefined)
    : { value: scope.tools.expression(expression, scope), direction };
}

/** How rows are ordered by some keys; what a client made from a plan has the newest of what sorts alike first, where any key descends. */
export function createSorting({ last }: Pipeline, keys: readonly SortKey[]): Sorting {
  const directions = keys.map(({ direction }) => direction);
  const ties = rewrittenOrder(last.scope.prepared)?.tiesDescend === true ? -1 : 1;
  return { keys: keys.map(({ value }) => value), directions, order: placeOrder(directions, ties) };
}

function sortingOf(pipeline: Pipeline): Sorting {
  const { query, scope } = pipeline.last;
  return createSorting(
    pipeline,
    query.orderBy.map((item) => sortKeyOf(item, scope)),
  );
}

/** A row at a copy of a place. */
function rowAt({ keys, ordinal, row }: OrderedPlace, value: JsonValue, bytes: number): OrderedRow {
  return { keys: [...keys], ordinal, row, value, bytes };
}

/** Scans everything and calls `visit` with the place of each row, which is another row's after the call, and with a function that projects the row. */
async function visitPlaces(
  run: QueryRun,
  sorting: Sorting,
  visit: (place: OrderedPlace, project: () => JsonValue | undefined) => void,
  firstInOrder?: number,
): Promise<void> {
  const { last } = run.pipeline;
  // Most rows are looked at once and have no place in the result, so they are not worth objects of their own.
  const keys: (JsonValue | undefined)[] = sorting.keys.map(() => undefined);
  const place = { keys, ordinal: 0, row: 0 };
  const project = (): JsonValue | undefined => last.project(run.pipeline.frame);
  const execution = runPipeline(
    run.pipeline,
    (frame) => {
      for (let index = 0; index < keys.length; index += 1) {
        keys[index] = sortKey((sorting.keys[index] as Evaluate)(frame));
      }
      visit(place, project);
      place.row += 1;
    },
    () => false,
  );
  await scanAll(
    run,
    execution,
    () => false,
    (next) => {
      place.ordinal = next;
      place.row = 0;
    },
    firstInOrder,
  );
  execution.finish();
  run.statistics.rowsMatched += execution.matched();
}

/** The first rows behind a place. */
async function firstRows(
  run: QueryRun,
  sorting: Sorting,
  behind: Resumption | undefined,
  capacity: number,
  budget: number,
): Promise<FirstRows> {
  const rows = new FirstRows(sorting.order, capacity, budget);
  const keepsValues = Number.isFinite(budget);
  // One more tells whether there is a next page. Rows without a value take no place, so where there may be some, how many are needed is not known.
  const firstInOrder = behind === undefined && everyRowHasValue(run.pipeline.last.query) ? capacity + 1 : undefined;
  const visit = (place: OrderedPlace, project: () => JsonValue | undefined): void => {
    if (behind?.isBehind(place) === false || !rows.wants(place)) {
      return;
    }
    const value = project();
    if (value !== undefined) {
      const bytes = keepsValues ? measureValue(value) : 0;
      rows.add(rowAt(place, keepsValues ? value : null, Number.isNaN(bytes) ? 0 : bytes));
    }
  };
  await visitPlaces(run, sorting, visit, firstInOrder);
  return rows;
}

interface Progress {
  readonly behind: Resumption | undefined;
  /** Rows to leave out behind that place. */
  readonly skip: number;
  /** Rows returned by earlier pages. */
  readonly taken: number;
}

async function startOf(run: QueryRun, sorting: Sorting): Promise<Progress> {
  const { position, offset } = run;
  if (position === undefined) {
    return { behind: undefined, skip: offset, taken: 0 };
  }
  if (position.kind !== 'order') {
    throw wrongPosition();
  }
  return { behind: await resumeOrder(run, sorting, position), skip: 0, taken: position.taken };
}

/** Moves the start behind rows that OFFSET leaves out, until few enough remain; undefined when the rows end before. */
async function skipFar(run: QueryRun, sorting: Sorting, start: Progress, counter: EdgeCounter): Promise<Progress | undefined> {
  let progress = start;
  while (progress.skip > MAX_KEPT_OFFSET) {
    const count = Math.min(progress.skip, MAX_COUNTED_OFFSET);
    const rows = (await firstRows(run, sorting, progress.behind, count, Number.POSITIVE_INFINITY)).sorted();
    const last = rows.at(-1);
    if (last === undefined || rows.length < count) {
      return undefined;
    }
    rows.forEach(({ keys }) => counter.pass(keys));
    progress = { ...progress, behind: behindPlace(last, sorting), skip: progress.skip - count };
  }
  return progress;
}

/**
 * Runs a query with ORDER BY: each page reads on in the order of the source, where it has that of the query, and otherwise scans everything and
 * keeps no more rows than it returns. The next page starts behind the last row returned, by its sort keys.
 */
export async function runOrdered(run: QueryRun): Promise<RunResult> {
  const sorting = sortingOf(run.pipeline);
  const start = await startOf(run, sorting);
  const streamed = await streamInOrder(run, sorting, start);
  const result = streamed === undefined ? await sortRows(run, sorting, start) : streamedResult(streamed, start.taken);
  return { ...result, read: orderedReading(run, result) };
}

/** {@link runOrdered} with keys of the caller's. */
export async function runSorted(run: QueryRun, sorting: Sorting): Promise<RunResult> {
  const result = await sortRows(run, sorting, await startOf(run, sorting));
  return { ...result, read: readOnFirstPage(run, run.statistics.rowsMatched) };
}

/**
 * What a page in an order is charged for. An index in that order leads to its rows, and to those that OFFSET leaves out, an approximate one of vectors as
 * well; without one, distances are all computed.
 */
function orderedReading(run: QueryRun, { items, skipped }: OrderedResult): PageReading {
  const { orderBy } = run.pipeline.last.query;
  const isSearch = run.access !== 'nearest' && orderBy.some(({ expression }) => isVectorDistance(expression));
  return isSearch ? readOnFirstPage(run, run.statistics.rowsMatched) : { ...readOnFirstPage(run, 0), rows: items.length + skipped };
}

async function sortRows(run: QueryRun, sorting: Sorting, start: Progress): Promise<OrderedResult> {
  // Where OFFSET is beyond the last row, all rows are left out.
  const end = (): OrderedResult => ({ items: [], bytes: 0, next: undefined, skipped: Math.min(start.skip, run.statistics.rowsMatched) });
  const counter = counterFrom(run.position, start.behind);
  let progress = await skipFar(run, sorting, start, counter);
  while (progress !== undefined) {
    const { behind, skip, taken } = progress;
    const page = new PageCollector(skip, run.limit - taken, run.maxItemCount);
    const capacity = skip + Math.min(run.limit - taken, run.maxItemCount);
    const kept = await firstRows(run, sorting, behind, capacity, skip === 0 ? PAGE_BYTES : OFFSET_BYTES);
    let last: OrderedRow | undefined;
    for (const row of kept.sorted()) {
      if (!page.add(row.value)) {
        break;
      }
      last = row;
      counter.pass(row.keys);
    }
    if (last === undefined) {
      return end();
    }
    const hasMore = (kept.dropped || page.overflowed) && !page.isDone;
    if (page.items.length > 0 || !hasMore) {
      const next = hasMore ? positionBehind(last, taken + page.items.length, counter) : undefined;
      return { items: page.items, bytes: page.bytes, next, skipped: start.skip - page.skip };
    }
    progress = { behind: behindPlace(last, sorting), skip: page.skip, taken };
  }
  return end();
}

/**
 * Runs a query with ORDER BY and DISTINCT: of equal rows the first in the order stays. All different rows are kept until they are sorted, so
 * their number is bounded (QUERY_LIMIT), and each page starts from the first document.
 */
export async function runOrderedDistinct(run: QueryRun): Promise<RunResult> {
  const { position } = run;
  if (position !== undefined && position.kind !== 'count') {
    throw wrongPosition();
  }
  const sorting = sortingOf(run.pipeline);
  const rows = new ValueMap<{ best: OrderedRow }>('DISTINCT');
  await visitPlaces(run, sorting, (place, project) => {
    const value = project();
    if (value === undefined) {
      return;
    }
    const row: OrderedRow = rowAt(place, value, 0);
    const entry = rows.getOrCreate(value, () => ({ best: row }));
    if (sorting.order(row, entry.best) < 0) {
      entry.best = row;
    }
  });
  const taken = position?.taken ?? 0;
  const page = new PageCollector(run.offset + taken, run.limit - taken, run.maxItemCount);
  const sorted = Array.from(rows.values(), ({ best }) => best).sort(sorting.order);
  for (const { value } of sorted) {
    if (!page.add(value)) {
      break;
    }
  }
  const next = page.overflowed && !page.isDone ? ({ kind: 'count', taken: taken + page.items.length } as const) : undefined;
  return { items: page.items, bytes: page.bytes, next, read: readOnFirstPage(run, run.statistics.rowsMatched) };
}
