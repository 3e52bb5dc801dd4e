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
    checkShape(world, device.name, key, document);
    if (world.has('versions') && versionIn(document) < device.version) {
      world.violate(`${device.name} shows ${key} in version ${versionIn(document)}, its program knows version ${device.version}`);
    }
  }
  await checkExpiry(world, device, documents);
  for (const key of world.history.keys()) {
    if (device.owners.some((owner) => key.startsWith(`${owner}/`))) {
      const text = contents.get(key);
      const wrong = world.shown.show(
        world.history,
        device.name,
        key,
        text,
        (own.has(key) && own.get(key) === text) || (text === undefined && world.isMortal(own.get(key) ?? '')),
        (one) => world.isMortal(one),
      );
      if (wrong !== undefined) {
        world.violate(wrong);
      }
    }
  }
  return contents;
}

/** What others have written expires on a device when it does at the remote, whenever it was pulled and whatever clock the device has. */
async function checkExpiry(
  world: World,
  device: SimulatedDevice,
  documents: ReadonlyMap<string, { readonly text: string }>,
): Promise<void> {
  if (!world.has('expiry') || world.merges) {
    return;
  }
  const expiries = await device.expiries();
  for (const [key, { text }] of documents) {
    const versions = world.history.of(key).filter((one) => one.text === text);
    const isForeign = versions.length > 0 && !text.startsWith(`${device.name}#`) && !world.restored.has(text);
    if (isForeign && !versions.some(({ expiresAtMs }) => expiresAtMs === expiries.get(key))) {
      world.violate(`${device.name} lets ${key} = ${text} expire at another time than the remote`);
    }
  }
}
