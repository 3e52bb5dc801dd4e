import type { ServedProcess } from '../process/served-process.ts';

const EVERY_MS = 250;

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] as number;
}

/** Resident memory of a server over time. */
export class MemorySamples {
  readonly #server: ServedProcess;
  readonly #bytes: number[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(server: ServedProcess) {
    this.#server = server;
    this.#timer = setInterval(() => this.#take(), EVERY_MS);
    this.#take();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#take();
  }

  get first(): number {
    return this.#bytes[0] as number;
  }

  get last(): number {
    return this.#bytes.at(-1) as number;
  }

  get peak(): number {
    return Math.max(...this.#bytes);
  }

  /** Medians of each quarter of the time, which tell growth from the tides of the garbage collector. */
  get quarters(): readonly number[] {
    return [0, 1, 2, 3].map((quarter) =>
      median(this.#bytes.slice(Math.floor((this.#bytes.length * quarter) / 4), Math.ceil((this.#bytes.length * (quarter + 1)) / 4))),
    );
  }

  #take(): void {
    if (this.#server.isAlive) {
      this.#bytes.push(this.#server.residentBytes());
    }
  }
}
