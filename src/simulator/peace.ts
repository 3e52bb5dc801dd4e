import { restart } from './events/device-events.ts';
import { landAll } from './events/network-events.ts';
import { endSecond } from './events/process-events.ts';
import { checkKnowledge } from './oracle/check-knowledge.ts';
import { checkLostEdits } from './oracle/check-lost-edits.ts';
import { checkShown } from './oracle/check-shown.ts';
import { checkScheduled, checkSignedOut } from './oracle/check-signed-out.ts';
import { remoteContents } from './oracle/remote-contents.ts';
import type { SimulatedDevice } from './simulated-device.ts';
import type { World } from './world.ts';

/** Rounds after which all must be quiet. */
const MAX_QUIET_ROUNDS = 6;

/** The end of a run: nothing goes wrong any more, and everything must come to be equal. */
export class Peace {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  /** All lines are mended, all devices run, nothing goes wrong any more. */
  async make(): Promise<void> {
    const { network, devices } = this.#world;
    this.#world.note('peace');
    for (const device of devices) {
      network.mend(device.name);
      device.disk.isFull = false;
      device.disk.crashIn(Number.POSITIVE_INFINITY, 'kill');
    }
    network.isIdeal = true;
    this.#world.splits.end();
    await landAll(this.#world);
    await this.#endDimensions();
    for (const device of devices) {
      if (device.isUp) {
        device.engine.stop();
        await this.#runsOf(device);
      } else {
        await restart(this.#world, device);
      }
    }
    await this.#settleAll();
    const refused = [];
    for (const device of devices) {
      if ((await device.knowledge()).deadLetters.size > 0) {
        refused.push(device);
      }
    }
    for (const device of refused) {
      for (const { id, code } of await device.engine.deadLetters.list()) {
        if (code !== 'TOO_LARGE') {
          this.#world.violate(`${device.name} has a dead letter ${id} for ${code}, which no document is to blame for`);
        }
      }
    }
    // Dead letters have held back nothing else; now the remote takes them as well.
    this.#world.refusing = false;
    let again = 0;
    for (const device of refused) {
      const count = await device.engine.deadLetters.retry();
      again += count;
      this.#world.note(`${device.name} sends ${count} dead letters again`);
    }
    if (again > 0) {
      await this.#settleAll();
    }
    await checkLostEdits(this.#world);
  }

  /** The ends of all runs of a device, which may wait for another process. */
  async #runsOf(device: SimulatedDevice): Promise<void> {
    const runs = Promise.all(device.running);
    await (this.#world.has('processes') ? this.#world.runtime.runUntilSettled(runs) : runs);
  }

  /** Whatever only some worlds have comes to its end. */
  async #endDimensions(): Promise<void> {
    const world = this.#world;
    for (const device of world.devices) {
      const { second } = device;
      if (second !== undefined && device.isUp) {
        if (second.isUp && world.chance.happens(50)) {
          second.process.killIn(0);
          await second.engine.status().catch(() => undefined);
        }
        await endSecond(world, device);
      }
      if (world.has('expiry')) {
        // By a clock that is wrong documents expire at another time than at the remote.
        device.runtime.skewMs = 0;
        device.runtime.driftPpm = 0;
        if (device.isUp) {
          await checkShown(world, device);
        }
      }
    }
    if (world.has('tokens')) {
      for (const device of world.devices) {
        if (device.isUp) {
          await this.#runsOf(device);
          await checkSignedOut(world, device);
        }
        world.tokens.grant(device.name, Number.POSITIVE_INFINITY);
      }
      await checkScheduled(world);
    }
    world.expire();
  }

  /** Rounds until all are equal and nothing waits but dead letters. */
  async #settleAll(): Promise<void> {
    for (let round = 1; !(await this.#isQuiet(round)); round += 1) {
      await this.#world.runtime.advance(60_000);
    }
  }

  /** Devices have met the remote as it is: they know what it forgot. What waits as a dead letter they have taken for forgotten by then, and send when it is tried again. */
  async #endMisled(): Promise<void> {
    const { devices, misled, decided } = this.#world;
    for (const device of devices.filter(({ name }) => misled.has(name))) {
      const { pending, deadLetters } = await device.knowledge();
      [...pending, ...deadLetters].forEach((key) => decided.add(`${device.name} ${key}`));
    }
    misled.clear();
  }

  /** One round in which every device exchanges all it has. Gives whether all are equal and nothing waits, or a violation is found. */
  async #isQuiet(round: number): Promise<boolean> {
    const { devices } = this.#world;
    for (const device of devices) {
      this.#world.expire();
      const report = await device.engine.reconcile();
      if (report.outcome !== 'complete') {
        this.#world.violate(
          `${device.name} cannot synchronise in peace: ${report.error?.code ?? report.outcome} ${report.error?.message ?? ''}`,
        );
        return true;
      }
    }
    await this.#endMisled();
    const expected = remoteContents(this.#world);
    const different: string[] = [];
    for (const device of devices) {
      await checkKnowledge(this.#world, device);
      const contents = await checkShown(this.#world, device);
      const { pending, deadLetters } = await device.knowledge();
      const own = Array.from(expected).filter(([key]) => device.owners.some((owner) => key.startsWith(`${owner}/`)));
      const wrong = own.filter(([key, text]) => contents.get(key) !== text && !deadLetters.has(key)).map(([key]) => key);
      const extra = Array.from(contents.keys()).filter((key) => !expected.has(key) && !deadLetters.has(key));
      if (deadLetters.size > 0 && !this.#world.refusing) {
        this.#world.violate(`${device.name} has dead letters that nobody refused: ${[...deadLetters].join(', ')}`);
      }
      if (wrong.length + extra.length + pending.size > 0) {
        different.push(`${device.name}: ${[...wrong, ...extra].join(', ') || 'equal'}, ${pending.size} pending`);
      }
    }
    if (different.length > 0 && round >= MAX_QUIET_ROUNDS) {
      this.#world.violate(`after ${round} rounds of peace not all is equal: ${different.join('; ')}`);
    }
    return different.length === 0 || this.#world.violations.length > 0;
  }
}
