import { get } from '../../src/stores/sqlite/driver.ts';
import { mergeFields, type ConflictPolicy } from '../../src/sync/index.ts';
import { plain, synced, type Device, type Note } from './world.ts';

/** The policy of devices that merge. */
export const merging: ConflictPolicy = mergeFields({ counters: ['/n'], sets: ['/tags'] });

export const note = (more: object = {}, id = '1'): Note => ({ id, owner: 'ada', ...more });

/** What a device holds, without what stores add. */
export async function at(one: Device, id = '1'): Promise<object | undefined> {
  const found = await one.notes.read(id, 'ada');
  return found === undefined ? undefined : plain(found.document);
}

/** Both devices hold the document, and nothing is pending. */
export async function shared(first: Device, second: Device, document: Note): Promise<void> {
  await first.notes.create(document);
  await synced(first);
  await synced(second);
}

export const incr = (one: Device, value: number): Promise<unknown> => one.notes.patch('1', 'ada', [{ op: 'incr', path: '/n', value }]);

/** The base of what is pending. */
export async function basesOf(one: Device): Promise<string | null | undefined> {
  return (await one.backend.database.read(() => get<{ base: string | null }>('SELECT base FROM sync_outbox')))?.base;
}
