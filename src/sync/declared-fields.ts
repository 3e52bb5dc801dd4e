import { PerigeeError } from '../core/errors.ts';
import { parsePropertyPath } from '../store/partition-key.ts';
import { SYSTEM_PROPERTY_NAMES } from '../store/document.ts';
import type { Program } from '../stores/sqlite/driver.ts';
import { pathsOverlap, type LocalFields } from './local-fields.ts';
import { readMeta, writeMeta } from './meta.ts';
import { RESERVED_PROPERTY } from './wire-stamp.ts';

/**
 * The local fields of a container: as given, otherwise as the file was last told, so that a program which does not know of them does not send them. What is
 * given is written down where it is new.
 */
export function* declaredFields(database: string, container: string, given: readonly string[] | undefined): Program<readonly string[]> {
  const key = `local-fields ${JSON.stringify([database, container])}`;
  const known = yield* readMeta(key);
  if (given === undefined) {
    return known === undefined ? [] : (JSON.parse(known) as readonly string[]);
  }
  const text = JSON.stringify(given);
  if (text !== (known ?? '[]')) {
    yield* writeMeta(key, text);
  }
  return given;
}

/** What everybody needs of each document, whatever its container. */
const COMMON = ['id', 'ttl', RESERVED_PROPERTY, ...SYSTEM_PROPERTY_NAMES].map((name) => [name]);

/** Refuses local fields that others need. `needed`: paths as text. @throws INVALID_OPTION */
export function checkNotNeeded(container: string, fields: LocalFields, needed: readonly string[]): void {
  const others = [...COMMON, ...needed.map(parsePropertyPath)];
  for (const path of fields.paths) {
    const other = others.find((one) => pathsOverlap(path, one));
    if (other !== undefined) {
      throw new PerigeeError(
        'INVALID_OPTION',
        `The local field ${pathText(path)} of the container ${JSON.stringify(container)} covers ${pathText(other)}, which the remote needs: ids, keys, unique values, types and versions are shared.`,
      );
    }
  }
}

function pathText(path: readonly string[]): string {
  return JSON.stringify(path.map((name) => `/${name}`).join(''));
}
