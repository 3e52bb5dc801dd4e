import { Worker } from 'node:worker_threads';
import type { ScriptThreadLike, ScriptThreadOptions } from './script-options.ts';

/** Starts a thread for scripts as it is done where nobody said otherwise. */
export function startThread(options: ScriptThreadOptions): ScriptThreadLike {
  return new Worker(new URL('./thread/script-thread.js', import.meta.url), {
    ...options,
    // A script has no way to either; the thread that runs it needs none.
    env: {},
    stdin: false,
  });
}
