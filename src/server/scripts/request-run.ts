import type { JsonValue } from '../../core/json.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { StoreTransaction } from '../../store/document-store.ts';
import { CollectionOperations } from './collection-operations.ts';
import { seedOf, type FunctionRunner } from './function-runner.ts';
import { OpenTransaction } from './open-transaction.ts';
import { runScript } from './run-script.ts';
import { ScriptClock } from './script-clock.ts';
import { scriptError } from './script-errors.ts';
import { MAX_BODY_CHARACTERS, MAX_LOG_CHARACTERS, MAX_OPERATIONS, type CheckedScriptOptions } from './script-options.ts';
import type { FunctionSource, ScriptKind, ScriptProperty, ScriptResult } from './script-protocol.ts';
import { quotaOf, type ScriptTarget } from './script-target.ts';
import type { ScriptThread } from './script-thread.ts';

/** Request units of running a script, beside those of its calls. */
const SCRIPT_UNITS = 1;

/** One script of a request. */
export interface ScriptStep {
  readonly kind: ScriptKind;
  readonly id: string;
  readonly source: string;
  readonly parameters: readonly JsonValue[];
  readonly request: readonly ScriptProperty[];
  /** Absent where there is no response yet. */
  readonly response?: readonly ScriptProperty[] | undefined;
  readonly isLogging?: boolean | undefined;
}

/** What the scripts of all requests share. */
export interface RunSettings {
  readonly options: CheckedScriptOptions;
  readonly runtime: Runtime;
  readonly functions: FunctionRunner;
}

/** The scripts of one request and the write that they belong to: one time, one transaction, one bill. */
export class RequestRun {
  readonly #settings: RunSettings;
  readonly #target: ScriptTarget;
  readonly #thread: ScriptThread;
  readonly #clock: ScriptClock;
  readonly #transaction: OpenTransaction;
  readonly #operations: CollectionOperations;
  #functions: readonly FunctionSource[] | undefined;
  #scripts = 0;

  private constructor(settings: RunSettings, target: ScriptTarget, thread: ScriptThread) {
    const { store, partitionKey, links, wallClock, session, signal } = target;
    this.#settings = settings;
    this.#target = target;
    this.#thread = thread;
    this.#clock = new ScriptClock(settings.options.timeoutMs, settings.runtime, wallClock);
    this.#transaction = new OpenTransaction(store, partitionKey, { signal, session });
    this.#operations = new CollectionOperations({
      links,
      quota: quotaOf(target),
      withFunctions: (text, work) => {
        const found = (names: readonly string[]): Promise<readonly FunctionSource[]> =>
          Promise.resolve(this.#functions?.filter(({ name }) => names.includes(name)) ?? []);
        return settings.functions.run(text, { functions: found, wallClock, signal }, work);
      },
    });
  }

  /** Runs `work`, scripts and writes, as a whole: what it wrote takes effect when this resolves, and is undone when it rejects. */
  static async whole<R>(
    settings: RunSettings,
    target: ScriptTarget,
    thread: ScriptThread,
    work: (run: RequestRun) => Promise<R>,
  ): Promise<{ readonly result: R; readonly requestUnits: number; readonly session: string | undefined }> {
    const run = new RequestRun(settings, target, thread);
    let result: R;
    try {
      result = await work(run);
    } catch (error) {
      await run.#transaction.undo();
      throw error;
    }
    await run.#transaction.commit();
    return { result, requestUnits: run.#operations.requestUnits + SCRIPT_UNITS * run.#scripts, session: run.#operations.session };
  }

  /** The transaction, begun if it was not. */
  async begin(): Promise<StoreTransaction> {
    this.#functions ??= await this.#target.functions();
    return this.#transaction.begin();
  }

  /** What counts the cost of writes that no script makes. */
  get operations(): CollectionOperations {
    return this.#operations;
  }

  /** Runs one script to its end. @throws SCRIPT_INVALID, SCRIPT_FAILED, SCRIPT_TIMEOUT, what the store raises, the signal's reason */
  async step(step: ScriptStep): Promise<ScriptResult> {
    this.#scripts += 1;
    const { id, source, kind, request, response } = step;
    const { links, wallClock, signal } = this.#target;
    const { runtime } = this.#settings;
    const outcome = await runScript(
      this.#thread,
      {
        id,
        source,
        parameters: JSON.stringify(step.parameters),
        settings: {
          kind,
          ...links,
          request,
          response,
          isLogging: step.isLogging === true,
          maxBodyCharacters: MAX_BODY_CHARACTERS,
          maxLogCharacters: MAX_LOG_CHARACTERS,
          maxOperations: MAX_OPERATIONS,
          seed: seedOf(wallClock),
        },
      },
      {
        runtime,
        clock: this.#clock,
        signal,
        prepare: async () => {
          await this.begin();
        },
        execute: async (operation) => this.#operations.run(await this.begin(), operation),
      },
    );
    if ('failure' in outcome) {
      throw scriptError(outcome.failure);
    }
    return outcome.result;
  }
}
