import type { PipelineRun } from '../evaluator/pipeline.ts';
import type { QueryRun } from './query-run.ts';

/** Sends the documents of the source through a pipeline, from the first one, until `isClosed`. `onDocument` is told of each one before; for `firstInOrder` see {@link SourceScan}. */
export async function scanAll(
  { pipeline, source, signal, pacer, statistics }: QueryRun,
  execution: PipelineRun,
  isClosed: () => boolean,
  onDocument?: (ordinal: number) => void,
  firstInOrder?: number,
): Promise<void> {
  for await (const batch of source.scan({ afterOrdinal: 0, signal, firstInOrder })) {
    pacer.check();
    statistics.rowsLookedAt += batch.looked;
    statistics.bytesRead += batch.bytes ?? 0;
    for (const { ordinal, document } of batch.rows) {
      onDocument?.(ordinal);
      pipeline.begin(document, ordinal);
      while (execution.step()) {
        if (isClosed()) {
          return;
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
}
