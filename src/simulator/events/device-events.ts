import { isPerigeeError } from '../../core/errors.ts';
import { checkKnowledge } from '../oracle/check-knowledge.ts';
import type { SimulatedDevice } from '../simulated-device.ts';
import { NEWEST_VERSION } from '../dimensions/document-shapes.ts';
import type { World } from '../world.ts';
import { repeatEdits } from './local-events.ts';
import { checkSetting } from './setting-events.ts';

/** Statements within which a crash comes. */
const CRASH_WITHIN = 60;

/** A crash will come, before one of the next statements of the device. */
export function armCrash(world: World, device: SimulatedDevice): void {
  const crash = world.chance.pick(world.rules.crashes);
  const within = world.chance.below(CRASH_WITHIN);
  world.note(`${device.name} will crash (${crash}) in ${within} statements`);
  device.disk.crashIn(within, crash);
}

/** Starts a device that is down, and looks at what it finds. */
export async function restart(world: World, device: SimulatedDevice): Promise<void> {
  world.crashes += 1;
  await device.leave();
  upgrade(world, device);
  await device.start();
  const position = device.foundPosition ?? (await device.position());
  const gone = world.edits.undo(device.name, position);
  const undone = gone.length;
  world.note(`${device.name} starts again at position ${position}${undone === 0 ? '' : `, without ${undone} edits`}`);
  if (undone > 0 && device.disk.lastCrash === 'kill') {
    world.violate(`${device.name} was killed, and ${undone} acknowledged edits are gone`);
  }
  if (device.disk.lastCrash === 'power-loss') {
    // What it had sent, or has on its way, may be pending again.
    world.textsOf(device.name).forEach((text) => world.restored.add(text));
    world.shown.forget(device.name);
    world.drafts.forget(device.name);
    device.setting = undefined;
    Array.from(world.forgotten)
      .filter(([, { device: holder }]) => holder === device.name)
      .forEach(([key]) => world.forgotten.delete(key));
  }
  await checkKnowledge(world, device);
  await checkSetting(world, device);
  if (world.rules.repeats && world.chance.happens(60)) {
    await repeatEdits(world, device, gone);
  }
}

/** The power goes at this moment, and the user starts the device again at once. */
export async function losePower(world: World, device: SimulatedDevice): Promise<void> {
  world.note(`${device.name} loses its power`);
  device.disk.crash('power-loss');
  await world.settle();
  await restart(world, device);
}

/** The program of a device is replaced by a newer one now and then, while nobody else has the file. */
function upgrade(world: World, device: SimulatedDevice): void {
  if (world.has('versions') && device.second === undefined && device.version < NEWEST_VERSION && world.chance.happens(40)) {
    device.version += 1;
    world.note(`${device.name} knows version ${device.version}`);
  }
}

/** Starts a program beside another one, on a disk that may be full: what it has to write as it opens needs room, which its user then makes. */
async function startWithRoom(world: World, device: SimulatedDevice): Promise<void> {
  try {
    await device.start();
  } catch (error) {
    if (!isPerigeeError(error, 'STORE_FULL')) {
      throw error;
    }
    world.note(`  its disk is full, and made free`);
    device.disk.isFull = false;
    await device.start();
  }
}

/** A program that is ended and started again as it should be. */
export async function stopAndStart(world: World, device: SimulatedDevice): Promise<void> {
  world.note(`${device.name} is closed and opened`);
  try {
    await device.stop();
    upgrade(world, device);
    // A close that the crash comes into does not fail: what it leaves open is the next start's.
    if (!device.disk.isDown) {
      await startWithRoom(world, device);
    }
  } catch (error) {
    if (!device.disk.isDown) {
      throw error;
    }
  }
  if (device.disk.isDown) {
    world.note(`  down: ${device.disk.lastCrash}`);
    return;
  }
  await checkKnowledge(world, device);
  await checkSetting(world, device);
}

/** The clock of a device is set. */
export function setClock(world: World, device: SimulatedDevice): void {
  const { chance } = world;
  device.runtime.skewMs = chance.pick([0, 1, -1]) * chance.below(chance.pick([1000, 60_000, 86_400_000]));
  world.note(`the clock of ${device.name} is off by ${device.runtime.skewMs} ms`);
}

/** The line of a device is cut or mended. */
export function cutOrMend(world: World, device: SimulatedDevice): void {
  if (world.network.isCut(device.name)) {
    world.network.mend(device.name);
    world.note(`${device.name} is connected`);
  } else {
    world.network.cut(device.name);
    world.note(`${device.name} is cut off`);
  }
}
