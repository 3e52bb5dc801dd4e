import type { World } from '../world.ts';

/** How long a partition of the remote is gone while it splits or merges, in milliseconds. */
const LASTS_MS = [1, 500, 30_000];

/** A partition of the remote splits, or two merge: for some time nobody is answered. */
export async function splitOrMerge(world: World): Promise<void> {
  const durationMs = world.chance.pick(LASTS_MS);
  const what = await world.splitOrMerge();
  world.splits.begin(what, world.runtime.nowMs() + durationMs);
  world.note(`a partition of the remote ${what} for ${durationMs} ms`);
}
