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

/**
 * The life of the device that begins: from one opening of the file to the next. Nothing is written, so that a device whose disk is full can be opened;
 * {@link noteLife} has to follow before the life appears in the name of a write.
 */
export function* nextLife(runtime: Runtime): Program<string> {
  const number = Number((yield* readMeta('life')) ?? 0) + 1;
  return lifeText(number, toHex(runtime.randomBytes(LIFE_BYTES)));
}

/** Writes down that a life has begun, in the transaction that notes the first names with it. */
export function* noteLife(life: string): Program<void> {
  // Another process on the file may have begun a later one.
  if (Number((yield* readMeta('life')) ?? 0) < numberOfLife(life)) {
    yield* writeMeta('life', `${numberOfLife(life)}`);
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
