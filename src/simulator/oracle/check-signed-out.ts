import type { SimulatedDevice } from '../simulated-device.ts';
import type { World } from '../world.ts';

/** Who is not signed in is refused, and keeps everything: what it shows, and what waits to be sent. */
export async function checkSignedOut(world: World, device: SimulatedDevice): Promise<void> {
  const code = world.tokens.refusal(device.name, world.runtime.nowMs());
  if (code === undefined) {
    return;
  }
  const before = await allOf(device);
  const report = await device.engine.sync();
  world.note(`${device.name} is refused: ${report.error?.code ?? report.outcome}`);
  if (report.error?.code !== code) {
    world.violate(`${device.name} is refused with ${code}, and its run ends with ${report.error?.code ?? report.outcome}`);
  }
  const after = await allOf(device);
  if (after !== before) {
    world.violate(`${device.name} was refused with ${code}, and has changed by that: ${before} became ${after}`);
  }
}

async function allOf(device: SimulatedDevice): Promise<string> {
  const { pending, deadLetters } = await device.knowledge();
  const waiting = (await device.engine.pending({ rejected: true })).map(({ id, attempts }) => `${id} after ${attempts}`);
  return JSON.stringify([[...(await device.contents())], [...pending], [...deadLetters], waiting]);
}

/** A schedule goes on by itself once its device is signed in again. */
export async function checkScheduled(world: World): Promise<void> {
  const scheduled = world.devices.filter(({ isUp, isScheduled }) => isUp && isScheduled);
  if (scheduled.length === 0) {
    return;
  }
  // Longer than any wait after failures.
  for (let round = 0; round < 12; round += 1) {
    await world.runtime.advance(30_000);
    await world.settle();
  }
  for (const device of scheduled) {
    await Promise.all(device.running);
    const { pending } = await device.knowledge();
    if (pending.size > 0) {
      world.violate(`${device.name} runs by itself and has a token, and ${[...pending].join(', ')} still waits`);
    }
  }
}
