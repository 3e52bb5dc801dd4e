import type { ErrorCode } from '../../core/error-codes.ts';
import type { SimulatedDevice } from '../simulated-device.ts';
import type { World } from '../world.ts';

/** How long a token is good, in milliseconds. */
const LIVES = [500, 60_000, 7_200_000];
const REVOKED: readonly ErrorCode[] = ['UNAUTHORIZED', 'FORBIDDEN'];

/** A device gets a token. */
export function signIn(world: World, device: SimulatedDevice): void {
  const lifeMs = world.chance.pick(LIVES);
  world.note(`${device.name} is signed in for ${lifeMs} ms`);
  world.tokens.grant(device.name, world.runtime.nowMs() + lifeMs);
}

/** Somebody takes the token of a device away. */
export function revokeToken(world: World, device: SimulatedDevice): void {
  const code = world.chance.pick(REVOKED);
  world.note(`the token of ${device.name} is revoked: ${code}`);
  world.tokens.revoke(device.name, code);
}
