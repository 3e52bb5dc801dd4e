import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { PerigeeError } from '../../core/errors.ts';
import type { ContainerInfo } from '../../store/backend.ts';
import { containerOwner } from '../catalog/find-owner.ts';
import type { ServerCatalog } from '../catalog/server-catalog.ts';
import { SINGLE_PARTITION, type PartitionLayout } from './partition-layout.ts';

const SETTING = 'partitions';

function layoutOf(members: JsonObject | undefined): PartitionLayout {
  return isJsonObject(members) ? (members as unknown as PartitionLayout) : SINGLE_PARTITION;
}

/** Keeps in the catalog how containers are cut; one that nothing is kept of has a single range. */
export class LayoutStore {
  readonly #catalog: ServerCatalog;

  constructor(catalog: ServerCatalog) {
    this.#catalog = catalog;
  }

  /** The layout, and a text that changes when it does. */
  async read(container: ContainerInfo): Promise<{ readonly layout: PartitionLayout; readonly version: string }> {
    const setting = this.#catalog.isAvailable ? await this.#catalog.readSetting(containerOwner(container), SETTING) : undefined;
    return { layout: layoutOf(setting?.members), version: setting?.etag ?? '' };
  }

  /** Changes a layout, all or nothing. */
  async change(container: ContainerInfo, change: (layout: PartitionLayout) => PartitionLayout): Promise<PartitionLayout> {
    const setting = await this.#catalog.changeSetting(containerOwner(container), SETTING, (members) => {
      const current = layoutOf(members);
      const next = change(current);
      return next === current ? undefined : (next as unknown as JsonObject);
    });
    return layoutOf(setting?.members);
  }

  /** Gives a new container its ranges. */
  async create(container: ContainerInfo, layout: PartitionLayout): Promise<void> {
    if (layout === SINGLE_PARTITION) {
      return;
    }
    if (!this.#catalog.isAvailable) {
      throw new PerigeeError('NOT_SUPPORTED', 'The served store has no catalog in which the ranges of a container could be kept.');
    }
    await this.change(container, () => layout);
  }
}
