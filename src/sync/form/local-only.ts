import { PerigeeError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import { defineContainer } from '../../store/container-definition.ts';
import type { DocumentStore } from '../../store/document-store.ts';
import { get } from '../../stores/sqlite/driver.ts';
import type { FilledOptions } from '../filled-options.ts';
import { makeContainer } from './local-containers.ts';

/** Opens the containers that have no remote, and makes those that the file lacks. @throws SYNC_SCOPE, INVALID_CONTAINER */
export async function openLocalOnly(options: FilledOptions): Promise<ReadonlyMap<string, DocumentStore<JsonObject>>> {
  const { backend, database, localContainers } = options;
  const stores = new Map<string, DocumentStore<JsonObject>>();
  for (const input of localContainers) {
    const { id, partitionKey } = defineContainer(input);
    const synchronised = await backend.database.read(() =>
      get('SELECT 1 AS one FROM sync_scope WHERE database = ? AND container = ? LIMIT 1', database, id),
    );
    if (synchronised !== undefined) {
      throw new PerigeeError(
        'SYNC_SCOPE',
        `Cannot keep the container ${JSON.stringify(id)} on the device only: this file has synchronised it. Give the local one another name.`,
      );
    }
    await makeContainer(backend, database, id, () => input);
    const store = await backend.container(database, id);
    stores.set(id, store);
    if (JSON.stringify(store.definition.partitionKey.paths) !== JSON.stringify(partitionKey.paths)) {
      throw new PerigeeError(
        'INVALID_CONTAINER',
        `The local container ${JSON.stringify(id)} has another partition key in the file. Correct the option localContainers, or use another name.`,
      );
    }
  }
  return stores;
}
