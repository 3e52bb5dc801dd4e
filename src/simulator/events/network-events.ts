import type { ErrorCode } from '../../core/error-codes.ts';
import type { Flight } from '../network/simulated-network.ts';
import type { World } from '../world.ts';

/** What a request may fail with, before or after it was carried out. */
const LOSSES: readonly ErrorCode[] = ['UNREACHABLE', 'TIMEOUT', 'CONNECTION_LOST'];
/** What the remote, or what stands before it, may answer instead of carrying a request out. */
const REFUSALS: readonly ErrorCode[] = ['THROTTLED', 'UNAVAILABLE', 'TOKEN_EXPIRED', 'UNAUTHORIZED', 'FORBIDDEN', 'SESSION_NOT_AVAILABLE'];

/** One request under way gets on, or does not. */
export async function moveFlight(world: World): Promise<void> {
  const { chance, network } = world;
  const flight = chance.pick(network.flights);
  const name = `${flight.from} ${flight.number} (${flight.label})`;
  switch (flight.state) {
    case 'answered':
      if (chance.happens(85)) {
        world.note(`answered ${name}`);
        network.answer(flight);
      } else {
        lose(world, flight, `the answer is lost to ${name}`);
      }
      return;
    case 'given-up':
      world.note(`arrives late ${name}`);
      await network.deliver(flight);
      return;
    default:
      await moveSent(world, flight, name);
  }
}

async function moveSent(world: World, flight: Flight, name: string): Promise<void> {
  const { chance, network } = world;
  const kind = chance.weighted<'deliver' | 'twice' | 'lose' | 'refuse' | 'give-up'>([
    [78, 'deliver'],
    [3, 'twice'],
    [6, 'lose'],
    [8, 'refuse'],
    [5, 'give-up'],
  ]);
  switch (kind) {
    case 'twice':
      world.note(`carried out twice ${name}`);
      await network.deliver(flight);
      await network.duplicate(flight);
      return;
    case 'lose':
      lose(world, flight, `lost ${name}`);
      return;
    case 'refuse': {
      const code = chance.pick(REFUSALS);
      world.note(`${code} to ${name}`);
      network.lose(flight, code, code === 'THROTTLED' ? 10 : undefined);
      return;
    }
    case 'give-up':
      world.note(`given up ${name}`);
      network.giveUp(flight);
      return;
    default:
      world.note(`carried out ${name}`);
      await network.deliver(flight);
  }
}

function lose(world: World, flight: Flight, event: string): void {
  const code = world.chance.pick(LOSSES);
  world.note(`${event}: ${code}`);
  world.network.lose(flight, code);
}

/** Everything that is still under way arrives. */
export async function landAll(world: World): Promise<void> {
  const { network } = world;
  for (let flight = network.flights[0]; flight !== undefined; flight = network.flights[0]) {
    if (flight.state === 'answered') {
      network.answer(flight);
    } else {
      await network.deliver(flight);
    }
    await world.settle();
  }
}
