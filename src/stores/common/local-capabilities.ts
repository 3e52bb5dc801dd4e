import type { StoreCapabilities } from '../../store/capabilities.ts';

/** What every backend can do whose data this process holds itself. */
export function localCapabilities(
  differing: Pick<StoreCapabilities, 'durability' | 'multiProcess' | 'allVersionsFeed' | 'snapshots' | 'indexProgress'>,
): StoreCapabilities {
  return {
    ...differing,
    transact: true,
    patchMove: true,
    positions: true,
    manageContainers: true,
    catalog: true,
    runtimeClock: true,
    propertyOrder: true,
    crossPartitionQuery: true,
    userDefinedFunctions: true,
    measuredPlans: false,
  };
}
