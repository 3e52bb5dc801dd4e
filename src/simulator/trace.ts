/** What happened in a simulation, a line for each event. */
export class Trace {
  readonly #lines: string[] = [];

  /** Writes an event down, with the simulated time. */
  note(timeMs: number, event: string): void {
    this.#lines.push(`${String(timeMs).padStart(10)}  ${event}`);
  }

  get lines(): readonly string[] {
    return this.#lines;
  }
}
