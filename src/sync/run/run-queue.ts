import { throwIfAborted } from '../../core/errors.ts';
import { abortable } from '../../store/call-tracker.ts';
import { WriterQueue } from '../../stores/sqlite/writer-queue.ts';

/** A run that was asked for and has not begun. */
interface WaitingRun<R> {
  readonly controller: AbortController;
  readonly promise: Promise<R>;
  /** Callers that still want it. */
  callers: number;
}

/**
 * Lets one run at a time through. Everybody who asks while a run has not begun shares it; who asks during a run gets one more after it, shared
 * with everybody else who asks by then. A run ends early when all who asked for it have aborted.
 */
export class RunQueue<R> {
  readonly #queue = new WriterQueue();
  readonly #run: (signal: AbortSignal) => Promise<R>;
  readonly #controllers = new Set<AbortController>();
  #waiting: WaitingRun<R> | undefined;

  constructor(run: (signal: AbortSignal) => Promise<R>) {
    this.#run = run;
  }

  /** Resolves with the result of a run that begins after this call. @throws the signal's reason */
  async ask(signal: AbortSignal | undefined): Promise<R> {
    throwIfAborted(signal);
    const run = this.#waiting ?? this.#plan();
    run.callers += 1;
    if (signal === undefined) {
      return run.promise;
    }
    const leave = (): void => {
      run.callers -= 1;
      if (run.callers === 0) {
        // Whoever asks from now on must not share a run that has been given up.
        this.#waiting = this.#waiting === run ? undefined : this.#waiting;
        run.controller.abort(signal.reason);
      }
    };
    signal.addEventListener('abort', leave, { once: true });
    try {
      return await abortable(run.promise, signal);
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  /** Runs other work while no run is under way. */
  alone<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    return this.#queue.run(signal, work);
  }

  /** Ends the run under way and those that wait, and resolves when they have ended. */
  async abort(reason: unknown): Promise<void> {
    for (const controller of this.#controllers) {
      controller.abort(reason);
    }
    await this.#queue.run(undefined, () => Promise.resolve());
  }

  #plan(): WaitingRun<R> {
    const controller = new AbortController();
    this.#controllers.add(controller);
    const promise = this.#queue.run(undefined, async () => {
      // Callers of the same turn share the run.
      await Promise.resolve();
      this.#waiting = this.#waiting === run ? undefined : this.#waiting;
      try {
        return await this.#run(controller.signal);
      } finally {
        this.#controllers.delete(controller);
      }
    });
    // Every caller may have left by then.
    promise.catch(() => undefined);
    const run: WaitingRun<R> = { controller, promise, callers: 0 };
    this.#waiting = run;
    return run;
  }
}
