import { getOwn, type JsonObject } from '../../core/json.ts';
import type { World } from '../world.ts';

/**
 * What comes to the remote is what its device had, all of it: each text was written beside one note, or none, whoever sends it again. Where a policy merges,
 * the text of one side may stand beside the note of another.
 */
export function checkNote(world: World, device: string, key: string, text: string | undefined, document: JsonObject): void {
  const expected = text === undefined || world.merges ? undefined : world.notes.get(text);
  const note = getOwn(document, 'note') ?? null;
  if (expected !== undefined && note !== expected) {
    world.violate(
      `${device} sent ${key} = ${text} with the note ${JSON.stringify(note)}, which was written with ${JSON.stringify(expected)}`,
    );
  }
}
