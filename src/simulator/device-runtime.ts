import type { CancelTimer, Runtime } from '../core/runtime.ts';
import { seededRandom, type RandomWords } from '../core/seeded-random.ts';

/** The runtime of one device: the world's timers, a wall clock of its own that is wrong, and random numbers of its own. */
export class DeviceRuntime implements Runtime {
  readonly #world: Runtime;
  readonly #words: RandomWords;
  /** How far the clock is ahead of the world's, in milliseconds. */
  skewMs: number;
  /** How much faster than the world's the clock runs, in parts per million. */
  driftPpm: number;

  constructor(world: Runtime, seed: string, skewMs: number, driftPpm: number) {
    this.#world = world;
    this.#words = seededRandom(seed);
    this.skewMs = skewMs;
    this.driftPpm = driftPpm;
  }

  nowMs(): number {
    return Math.floor(this.#world.nowMs() + this.skewMs + (this.#world.monotonicMs() * this.driftPpm) / 1_000_000);
  }

  monotonicMs(): number {
    return this.#world.monotonicMs();
  }

  setTimer(delayMs: number, callback: () => void): CancelTimer {
    return this.#world.setTimer(delayMs, callback);
  }

  yieldTask(): Promise<void> {
    return this.#world.yieldTask();
  }

  random(): number {
    return this.#words() / 0x1_0000_0000;
  }

  randomBytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.#words() >>> 24);
  }
}
