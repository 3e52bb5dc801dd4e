import { PerigeeError } from '../../core/errors.ts';
import type { FromThread } from './script-protocol.ts';

/** The part of a `node:worker_threads` Worker that the server uses. */
export interface ScriptThreadLike {
  postMessage(message: unknown): void;
  on(event: 'message', listener: (message: FromThread) => void): unknown;
  on(event: 'error', listener: (error: unknown) => void): unknown;
  on(event: 'exit', listener: (exitCode: number) => void): unknown;
  terminate(): Promise<number>;
  ref(): void;
  unref(): void;
}

/** How a thread for scripts is started. */
export interface ScriptThreadOptions {
  readonly workerData: { readonly memoryLimitBytes: number };
  readonly resourceLimits: Readonly<Record<'maxOldGenerationSizeMb' | 'stackSizeMb', number>>;
}

/** What scripts may take: stored procedures, triggers and user-defined functions. */
export interface ScriptOptions {
  /** Time of one request's scripts and what they ask of the container, in milliseconds; 5,000 unless said otherwise, as in the service. */
  readonly timeoutMs?: number | undefined;
  /** Time of one call of a user-defined function, in milliseconds; 50 unless said otherwise. Nothing else is answered meanwhile. */
  readonly functionTimeoutMs?: number | undefined;
  /** Memory of one script, and of what it is given, in bytes; 64 MiB unless said otherwise, never less than 10 MiB. */
  readonly memoryLimitBytes?: number | undefined;
  /**
   * Threads that run stored procedures and triggers, and as many again for the functions of queries, and of queries of scripts; 4 unless said
   * otherwise. They are started when they are needed and end when they are not; whoever finds none free waits.
   */
  readonly maxThreads?: number | undefined;
  /** Starts the thread that runs `thread/script-thread.js`; give one where a bundler moves files. */
  readonly createThread?: ((options: ScriptThreadOptions) => ScriptThreadLike) | undefined;
}

/** {@link ScriptOptions} with defaults; how threads are started has none here, as few servers ever start one. */
export type CheckedScriptOptions = {
  readonly [name in Exclude<keyof ScriptOptions, 'createThread'>]-?: Exclude<ScriptOptions[name], undefined>;
} & Pick<ScriptOptions, 'createThread'>;

/** Characters that a response may have; the service counts characters too. */
export const MAX_BODY_CHARACTERS: number = 4 * 1024 * 1024;
/** Clients read no more than 16 KB of headers, and this one is not alone. */
export const MAX_LOG_CHARACTERS = 8192;
/** Calls on the container that may wait at once. */
export const MAX_OPERATIONS = 10_000;
/** A thread whose interpreter has taken more memory than this is not used again. */
export const MAX_KEPT_BYTES: number = 48 * 1024 * 1024;
/** Part of the time after which calls on the container are refused, so that a script can tell how far it got. */
export const ACCEPTING_SHARE = 0.8;
/** Characters of JSON that are read and written within a millisecond, at the least; a function gets that time on top of its own. */
const CHARACTERS_PER_MS = 10_000;

/** The time of a call of a function with so many characters of arguments. */
export function callTimeoutMs(functionTimeoutMs: number, characters: number): number {
  return functionTimeoutMs + Math.ceil(characters / CHARACTERS_PER_MS);
}

/** Of the functions of one page of a query. */
export const FUNCTIONS_TIMEOUT_MS = 5000;
/** Scripts make deep calls, and their interpreter has to end before the thread does. */
const STACK_MB = 32;
/** Of texts on their way between threads; what scripts hold themselves is counted apart. */
const HEAP_MB = 256;

function whole(name: string, value: number, least: number): number {
  if (!Number.isInteger(value) || value < least) {
    throw new PerigeeError('INVALID_OPTION', `scripts.${name} is a whole number from ${least}.`);
  }
  return value;
}

/** Fills in defaults. @throws INVALID_OPTION */
export function checkScriptOptions(options: ScriptOptions = {}): CheckedScriptOptions {
  const MIB = 1024 * 1024;
  return {
    timeoutMs: whole('timeoutMs', options.timeoutMs ?? 5000, 1),
    functionTimeoutMs: whole('functionTimeoutMs', options.functionTimeoutMs ?? 50, 1),
    memoryLimitBytes: whole('memoryLimitBytes', options.memoryLimitBytes ?? 64 * MIB, 10 * MIB),
    maxThreads: whole('maxThreads', options.maxThreads ?? 4, 1),
    createThread: options.createThread,
  };
}

/** How the threads of checked options are started. */
export function threadOptions({ memoryLimitBytes }: CheckedScriptOptions): ScriptThreadOptions {
  return { workerData: { memoryLimitBytes }, resourceLimits: { maxOldGenerationSizeMb: HEAP_MB, stackSizeMb: STACK_MB } };
}
