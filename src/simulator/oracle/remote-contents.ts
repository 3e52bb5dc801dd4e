import type { World } from '../world.ts';

/** The texts of all living documents of the remote, by `owner/id`: what was written there last, whatever anybody reads from it. */
export function remoteContents({ history }: World): ReadonlyMap<string, string> {
  const contents = new Map<string, string>();
  for (const key of history.keys()) {
    const text = history.last(key)?.text;
    if (text !== undefined) {
      contents.set(key, text);
    }
  }
  return contents;
}
