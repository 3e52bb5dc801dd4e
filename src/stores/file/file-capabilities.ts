import type { StoreCapabilities } from '../../store/capabilities.ts';

/** What the file backend can do. */
export function fileCapabilities(synchronous: 'normal' | 'full'): StoreCapabilities {
  return {
    durability: synchronous === 'full' ? 'power-loss' : 'process-kill',
    // One writer has the folder to itself.
    multiProcess: false,
    transact: true,
    patchMove: true,
    // Files are to stay bounded by their documents.
    allVersionsFeed: false,
    positions: true,
    manageContainers: true,
    catalog: true,
    runtimeClock: true,
    propertyOrder: true,
    crossPartitionQuery: true,
  };
}
