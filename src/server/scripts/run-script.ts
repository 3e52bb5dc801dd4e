import { PerigeeError } from '../../core/errors.ts';
import type { CancelTimer, Runtime } from '../../core/runtime.ts';
import type { ScriptClock } from './script-clock.ts';
import { MAX_OPERATIONS } from './script-options.ts';
import type { FromThread, ScriptFailure, ScriptOperation, ScriptOutcome, ScriptTask } from './script-protocol.ts';
import { ThreadEnded, type ScriptThread } from './script-thread.ts';

/** How long a thread may take beyond the time of its script to say that it stopped it; then it is ended. */
const GRACE_MS = 250;
/** The longest time in which the calls of a script leave nobody else a turn. */
const TURN_MS = 8;

/** What a script runs on. */
export interface ScriptHost {
  readonly runtime: Runtime;
  readonly clock: ScriptClock;
  readonly signal: AbortSignal | undefined;
  /** Gets ready for calls, which may mean to wait for others; that time is not the script's. Called before the first of each batch. */
  readonly prepare: () => Promise<void>;
  /** Runs a call on the container; its result as JSON. What it throws ends the script. */
  readonly execute: (operation: ScriptOperation) => Promise<string>;
}

const LATE: ScriptFailure = { reason: 'time', message: 'The script took too long.', stack: '', number: undefined };

/**
 * Runs one stored procedure or trigger in a thread to its end, with the calls that it makes.
 *
 * A script that fails is an outcome, after which the thread may have ended. @throws the signal's reason, and what `host` throws
 */
export async function runScript(thread: ScriptThread, task: ScriptTask, host: ScriptHost): Promise<ScriptOutcome> {
  const { clock, signal } = host;
  const onAbort = (): void => thread.kill(signal?.reason as Error);
  signal?.addEventListener('abort', onAbort, { once: true });
  clock.start();
  try {
    thread.post({ type: 'script', task, time: clock.time });
    for (;;) {
      const message = await nextOrLate(thread, host);
      if (message === undefined) {
        return { failure: LATE };
      }
      if (message.type === 'end') {
        return message.outcome;
      }
      if (message.type !== 'operations') {
        throw new PerigeeError('INTERNAL', `The thread that runs scripts said ${message.type} out of turn.`);
      }
      const results = await runOperations(readOperations(message.operationsJson), host);
      if (results === undefined) {
        return { failure: LATE };
      }
      thread.post({ type: 'results', results, time: clock.time });
    }
  } catch (error) {
    if (error instanceof ThreadEnded) {
      const { message } = error.cause instanceof Error ? error.cause : error;
      return { failure: { reason: 'broken', message, stack: '', number: undefined } };
    }
    throw error;
  } finally {
    clock.stop();
    signal?.removeEventListener('abort', onAbort);
  }
}

/** The next message of a script; `undefined` for one that neither ends nor can be stopped, whose thread was ended. */
async function nextOrLate(thread: ScriptThread, { runtime, clock }: ScriptHost): Promise<FromThread | undefined> {
  let isLate = false;
  const cancel: CancelTimer = runtime.setTimer(clock.time.remainingMs + GRACE_MS, () => {
    isLate = true;
    thread.kill();
  });
  try {
    return await thread.next();
  } catch (error) {
    if (isLate) {
      return undefined;
    }
    throw error;
  } finally {
    cancel();
  }
}

function readOperations(json: string): readonly ScriptOperation[] {
  const operations: unknown = JSON.parse(json);
  if (!Array.isArray(operations) || operations.length > MAX_OPERATIONS) {
    throw new PerigeeError('SCRIPT_FAILED', 'The script broke the list of its calls.');
  }
  return operations as readonly ScriptOperation[];
}

/** Runs calls in their order, letting others have turns; `undefined` when time is up before the last. */
async function runOperations(operations: readonly ScriptOperation[], host: ScriptHost): Promise<readonly string[] | undefined> {
  const { clock, runtime, signal } = host;
  clock.stop();
  await host.prepare();
  clock.start();
  const results: string[] = [];
  let sinceMs = runtime.monotonicMs();
  for (const operation of operations) {
    signal?.throwIfAborted();
    const result = await inTime(host, host.execute(operation));
    if (result === undefined) {
      return undefined;
    }
    results.push(result);
    if (runtime.monotonicMs() - sinceMs >= TURN_MS) {
      await runtime.yieldTask();
      sinceMs = runtime.monotonicMs();
    }
  }
  return results;
}

/** What a call gives, or `undefined` where the time of the script is up before it; then it goes on unobserved. */
async function inTime({ clock, runtime }: ScriptHost, pending: Promise<string>): Promise<string | undefined> {
  const { remainingMs } = clock;
  let cancel: CancelTimer = () => undefined;
  const late = new Promise<undefined>((resolve) => {
    cancel = runtime.setTimer(remainingMs, () => resolve(undefined));
  });
  try {
    const result = await Promise.race([pending, late]);
    return clock.remainingMs <= 0 ? undefined : result;
  } finally {
    cancel();
    pending.catch(() => undefined);
  }
}
