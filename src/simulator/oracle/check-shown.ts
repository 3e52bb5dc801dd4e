import type { SimulatedDevice } from '../simulated-device.ts';
import type { World } from '../world.ts';

/** Looks at all documents of a device: they are its user's, and none is older than what it has shown before. */
export async function checkShown(world: World, device: SimulatedDevice): Promise<ReadonlyMap<string, string>> {
  const contents = await device.contents();
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
  for (const key of world.history.keys()) {
    if (device.owners.some((owner) => key.startsWith(`${owner}/`))) {
      const text = contents.get(key);
      const wrong = world.shown.show(world.history, device.name, key, text, own.has(key) && own.get(key) === text);
      if (wrong !== undefined) {
        world.violate(wrong);
      }
    }
  }
  return contents;
}
