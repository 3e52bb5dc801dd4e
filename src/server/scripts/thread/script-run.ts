import type { QuickJSHandle } from 'quickjs-emscripten-core';
import { systemRuntime } from '../../../core/runtime.ts';
import type { ScriptOutcome, ScriptResult, ScriptTask, ScriptTime } from '../script-protocol.ts';
import { ScriptStopped, type Interpreter } from './interpreter.ts';
import type { Spatial } from './spatial-functions.ts';
import { setThreadClock } from './thread-clock.ts';

/** What a script wants next: the calls on the container that it waits for, or nothing more. */
export type ScriptStep = { readonly operationsJson: string } | { readonly outcome: ScriptOutcome };

/** What the server asks of the sandbox: see `Sandbox`. */
type Asked = 'start' | 'take' | 'settle' | 'finish';

/** One run of a stored procedure or trigger in an interpreter that is fresh, and is to be reset after it. */
export class ScriptRun {
  readonly #task: ScriptTask;
  readonly #interpreter: Interpreter;
  #sandbox: QuickJSHandle | undefined;

  constructor(interpreter: Interpreter, task: ScriptTask, spatial: Spatial | undefined) {
    this.#task = task;
    this.#interpreter = interpreter;
    interpreter.spatial = spatial;
  }

  /** Compiles and calls the script. */
  start(time: ScriptTime): ScriptStep {
    return this.#step(time, () => {
      const { prelude, host } = this.#interpreter;
      const settings = this.#interpreter.newText(JSON.stringify(this.#task.settings));
      this.#sandbox = this.#interpreter.call(prelude.boot, host, settings);
      const main = this.#compile();
      this.#interpreter.call(this.#part('start'), main, this.#interpreter.newText(this.#task.parameters)).dispose();
      this.#interpreter.runJobs();
    });
  }

  /** Hands on what became of the calls; each callback runs to its end, promises included, before the next. */
  settle(results: readonly string[], time: ScriptTime): ScriptStep {
    return this.#step(time, () => {
      const settle = this.#part('settle');
      for (const result of results) {
        this.#interpreter.callWithTexts(settle, result);
        this.#interpreter.runJobs();
      }
      settle.dispose();
    });
  }

  #step({ remainingMs, acceptingMs, nowMs }: ScriptTime, work: () => void): ScriptStep {
    const interpreter = this.#interpreter;
    interpreter.setDeadline(remainingMs);
    interpreter.acceptUntilMs = systemRuntime.monotonicMs() + acceptingMs;
    setThreadClock(nowMs);
    try {
      work();
      const operationsJson = interpreter.callWithTexts(this.#part('take')) ?? '';
      if (operationsJson !== '') {
        return { operationsJson };
      }
      const result = interpreter.callWithTexts(this.#part('finish')) ?? '{}';
      return { outcome: { result: JSON.parse(result) as ScriptResult } };
    } catch (error) {
      if (error instanceof ScriptStopped) {
        return { outcome: { failure: error.failure } };
      }
      throw error;
    }
  }

  #part(name: Asked): QuickJSHandle {
    return this.#interpreter.context.getProp(this.#sandbox as QuickJSHandle, name);
  }

  /** The service's own way: the source is the value of a variable, so that a function, named or not, may be followed by others. */
  #compile(): QuickJSHandle {
    const code = `(function __docDbMain(__docDbArguments) { var fn = ${this.#task.source}\n; return fn.apply(undefined, __docDbArguments); })`;
    try {
      return this.#interpreter.evaluate(code, `${this.#task.id}.js`);
    } catch (error) {
      throw asCompileFailure(error);
    }
  }
}

/** What went wrong with a source as a failure to compile it, if time and memory were not the reason. */
export function asCompileFailure(error: unknown): unknown {
  return error instanceof ScriptStopped && error.failure.reason === 'threw'
    ? new ScriptStopped({ ...error.failure, reason: 'compile', number: undefined })
    : error;
}
