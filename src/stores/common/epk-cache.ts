import type { ContainerDefinition } from '../../store/container-definition.ts';
import { effectivePartitionKey } from '../../store/effective-partition-key.ts';
import type { PreparedKey } from '../../store/write-rules.ts';

/** Effective partition keys remembered; hashing one costs about as much as a small write. */
const MAX_EPKS = 10_000;

/** Effective partition keys of one container, of those of late. */
export class EpkCache {
  readonly #epks = new Map<string, string>();

  /** The effective partition key of a key. */
  of(key: Omit<PreparedKey, 'id'>, definition: ContainerDefinition['partitionKey']): string {
    const known = this.#epks.get(key.partitionKeyText);
    if (known !== undefined) {
      return known;
    }
    const epk = effectivePartitionKey(key.partitionKey, definition);
    if (this.#epks.size >= MAX_EPKS) {
      this.#epks.clear();
    }
    this.#epks.set(key.partitionKeyText, epk);
    return epk;
  }
}
