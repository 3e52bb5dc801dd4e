import type { PipelineRun } from '../evaluator/pipeline.ts';
import { DocumentFeed } from './document-feed.ts';
import type { QueryRun } from './query-run.ts';

/** Sends the documents of the source through a pipeline, from the first one, until `isClosed`. `onDocument` is told of each one before; for `firstInOrder` see {@link SourceScan}. */
export async function scanAll(
  { pipeline, source, signal, pacer, statistics }: QueryRun,
  execution: PipelineRun,
  isClosed: () => boolean,
  onDocument?: (ordinal: number) => void,
  firstInOrder?: number,
): Promise<void> {
  const begin = (ordinal: number): boolean => {
    onDocument?.(ordinal);
    return true;
  };
  const feed = new DocumentFeed(pipeline, execution, pacer, { begin, isClosed });
  for await (const batch of source.scan({ afterOrdinal: 0, signal, firstInOrder })) {
    pacer.check();
    statistics.rowsLookedAt += batch.looked;
    statistics.bytesRead += batch.bytes ?? 0;
    feed.open(batch.rows);
    for (let stop = feed.run(); stop !== 'end'; stop = feed.run()) {
      if (stop !== 'due') {
        return;
      }
      await pacer.pause();
    }
  }
}
