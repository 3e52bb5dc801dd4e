import type { StoreCapabilities } from '../../store/capabilities.ts';
import { localCapabilities } from '../common/local-capabilities.ts';

/** What the SQLite backend can do on a file; in memory nothing survives the process, and no other process reaches it. */
export function sqliteCapabilities(synchronous: 'normal' | 'full', inMemory: boolean): StoreCapabilities {
  const onFile = synchronous === 'full' ? 'power-loss' : 'process-kill';
  return localCapabilities({
    durability: inMemory ? 'none' : onFile,
    multiProcess: !inMemory,
    allVersionsFeed: true,
    snapshots: true,
    indexProgress: true,
  });
}
