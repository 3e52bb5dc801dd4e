import type { Backend } from '../../store/backend.ts';
import type { SnapshotSummary } from '../../store/snapshot/snapshot-record.ts';
import { readSnapshot } from '../../store/snapshot/snapshot-stream.ts';
import { ProgressPainter } from '../progress-painter.ts';
import { summaryText } from './summary-text.ts';

/** Restores bytes into an open backend. @throws what {@link Backend.restore} throws */
export async function restoreInto(
  backend: Backend,
  bytes: AsyncIterable<Uint8Array>,
  replace: boolean,
  signal?: AbortSignal,
): Promise<SnapshotSummary> {
  const painter = new ProgressPainter();
  try {
    return await backend.restore(readSnapshot(bytes), {
      replace,
      signal,
      onProgress: (progress) => painter.paint(() => summaryText(progress)),
    });
  } finally {
    painter.clear();
  }
}
