import { parentPort, workerData } from 'node:worker_threads';
import type { FromThread, FunctionTask, ScriptTask, ScriptTime, ToThread } from '../script-protocol.ts';
import { openFunctions } from './function-host.ts';
import { Interpreter } from './interpreter.ts';
import { ScriptRun, type ScriptStep } from './script-run.ts';
import { installThreadClock } from './thread-clock.ts';

/*
 * The thread that runs scripts, one at a time. Whatever goes wrong with the interpreter itself ends the thread: the server starts another.
 */

installThreadClock();
const interpreter = await Interpreter.load((workerData as { readonly memoryLimitBytes: number }).memoryLimitBytes);
let run: ScriptRun | undefined;

function post(message: FromThread): void {
  parentPort?.postMessage(message);
}

function answer(step: ScriptStep): void {
  if ('operationsJson' in step) {
    post({ type: 'operations', operationsJson: step.operationsJson });
    return;
  }
  run = undefined;
  interpreter.reset();
  post({ type: 'end', outcome: step.outcome, memoryBytes: interpreter.memoryBytes });
}

async function startScript(task: ScriptTask, time: ScriptTime): Promise<void> {
  // Loaded only for those who name it, since it takes longer to load than most scripts to run.
  const spatial = task.source.includes('spatial') ? (await import('./spatial-functions.ts')).callSpatial : undefined;
  run = new ScriptRun(interpreter, task, spatial);
  answer(run.start(time));
}

function serveFunctions(task: FunctionTask): void {
  const opened = openFunctions(interpreter, task);
  if ('failure' in opened) {
    post({ type: 'functions', failure: opened.failure });
  } else {
    post({ type: 'functions', failure: undefined });
    opened.serve();
  }
  interpreter.reset();
  post({ type: 'functions-end', memoryBytes: interpreter.memoryBytes });
}

async function handle(message: ToThread): Promise<void> {
  switch (message.type) {
    case 'script':
      await startScript(message.task, message.time);
      return;
    case 'results':
      if (run !== undefined) {
        answer(run.settle(message.results, message.time));
      }
      return;
    case 'functions':
      serveFunctions(message.task);
      return;
    default:
      message satisfies never;
  }
}

parentPort?.on('message', (message: ToThread) => {
  handle(message).catch((error: unknown) => {
    // Ends the thread with this error, which the server sees.
    queueMicrotask(() => {
      throw error;
    });
  });
});
post({ type: 'ready' });
