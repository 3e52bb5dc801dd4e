import { PerigeeError } from '../../core/errors.ts';
import type { ContainerDefinition } from '../../store/container-definition.ts';
import type { SqliteBackend } from '../../stores/sqlite/sqlite-backend.ts';
import { inputOf } from '../form/local-containers.ts';

/**
 * Compares a local container with the remote's: the partition key has to be the same, the time to live is taken over.
 *
 * @returns the warnings that people should read
 * @throws INVALID_CONTAINER
 */
export async function matchRemote(
  backend: SqliteBackend,
  database: string,
  container: string,
  remote: ContainerDefinition,
): Promise<readonly string[]> {
  const local = (await backend.readContainer(database, container))?.definition;
  if (local === undefined) {
    throw new PerigeeError('NOT_FOUND', `The local container ${JSON.stringify(container)} was deleted.`);
  }
  if (JSON.stringify(local.partitionKey.paths) !== JSON.stringify(remote.partitionKey.paths)) {
    throw new PerigeeError(
      'INVALID_CONTAINER',
      `Cannot synchronise the container ${JSON.stringify(container)}: its partition key on the device is not that of the remote. Correct the option "containers" and use a new file.`,
    );
  }
  if (local.defaultTtl !== remote.defaultTtl) {
    await backend.replaceContainer(database, {
      ...inputOf(local),
      changeFeedPolicy: local.changeFeedPolicy,
      defaultTtl: remote.defaultTtl,
    });
  }
  return remote.defaultTtl === undefined
    ? [
        `The remote container ${JSON.stringify(container)} has no default time to live, so tombstones of deleted documents stay for ever. Set it to -1.`,
      ]
    : [];
}
