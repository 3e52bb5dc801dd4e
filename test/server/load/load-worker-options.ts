import type { Container } from '@azure/cosmos';
import type { Draw } from '../hostile/draw.ts';
import type { OperationCounts } from './operation-counts.ts';
import type { PartitionModel } from './partition-model.ts';

/** What {@link LoadWorker} works with. */
export interface LoadWorkerOptions {
  readonly number: number;
  readonly container: Container;
  /** Partition keys that nobody else writes. */
  readonly partitions: readonly PartitionModel[];
  readonly sharedIds: readonly string[];
  readonly draw: Draw;
  readonly counts: OperationCounts;
}
