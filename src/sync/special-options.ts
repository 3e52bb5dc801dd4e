import { PerigeeError } from '../core/errors.ts';
import type { ContainerInput } from '../store/container-definition.ts';
import { parsePropertyPath } from '../store/partition-key.ts';
import { checkInScope } from './filled-options.ts';
import { INITIAL_VERSION, type SchemaOptions } from './form/schema-versions.ts';
import type { SyncOptions } from './sync-options.ts';

/** Checks the options that few engines have: what stays on the device, and versions of documents. @throws INVALID_OPTION */
export function checkSpecialOptions(options: SyncOptions): void {
  checkLocal(options);
  for (const [container, schema] of Object.entries({ ...options.schemas })) {
    checkInScope('schemas', container, options.scope);
    checkSchema(container, schema);
  }
}

function checkLocal({ localContainers = [], localFields = {}, scope }: SyncOptions): void {
  if (!Array.isArray(localContainers)) {
    throw new PerigeeError('INVALID_OPTION', 'The option localContainers is a list of containers.');
  }
  const ids = new Set(scope.map(({ container }) => container));
  for (const { id } of localContainers as readonly ContainerInput[]) {
    if (ids.has(id)) {
      throw new PerigeeError(
        'INVALID_OPTION',
        `The option localContainers names the container ${JSON.stringify(id)}, which is in the scope or named before. A container is either synchronised or local.`,
      );
    }
    ids.add(id);
  }
  for (const [container, paths] of Object.entries({ ...localFields })) {
    checkInScope('localFields', container, scope);
    if (!Array.isArray(paths) || !paths.every((path) => typeof path === 'string')) {
      throw new PerigeeError('INVALID_OPTION', `The option localFields[${JSON.stringify(container)}] is a list of paths such as "/draft".`);
    }
  }
}

/** Checks the option of one container. @throws INVALID_OPTION */
function checkSchema(container: string, { version, initialVersion = INITIAL_VERSION, path, migrate = {} }: SchemaOptions): void {
  const name = `schemas[${JSON.stringify(container)}]`;
  if (!Number.isSafeInteger(initialVersion) || initialVersion < 0 || !Number.isSafeInteger(version) || version < initialVersion) {
    throw new PerigeeError('INVALID_OPTION', `The option ${name}.version is a whole number from the initial version, which is one from 0.`);
  }
  for (let to = initialVersion + 1; to <= version; to += 1) {
    if (typeof migrate[to] !== 'function') {
      throw new PerigeeError(
        'INVALID_OPTION',
        `The option ${name}.migrate has no function that makes version ${to}. Give one for each version.`,
      );
    }
  }
  if (path !== undefined) {
    try {
      parsePropertyPath(path);
    } catch (cause) {
      throw new PerigeeError('INVALID_OPTION', `Cannot read the path ${name}.path: write it as /name or /name/name.`, { cause });
    }
  }
}
