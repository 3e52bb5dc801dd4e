import type { StoreCapabilities } from '../../store/capabilities.ts';

/** What every backend can do whose data this process holds itself. */
export function localCapabilities({ durability, multiProcess }: Pick<StoreCapabilities, 'durability' | 'multiProcess'>): StoreCapabilities {
  return {
    durability,
    multiProcess,
    transact: true,
    patchMove: true,
    // Old versions would have to be kept, and memory and files are to stay bounded by their documents.
    allVersionsFeed: false,
    positions: true,
    manageContainers: true,
    catalog: true,
    runtimeClock: true,
    propertyOrder: true,
    crossPartitionQuery: true,
  };
}
