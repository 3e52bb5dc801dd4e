import { PerigeeError, throwIfAborted } from '../../core/errors.ts';
import type { Runtime } from '../../core/runtime.ts';
import { abortable } from '../call-tracker.ts';
import type { ContainerDefinition } from '../container-definition.ts';
import { SnapshotChecker, type CheckedRecord } from './snapshot-checker.ts';
import { SnapshotDigest } from './snapshot-digest.ts';
import type { RestoreOptions, SnapshotOptions, SnapshotRecord, SnapshotSummary } from './snapshot-record.ts';

/** A snapshot without its last record, as a backend's hook gives it. */
export type SnapshotBody = Exclude<SnapshotRecord, { readonly kind: 'end' }>;

/** What a backend's hook is told of a snapshot. */
export interface SnapshotRequest {
  /** The moment whose documents are wanted; `undefined` for now. */
  readonly asOfMs: number | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Takes checked records in their order. */
export interface RestoreSink {
  write(record: CheckedRecord): void | Promise<void>;
}

/** What a backend's hook is told of a restore. */
export interface RestoreRequest {
  readonly replace: boolean;
  readonly signal: AbortSignal | undefined;
  /**
   * Gives all records to a sink; resolves when the last one was found right. What it throws, be it after the last record, undoes the restore.
   */
  readonly load: (sink: RestoreSink) => Promise<void>;
}

/** Records after which others get a turn, and progress is told. */
const TURN_RECORDS = 1000;

/** Checks the options of a snapshot. @throws INVALID_OPTION */
export function checkSnapshotOptions({ asOfMs, signal }: SnapshotOptions, runtime: Runtime): SnapshotRequest {
  if (asOfMs !== undefined && !(Number.isFinite(asOfMs) && asOfMs >= 0 && asOfMs <= runtime.nowMs())) {
    throw new PerigeeError('INVALID_OPTION', 'The option asOfMs is a time in the past, in milliseconds since 1970.');
  }
  return { asOfMs, signal };
}

/** Gives the records of a backend one by one and ends with what there was; `between` is called before each piece, and may end it by throwing. */
export async function* completeSnapshot(
  pieces: AsyncIterable<Iterable<SnapshotBody>>,
  { signal, onProgress }: SnapshotOptions,
  between: () => void,
): AsyncGenerator<SnapshotRecord> {
  const digest = new SnapshotDigest();
  const counts = { databases: 0, containers: 0, documents: 0, changes: 0 };
  let records = 0;
  for await (const piece of pieces) {
    for (const record of piece) {
      digest.add(record);
      if (record.kind !== 'perigee-snapshot') {
        counts[`${record.kind}s`] += 1;
      }
      if (records % TURN_RECORDS === 0) {
        between();
        throwIfAborted(signal);
        onProgress?.({ ...counts });
      }
      records += 1;
      yield record;
    }
  }
  throwIfAborted(signal);
  yield { kind: 'end', ...counts, digest: digest.toString() };
  onProgress?.({ ...counts });
}

/** Checks every record on its way into a backend. */
export class SnapshotLoader {
  readonly #runtime: Runtime;
  readonly #options: RestoreOptions;
  readonly #records: AsyncIterable<SnapshotRecord> | Iterable<SnapshotRecord>;
  readonly #checker: SnapshotChecker;
  #count = 0;

  constructor(
    records: AsyncIterable<SnapshotRecord> | Iterable<SnapshotRecord>,
    options: RestoreOptions,
    runtime: Runtime,
    checkDefinition: (definition: ContainerDefinition) => void,
  ) {
    this.#runtime = runtime;
    this.#options = options;
    this.#records = records;
    this.#checker = new SnapshotChecker(runtime.nowMs(), checkDefinition);
  }

  /** What was loaded. */
  get summary(): SnapshotSummary {
    return this.#checker.counts;
  }

  /** See {@link RestoreRequest.load}. @throws INVALID_SNAPSHOT, the signal's reason, what the source throws */
  load(sink: RestoreSink): Promise<void> {
    const { signal } = this.#options;
    const pending = this.#load(sink);
    // Also where the source never goes on.
    return signal === undefined ? pending : abortable(pending, signal);
  }

  async #load(sink: RestoreSink): Promise<void> {
    const { signal, onProgress } = this.#options;
    const records = this.#records;
    if (Symbol.asyncIterator in records) {
      for await (const record of records) {
        throwIfAborted(signal);
        await this.#take(record, sink);
      }
    } else {
      // A list is read without a promise for each record: tests restore the same one again and again.
      for (const record of records) {
        const pending = this.#take(record, sink);
        if (pending !== undefined) {
          await pending;
          throwIfAborted(signal);
        }
      }
    }
    this.#checker.finish();
    throwIfAborted(signal);
    onProgress?.(this.summary);
  }

  #take(record: SnapshotRecord, sink: RestoreSink): Promise<void> | undefined {
    const checked = this.#checker.accept(record);
    const pending = checked === undefined ? undefined : sink.write(checked);
    this.#count += 1;
    if (this.#count % TURN_RECORDS !== 0) {
      return pending ?? undefined;
    }
    return Promise.resolve(pending).then(() => {
      this.#options.onProgress?.(this.summary);
      return this.#runtime.yieldTask();
    });
  }
}

/** The refusal of a restore into a backend that holds something. */
export function notEmpty(): PerigeeError {
  return new PerigeeError(
    'CONFLICT',
    'Cannot restore the snapshot: the backend is not empty. Restore into an empty one, or let the snapshot take the place of what is there (replace).',
  );
}
