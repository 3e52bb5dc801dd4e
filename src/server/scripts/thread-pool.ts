import { PerigeeError, throwIfAborted } from '../../core/errors.ts';
import type { CancelTimer, Runtime } from '../../core/runtime.ts';
import type { CheckedScriptOptions } from './script-options.ts';
import { threadOptions } from './script-options.ts';
import { ScriptThread } from './script-thread.ts';
import { startThread } from './start-thread.ts';

interface Waiting {
  readonly start: () => void;
  readonly reject: (error: Error) => void;
}

/** How long a thread stays without work. */
const IDLE_MS = 30_000;

/** Threads that run scripts: started when they are needed, used again, never more than allowed at once. */
export class ThreadPool {
  readonly #options: CheckedScriptOptions;
  readonly #runtime: Runtime;
  readonly #idle: { readonly thread: ScriptThread; readonly cancel: CancelTimer }[] = [];
  readonly #busy = new Set<ScriptThread>();
  readonly #waiting = new Set<Waiting>();
  /** Threads under way, those that are being started included. */
  #taken = 0;
  #isClosed = false;

  constructor(options: CheckedScriptOptions, runtime: Runtime) {
    this.#options = options;
    this.#runtime = runtime;
  }

  /** Runs `work` with a thread that nobody else has meanwhile. One that `work` leaves in the midst of something is ended. */
  async use<R>(signal: AbortSignal | undefined, work: (thread: ScriptThread) => Promise<R>): Promise<R> {
    throwIfAborted(signal);
    if (this.#isClosed) {
      throw closed();
    }
    await this.#enter(signal);
    let thread: ScriptThread | undefined;
    try {
      thread = await this.#take();
      return await work(thread);
    } finally {
      if (thread !== undefined) {
        this.#giveBack(thread);
      }
      this.#leave();
    }
  }

  /** Ends all threads, and the work of those that are busy. */
  close(): void {
    this.#isClosed = true;
    for (const { thread, cancel } of this.#idle.splice(0)) {
      cancel();
      thread.kill();
    }
    for (const thread of this.#busy) {
      thread.kill(closed());
    }
    for (const { reject } of this.#waiting) {
      reject(closed());
    }
    this.#waiting.clear();
  }

  async #take(): Promise<ScriptThread> {
    const idle = this.#idle.pop();
    idle?.cancel();
    const thread =
      idle === undefined || idle.thread.hasEnded
        ? new ScriptThread((this.#options.createThread ?? startThread)(threadOptions(this.#options)))
        : idle.thread;
    this.#busy.add(thread);
    if (thread !== idle?.thread) {
      try {
        await thread.next();
      } catch (error) {
        this.#busy.delete(thread);
        throw error instanceof PerigeeError
          ? error
          : new PerigeeError('INTERNAL', 'The thread that runs scripts did not start.', { cause: error });
      }
    }
    return thread;
  }

  #giveBack(thread: ScriptThread): void {
    this.#busy.delete(thread);
    if (this.#isClosed || !thread.isFree) {
      thread.kill();
      return;
    }
    const entry = {
      thread,
      cancel: this.#runtime.setTimer(IDLE_MS, () => {
        this.#idle.splice(this.#idle.indexOf(entry), 1);
        thread.kill();
      }),
    };
    this.#idle.push(entry);
  }

  /** Hands the place on to the next who waits. */
  #leave(): void {
    for (const next of this.#waiting) {
      this.#waiting.delete(next);
      next.start();
      return;
    }
    this.#taken -= 1;
  }

  #enter(signal: AbortSignal | undefined): Promise<void> {
    if (this.#taken < this.#options.maxThreads) {
      this.#taken += 1;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiting.delete(waiting);
        reject(signal?.reason as Error);
      };
      const leave = (): void => signal?.removeEventListener('abort', onAbort);
      const waiting: Waiting = {
        start: () => {
          leave();
          resolve();
        },
        reject: (error) => {
          leave();
          reject(error);
        },
      };
      this.#waiting.add(waiting);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }
}

function closed(): PerigeeError {
  return new PerigeeError('CLOSED', 'The server is closing: no more scripts are run.');
}
