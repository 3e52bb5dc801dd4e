import { projectingOutput } from '../evaluator/stage.ts';
import { runPipeline, type Pipeline } from '../evaluator/pipeline.ts';
import { wrongPosition, type StreamPosition } from './continuation-token.ts';
import { DocumentFeed } from './document-feed.ts';
import { everyRowHasValue } from './every-row-has-value.ts';
import { PageCollector } from './page-collector.ts';
import type { QueryRun, RunResult } from './query-run.ts';

function startOf({ position, offset }: QueryRun): StreamPosition {
  if (position === undefined) {
    return { kind: 'stream', ordinal: 0, rows: -1, skip: offset, taken: 0 };
  }
  if (position.kind !== 'stream') {
    throw wrongPosition();
  }
  return position;
}

/** Whether each document of the source is one row of the result, so that OFFSET counts documents. */
function rowsAreDocuments({ stages, last, isStreaming }: Pipeline): boolean {
  const [source] = last.query.sources;
  return (
    isStreaming &&
    stages.length === 1 &&
    last.where === undefined &&
    last.query.sources.length === 1 &&
    source?.input.kind === 'container' &&
    source.input.path.length === 0 &&
    !source.iterate &&
    everyRowHasValue(last.query)
  );
}

/** Runs a query whose rows come out in the order of the documents: it stops when the page is full, and the next page goes on from there. */
export async function runStreaming(run: QueryRun): Promise<RunResult> {
  const { pipeline, source, signal, pacer, statistics } = run;
  const start = startOf(run);
  const page = new PageCollector(start.skip, run.limit - start.taken, run.maxItemCount);
  const unfinished = start.rows >= 0;
  /** Rows of the current document that are dealt with, and those among them that an earlier page had. */
  let rows = 0;
  let before = 0;
  /** Rows that an earlier page had, or that a later one will have: they are met again, and charged once. */
  let elsewhere = 0;
  const output = projectingOutput(pipeline.last, (value) => {
    if (page.overflowed) {
      elsewhere += 1;
    } else if (rows < before) {
      elsewhere += 1;
      rows += 1;
    } else if (page.add(value)) {
      rows += 1;
    } else {
      elsewhere += 1;
    }
  });
  const execution = runPipeline(pipeline, output, () => page.isClosed);
  const resultAt = (ordinal: number, at: number, upTo: number = ordinal): RunResult => {
    statistics.rowsMatched += execution.matched();
    const read = { rows: statistics.rowsMatched - elsewhere, scanned: { behind: start.ordinal, upTo } };
    const next = { kind: 'stream', ordinal, rows: at, skip: page.skip, taken: start.taken + page.items.length } as const;
    return { items: page.items, bytes: page.bytes, next: page.isDone ? undefined : next, read };
  };

  /** Everything up to here is dealt with, and the document that was taken last. */
  let finished = start.ordinal;
  let current = start.ordinal;
  const begin = (ordinal: number): boolean => {
    if (page.isFull) {
      return false;
    }
    current = ordinal;
    rows = 0;
    before = unfinished && ordinal === start.ordinal ? start.rows : 0;
    return true;
  };
  const feed = new DocumentFeed(pipeline, execution, pacer, { begin, isClosed: () => page.isClosed });
  const skippable = page.skip > 0 && !unfinished && rowsAreDocuments(pipeline) ? page.skip : undefined;
  for await (const batch of source.scan({ afterOrdinal: unfinished ? start.ordinal - 1 : start.ordinal, signal, skippable })) {
    pacer.check();
    statistics.rowsLookedAt += batch.looked;
    statistics.bytesRead += batch.bytes ?? 0;
    statistics.rowsMatched += batch.skipped ?? 0;
    page.skip -= batch.skipped ?? 0;
    feed.open(batch.rows);
    for (let stop = feed.run(); stop !== 'end'; stop = feed.run()) {
      if (stop === 'refused') {
        return resultAt(Math.max(finished, current), -1);
      }
      if (stop === 'closed') {
        return resultAt(current, rows);
      }
      await pacer.pause();
    }
    finished = Math.max(finished, batch.scannedTo);
    if (page.isFull && batch.rows.length === 0) {
      return resultAt(finished, -1);
    }
  }
  return { ...resultAt(finished, -1, Number.MAX_SAFE_INTEGER), next: undefined };
}
