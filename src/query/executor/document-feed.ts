import type { Pipeline, PipelineRun } from '../evaluator/pipeline.ts';
import type { Pacer } from './pacer.ts';
import type { SourceRow } from './query-source.ts';

/** Who is told of what a {@link DocumentFeed} does. */
export interface FeedWatcher {
  /** Called before each document; false where it is not to be taken. */
  readonly begin: (ordinal: number) => boolean;
  /** Asked behind each combination of a document's loops: whether no more of them are needed. */
  readonly isClosed: () => boolean;
}

/**
 * Why a feed stopped: the batch is at its `end`, the next document was `refused`, the watcher is `closed`, or it is `due` to let others run, behind
 * which it goes on where it was.
 */
export type FeedStop = 'end' | 'refused' | 'closed' | 'due';

/**
 * Sends the documents of batches through a pipeline.
 *
 * It does not wait itself, so that its loops are plain ones: a loop that may wait costs several times as much for each document.
 */
export class DocumentFeed {
  readonly #pipeline: Pipeline;
  readonly #execution: PipelineRun;
  readonly #pacer: Pacer;
  readonly #watcher: FeedWatcher;
  #rows: readonly SourceRow[] = [];
  #next = 0;
  /** Whether the document before the next one may have more combinations. */
  #isInside = false;

  constructor(pipeline: Pipeline, execution: PipelineRun, pacer: Pacer, watcher: FeedWatcher) {
    this.#pipeline = pipeline;
    this.#execution = execution;
    this.#pacer = pacer;
    this.#watcher = watcher;
  }

  /** Turns to the rows of another batch. */
  open(rows: readonly SourceRow[]): void {
    this.#rows = rows;
    this.#next = 0;
    this.#isInside = false;
  }

  /** Goes on until it has to stop. */
  run(): FeedStop {
    return this.#pipeline.hasLoops ? this.#runLoops() : this.#runDocuments();
  }

  /** Each document is one combination. */
  #runDocuments(): FeedStop {
    const rows = this.#rows;
    const pipeline = this.#pipeline;
    const execution = this.#execution;
    const pacer = this.#pacer;
    const { begin, isClosed } = this.#watcher;
    for (let index = this.#next; index < rows.length; index += 1) {
      const { ordinal, document } = rows[index] as SourceRow;
      if (!begin(ordinal)) {
        this.#next = index;
        return 'refused';
      }
      pipeline.begin(document, ordinal);
      execution.step();
      const stop = isClosed() ? 'closed' : pacer.isDue() ? 'due' : undefined;
      if (stop !== undefined) {
        this.#next = index + 1;
        return stop;
      }
    }
    this.#next = rows.length;
    return 'end';
  }

  #runLoops(): FeedStop {
    for (;;) {
      if (!this.#isInside) {
        const row = this.#rows[this.#next];
        if (row === undefined) {
          return 'end';
        }
        if (!this.#watcher.begin(row.ordinal)) {
          return 'refused';
        }
        this.#next += 1;
        this.#isInside = true;
        this.#pipeline.begin(row.document, row.ordinal);
      }
      while (this.#execution.step()) {
        if (this.#watcher.isClosed()) {
          return 'closed';
        }
        if (this.#pacer.isDue()) {
          return 'due';
        }
      }
      this.#isInside = false;
      if (this.#pacer.isDue()) {
        return 'due';
      }
    }
  }
}
