import { isPerigeeError, PerigeeError } from '../../core/errors.ts';
import type { JsonValue } from '../../core/json.ts';
import type { Runtime } from '../../core/runtime.ts';
import { prepareQuery } from '../../query/prepare-query.ts';
import type { UserDefinedFunction, UserDefinedFunctions } from '../../store/user-functions.ts';
import { FunctionChannel } from './function-channel.ts';
import { scriptError } from './script-errors.ts';
import { callTimeoutMs, FUNCTIONS_TIMEOUT_MS, type CheckedScriptOptions } from './script-options.ts';
import type { FromThread, FunctionSource, ScriptFailure } from './script-protocol.ts';
import type { ScriptThread } from './script-thread.ts';
import type { ThreadPool } from './thread-pool.ts';

/** How long a call is waited for beyond its time: what cannot be interrupted then ends with its thread. */
const GRACE_MS = 500;
/** Threads that begin to serve are waited for this long. */
const OPEN_MS = 5000;

/** Where functions come from, and what they see. */
export interface FunctionSources {
  readonly functions: (names: readonly string[]) => Promise<readonly FunctionSource[]>;
  readonly wallClock: Runtime;
  readonly signal: AbortSignal | undefined;
}

/** The names of user-defined functions that a query calls; none for a text that is no query, whose error the store raises. */
export function functionNames(text: string): readonly string[] {
  // A look at the text spares most queries the rest.
  if (!/\budf\s*\./iu.test(text)) {
    return [];
  }
  try {
    return prepareQuery(text).udfs;
  } catch (error) {
    if (isPerigeeError(error)) {
      return [];
    }
    throw error;
  }
}

/** Runs queries with stored functions, each page with a context of its own in a thread of its own. */
export class FunctionRunner {
  readonly #options: CheckedScriptOptions;
  readonly #pool: ThreadPool;
  readonly #runtime: Runtime;

  constructor(options: CheckedScriptOptions, pool: ThreadPool, runtime: Runtime) {
    this.#options = options;
    this.#pool = pool;
    this.#runtime = runtime;
  }

  /**
   * Runs `work`, a page of a query, with the functions that its text calls; they are of no use after it. `undefined` where it calls none, or
   * none that is there.
   *
   * @throws SCRIPT_INVALID for a function that does not compile. A call raises QUERY_FAILED with the words of the function, or SCRIPT_TIMEOUT
   */
  async run<R>(text: string, sources: FunctionSources, work: (functions: UserDefinedFunctions | undefined) => Promise<R>): Promise<R> {
    const names = functionNames(text);
    const found = names.length === 0 ? [] : await sources.functions(names);
    if (found.length === 0) {
      return work(undefined);
    }
    return this.#pool.use(sources.signal, async (thread) => {
      const session = await this.#open(thread, found, sources);
      try {
        return await work(session.functions);
      } finally {
        await session.close();
      }
    });
  }

  async #open(thread: ScriptThread, sources: readonly FunctionSource[], { wallClock }: FunctionSources): Promise<FunctionSession> {
    const channel = new FunctionChannel();
    thread.post({
      type: 'functions',
      task: {
        functions: sources,
        channel: channel.buffer,
        seed: seedOf(wallClock),
        nowMs: wallClock.nowMs(),
        callTimeoutMs: this.#options.functionTimeoutMs,
      },
    });
    const message = await this.#next(thread);
    if (message?.type !== 'functions') {
      throw new PerigeeError('SCRIPT_TIMEOUT', 'The user-defined functions of the query did not compile in time.');
    }
    if (message.failure !== undefined) {
      await this.#next(thread);
      throw scriptError(message.failure, 'QUERY_FAILED');
    }
    return new FunctionSession(thread, channel, sources, this.#options.functionTimeoutMs, this.#runtime, () => this.#next(thread));
  }

  /** The next message of a thread, or `undefined` for one that is silent, which is then ended. */
  async #next(thread: ScriptThread): Promise<FromThread | undefined> {
    const cancel = this.#runtime.setTimer(OPEN_MS, () => thread.kill());
    try {
      return await thread.next();
    } catch {
      return undefined;
    } finally {
      cancel();
    }
  }
}

/** Functions that a thread serves. */
class FunctionSession {
  readonly functions: UserDefinedFunctions;
  readonly #thread: ScriptThread;
  readonly #channel: FunctionChannel;
  readonly #timeoutMs: number;
  readonly #runtime: Runtime;
  readonly #next: () => Promise<FromThread | undefined>;
  #leftMs = FUNCTIONS_TIMEOUT_MS;

  constructor(
    thread: ScriptThread,
    channel: FunctionChannel,
    sources: readonly FunctionSource[],
    timeoutMs: number,
    runtime: Runtime,
    next: () => Promise<FromThread | undefined>,
  ) {
    this.#thread = thread;
    this.#channel = channel;
    this.#timeoutMs = timeoutMs;
    this.#runtime = runtime;
    this.#next = next;
    this.functions = Object.fromEntries(sources.map(({ name }, index) => [name, this.#function(name, index)]));
  }

  /** Ends the service, so that the thread is free. */
  async close(): Promise<void> {
    if (!this.#thread.hasEnded) {
      this.#channel.close();
      await this.#next();
    }
  }

  #function(name: string, index: number): UserDefinedFunction {
    return (...values) => {
      const json = JSON.stringify(values.map((value) => (value === undefined ? [] : [value])));
      const sinceMs = this.#runtime.monotonicMs();
      const answer = this.#thread.hasEnded
        ? undefined
        : this.#channel.call(index, json, callTimeoutMs(this.#timeoutMs, json.length) + GRACE_MS);
      this.#leftMs -= this.#runtime.monotonicMs() - sinceMs;
      if (answer === undefined) {
        this.#thread.kill();
        throw timeout();
      }
      switch (answer.status) {
        case 'failure':
          throw scriptError(JSON.parse(answer.json) as ScriptFailure, 'QUERY_FAILED');
        case 'too-large':
          throw new PerigeeError('QUERY_LIMIT', `Cannot run the query: the user-defined function '${name}' was given, or gave, too much.`);
        default:
      }
      if (this.#leftMs < 0) {
        throw timeout();
      }
      return (JSON.parse(answer.json) as JsonValue[])[0];
    };
  }
}

function timeout(): PerigeeError {
  return scriptError({ reason: 'time', message: '', stack: '', number: undefined });
}

/** Four whole numbers by chance. */
export function seedOf(runtime: Runtime): readonly number[] {
  const bytes = Buffer.from(runtime.randomBytes(16));
  return [0, 4, 8, 12].map((at) => bytes.readUInt32LE(at));
}
