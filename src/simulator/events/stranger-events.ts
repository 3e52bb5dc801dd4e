import { besideStrangersText, expiryOf, noteWritten } from '../dimensions/written-documents.ts';
import { STRANGER } from '../remote-behaviour.ts';
import type { World } from '../world.ts';
import { BODY } from './writes.ts';

/** Somebody writes to the remote without any engine. */
export async function strangerWrites(world: World): Promise<void> {
  const { chance, remote, history } = world;
  const owner = chance.pick(chance.pick(world.devices).owners);
  const id = chance.pick(world.rules.ids);
  const key = `${owner}/${id}`;
  const current = await remote.read(id, owner);
  if (current !== undefined && chance.happens(40)) {
    world.note(`a stranger deletes ${key}`);
    await remote.delete(id, owner);
    history.add(key, { text: undefined, by: STRANGER });
    return;
  }
  const text = world.nextText(STRANGER);
  world.note(`a stranger writes ${key} = ${text}`);
  // Now and then it keeps the stamp of whoever wrote before.
  const kept = chance.happens(30) ? current?.document : undefined;
  world.notes.set(text, (kept?.['note'] as string | undefined) ?? null);
  const document = { ...kept, id, owner, text, body: BODY, ...(kept === undefined ? besideStrangersText(world, text) : {}) };
  noteWritten(world, text, document);
  await remote.upsert(document);
  history.add(key, { text, by: STRANGER, expiresAtMs: expiryOf(world, document) });
}
