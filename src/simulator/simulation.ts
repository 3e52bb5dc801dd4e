import type { SyncEngine } from '../sync/engine.ts';
import type { SyncReport } from '../sync/sync-report.ts';
import { armCrash, cutOrMend, losePower, restart, setClock, stopAndStart } from './events/device-events.ts';
import { doubt, takenFrom } from './events/doubt-events.ts';
import { editLocally, makeAll, restoreLoser } from './events/local-events.ts';
import { landAll, moveFlight } from './events/network-events.ts';
import { endSecond, killSecond, startSecond } from './events/process-events.ts';
import { backUp, mayRestore, restoreBackup } from './events/remote-events.ts';
import { changeSetting } from './events/setting-events.ts';
import { splitOrMerge } from './events/split-events.ts';
import { strangerWrites } from './events/stranger-events.ts';
import { revokeToken, signIn } from './events/token-events.ts';
import type { Flight } from './network/simulated-network.ts';
import { checkLostEdits } from './oracle/check-lost-edits.ts';
import { checkKnowledge } from './oracle/check-knowledge.ts';
import { checkShown } from './oracle/check-shown.ts';
import { checkScheduled, checkSignedOut } from './oracle/check-signed-out.ts';
import { remoteContents } from './oracle/remote-contents.ts';
import type { SimulatedDevice } from './simulated-device.ts';
import type { World } from './world.ts';

const DEFAULT_STEPS = 60;
/** Rounds after which all must be quiet. */
const MAX_QUIET_ROUNDS = 6;
/** Errors that only a defect gives. */
const DEFECTS: ReadonlySet<string> = new Set(['INTERNAL', 'BAD_RESPONSE', 'STORE_CORRUPT', 'STORE_BUSY']);

type Event = () => Promise<void> | void;

/** Runs a world: events in an order that its seed gives, then peace, in which everything must come to be equal. */
export class Simulation {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  /** Runs to the end, or to the first violation. */
  async run(): Promise<void> {
    try {
      await this.#run();
    } catch (error) {
      // What would never end is stopped wherever it is.
      if (!this.#world.work.isOver) {
        throw error;
      }
    }
  }

  async #run(): Promise<void> {
    const { options, violations } = this.#world;
    const steps = options.steps ?? DEFAULT_STEPS;
    if (this.#world.rules.isInStep) {
      await this.#bringInStep();
    }
    for (let step = 0; step < steps && violations.length === 0; step += 1) {
      await this.#nextEvent()();
      await this.#world.settle();
    }
    if (violations.length === 0) {
      await this.#quiet();
    }
  }

  /** Makes the documents, and lets all devices have them: else it takes half of the events until any two meet. */
  async #bringInStep(): Promise<void> {
    const { network, devices } = this.#world;
    for (const user of new Set(devices.map((device) => device.user))) {
      await makeAll(this.#world, devices.find((device) => device.user === user) as SimulatedDevice);
    }
    network.isIdeal = true;
    for (const device of [...devices, ...devices]) {
      this.#checkReport(device, await device.engine.sync());
    }
    network.isIdeal = false;
  }

  #nextEvent(): Event {
    const { chance, devices, network, frail, rules } = this.#world;
    const { events } = rules;
    const device = chance.pick(devices);
    const up = (weight: number): number => (device.isUp ? weight : 0);
    const taken = takenFrom(this.#world, device);
    return chance.weighted<Event>([
      [up(events.edits), () => editLocally(this.#world, device)],
      [up(device.running.size === 0 ? events.runs : 1), () => this.#sync(device, 'syncs', (engine) => engine.sync())],
      [up(1), () => this.#sync(device, 'reconciles', (engine) => engine.reconcile())],
      [network.flights.length === 0 ? 0 : events.flights, () => moveFlight(this.#world)],
      [device.isUp ? 0 : 40, () => restart(this.#world, device)],
      [events.strangers, () => strangerWrites(this.#world)],
      [events.time, () => this.#pass()],
      [up(events.crashes), () => armCrash(this.#world, device)],
      [taken === undefined ? 0 : up(events.powerNow), () => losePower(this.#world, device)],
      [taken === undefined ? 0 : up(events.doubts), () => doubt(this.#world, device, taken as Flight)],
      [up(1), () => stopAndStart(this.#world, device)],
      [events.clocks, () => setClock(this.#world, device)],
      [3, () => cutOrMend(this.#world, device)],
      [up(2), () => restoreLoser(this.#world, device)],
      [up(1), () => this.#fill(device)],
      [up(this.#world.has('tokens') ? 6 : 1), () => this.#schedule(device)],
      [up(5), () => this.#look(device)],
      [frail ? events.backups : 0, () => backUp(this.#world)],
      [mayRestore(this.#world) ? events.restores : 0, () => restoreBackup(this.#world)],
      ...this.#furtherEvents(device, up),
    ]);
  }

  /** Events of single dimensions. */
  #furtherEvents(device: SimulatedDevice, up: (weight: number) => number): readonly (readonly [number, Event])[] {
    const world = this.#world;
    const { second } = device;
    const hasSecond = second?.isUp === true;
    const isOut = world.tokens.refusal(device.name, world.runtime.nowMs()) !== undefined;
    const events: (readonly [number, Event])[] = [];
    if (world.has('processes')) {
      events.push(
        [second === undefined ? up(12) : 0, () => startSecond(world, device)],
        [hasSecond ? up(14) : 0, () => this.#syncSecond(device)],
        [hasSecond ? up(3) : 0, () => killSecond(world, device)],
        [second === undefined ? 0 : hasSecond ? up(1) : up(12), () => endSecond(world, device)],
      );
    }
    if (world.has('tokens')) {
      events.push([isOut ? 10 : 2, () => signIn(world, device)], [isOut ? 0 : 2, () => revokeToken(world, device)]);
    }
    if (world.has('splits')) {
      events.push([4, () => splitOrMerge(world)]);
    }
    if (world.has('local-fields')) {
      events.push([up(2), () => changeSetting(world, device)]);
    }
    return events;
  }

  #syncSecond(device: SimulatedDevice): void {
    const { second } = device;
    if (second === undefined) {
      return;
    }
    this.#world.note(`${second.name} syncs`);
    void second
      .run((engine) => engine.sync())
      .then((result) => {
        if (device.isUp && second.isUp) {
          this.#checkReport(device, result);
        }
      });
  }

  #sync(device: SimulatedDevice, what: string, start: (engine: SyncEngine) => Promise<SyncReport>): void {
    this.#world.note(`${device.name} ${what}`);
    const run = device.run(start);
    void run.then((result) => {
      if (device.isUp) {
        this.#checkReport(device, result);
      }
    });
  }

  #checkReport(device: SimulatedDevice, result: SyncReport | Error): void {
    if (result instanceof Error) {
      const code = 'code' in result ? String(result.code) : 'none';
      if (code !== 'CLOSED') {
        this.#world.violate(`a run of ${device.name} met a defect: ${code} ${result.message}`);
      }
    } else if (result.error !== undefined && DEFECTS.has(result.error.code)) {
      this.#world.violate(`a run of ${device.name} failed: ${result.error.code} ${result.error.message}`);
    } else if (result.error?.code === 'SYNC_BUSY' && device.second?.isUp !== true) {
      this.#world.violate(`a run of ${device.name} waited for another process, and there is none`);
    }
  }

  async #pass(): Promise<void> {
    const { chance, runtime } = this.#world;
    const durationMs = chance.below(chance.pick([20, 2000, 60_000, 7_200_000]));
    this.#world.note(`${durationMs} ms pass`);
    await runtime.advance(durationMs);
  }

  #fill(device: SimulatedDevice): void {
    this.#world.note(`the disk of ${device.name} is ${device.disk.isFull ? 'free again' : 'full'}`);
    device.disk.isFull = !device.disk.isFull;
  }

  #schedule(device: SimulatedDevice): void {
    this.#world.note(`${device.name} runs by itself`);
    device.isScheduled = true;
    device.engine.start({ intervalMs: 30_000, pollIntervalMs: 0 });
  }

  async #look(device: SimulatedDevice): Promise<void> {
    try {
      await checkShown(this.#world, device);
    } catch (error) {
      // A run of the device may crash it meanwhile.
      if (!device.disk.isDown) {
        throw error;
      }
    }
  }

  /** All lines are mended, all devices run, nothing goes wrong any more. */
  async #quiet(): Promise<void> {
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
