import type { StoreCapabilities } from '../../store/capabilities.ts';

/** What the service can do, as far as its official client reaches it. */
export const COSMOS_CAPABILITIES: StoreCapabilities = {
  durability: 'power-loss',
  multiProcess: true,
  transact: false,
  patchMove: true,
  // The service has it where an account turns continuous backup on; the store does not read it yet.
  allVersionsFeed: false,
  // Changes carry a position; a write learns its own only where the service tells it.
  positions: false,
  manageContainers: true,
  catalog: false,
  runtimeClock: false,
  propertyOrder: true,
  crossPartitionQuery: true,
};
