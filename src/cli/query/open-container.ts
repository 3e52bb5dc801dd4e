import { PerigeeError } from '../../core/errors.ts';
import type { Backend } from '../../store/backend.ts';
import type { DocumentStore } from '../../store/document-store.ts';

/** A container by its names. */
export interface ContainerName {
  readonly database: string;
  readonly container: string;
}

/** As much of it as somebody gave. */
export interface GivenContainer {
  readonly database: string | undefined;
  readonly container: string | undefined;
}

const SHOWN_NAMES = 10;

function list(names: readonly string[]): string {
  const shown = names.slice(0, SHOWN_NAMES).map((name) => JSON.stringify(name));
  return shown.join(', ') + (names.length > SHOWN_NAMES ? `, and ${names.length - SHOWN_NAMES} more` : '');
}

/** The one that is meant: the one given, or the only one there is. */
function choose(what: 'database' | 'container', given: string | undefined, names: readonly string[], where: string): string {
  if (given !== undefined && names.includes(given)) {
    return given;
  }
  const [only] = names;
  if (only === undefined) {
    throw new PerigeeError('NOT_FOUND', `Cannot query: there is no ${what} in ${where}.`);
  }
  if (given !== undefined) {
    throw new PerigeeError(
      'NOT_FOUND',
      `Cannot query: there is no ${what} ${JSON.stringify(given)} in ${where}. There is: ${list(names)}.`,
    );
  }
  if (names.length > 1) {
    throw new PerigeeError('INVALID_OPTION', `Cannot query: name the ${what} with --${what}. There is: ${list(names)}.`);
  }
  return only;
}

/** Every container of a backend, in creation order. */
export async function listContainers(backend: Backend): Promise<readonly ContainerName[]> {
  const found: ContainerName[] = [];
  for (const { id: database } of await backend.listDatabases()) {
    for (const { definition } of await backend.listContainers(database)) {
      found.push({ database, container: definition.id });
    }
  }
  return found;
}

/**
 * Finds the container to query; what is not named is taken where there is only one.
 *
 * @throws NOT_FOUND, INVALID_OPTION with the names that there are
 */
export async function findContainer(backend: Backend, label: string, given: GivenContainer): Promise<ContainerName> {
  const databases = (await backend.listDatabases()).map(({ id }) => id);
  const database = choose('database', given.database, databases, label);
  const containers = (await backend.listContainers(database)).map(({ definition }) => definition.id);
  return { database, container: choose('container', given.container, containers, `the database ${JSON.stringify(database)}`) };
}

/** Opens a container that was found. */
export function openContainer(backend: Backend, { database, container }: ContainerName): Promise<DocumentStore> {
  return backend.container(database, container);
}
