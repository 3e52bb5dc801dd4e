import { readRemote } from '../../sync/wire-stamp.ts';
import type { World } from '../world.ts';

/** The texts of all living documents of the remote, by `owner/id`. */
export async function remoteContents(world: World): Promise<ReadonlyMap<string, string>> {
  const contents = new Map<string, string>();
  for (const owner of new Set(world.devices.flatMap((device) => device.owners))) {
    const feed = world.remote.changes({ from: 'beginning', partitionKey: owner });
    for (let page = await feed.nextPage(); page.changes.length > 0; page = await feed.nextPage()) {
      for (const { document } of page.changes) {
        const { id, body, deleted } = readRemote(document, undefined);
        if (!deleted) {
          contents.set(`${owner}/${id}`, String(body['text']));
        }
      }
    }
  }
  return contents;
}
