import type { JsonObject } from '../../core/json.ts';
import type { SimulatedDevice } from '../simulated-device.ts';
import type { World } from '../world.ts';

/** Nothing that belongs to a device alone comes to the remote. */
export function checkNothingLocal(world: World, device: string, key: string, document: JsonObject): void {
  if (world.has('local-fields') && document['draft'] !== undefined) {
    world.violate(`${device} sent ${key} with ${JSON.stringify(document['draft'])}, which was to stay on it`);
  }
}

/** What belongs to a device alone is nobody else's, and is as it was written for as long as its document is there. */
export function checkDraft(world: World, device: SimulatedDevice, key: string, document: JsonObject): void {
  if (!world.has('local-fields')) {
    return;
  }
  const shown = document['draft'] as string | undefined;
  if (shown !== undefined && !shown.startsWith(`${device.name} draft `)) {
    world.violate(`${device.name} shows ${key} with ${JSON.stringify(shown)}, which is not its own`);
    return;
  }
  const known = world.drafts.of(device.name, key);
  if (known === undefined || shown === known.value) {
    return;
  }
  const versions = world.history.of(key);
  // What goes from the device takes it along: what was deleted or has expired, and of a transaction that lost what the remote never had.
  const mayBeGone =
    world.has('expiry') ||
    versions.slice(known.versions).some(({ text }) => text === undefined) ||
    (versions[known.versions - 1]?.text === undefined &&
      world.edits.groups.some((group) => group.device === device.name && group.texts.has(key)));
  if (shown !== undefined || !mayBeGone) {
    world.violate(
      `${device.name} shows ${key} with ${shown === undefined ? 'nothing' : JSON.stringify(shown)} of its own, where it has ${JSON.stringify(known.value)}`,
    );
  }
}
