import type { JsonObject } from '../../core/json.ts';
import { expiresAtSeconds } from '../../store/write-rules.ts';
import type { World } from '../world.ts';
import type { SimulatedDevice } from '../simulated-device.ts';
import { NEWEST_VERSION, shapeOf, titleIn } from './document-shapes.ts';

/** Seconds that documents live. */
const LIVES = [1, 30, 600, 7200];

/** What a device writes with a text, beside what all write. */
export function besideText(world: World, device: SimulatedDevice, text: string): JsonObject {
  const { chance } = world;
  let beside: JsonObject = {};
  if (world.has('expiry') && chance.happens(35)) {
    beside = { ...beside, ttl: chance.pick(LIVES) };
  }
  if (world.has('local-fields') && chance.happens(50)) {
    beside = { ...beside, draft: world.drafts.next(device.name) };
  }
  if (world.has('versions')) {
    beside = { ...beside, ...shapeOf(device.version, text) };
  }
  noteWritten(world, text, beside);
  return beside;
}

/** What a stranger writes with a text: it knows nothing of what is one device's own, and may be a newer program than any. */
export function besideStrangersText(world: World, text: string): JsonObject {
  const { chance } = world;
  let beside: JsonObject = {};
  if (world.has('expiry') && chance.happens(35)) {
    beside = { ...beside, ttl: chance.pick(LIVES) };
  }
  if (world.has('local-fields') && chance.happens(50)) {
    beside = { ...beside, draft: `of a stranger beside ${text}` };
  }
  if (world.has('versions')) {
    beside = { ...beside, ...shapeOf(chance.pick([1, NEWEST_VERSION]), text) };
  }
  return beside;
}

/** Takes note of what a document was written with, for those who meet its text again. */
export function noteWritten(world: World, text: string, document: JsonObject): void {
  if (document['ttl'] !== undefined || world.container.defaultTtl !== -1) {
    world.mortal.add(text);
  }
  if (world.has('versions')) {
    world.titles.set(text, titleIn(document));
  }
}

/** When a document that the remote takes at this moment expires there, in milliseconds since 1970. */
export function expiryOf(world: World, document: JsonObject): number | undefined {
  const seconds = expiresAtSeconds(
    Math.floor(world.runtime.nowMs() / 1000),
    document['ttl'] as number | undefined,
    world.container.defaultTtl,
  );
  return seconds === undefined ? undefined : seconds * 1000;
}
