import { isPerigeeError } from '../../core/errors.ts';
import type { SimulatedDevice } from '../simulated-device.ts';
import type { World } from '../world.ts';

/** Statements within which the second process of a device is killed. */
const KILLED_WITHIN = 40;

/** Another program opens the file of a device. */
export async function startSecond(world: World, device: SimulatedDevice): Promise<void> {
  world.note(`${device.name} gets a second process`);
  try {
    await device.startSecond();
  } catch (error) {
    if (!device.disk.isDown && !isPerigeeError(error, 'STORE_FULL')) {
      throw error;
    }
    world.note(`  ${device.disk.isDown ? 'down' : 'refused'}`);
  }
}

/** The second process will be killed, and the first goes on. */
export function killSecond(world: World, device: SimulatedDevice): void {
  const within = world.chance.below(KILLED_WITHIN);
  world.note(`the second process of ${device.name} will be killed in ${within} statements`);
  device.second?.process.killIn(within);
}

/** The second process is gone: it was killed, or is asked to end. */
export async function endSecond(world: World, device: SimulatedDevice): Promise<void> {
  const { second } = device;
  if (second === undefined) {
    return;
  }
  if (second.isUp) {
    world.note(`the second process of ${device.name} ends`);
    try {
      await second.stop();
    } catch (error) {
      if (second.isUp) {
        throw error;
      }
    }
  } else {
    world.note(`the second process of ${device.name} was killed`);
    second.engine.stop();
  }
  device.second = undefined;
}
