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
  // The service has backups of its own, and what a snapshot keeps (resource ids, times, etags) cannot be written to it.
  snapshots: false,
  runtimeClock: false,
  propertyOrder: true,
  crossPartitionQuery: true,
  // The service has functions of its own, which are made with its own tools; those of a program stay in the program.
  userDefinedFunctions: false,
  // The service tells the metrics of a query with each page, which every explanation has.
  measuredPlans: false,
  indexProgress: true,
};
