import type { JsonValue } from '../../core/json.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { ResultInfo } from '../../store/operations.ts';
import type { UserDefinedFunctions } from '../../store/user-functions.ts';
import { FunctionRunner, type FunctionSources } from './function-runner.ts';
import { RequestRun, type RunSettings } from './request-run.ts';
import { checkScriptOptions, type ScriptOptions } from './script-options.ts';
import { headerProperties, property, type ScriptTarget } from './script-target.ts';
import { ThreadPool } from './thread-pool.ts';
import { runTriggered, type PerformedWrite, type PerformWrite, type TriggeredWrite } from './triggered-write.ts';

/** A stored procedure to run. */
export interface ProcedureCall {
  readonly id: string;
  readonly source: string;
  /** Its arguments. */
  readonly parameters: readonly JsonValue[];
  /** Whether what it writes to `console.log` is wanted. */
  readonly isLogging: boolean;
}

/** What a stored procedure gave. */
export interface ProcedureResult extends ResultInfo {
  /** The body of the response, as JSON; `undefined` where the script set it to nothing. */
  readonly bodyJson: string | undefined;
  readonly log: string;
}

/** What a write with triggers gave. */
export interface TriggeredResult<R extends PerformedWrite> extends ResultInfo {
  readonly written: R;
  /** The document as the triggers behind the write have left it for the client, as JSON; `undefined` where it was deleted. */
  readonly bodyJson: string | undefined;
}

/**
 * Runs the service's server-side JavaScript: stored procedures, triggers and user-defined functions.
 *
 * Each script runs in an interpreter of its own (QuickJS compiled to WebAssembly) in one of a few threads, without any way to the process, with
 * limits on time and memory. Nothing is loaded and no thread is started before the first script. What a script does, and the write that it
 * belongs to, takes effect as a whole or not at all, within one partition key.
 */
export class ScriptEngine {
  readonly #settings: RunSettings;
  readonly #scripts: ThreadPool;
  /** Functions of queries, and those of the queries of scripts. Each has threads of its own, so that nobody waits for what waits for him. */
  readonly #queryFunctions: ThreadPool;
  readonly #scriptFunctions: ThreadPool;
  readonly #functions: FunctionRunner;

  /** @param runtime measures time and sets timers; scripts see the clock of their target. @throws INVALID_OPTION */
  constructor(options: ScriptOptions | undefined, runtime: Runtime) {
    const checked = checkScriptOptions(options);
    this.#scripts = new ThreadPool(checked, runtime);
    this.#queryFunctions = new ThreadPool(checked, runtime);
    this.#scriptFunctions = new ThreadPool(checked, runtime);
    this.#functions = new FunctionRunner(checked, this.#queryFunctions, runtime);
    this.#settings = { options: checked, runtime, functions: new FunctionRunner(checked, this.#scriptFunctions, runtime) };
  }

  /** Runs a stored procedure. @throws SCRIPT_INVALID, SCRIPT_FAILED, SCRIPT_TIMEOUT, what the store raises, the signal's reason */
  execute({ id, source, parameters, isLogging }: ProcedureCall, target: ScriptTarget): Promise<ProcedureResult> {
    const request = [property('Body', parameters), ...headerProperties(target)];
    const response = [property('Body', '', true)];
    return this.#scripts.use(target.signal, async (thread) => {
      const { result, requestUnits, session } = await RequestRun.whole(this.#settings, target, thread, (run) =>
        run.step({ kind: 'procedure', id, source, parameters, request, response, isLogging }),
      );
      return { bodyJson: result.responseJson, log: result.log, requestUnits, session };
    });
  }

  /** Runs a write with the triggers before and behind it as one transaction. @throws as {@link execute}, BAD_REQUEST, and what `perform` throws */
  write<R extends PerformedWrite>(write: TriggeredWrite, target: ScriptTarget, perform: PerformWrite<R>): Promise<TriggeredResult<R>> {
    return this.#scripts.use(target.signal, async (thread) => {
      const { result, requestUnits, session } = await RequestRun.whole(this.#settings, target, thread, (run) =>
        runTriggered(run, target, write, perform),
      );
      return { ...result, requestUnits, session };
    });
  }

  /**
   * Runs `work`, a page of a query, with the stored functions that its text calls, which are of no use after it; with `undefined` where it calls
   * none. @throws SCRIPT_INVALID for a function that does not compile. A call raises QUERY_FAILED with the words of the function, QUERY_LIMIT, or SCRIPT_TIMEOUT
   */
  withFunctions<R>(text: string, sources: FunctionSources, work: (functions: UserDefinedFunctions | undefined) => Promise<R>): Promise<R> {
    return this.#functions.run(text, sources, work);
  }

  /** Ends all threads and what runs in them. */
  close(): void {
    for (const pool of [this.#scripts, this.#queryFunctions, this.#scriptFunctions]) {
      pool.close();
    }
  }
}
