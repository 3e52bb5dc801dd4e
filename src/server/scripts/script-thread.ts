import { PerigeeError } from '../../core/errors.ts';
import { MAX_KEPT_BYTES, type ScriptThreadLike } from './script-options.ts';
import type { FromThread, ToThread } from './script-protocol.ts';

interface Waiting {
  readonly resolve: (message: FromThread) => void;
  readonly reject: (error: Error) => void;
}

/** Ends whatever waits for a thread that is no more; `reason` says why it ended. */
export class ThreadEnded extends Error {}

/** The server's side of one thread that runs scripts: messages in turn. */
export class ScriptThread {
  readonly #thread: ScriptThreadLike;
  readonly #inbox: FromThread[] = [];
  #waiting: Waiting | undefined;
  #ended: Error | undefined;
  #isFree = false;

  constructor(thread: ScriptThreadLike) {
    this.#thread = thread;
    thread.on('message', (message: FromThread) => this.#arrive(message));
    thread.on('error', (error) => this.#end(new ThreadEnded('The thread failed.', { cause: error })));
    thread.on('exit', (exitCode) => this.#end(new ThreadEnded(`The thread ended with exit code ${exitCode}.`)));
    // An idle thread does not keep the process alive; one that is waited for does.
    thread.unref();
  }

  get hasEnded(): boolean {
    return this.#ended !== undefined;
  }

  /** Whether it has come to the end of what it was told to do, and is as good as new. */
  get isFree(): boolean {
    return this.#isFree && this.#ended === undefined;
  }

  post(message: ToThread): void {
    this.#isFree = false;
    this.#thread.postMessage(message);
  }

  /** The next message. @throws ThreadEnded */
  next(): Promise<FromThread> {
    const message = this.#inbox.shift();
    if (message !== undefined) {
      return Promise.resolve(message);
    }
    if (this.#ended !== undefined) {
      return Promise.reject(this.#ended);
    }
    return new Promise((resolve, reject) => {
      this.#thread.ref();
      this.#waiting = { resolve, reject };
    });
  }

  /** Ends the thread, whatever it does; who waits for it gets `reason`. */
  kill(reason: Error = new PerigeeError('CLOSED', 'The thread was ended.')): void {
    this.#end(reason);
    void this.#thread.terminate();
  }

  #arrive(message: FromThread): void {
    // Memory that the interpreter has taken once it never gives back.
    this.#isFree = message.type === 'ready' || ('memoryBytes' in message && message.memoryBytes <= MAX_KEPT_BYTES);
    const waiting = this.#takeWaiting();
    if (waiting === undefined) {
      this.#inbox.push(message);
    } else {
      waiting.resolve(message);
    }
  }

  #end(reason: Error): void {
    this.#ended ??= reason;
    this.#takeWaiting()?.reject(this.#ended);
  }

  #takeWaiting(): Waiting | undefined {
    const waiting = this.#waiting;
    if (waiting !== undefined) {
      this.#waiting = undefined;
      this.#thread.unref();
    }
    return waiting;
  }
}
