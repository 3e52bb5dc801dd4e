import { Worker } from 'node:worker_threads';
import type { ScriptThreadLike, ScriptThreadOptions } from '../../../src/server/scripts/script-options.ts';

const register = import.meta.resolve('tsx/esm/api');
const thread = new URL('../../../src/server/scripts/thread/script-thread.ts', import.meta.url).href;

/** A thread for scripts over the sources, which it has to translate first. */
export function sourceThread(options: ScriptThreadOptions): ScriptThreadLike {
  const code = `import(${JSON.stringify(register)}).then(({ register }) => { register(); return import(${JSON.stringify(thread)}); });`;
  return new Worker(code, { ...options, eval: true });
}
