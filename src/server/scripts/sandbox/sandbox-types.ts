import type { OperationResult, ScriptOperation } from '../script-protocol.ts';

/*
 * The functions of this folder run inside the sandbox: `sandbox-source.ts` turns them into text. So each stands for itself, and gets whatever
 * it needs of the others as an argument.
 */

/** A callback of a script; what it gives back is not looked at. */
export type ScriptCallback = (...values: unknown[]) => unknown;

/** An error as scripts see it: with the number of the status. */
export interface NumberedError extends Error {
  number?: number;
  body?: string;
}

/** What the sandbox has of the world outside. */
export interface SandboxHost {
  /** Milliseconds in which calls on the container are still taken. */
  readonly acceptingMs: () => number;
  /** A spatial function of the query language, on JSON; its JSON, `undefined` for undefined. */
  readonly spatial: (name: string, json: string) => string | undefined;
}

/** What the parts of the sandbox share. */
export interface SandboxKit {
  readonly host: SandboxHost;
  /** The functions of the language, taken before a script could replace them. */
  readonly parse: (json: string) => unknown;
  readonly stringify: (value: unknown) => string | undefined;
  /** An error with a number. */
  readonly refuse: (number: number, message: string) => NumberedError;
}

/** What becomes of a call: an error, or what {@link OperationResult} holds. */
export type OperationDone = (error: NumberedError | undefined, result: Extract<OperationResult, { options: unknown }> | undefined) => void;

/** The calls on the container that wait for the server. */
export interface OperationQueue {
  /** Whether the call was taken; `done` is called when it has run. */
  add(operation: ScriptOperation, done: OperationDone): boolean;
  /** JSON of the calls added since the last time; '' when there is none. */
  take(): string;
  /** Hands the next result to whom it belongs. */
  settle(resultJson: string): void;
  /** Takes no more calls and hands on no results. */
  close(): void;
}

/** The request or the response, as a script sees it: `getBody`, `setBody`, `appendBody` and so on for each property. */
export interface ScriptMessage {
  readonly getValue: (name: unknown) => unknown;
  readonly setValue: (name: unknown, value: unknown) => void;
  readonly appendValue: (name: unknown, value: unknown) => void;
}

/** What the server asks of the sandbox. */
export interface Sandbox {
  /** Runs the script with its arguments, which are JSON. */
  start(main: (values: unknown[]) => unknown, parametersJson: string): void;
  take(): string;
  settle(resultJson: string): void;
  /** JSON of a `ScriptResult`. @throws what the script aborted with */
  finish(): string;
}
