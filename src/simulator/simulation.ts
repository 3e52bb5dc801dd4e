import type { SyncEngine } from '../sync/engine.ts';
import type { SyncReport } from '../sync/sync-report.ts';
import { armCrash, cutOrMend, losePower, restart, setClock, stopAndStart } from './events/device-events.ts';
import { doubt, takenFrom } from './events/doubt-events.ts';
import { editLocally, makeAll, restoreLoser } from './events/local-events.ts';
import { moveFlight } from './events/network-events.ts';
import { endSecond, killSecond, startSecond } from './events/process-events.ts';
import { backUp, mayRestore, restoreBackup } from './events/remote-events.ts';
import { changeSetting } from './events/setting-events.ts';
import { splitOrMerge } from './events/split-events.ts';
import { strangerWrites } from './events/stranger-events.ts';
import { revokeToken, signIn } from './events/token-events.ts';
import type { Flight } from './network/simulated-network.ts';
import { checkShown } from './oracle/check-shown.ts';
import { Peace } from './peace.ts';
import type { SimulatedDevice } from './simulated-device.ts';
import type { World } from './world.ts';

const DEFAULT_STEPS = 60;
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
      await new Peace(this.#world).make();
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
}
