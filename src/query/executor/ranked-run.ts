import { PerigeeError } from '../../core/errors.ts';
import type { JsonValue } from '../../core/json.ts';
import type { CompileScope } from '../evaluator/compile-scope.ts';
import { runPipeline } from '../evaluator/pipeline.ts';
import type { RankClause } from '../prepared-query.ts';
import { isVectorDistance } from '../search/vector-options.ts';
import { wrongPosition } from './continuation-token.ts';
import { everyRowHasValue } from './every-row-has-value.ts';
import { measureValue } from './measure-value.ts';
import { FirstRows, placeOrder } from './ordered-rows.ts';
import { createSorting, runSorted } from './ordered-run.ts';
import { pacedSort } from './paced-sort.ts';
import { PAGE_BYTES, PageCollector } from './page-collector.ts';
import { readOnFirstPage, type QueryRun, type RunResult } from './query-run.ts';
import { scanAll } from './scan-all.ts';
import { TextScore, vectorKey, type ScoreKey } from './score-key.ts';

/** The constant of reciprocal rank fusion, as the service and its clients have it (Cormack, Clarke and Büttcher, 2009). */
const RRF_CONSTANT = 60;

/** RRF needs the scores of all rows at once. */
const MAX_FUSED_ROWS = 1_000_000;

/** Counts all texts of the container, whatever WHERE leaves out: scores do not depend on the filter. */
async function countTexts({ pipeline, wholeSource, signal, pacer, statistics }: QueryRun, texts: readonly TextScore[]): Promise<void> {
  if (texts.length === 0) {
    return;
  }
  const { frame, last } = pipeline;
  for await (const batch of wholeSource.scan({ afterOrdinal: 0, signal })) {
    pacer.check();
    statistics.rowsLookedAt += batch.looked;
    for (const { ordinal, document } of batch.rows) {
      pipeline.begin(document, ordinal);
      while (last.cursor.next(frame)) {
        for (const text of texts) {
          text.count(frame);
        }
      }
      if (pacer.isDue()) {
        await pacer.pause();
      }
    }
  }
}

/** The keys of the scores, after the texts of the container are counted. */
async function scoreKeys(run: QueryRun, { scores, fused }: RankClause, scope: CompileScope): Promise<readonly ScoreKey[]> {
  const prepared = scores.map((node) => (isVectorDistance(node) ? vectorKey(node, scope, undefined, fused) : new TextScore(node, scope)));
  const uncounted: TextScore[] = [];
  for (const score of prepared) {
    if (score instanceof TextScore && !(await score.ask(run.textStatistics))) {
      uncounted.push(score);
    }
  }
  await countTexts(run, uncounted);
  return prepared.map((score) => (score instanceof TextScore ? score.key() : score));
}

/** The scores of all rows, by row; rows are numbered as they come. */
class ScoredRows {
  readonly ordinals: number[] = [];
  /** Which row of its document each is. */
  readonly rows: number[] = [];
  /** For each row whether its projection has a value: one without takes no place in the result. */
  readonly hasValue: boolean[] = [];
  readonly scores: readonly number[][];

  constructor(keys: readonly ScoreKey[]) {
    this.scores = keys.map(() => []);
  }

  get count(): number {
    return this.ordinals.length;
  }
}

async function visitRows(run: QueryRun, visit: (ordinal: number, row: number) => void): Promise<void> {
  let ordinal = 0;
  let row = 0;
  const execution = runPipeline(
    run.pipeline,
    () => {
      visit(ordinal, row);
      row += 1;
    },
    () => false,
  );
  const onDocument = (next: number): void => {
    ordinal = next;
    row = 0;
  };
  await scanAll(run, execution, () => false, onDocument);
  run.statistics.rowsMatched += execution.matched();
}

async function scoreRows(run: QueryRun, keys: readonly ScoreKey[]): Promise<ScoredRows> {
  const { frame, last } = run.pipeline;
  const alwaysHasValue = everyRowHasValue(last.query);
  const scored = new ScoredRows(keys);
  await visitRows(run, (ordinal, row) => {
    if (scored.count >= MAX_FUSED_ROWS) {
      throw new PerigeeError(
        'QUERY_LIMIT',
        `Cannot fuse the ranks of more than ${MAX_FUSED_ROWS} documents. Narrow the query by WHERE or by a partition key.`,
      );
    }
    scored.ordinals.push(ordinal);
    scored.rows.push(row);
    scored.hasValue.push(alwaysHasValue || last.project(frame) !== undefined);
    for (const [index, key] of keys.entries()) {
      (scored.scores[index] as number[]).push(key.value(frame));
    }
  });
  return scored;
}

/** Adds to each row's sum what one score gives it: the weight over 60 and the rank. Rows of one score have one rank. */
async function addRanks(
  sums: Float64Array,
  scores: readonly number[],
  direction: 1 | -1,
  weight: number,
  { pacer }: QueryRun,
): Promise<void> {
  const order = await pacedSort(scores.length, (left, right) => direction * ((scores[left] as number) - (scores[right] as number)), pacer);
  let rank = 0;
  let before: number | undefined;
  for (const row of order) {
    const score = scores[row] as number;
    rank += score === before ? 0 : 1;
    before = score;
    sums[row] = (sums[row] as number) + weight / (RRF_CONSTANT + rank);
  }
}

/** The places of a page among all rows: for each document the position of each of its rows in the result. */
function placesOf(scored: ScoredRows, order: readonly number[], skip: number): ReadonlyMap<string, number> {
  return new Map(order.map((row, position) => [`${scored.ordinals[row]}/${scored.rows[row]}`, skip + position] as const));
}

/** Reads the values of the rows at these places, in the order of the places, and no more of them than a page takes. */
async function readValues(run: QueryRun, places: ReadonlyMap<string, number>): Promise<readonly JsonValue[]> {
  const { frame, last } = run.pipeline;
  const rows = new FirstRows(placeOrder([1]), places.size, PAGE_BYTES);
  await visitRows(run, (ordinal, row) => {
    const position = places.get(`${ordinal}/${row}`);
    const place = { keys: [position], ordinal, row };
    if (position === undefined || !rows.wants(place)) {
      return;
    }
    const value = last.project(frame);
    if (value !== undefined) {
      const bytes = measureValue(value);
      rows.add({ ...place, value, bytes: Number.isNaN(bytes) ? 0 : bytes });
    }
  });
  return rows.sorted().map(({ value }) => value);
}

async function runFused(run: QueryRun, { weights }: RankClause, keys: readonly ScoreKey[]): Promise<RunResult> {
  const { position } = run;
  if (position !== undefined && position.kind !== 'count') {
    throw wrongPosition();
  }
  const scored = await scoreRows(run, keys);
  const sums = new Float64Array(scored.count);
  for (const [index, { direction }] of keys.entries()) {
    await addRanks(sums, scored.scores[index] as number[], direction, weights?.[index] ?? 1, run);
  }
  const order = await pacedSort(scored.count, (left, right) => (sums[right] as number) - (sums[left] as number), run.pacer);
  const taken = position?.taken ?? 0;
  const skip = run.offset + taken;
  const ranked = Array.from(order).filter((row) => scored.hasValue[row]);
  const wanted = Math.min(run.limit - taken, run.maxItemCount);
  const places = placesOf(scored, ranked.slice(skip, skip + wanted), skip);
  const page = new PageCollector(0, run.limit - taken, run.maxItemCount);
  for (const value of await readValues(run, places)) {
    if (!page.add(value)) {
      break;
    }
  }
  const returned = taken + page.items.length;
  const hasMore = page.items.length > 0 && !page.isDone && run.offset + returned < ranked.length;
  const next = hasMore ? ({ kind: 'count', taken: returned } as const) : undefined;
  return { items: page.items, bytes: page.bytes, next, read: readOnFirstPage(run, scored.count) };
}

/**
 * Runs a query with ORDER BY RANK: best first, ties in the order of creation.
 *
 * Scores of texts depend on all texts of the container (BM25), which are counted first, on each page. One score orders as any sort key does.
 * RRF ranks all rows by each score, adds 1 / (60 + rank) up, weighted, and then reads the rows of the page once more; what it remembers of a row
 * is a few numbers, and their count is bounded (QUERY_LIMIT). Pages of it start again and leave out as many rows as were returned, so a write in
 * between may repeat or drop a row. The service gives no continuations for such queries at all.
 */
export async function runRanked(run: QueryRun): Promise<RunResult> {
  const { last } = run.pipeline;
  const { rank } = last.query;
  if (rank === undefined) {
    throw new TypeError('The query has no ORDER BY RANK.');
  }
  const keys = await scoreKeys(run, rank, last.scope);
  if (rank.fused) {
    return runFused(run, rank, keys);
  }
  return runSorted(run, createSorting(run.pipeline, keys));
}
