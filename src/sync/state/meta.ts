import { PerigeeError } from '../../core/errors.ts';
import { toHex, type Runtime } from '../../core/runtime.ts';
import { get, run, type Program } from '../../stores/sqlite/driver.ts';
import { lifeText, numberOfLife } from '../remote/lineage.ts';

/** Reads a value of the engine's own. */
export function* readMeta(key: string): Program<string | undefined> {
  return (yield* get<{ value: string }>('SELECT value FROM sync_meta WHERE key = ?', key))?.value;
}

/** Writes a value of the engine's own. */
export function* writeMeta(key: string, value: string): Program<void> {
  yield* run('INSERT INTO sync_meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value', key, value);
}

/** Bytes that tell two lives of one number apart. */
const LIFE_BYTES = 4;

/** The newest life that was noted, `'0'` for none. Earlier versions of the engine noted its number alone, in decimal digits, which read as hexadecimal are no less. */
export function* lastLife(): Program<string> {
  return (yield* readMeta('life')) ?? '0';
}

/**
 * The life of the device that begins: from one opening of the file to the next. Nothing is written, so that a device whose disk is full can be opened;
 * {@link noteLife} has to follow before the life appears in the name of a write.
 */
export function nextLife(last: string, runtime: Runtime): string {
  return lifeText(numberOfLife(last) + 1, toHex(runtime.randomBytes(LIFE_BYTES)));
}

/** Writes down that a life has begun, in the transaction that notes the first names with it, or that makes a write pending whose life may have to be known. */
export function* noteLife(life: string): Program<void> {
  // Another process on the file may have begun a later one.
  if (numberOfLife(yield* lastLife()) < numberOfLife(life)) {
    yield* writeMeta('life', life);
  }
}

/**
 * Binds the file to its user and its device on first open, and refuses every other user from then on.
 *
 * @returns the device's id
 * @throws SYNC_SCOPE
 */
export function* bindFile(user: string, device: string | undefined, runtime: Runtime): Program<string> {
  const owner = yield* readMeta('user');
  if (owner === undefined) {
    yield* writeMeta('user', user);
  } else if (owner !== user) {
    throw new PerigeeError(
      'SYNC_SCOPE',
      'Cannot open the file for this user: it belongs to another one. Give each user a file of their own.',
    );
  }
  const known = yield* readMeta('device');
  const id = device ?? known ?? toHex(runtime.randomBytes(8));
  if (id !== known) {
    yield* writeMeta('device', id);
  }
  return id;
}
