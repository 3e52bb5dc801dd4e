import type { Runtime } from '../../core/runtime.ts';
import type { ScriptEngine } from './script-engine.ts';
import type { ScriptOptions } from './script-options.ts';

/** Loads the engine of scripts when the first of them is to run, so that a server without scripts pays nothing for them. */
export class ScriptLoader {
  readonly #options: ScriptOptions | undefined;
  readonly #runtime: Runtime;
  #engine: Promise<ScriptEngine> | undefined;

  constructor(options: ScriptOptions | undefined, runtime: Runtime) {
    this.#options = options;
    this.#runtime = runtime;
  }

  engine(): Promise<ScriptEngine> {
    this.#engine ??= import('./script-engine.ts').then(({ ScriptEngine: Engine }) => new Engine(this.#options, this.#runtime));
    return this.#engine;
  }

  /** Ends what runs, if anything was ever run. */
  async close(): Promise<void> {
    (await this.#engine)?.close();
  }
}
