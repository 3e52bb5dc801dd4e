import type { Backend } from '../../store/backend.ts';
import type { ChaosControl } from '../chaos/chaos-rules.ts';
import type { PartitionCommands } from '../partitions/partition-commands.ts';
import type { AdminClock } from './admin-clock.ts';
import type { LongUploads } from './long-uploads.ts';

/** What the admin routes work with. */
export interface AdminContext {
  readonly backend: Backend;
  readonly chaos: ChaosControl;
  readonly partitions: PartitionCommands;
  readonly clock: AdminClock;
  readonly uploads: LongUploads;
  /** What is told of the server beside its backend. */
  readonly facts: () => Readonly<Record<string, unknown>>;
}
