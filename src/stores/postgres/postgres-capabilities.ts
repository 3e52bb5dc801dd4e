import type { StoreCapabilities } from '../../store/capabilities.ts';
import { localCapabilities } from '../common/local-capabilities.ts';

/** What the PostgreSQL backend can do. @param isDurable whether the server writes commits to its disk before it acknowledges them */
export function postgresCapabilities(isDurable: boolean): StoreCapabilities {
  return {
    ...localCapabilities({
      durability: isDurable ? 'power-loss' : 'process-kill',
      multiProcess: true,
      allVersionsFeed: true,
      snapshots: true,
      indexProgress: true,
    }),
    measuredPlans: true,
  };
}
