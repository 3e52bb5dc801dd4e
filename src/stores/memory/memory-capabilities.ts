import type { StoreCapabilities } from '../../store/capabilities.ts';
import { localCapabilities } from '../common/local-capabilities.ts';

/** What the memory backend can do: everything but keep anything. */
export const MEMORY_CAPABILITIES: StoreCapabilities = localCapabilities({
  durability: 'none',
  multiProcess: false,
  allVersionsFeed: true,
  snapshots: true,
  indexProgress: false,
});
