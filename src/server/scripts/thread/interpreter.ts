import variant from '@jitl/quickjs-wasmfile-release-sync';
import {
  newQuickJSWASMModuleFromVariant,
  newVariant,
  type QuickJSContext,
  type QuickJSHandle,
  type QuickJSRuntime,
  type QuickJSSyncVariant,
  type QuickJSWASMModule,
} from 'quickjs-emscripten-core';
import { systemRuntime } from '../../../core/runtime.ts';
import { DESCRIBE_SOURCE, FUNCTIONS_SOURCE, SANDBOX_FILE, SANDBOX_SOURCE } from '../sandbox/sandbox-source.ts';
import type { ScriptFailure } from '../script-protocol.ts';
import type { Spatial } from './spatial-functions.ts';

const PAGE_BYTES = 65_536;
/** What the interpreter needs before a script has anything. */
const INITIAL_PAGES = 256;
/** What the interpreter itself takes: its code's data, its stack, and the sandbox as it was read. */
const OWN_BYTES = 6 * 1024 * 1024;
const MAX_PAGES = 32_768;
/** Of the interpreter's own stack. The thread's stack is so large that this one always ends first. */
const STACK_BYTES = 512 * 1024;

/** Memory of WebAssembly, which the types of Node do not tell of. */
interface Memory {
  readonly buffer: ArrayBuffer;
}
type MemoryClass = new (pages: { readonly initial: number; readonly maximum: number }) => Memory;

/** Leaves a script at once; never leaves the thread. */
export class ScriptStopped extends Error {
  readonly failure: ScriptFailure;

  constructor(failure: ScriptFailure) {
    super(failure.message);
    this.failure = failure;
  }
}

/** The functions of the sandbox that a script needs, read but not called yet. */
interface Prelude {
  readonly describe: QuickJSHandle;
  readonly boot: QuickJSHandle;
  readonly openFunctions: QuickJSHandle;
}

/**
 * The interpreter of a thread: QuickJS in WebAssembly, with limits on time, memory and stack.
 *
 * It is made once, with the code of the sandbox read. {@link reset} then puts its memory back, so that each script finds it fresh, whatever the
 * one before did; that takes a hundredth of the time of making it anew.
 */
export class Interpreter {
  readonly context: QuickJSContext;
  /** What scripts have of the world outside: see `SandboxHost`. */
  readonly host: QuickJSHandle;
  readonly prelude: Prelude;
  /** When calls on the container are no more accepted, by the clock of the thread. */
  acceptUntilMs = 0;
  spatial: Spatial | undefined;
  readonly #memory: Memory;
  readonly #runtime: QuickJSRuntime;
  readonly #fresh: readonly FreshPage[];
  #describe: QuickJSHandle | undefined;
  #deadlineMs = Number.POSITIVE_INFINITY;
  #checksToPass = 0;
  #isLate = false;

  private constructor(quickjs: QuickJSWASMModule, memory: Memory, memoryLimitBytes: number) {
    this.#memory = memory;
    this.#runtime = quickjs.newRuntime({ memoryLimitBytes, maxStackSizeBytes: STACK_BYTES });
    this.#runtime.setInterruptHandler(() => this.#interrupt());
    this.context = this.#runtime.newContext();
    this.host = this.#createHost();
    this.#describe = this.evaluate(DESCRIBE_SOURCE, SANDBOX_FILE);
    this.prelude = {
      describe: this.#describe,
      boot: this.evaluate(SANDBOX_SOURCE, SANDBOX_FILE),
      openFunctions: this.evaluate(FUNCTIONS_SOURCE, SANDBOX_FILE),
    };
    this.#fresh = usedPages(memory);
  }

  /**
   * Loads the interpreter with a memory that does not grow beyond what a script may have. That is the limit which holds: the interpreter's own,
   * in WebAssembly, looks at single pieces only.
   */
  static async load(memoryLimitBytes: number): Promise<Interpreter> {
    const { Memory } = (globalThis as unknown as { readonly WebAssembly: { readonly Memory: MemoryClass } }).WebAssembly;
    const wanted = Math.ceil((memoryLimitBytes + OWN_BYTES) / PAGE_BYTES);
    const memory = new Memory({ initial: INITIAL_PAGES, maximum: Math.min(Math.max(wanted, INITIAL_PAGES), MAX_PAGES) });
    // The package's types are those of its CommonJS form, where the variant is a member of what is imported.
    const base = variant as unknown as QuickJSSyncVariant;
    const quickjs = await newQuickJSWASMModuleFromVariant(newVariant(base, { wasmMemory: memory }));
    return new Interpreter(quickjs, memory, memoryLimitBytes);
  }

  /** What the interpreter has taken; it gives nothing back. */
  get memoryBytes(): number {
    return this.#memory.buffer.byteLength;
  }

  /** Makes everything as it was before the first script. Handles of the script are of no use after it; they need not be disposed. */
  reset(): void {
    const bytes = new Uint8Array(this.#memory.buffer);
    for (const { start, content } of this.#fresh) {
      bytes.set(content, start);
    }
    this.#isLate = false;
    this.#deadlineMs = Number.POSITIVE_INFINITY;
    this.spatial = undefined;
  }

  /**
   * Stops whatever runs after `remainingMs`, counted from now. With `checksToPass` it also has to have run for so many looks at the clock, about
   * a millisecond each, so that a thread that was not given the processor is no script that spins.
   */
  setDeadline(remainingMs: number, checksToPass = 0): void {
    this.#deadlineMs = systemRuntime.monotonicMs() + remainingMs;
    this.#checksToPass = checksToPass;
  }

  /** Runs code and gives its value. @throws ScriptStopped */
  evaluate(code: string, fileName: string): QuickJSHandle {
    const result = this.context.evalCode(code, fileName);
    return result.error === undefined ? result.value : this.#stop(result.error);
  }

  /** @throws ScriptStopped */
  call(fn: QuickJSHandle, ...values: QuickJSHandle[]): QuickJSHandle {
    const result = this.context.callFunction(fn, this.context.undefined, ...values);
    return result.error === undefined ? result.value : this.#stop(result.error);
  }

  /** Calls a function of the sandbox with texts; its result as text, `undefined` for anything that is none. @throws ScriptStopped */
  callWithTexts(fn: QuickJSHandle, ...texts: string[]): string | undefined {
    const values = texts.map((text) => this.newText(text));
    try {
      const result = this.call(fn, ...values);
      try {
        return this.context.typeof(result) === 'string' ? this.context.getString(result) : undefined;
      } finally {
        result.dispose();
      }
    } finally {
      for (const value of values) {
        value.dispose();
      }
    }
  }

  /** A text inside the sandbox. @throws ScriptStopped where there is no room for it */
  newText(text: string): QuickJSHandle {
    const value = this.context.newString(text);
    if (this.context.typeof(value) !== 'string') {
      throw new ScriptStopped({ reason: 'memory', message: 'InternalError: out of memory', stack: '', number: undefined });
    }
    return value;
  }

  /** Runs what promises left to do. What rejects and is caught by nobody is dropped, as in the service. @throws ScriptStopped */
  runJobs(): void {
    const result = this.#runtime.executePendingJobs();
    if (result.error !== undefined) {
      this.#stop(result.error);
    }
    if (this.#isLate) {
      throw new ScriptStopped(lateFailure());
    }
  }

  #createHost(): QuickJSHandle {
    const { context } = this;
    const host = context.newObject();
    const add = (name: string, fn: (...values: QuickJSHandle[]) => QuickJSHandle): void => {
      context.setProp(host, name, context.newFunction(name, fn));
    };
    add('acceptingMs', () => context.newNumber(this.acceptUntilMs - systemRuntime.monotonicMs()));
    add('spatial', (name, json) => {
      const result =
        name === undefined || json === undefined ? undefined : this.spatial?.(context.getString(name), context.getString(json));
      return result === undefined ? context.undefined : context.newString(result);
    });
    return host;
  }

  #interrupt(): boolean {
    if (this.#checksToPass > 0) {
      this.#checksToPass -= 1;
      return false;
    }
    this.#isLate ||= systemRuntime.monotonicMs() > this.#deadlineMs;
    return this.#isLate;
  }

  #stop(thrown: QuickJSHandle): never {
    const failure = this.#failureOf(thrown);
    thrown.dispose();
    // Asked last: to describe an error is to run what the script has put into it.
    throw new ScriptStopped(this.#isLate ? lateFailure() : failure);
  }

  #failureOf(thrown: QuickJSHandle): ScriptFailure {
    const { message = 'unknown', stack = '', number } = this.#described(thrown) ?? {};
    const reason = /^InternalError: (?:out of memory|string too long)/u.test(message) ? 'memory' : 'threw';
    return { reason, message, stack, number };
  }

  #described(thrown: QuickJSHandle): Partial<ScriptFailure> | undefined {
    if (this.#describe === undefined) {
      return undefined;
    }
    const result = this.context.callFunction(this.#describe, this.context.undefined, thrown);
    if (result.error !== undefined) {
      result.error.dispose();
      return undefined;
    }
    const text = this.context.getString(result.value);
    result.value.dispose();
    return JSON.parse(text) as Partial<ScriptFailure>;
  }
}

/** A page of memory as it was before the first script. */
interface FreshPage {
  readonly start: number;
  readonly content: Uint8Array;
}

/**
 * The pages that hold anything. The others are the stack of the interpreter, which is empty between scripts, and what it never took: nothing
 * that is in use leads there.
 */
function usedPages({ buffer }: Memory): readonly FreshPage[] {
  const pages: FreshPage[] = [];
  const empty = Buffer.alloc(PAGE_BYTES);
  for (let start = 0; start < buffer.byteLength; start += PAGE_BYTES) {
    const page = Buffer.from(buffer, start, PAGE_BYTES);
    if (!page.equals(empty)) {
      pages.push({ start, content: Uint8Array.from(page) });
    }
  }
  return pages;
}

/** The failure of a script that took too long. */
function lateFailure(): ScriptFailure {
  return { reason: 'time', message: 'The script took too long.', stack: '', number: undefined };
}
