import { Emulator } from './emulator.ts';
import type { UseEmulatorOptions } from './emulator-options.ts';
import { runnerHooks } from './runner-hooks.ts';

/**
 * Gives a test file an emulator of Cosmos DB of its own: it starts before the tests, goes back to its starting point before each, and closes behind them.
 *
 * Call it while the file is loaded, before other hooks are registered, and use what it gives within tests and hooks. The starting point is what there is
 * when the first test begins: what the seed wrote, and the hooks that ran before it. Files that run at the same time share nothing.
 *
 * @throws TypeError where the runner's hooks are neither given nor globals
 *
 * @example
 * ```ts
 * import { CosmosClient } from '@azure/cosmos';
 * import { useEmulator } from 'perigee/testing';
 * import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
 *
 * const emulator = useEmulator({ hooks: { beforeAll, beforeEach, afterAll } });
 *
 * test('creates a database', async () => {
 *   const { databases } = emulator.client(CosmosClient);
 *   expect((await databases.create({ id: 'shop' })).statusCode).toBe(201);
 * });
 * ```
 */
export function useEmulator(options: UseEmulatorOptions = {}): Emulator {
  const { hooks, reset = true, ...emulatorOptions } = options;
  const { beforeAll, afterAll, beforeEach } = runnerHooks(hooks);
  const emulator = new Emulator(emulatorOptions);
  beforeAll(() => emulator.start());
  afterAll(() => emulator.close());
  if (reset) {
    beforeEach(() => (emulator.hasStartingPoint ? emulator.reset() : emulator.keep()));
  }
  return emulator;
}
