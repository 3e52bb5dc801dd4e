import { Emulator } from './emulator.ts';
import type { EmulatorOptions } from './emulator-options.ts';

/**
 * Starts an emulator of Cosmos DB in this process, with what its seed wrote as its starting point. Close it at the end; {@link useEmulator} does so by itself.
 *
 * @throws what the store, the seed and `startServer` throw; nothing stays open then
 *
 * @example
 * ```ts
 * import { CosmosClient } from '@azure/cosmos';
 * import { startEmulator } from 'perigee/testing';
 *
 * const emulator = await startEmulator();
 * const client = emulator.client(CosmosClient);
 * await client.databases.create({ id: 'shop' });
 * await emulator.reset();
 * console.log((await client.databases.readAll().fetchAll()).resources.length); // -> 0
 * await emulator.close();
 * ```
 */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const emulator = new Emulator(options);
  await emulator.start();
  await emulator.keep();
  return emulator;
}
