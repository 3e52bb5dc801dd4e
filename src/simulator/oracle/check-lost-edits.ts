import type { LocalEdit } from './local-edits.ts';
import type { World } from '../world.ts';

/**
 * No acknowledged edit is lost: it reached the remote, or is in a journal, or waits as a dead letter. A deletion has its will also where the document is
 * gone for another reason.
 */
export async function checkLostEdits(world: World): Promise<void> {
  const kept = new Map<string, Set<string>>();
  for (const device of world.devices) {
    const journal = await device.journal(10_000);
    const entries = journal.map(
      ({ partitionKey, id, document }) => `${String(partitionKey[0])}/${id}=${document?.['text'] as string | undefined}`,
    );
    for (const { id, losingSide, document } of journal) {
      const text = document?.['text'];
      if (losingSide === 'remote' && typeof text === 'string' && text.startsWith(`${device.name}#`) && !world.restored.has(text)) {
        world.violate(`${device.name} took its own write of ${id} = ${text} for another's`);
      }
    }
    const waiting = (await device.engine.pending({ rejected: true })).map(({ partitionKey, id }) => `${String(partitionKey[0])}/${id}`);
    kept.set(device.name, new Set([...entries, ...waiting]));
  }
  for (const edit of world.edits.last()) {
    if (
      !hasReached(world, edit) &&
      kept.get(edit.device)?.has(`${edit.key}=${String(edit.text)}`) !== true &&
      kept.get(edit.device)?.has(edit.key) !== true
    ) {
      world.violate(`${edit.device} wrote ${edit.key} = ${edit.text ?? 'deleted'}, which neither reached the remote nor is kept`);
    }
  }
}

function hasReached(world: World, edit: LocalEdit): boolean {
  const versions = world.history.of(edit.key);
  return edit.text === undefined
    ? edit.isVoid || versions.slice(edit.versionsBefore).some(({ text }) => text === undefined)
    : versions.some(({ text }) => text === edit.text);
}
