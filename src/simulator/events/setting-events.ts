import { isPerigeeError } from '../../core/errors.ts';
import { SETTINGS, type SimulatedDevice } from '../simulated-device.ts';
import type { World } from '../world.ts';

/** The user writes into a container that no other device has. */
export async function changeSetting(world: World, device: SimulatedDevice): Promise<void> {
  const value = (device.setting ?? 0) + 1;
  world.note(`${device.name} sets its own to ${value}`);
  try {
    await device.engine.store(SETTINGS.id).upsert({ id: 'theme', area: 'look', value });
    device.setting = value;
  } catch (error) {
    // It may have come to the file all the same.
    device.setting = device.disk.isDown ? undefined : device.setting;
    if (!device.disk.isDown && !isPerigeeError(error, 'STORE_FULL')) {
      world.violate(`${device.name} could not write its own: ${String(error)}`);
    }
  }
}

/** What was written there last is there. */
export async function checkSetting(world: World, device: SimulatedDevice): Promise<void> {
  if (!world.has('local-fields')) {
    return;
  }
  const found = await device.disk.look(() => device.engine.store(SETTINGS.id).read('theme', 'look'));
  const value = (found?.document['value'] as number | undefined) ?? 0;
  if (device.setting !== undefined && value !== device.setting) {
    world.violate(`${device.name} has set its own to ${device.setting}, and finds ${value}`);
  }
  device.setting = value;
}
