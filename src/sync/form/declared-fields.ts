import { PerigeeError } from '../../core/errors.ts';
import { SYSTEM_PROPERTY_NAMES } from '../../store/document.ts';
import type { Program } from '../../stores/sqlite/driver.ts';
import { fieldsKey } from './form-keys.ts';
import { pathsOverlap } from './local-fields.ts';
import { readMeta, writeMeta } from '../state/meta.ts';
import { RESERVED_PROPERTY } from '../remote/wire-stamp.ts';

/**
 * The local fields of a container: as given, otherwise as the file was last told, so that a program which does not know of them does not send them. What is
 * given is written down where it is new.
 */
export function* declaredFields(database: string, container: string, given: readonly string[] | undefined): Program<readonly string[]> {
  const key = fieldsKey(database, container);
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

/** Refuses paths that lie within what others need as it is, or hold it. `what` they are, as in `the local field`. @throws INVALID_OPTION */
export function checkNotNeeded(what: string, paths: readonly (readonly string[])[], needed: readonly (readonly string[])[]): void {
  const others = [...COMMON, ...needed];
  for (const path of paths) {
    const other = others.find((one) => pathsOverlap(path, one));
    if (other !== undefined) {
      throw new PerigeeError(
        'INVALID_OPTION',
        `${what} ${pathText(path)} covers ${pathText(other)}, which is needed as it is: so are ids, keys, unique values, types and versions. Choose another property.`,
      );
    }
  }
}

function pathText(path: readonly string[]): string {
  return JSON.stringify(path.map((name) => `/${name}`).join(''));
}
