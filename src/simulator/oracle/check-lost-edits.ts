import { checkGroups } from './check-groups.ts';
import { RESTORED } from '../remote-behaviour.ts';
import type { LocalEdit } from './local-edits.ts';
import type { HistoryEntry } from './remote-history.ts';
import type { World } from '../world.ts';

/**
 * No acknowledged edit is lost: it reached the remote, or is in a journal, or waits as a dead letter. A deletion has its will also where the document is
 * gone for another reason.
 */
export async function checkLostEdits(world: World): Promise<void> {
  const kept = new Map<string, Set<string>>();
  const givenUp = new Set<string>();
  for (const device of world.devices) {
    const journal = await device.journal(10_000);
    const entries = journal.map(
      ({ partitionKey, id, document }) => `${String(partitionKey[0])}/${id}=${document?.['text'] as string | undefined}`,
    );
    for (const { id, losingSide, document, partitionKey, reason } of journal) {
      const text = document?.['text'];
      if (reason === 'restored' && losingSide === 'local') {
        givenUp.add(`${String(partitionKey[0])}/${id}=${text as string | undefined}`);
      }
      // Where devices merge, the text of one may stand in what another has written.
      if (
        !world.merges &&
        losingSide === 'remote' &&
        typeof text === 'string' &&
        text.startsWith(`${device.name}#`) &&
        !world.restored.has(text)
      ) {
        world.violate(`${device.name} took its own write of ${id} = ${text} for another's`);
      }
    }
    const waiting = (await device.engine.pending({ rejected: true })).map(({ partitionKey, id }) => `${String(partitionKey[0])}/${id}`);
    kept.set(device.name, new Set([...entries, ...waiting]));
  }
  for (const { device, key, text } of world.overwritten) {
    if (kept.get(device)?.has(`${key}=${text}`) !== true) {
      world.violate(`${device} sent its own in the place of ${key} = ${text}, and its journal does not know that any more`);
    }
  }
  checkForgotten(world, kept, givenUp);
  checkGroups(world, kept);
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

/** What a restored remote forgot is there again, unless it was written since, or lost with its transaction. What the backup had is no reason to give it up. */
function checkForgotten(world: World, kept: ReadonlyMap<string, ReadonlySet<string>>, givenUp: ReadonlySet<string>): void {
  for (const [key, { text, device }] of world.forgotten) {
    const last = world.history.last(key);
    if (
      !world.isMortal(text) &&
      last?.by === RESTORED &&
      last.text !== text &&
      (kept.get(device)?.has(`${key}=${text}`) !== true || givenUp.has(`${key}=${text}`))
    ) {
      world.violate(`the remote was restored, and ${device} has not sent ${key} = ${text} to it again`);
    }
  }
}

/** Whether an edit came to the remote, and stayed there or was replaced by another write: one that a backup took away has to come again. */
function hasReached(world: World, edit: LocalEdit): boolean {
  const versions = world.history.of(edit.key);
  if (edit.text === undefined) {
    const index = versions.findLastIndex(({ text }, at) => at >= edit.versionsBefore && text === undefined);
    return edit.isVoid || (index !== -1 && !isForgotten(versions, index));
  }
  const index = versions.findLastIndex(({ text }) => text === edit.text);
  // What expires may have done so on the device by the time it knows that it was forgotten.
  return (
    (index !== -1 && (world.isMortal(edit.text) || !isForgotten(versions, index))) ||
    isReplaced(versions, edit.text) ||
    isWithin(world, edit)
  );
}

/** Where a policy merges, a device that lost its power knows its own edit again in a later one that was made on top and had been sent. */
function isWithin(world: World, edit: LocalEdit): boolean {
  if (!world.merges) {
    return false;
  }
  const texts = world.textsOf(edit.device);
  const later = new Set(texts.slice(texts.indexOf(edit.text ?? '') + 1).filter((text) => world.restored.has(text)));
  return world.history.of(edit.key).some(({ text }) => text !== undefined && later.has(text));
}

/** Whether what once took the place of a text is there in the end, whatever backups brought back meanwhile. */
function isReplaced(versions: readonly HistoryEntry[], text: string): boolean {
  const last = versions.at(-1)?.text;
  return last !== undefined && last !== text && versions.some((one, at) => one.text === text && versions[at + 1]?.text === last);
}

function isForgotten(versions: readonly HistoryEntry[], index: number): boolean {
  return versions[index + 1]?.by === RESTORED;
}
