import { systemRuntime } from '../../../core/runtime.ts';

/*
 * The thread runs nothing but scripts, and these see no clock but the one they are given: `Date` of the thread itself is replaced, since that
 * is where the interpreter looks. It stands in UTC, as the service's does.
 */

let givenMs = 0;
let sinceMs = 0;

/** The time scripts see from now on, in milliseconds since 1970; it runs on by itself. */
export function setThreadClock(nowMs: number): void {
  givenMs = nowMs;
  sinceMs = systemRuntime.monotonicMs();
}

/** Replaces the clock of the thread; called once. */
export function installThreadClock(): void {
  setThreadClock(0);
  Object.defineProperty(Date, 'now', { value: () => Math.floor(givenMs + systemRuntime.monotonicMs() - sinceMs) });
  Object.defineProperty(Date.prototype, 'getTimezoneOffset', { value: () => 0 });
}
