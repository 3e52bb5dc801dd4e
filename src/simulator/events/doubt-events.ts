import type { Flight } from '../network/simulated-network.ts';
import type { SimulatedDevice } from '../simulated-device.ts';
import type { World } from '../world.ts';
import { editLocally, transactLocally } from './local-events.ts';
import { strangerWrites } from './stranger-events.ts';

/** What a device has sent that the remote has taken, while the answer is still on its way. */
export function takenFrom({ network }: World, device: SimulatedDevice): Flight | undefined {
  return network.flights.find(({ from, state, label }) => from === device.name && state === 'answered' && label.startsWith('batch '));
}

/** The answer to what a device has sent is lost. Its user writes on, all at once and then some of it again, and so does somebody else: nobody knows what was sent on top of what. */
export async function doubt(world: World, device: SimulatedDevice, flight: Flight): Promise<void> {
  world.note(`the answer is lost to ${flight.from} ${flight.number} (${flight.label})`);
  world.network.lose(flight, 'CONNECTION_LOST');
  await world.settle();
  const events = [() => transactLocally(world, device), () => editLocally(world, device), () => editLocally(world, device)];
  for (const event of events) {
    if (device.isUp) {
      await event();
    }
  }
  await strangerWrites(world);
}
