import type { QuickJSHandle } from 'quickjs-emscripten-core';
import { FunctionChannel } from '../function-channel.ts';
import { callTimeoutMs } from '../script-options.ts';
import type { FunctionSource, FunctionTask, ScriptFailure } from '../script-protocol.ts';
import { ScriptStopped, type Interpreter } from './interpreter.ts';
import { asCompileFailure } from './script-run.ts';
import { setThreadClock } from './thread-clock.ts';

/** Looks at the clock that a call is allowed whatever the clock says. */
const CHECKS_TO_PASS = 3;

/** A function that does not compile, by its name. */
export type FunctionFailure = ScriptFailure & { readonly name: string };

/** Compiles the functions of a task; gives what serves them, which blocks the thread until the other side has closed the channel. */
export function openFunctions(
  interpreter: Interpreter,
  task: FunctionTask,
): { readonly serve: () => void } | { readonly failure: FunctionFailure } {
  setThreadClock(task.nowMs);
  interpreter.setDeadline(task.callTimeoutMs * task.functions.length, CHECKS_TO_PASS);
  const bind = interpreter.call(interpreter.prelude.openFunctions, interpreter.newText(JSON.stringify(task.seed)));
  const functions: QuickJSHandle[] = [];
  for (const source of task.functions) {
    try {
      functions.push(interpreter.call(bind, compile(interpreter, source)));
    } catch (error) {
      if (error instanceof ScriptStopped) {
        return { failure: { ...error.failure, name: source.name } };
      }
      throw error;
    }
  }
  let broken: unknown;
  const answer = (index: number, json: string): { readonly status: 'result' | 'failure'; readonly json: string } => {
    interpreter.setDeadline(callTimeoutMs(task.callTimeoutMs, json.length), CHECKS_TO_PASS);
    try {
      return { status: 'result', json: interpreter.callWithTexts(functions[index] as QuickJSHandle, json) ?? '[]' };
    } catch (error) {
      if (!(error instanceof ScriptStopped)) {
        broken = error;
      }
      const failure: ScriptFailure =
        error instanceof ScriptStopped ? error.failure : { reason: 'broken', message: String(error), stack: '', number: undefined };
      return { status: 'failure', json: JSON.stringify(failure) };
    }
  };
  return {
    serve: () => {
      new FunctionChannel(task.channel).serve(answer);
      if (broken !== undefined) {
        // Not even a fresh memory makes the interpreter whole again.
        throw broken;
      }
    },
  };
}

function compile(interpreter: Interpreter, { name, source }: FunctionSource): QuickJSHandle {
  try {
    return interpreter.call(interpreter.evaluate(`(function __docDbMain() { var fn = ${source}\n; return fn; })`, `${name}.js`));
  } catch (error) {
    throw asCompileFailure(error);
  }
}
