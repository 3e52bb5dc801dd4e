import type { LocalGroup } from './local-edits.ts';
import type { World } from '../world.ts';

/**
 * A request of a device was taken by the remote: what a transaction of the device wrote is in it whole. What the remote had of it already, or is not there as it was to be, need not be.
 *
 * @param sent texts of the request by `owner/id`, `undefined` for deletions
 */
export function checkSentWhole(world: World, device: string, sent: ReadonlyMap<string, string | undefined>): void {
  for (const [key, text] of sent) {
    const group = text === undefined ? undefined : groupOf(world, device, key, text);
    if (text === undefined || group === undefined || isMortal(world, group) || world.restored.has(text) || world.history.has(key, text)) {
      continue;
    }
    for (const [other, otherText] of group.texts) {
      const isThere = otherText === undefined ? wasGone(world, group, other) : world.history.has(other, otherText);
      // A merge makes another document of it.
      const isSent = sent.has(other) && (sent.get(other) === otherText || world.merges);
      if (!isThere && !isSent) {
        world.violate(`${device} sent ${key} = ${text} without ${other} = ${otherText ?? 'deleted'}, which it wrote at once`);
      }
    }
  }
}

/**
 * In the end a transaction is at the remote whole, or not at all: then all of it is in the journal. None of its documents counts as written by a later write alone.
 *
 * @param kept texts in the journal of each device, as `owner/id=text`, and documents that wait, as `owner/id`
 */
export function checkGroups(world: World, kept: ReadonlyMap<string, ReadonlySet<string>>): void {
  if (world.merges) {
    return;
  }
  for (const { device, texts } of world.edits.groups) {
    const written = Array.from(texts).filter((entry): entry is [string, string] => entry[1] !== undefined);
    if (isMortal(world, { texts }) || written.some(([, text]) => world.restored.has(text))) {
      continue;
    }
    const reached = written.filter(([key, text]) => world.history.has(key, text));
    const missing = written.filter(([key, text]) => !world.history.has(key, text));
    if (reached.length > 0 && missing.length > 0) {
      world.violate(`${device} wrote ${listed(written)} at once, and only ${listed(reached)} came to the remote`);
    }
    for (const [key, text] of missing) {
      if (kept.get(device)?.has(`${key}=${text}`) !== true && kept.get(device)?.has(key) !== true) {
        world.violate(`${device} wrote ${key} = ${text} at once with others, which neither reached the remote nor is kept`);
      }
    }
  }
}

/** Whether some of it expires: what is made anew in its place, while it waits, goes in its place. */
function isMortal(world: World, { texts }: Pick<LocalGroup, 'texts'>): boolean {
  return Array.from(texts.values()).some((text) => text !== undefined && world.isMortal(text));
}

/** Whether what a transaction has deleted was gone from the remote at any time since: its device may have seen that, and nothing is left to be sent, whoever makes it again. */
function wasGone(world: World, { device, position }: LocalGroup, key: string): boolean {
  const deletion = world.edits.all.find((edit) => edit.device === device && edit.key === key && edit.position === position);
  const since = world.history.of(key).slice(Math.max(0, (deletion?.versionsBefore ?? 0) - 1));
  return since.length === 0 || since.some(({ text }) => text === undefined);
}

function groupOf(world: World, device: string, key: string, text: string): LocalGroup | undefined {
  return world.edits.groups.find((group) => group.device === device && group.texts.get(key) === text);
}

function listed(written: readonly (readonly [string, string])[]): string {
  return written.map(([key, text]) => `${key} = ${text}`).join(', ');
}
