import { projectingOutput } from '../evaluator/stage.ts';
import { runPipeline } from '../evaluator/pipeline.ts';
import { wrongPosition } from './continuation-token.ts';
import { PageCollector } from './page-collector.ts';
import { readOnFirstPage, type QueryRun, type RunResult } from './query-run.ts';
import { scanAll } from './scan-all.ts';

/**
 * Runs a query with GROUP BY, aggregates or DISTINCT: each page starts from the first document, and leaves out as many rows as the pages before
 * it returned. What DISTINCT and GROUP BY remember is bounded (QUERY_LIMIT).
 */
export async function runCounted(run: QueryRun): Promise<RunResult> {
  const { pipeline, position } = run;
  if (position !== undefined && position.kind !== 'count') {
    throw wrongPosition();
  }
  const taken = position?.taken ?? 0;
  const page = new PageCollector(run.offset + taken, run.limit - taken, run.maxItemCount);
  /** Rows of FROM that the pages before had passed when they met the first row of this one. */
  let before = position === undefined ? 0 : undefined;
  const output = projectingOutput(pipeline.last, (value) => {
    before ??= page.skip === 0 ? execution.matched() : undefined;
    page.add(value);
  });
  const execution = runPipeline(pipeline, output, () => page.isClosed);
  await scanAll(run, execution, () => page.isClosed);
  execution.finish();
  run.statistics.rowsMatched += execution.matched();
  const next = page.overflowed && !page.isDone ? ({ kind: 'count', taken: taken + page.items.length } as const) : undefined;
  const matched = execution.matched();
  const { scanned } = readOnFirstPage(run, matched);
  return { items: page.items, bytes: page.bytes, next, read: { rows: matched - (before ?? matched), scanned } };
}
