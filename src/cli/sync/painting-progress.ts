import type { SyncEngine } from '../../sync/engine.ts';
import { ProgressPainter } from '../progress-painter.ts';
import { progressText } from './report-text.ts';

/** Shows how far an engine is while it works. */
export async function paintingProgress<R>(engine: SyncEngine, work: () => Promise<R>): Promise<R> {
  const painter = new ProgressPainter();
  const unsubscribe = engine.on('progress', (progress) => painter.paint(() => progressText(progress)));
  try {
    return await work();
  } finally {
    unsubscribe();
    painter.clear();
  }
}
