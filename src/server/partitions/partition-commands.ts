import type { Runtime } from '../../core/runtime.ts';
import type { ContainerRegistry } from '../container-registry.ts';
import type { LayoutStore } from './layout-store.ts';
import { mergeRange, splitRange, type PartitionLayout, type PartitionRange } from './partition-layout.ts';

/** Which range is to be split or merged. */
export interface PartitionCommand {
  readonly database: string;
  readonly container: string;
  /** The first range unless said otherwise. A merge joins it with the one behind it. */
  readonly rangeId?: string | undefined;
  /** Where to split: an effective partition key within the range; its middle unless said otherwise. */
  readonly at?: string | undefined;
  /**
   * For how long the old ranges answer 410 with the sub-status of a change that completes (1007 for a split, 1008 for a merge) before they answer
   * with that of a range that is gone (1002), in milliseconds; 0 unless said otherwise.
   */
  readonly completingMs?: number | undefined;
}

/** Splits and merges the partition key ranges of containers on command, so that an application can rehearse what the service does by itself. */
export class PartitionCommands {
  readonly #layouts: LayoutStore;
  readonly #containers: ContainerRegistry;
  readonly #runtime: Runtime;

  constructor(layouts: LayoutStore, containers: ContainerRegistry, runtime: Runtime) {
    this.#layouts = layouts;
    this.#containers = containers;
    this.#runtime = runtime;
  }

  /** The ranges that there are, in order. @throws NOT_FOUND */
  async list(command: Pick<PartitionCommand, 'database' | 'container'>): Promise<readonly PartitionRange[]> {
    const info = await this.#containers.containerInfo(command.database, command.container);
    return (await this.#layouts.read(info)).layout.ranges;
  }

  /** Cuts a range in two and gives the ranges that there are then. @throws NOT_FOUND, BAD_REQUEST, NOT_SUPPORTED for a store without a catalog */
  split(command: PartitionCommand): Promise<readonly PartitionRange[]> {
    return this.#change(command, (layout, id, definition) => splitRange(layout, id, definition, command.at, this.#transition(command)));
  }

  /** Joins a range with the one behind it and gives the ranges that there are then. @throws NOT_FOUND, BAD_REQUEST, NOT_SUPPORTED */
  merge(command: PartitionCommand): Promise<readonly PartitionRange[]> {
    return this.#change(command, (layout, id) => mergeRange(layout, id, this.#transition(command)));
  }

  #transition({ completingMs = 0 }: PartitionCommand): { readonly completingUntilMs?: number } {
    return completingMs > 0 ? { completingUntilMs: this.#runtime.nowMs() + completingMs } : {};
  }

  async #change(
    command: PartitionCommand,
    change: (layout: PartitionLayout, id: string, definition: Parameters<typeof splitRange>[2]) => PartitionLayout,
  ): Promise<readonly PartitionRange[]> {
    const info = await this.#containers.containerInfo(command.database, command.container);
    const { ranges } = await this.#layouts.change(info, (layout) =>
      change(layout, command.rangeId ?? (layout.ranges[0] as PartitionRange).id, info.definition.partitionKey),
    );
    this.#containers.refresh(info.rid);
    return ranges;
  }
}
