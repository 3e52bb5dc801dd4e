import type { StoreCapabilities } from '../../store/capabilities.ts';

/** What the memory backend can do: everything but keep anything. */
export const MEMORY_CAPABILITIES: StoreCapabilities = {
  durability: 'none',
  multiProcess: false,
  transact: true,
  patchMove: true,
  // Old versions would have to be kept for ever, and memory is to stay bounded by the documents.
  allVersionsFeed: false,
  positions: true,
  manageContainers: true,
  catalog: true,
  runtimeClock: true,
  propertyOrder: true,
  crossPartitionQuery: true,
};
