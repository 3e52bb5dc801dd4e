import type { Backend } from '../../store/backend.ts';
import type { EmulatorOptions } from './emulator-options.ts';

/** Opens what an emulator serves. Backends are loaded when they are used: the drivers of others need not be installed. */
export async function openEmulatorBackend({ store = 'memory', runtime }: EmulatorOptions): Promise<Backend> {
  if (typeof store === 'function') {
    if (runtime !== undefined) {
      throw new TypeError('An emulator with a store of your own takes its clock from that store: give the runtime to the store.');
    }
    return store();
  }
  switch (store) {
    case 'memory':
      return (await import('../../stores/memory/memory-backend.ts')).openMemoryBackend({ runtime });
    case 'sqlite':
      return (await import('../../stores/sqlite/sqlite-backend.ts')).openSqliteBackend({ path: ':memory:', runtime });
    default:
      throw new TypeError(`An emulator's store is 'memory', 'sqlite' or a function, not ${JSON.stringify(store satisfies never)}.`);
  }
}
