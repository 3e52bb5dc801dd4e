/*
 * What the server and a thread that runs scripts say to each other. What comes from the thread was made beside a stranger's code: the server
 * checks it as it checks a request.
 */

/** Where a script stands to the request that it serves. */
export type ScriptKind = 'procedure' | 'pre-trigger' | 'post-trigger';

/** One value of the request or the response that a script sees. */
export interface ScriptProperty {
  readonly name: string;
  /** JSON; `undefined` for a value that is not there. */
  readonly json: string | undefined;
  readonly isWritable: boolean;
}

/** What the code inside the sandbox is told of the script that it serves; it crosses as JSON. */
export interface SandboxSettings {
  readonly kind: ScriptKind;
  /** `_self` of the container. */
  readonly selfLink: string;
  /** The container by names, without a slash at the end. */
  readonly altLink: string;
  readonly request: readonly ScriptProperty[];
  /** Absent in a pre-trigger, which runs before there is a response. */
  readonly response: readonly ScriptProperty[] | undefined;
  /** Whether `console.log` is kept. */
  readonly isLogging: boolean;
  readonly maxBodyCharacters: number;
  /** Of the log once it is percent-encoded. */
  readonly maxLogCharacters: number;
  readonly maxOperations: number;
  /** Four whole numbers below 2^32 that `Math.random` starts from. */
  readonly seed: readonly number[];
}

/** One script to run. */
export interface ScriptTask {
  /** For stack traces. */
  readonly id: string;
  readonly source: string;
  /** The arguments, as JSON of an array. */
  readonly parameters: string;
  readonly settings: SandboxSettings;
}

/** The time that a script is given, counted from when the message arrives. */
export interface ScriptTime {
  /** Until it is stopped. */
  readonly remainingMs: number;
  /** Until calls on the container are refused. */
  readonly acceptingMs: number;
  /** The clock that the script sees: milliseconds since 1970. */
  readonly nowMs: number;
}

/** A call on the container, as the script made it: nothing in it is checked. Texts that hold JSON end in `Json`. */
export type ScriptOperation =
  | { readonly type: 'read'; readonly link: string; readonly ifNoneMatch?: string | undefined }
  | { readonly type: 'feed'; readonly pageSize: number; readonly continuation?: string | undefined }
  | { readonly type: 'query'; readonly queryJson: string; readonly pageSize: number; readonly continuation?: string | undefined }
  | { readonly type: 'create'; readonly documentJson: string }
  | { readonly type: 'upsert'; readonly documentJson: string; readonly etag?: string | undefined }
  | { readonly type: 'replace'; readonly link: string; readonly documentJson: string; readonly etag?: string | undefined }
  | { readonly type: 'patch'; readonly link: string; readonly patchJson: string; readonly etag?: string | undefined }
  | { readonly type: 'delete'; readonly link: string; readonly etag?: string | undefined };

/** What a script threw, or why it was stopped. */
export interface ScriptFailure {
  /**
   * - `compile`: the source is no function.
   * - `threw`: nobody caught what it threw, or it called `abort`.
   * - `time`, `memory`: it took more than it was given.
   * - `broken`: the sandbox itself gave up, and the thread with it.
   */
  readonly reason: 'compile' | 'threw' | 'time' | 'memory' | 'broken';
  /** As people read it: `Error: no such item`. */
  readonly message: string;
  readonly stack: string;
  /** The number that the script gave its error. */
  readonly number: number | undefined;
}

/** What is left of a script that came to its end. */
export interface ScriptResult {
  /** JSON of the request's body; a pre-trigger may have rewritten it. */
  readonly requestJson: string | undefined;
  readonly responseJson: string | undefined;
  readonly log: string;
}

/** What became of a script. */
export type ScriptOutcome = { readonly result: ScriptResult } | { readonly failure: ScriptFailure };

/** A user-defined function to compile. */
export interface FunctionSource {
  readonly name: string;
  readonly source: string;
}

/** Functions to serve over a {@link FunctionChannel} until it is closed. */
export interface FunctionTask {
  readonly functions: readonly FunctionSource[];
  readonly channel: SharedArrayBuffer;
  readonly seed: readonly number[];
  readonly nowMs: number;
  /** Of one call. */
  readonly callTimeoutMs: number;
}

/** What the server tells a thread. It runs one task at a time. */
export type ToThread =
  | { readonly type: 'script'; readonly task: ScriptTask; readonly time: ScriptTime }
  /** What became of the calls, in their order: JSON of {@link OperationResult} each. */
  | { readonly type: 'results'; readonly results: readonly string[]; readonly time: ScriptTime }
  | { readonly type: 'functions'; readonly task: FunctionTask };

/** What a thread tells the server. */
export type FromThread =
  | { readonly type: 'ready' }
  | { readonly type: 'operations'; readonly operationsJson: string }
  | { readonly type: 'end'; readonly outcome: ScriptOutcome; readonly memoryBytes: number }
  /** The functions are compiled and the channel is served; or the first that is none. */
  | { readonly type: 'functions'; readonly failure: (ScriptFailure & { readonly name: string }) | undefined }
  | { readonly type: 'functions-end'; readonly memoryBytes: number };

/** What became of one call on the container. */
export type OperationResult =
  | { readonly body?: unknown; readonly options: Readonly<Record<string, unknown>> }
  | { readonly error: { readonly number: number; readonly message: string } };
