import { isPerigeeError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { ContainerDefinition, ContainerInput } from '../../store/container-definition.ts';
import type { DocumentStore } from '../../store/document-store.ts';
import type { SqliteBackend } from '../../stores/sqlite/sqlite-backend.ts';

/** The definition of a remote container as input for a local one, which keeps no versions unless it was made to. */
export function inputOf(definition: ContainerDefinition): ContainerInput {
  const { id, partitionKey, defaultTtl, indexingPolicy, computedProperties, extra } = definition;
  const { paths, version } = partitionKey;
  return { id, partitionKey: { paths, version }, defaultTtl, indexingPolicy, computedProperties, extra };
}

/** Makes the database in the file where it is missing. */
export async function ensureDatabase(backend: SqliteBackend, database: string): Promise<void> {
  if ((await backend.readDatabase(database)) !== undefined) {
    return;
  }
  try {
    await backend.createDatabase(database);
  } catch (error) {
    // Another process on the same file may have been first.
    if (!isPerigeeError(error, 'CONFLICT')) {
      throw error;
    }
  }
}

/**
 * Makes a container in the file where it is missing: as given, otherwise as the remote's.
 *
 * A local container has no unique keys: the remote is their judge, and a page of the feed may show the new owner of a value before the old one has
 * given it up.
 *
 * @throws what opening the remote throws, when its definition is needed
 */
export async function ensureContainer(
  backend: SqliteBackend,
  database: string,
  container: string,
  given: ContainerInput | undefined,
  remote: () => Promise<DocumentStore<JsonObject>>,
): Promise<void> {
  await makeContainer(backend, database, container, async () =>
    given === undefined ? inputOf((await remote()).definition) : { ...given, uniqueKeys: undefined },
  );
}

/** Makes a container in the file where it is missing. */
export async function makeContainer(
  backend: SqliteBackend,
  database: string,
  container: string,
  input: () => ContainerInput | Promise<ContainerInput>,
): Promise<void> {
  if ((await backend.readContainer(database, container)) !== undefined) {
    return;
  }
  const wanted = await input();
  try {
    await backend.createContainer(database, wanted);
  } catch (error) {
    if (!isPerigeeError(error, 'CONFLICT')) {
      throw error;
    }
  }
}
