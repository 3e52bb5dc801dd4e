import type { StoreCapabilities } from '../../store/capabilities.ts';
import { localCapabilities } from '../common/local-capabilities.ts';

/** What the file backend can do; one writer has the folder to itself. */
export function fileCapabilities(synchronous: 'normal' | 'full'): StoreCapabilities {
  return localCapabilities({
    durability: synchronous === 'full' ? 'power-loss' : 'process-kill',
    multiProcess: false,
    // Versions would have to stay in a file that persons read and compare, and that is brought to one line a document.
    allVersionsFeed: false,
    // The files are the snapshot: they can be copied, compared and kept under version control.
    snapshots: false,
    indexProgress: false,
  });
}
