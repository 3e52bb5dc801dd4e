import type { SimulatedDevice } from '../simulated-device.ts';
import type { World } from '../world.ts';

/** A cursor must never be ahead of the data: whatever it lies behind is known to the device. */
export async function checkKnowledge(world: World, device: SimulatedDevice): Promise<void> {
  if (!world.misled.has(device.name)) {
    await world.splits.look(() => checkCursors(world, device));
  }
}

async function checkCursors(world: World, device: SimulatedDevice): Promise<void> {
  const { cursors, bases, grouped, pending } = await device.knowledge();
  for (const [owner, cursor] of cursors) {
    const ahead = new Set<string>();
    const feed = world.served.changes({ from: { cursor }, partitionKey: owner });
    for (let page = await feed.nextPage(); page.changes.length > 0; page = await feed.nextPage()) {
      page.changes.forEach(({ document }) => ahead.add(document.id));
    }
    const { items } = (await world.remote
      .query<{ id: string; _etag: string }>('SELECT c.id, c._etag FROM c', { partitionKey: owner })
      .nextPage()) ?? {
      items: [],
    };
    for (const { id, _etag } of items) {
      const key = `${owner}/${id}`;
      // What is to be sent at once meets the remote when it is sent; so does a write that followed it, where that was given up.
      const isMetLater = grouped.has(key) || (pending.has(key) && world.edits.isInGroup(device.name, key));
      if (!ahead.has(id) && !isMetLater && bases.get(key) !== _etag) {
        world.violate(`the cursor of ${device.name} is ahead of its data: it does not know ${key} as it is`);
      }
    }
  }
}
