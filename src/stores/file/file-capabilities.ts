import type { StoreCapabilities } from '../../store/capabilities.ts';
import { localCapabilities } from '../common/local-capabilities.ts';

/** What the file backend can do; one writer has the folder to itself. */
export function fileCapabilities(synchronous: 'normal' | 'full'): StoreCapabilities {
  return localCapabilities({ durability: synchronous === 'full' ? 'power-loss' : 'process-kill', multiProcess: false });
}
