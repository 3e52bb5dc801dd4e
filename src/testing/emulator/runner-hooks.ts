import type { EmulatorHooks } from './emulator-options.ts';

type Hook = (hook: () => Promise<void>) => unknown;

/** The three hooks that are needed, by one name each. */
export interface RunnerHooks {
  readonly beforeAll: Hook;
  readonly afterAll: Hook;
  readonly beforeEach: Hook;
}

/** How long the server may take to start, where the runner has an end: its first start loads it, on a busy machine among many other tests that start. */
const START_TIMEOUT_MS = 60_000;

/** Finds the hooks of the runner: those given, or its globals. */
export function runnerHooks(given: EmulatorHooks = globalThis as EmulatorHooks): RunnerHooks {
  const { beforeAll: givenBeforeAll } = given;
  const beforeAll = givenBeforeAll === undefined ? given.before : (hook: () => Promise<void>) => givenBeforeAll(hook, START_TIMEOUT_MS);
  const afterAll = given.afterAll ?? given.after;
  const { beforeEach } = given;
  if (beforeAll === undefined || afterAll === undefined || beforeEach === undefined) {
    throw new TypeError(
      'The test runner offers no hooks as globals: import them from it and pass them, as in useEmulator({ hooks: { beforeAll, beforeEach, afterAll } }), or { before, beforeEach, after } of node:test.',
    );
  }
  return { beforeAll, afterAll, beforeEach };
}
