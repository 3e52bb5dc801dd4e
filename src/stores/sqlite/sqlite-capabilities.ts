import type { StoreCapabilities } from '../../store/capabilities.ts';

/** What the SQLite backend can do on a file; in memory nothing survives the process, and no other process reaches it. */
export function sqliteCapabilities(synchronous: 'normal' | 'full', inMemory: boolean): StoreCapabilities {
  return {
    durability: inMemory ? 'none' : synchronous === 'full' ? 'power-loss' : 'process-kill',
    multiProcess: !inMemory,
    transact: true,
    patchMove: true,
    // Old versions would have to be kept, and a device's file is to stay bounded by its documents.
    allVersionsFeed: false,
    positions: true,
    manageContainers: true,
    catalog: true,
    runtimeClock: true,
    propertyOrder: true,
    crossPartitionQuery: true,
  };
}
