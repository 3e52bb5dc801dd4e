import { versionIn } from '../dimensions/document-shapes.ts';
import { checkDraft } from './check-local.ts';
import { checkShape } from './check-shape.ts';
import type { SimulatedDevice } from '../simulated-device.ts';
import type { World } from '../world.ts';

/** Looks at all documents of a device: they are its user's, and none is older than what it has shown before. */
export async function checkShown(world: World, device: SimulatedDevice): Promise<ReadonlyMap<string, string>> {
  const documents = await device.documents();
  const contents = new Map(Array.from(documents, ([key, { text }]) => [key, text]));
  const own = new Map(
    world.edits
      .last()
      .filter((edit) => edit.device === device.name)
      .map(({ key, text }) => [key, text]),
  );
  for (const key of contents.keys()) {
    if (!device.owners.some((owner) => key.startsWith(`${owner}/`))) {
      world.violate(`${device.name} of ${device.user} holds ${key}`);
    }
  }
  for (const [key, document] of documents) {
    checkDraft(world, device, key, document);
    checkLiving(world, device, key, document.text);
    checkShape(world, device.name, key, document);
    if (world.has('versions') && versionIn(document) < device.version) {
      world.violate(`${device.name} shows ${key} in version ${versionIn(document)}, its program knows version ${device.version}`);
    }
  }
  for (const key of world.history.keys()) {
    if (device.owners.some((owner) => key.startsWith(`${owner}/`))) {
      const text = contents.get(key);
      const wrong = world.shown.show(
        world.history,
        device.name,
        key,
        text,
        (own.has(key) && own.get(key) === text) || (text === undefined && world.mortal.has(own.get(key) ?? '')),
        (one) => world.mortal.has(one),
      );
      if (wrong !== undefined) {
        world.violate(wrong);
      }
    }
  }
  return contents;
}

/** A device with a clock that is right shows nothing that others have written and that has expired at the remote. */
function checkLiving(world: World, { name, runtime }: SimulatedDevice, key: string, text: string): void {
  const version = world.history.of(key).findLast((one) => one.text === text);
  const isRight = runtime.skewMs === 0 && runtime.driftPpm === 0;
  if (!isRight || world.merges || version?.expiresAtMs === undefined || text.startsWith(`${name}#`) || world.restored.has(text)) {
    return;
  }
  if (version.expiresAtMs <= world.runtime.nowMs()) {
    world.violate(`${name} shows ${key} = ${text}, which has expired at the remote`);
  }
}
