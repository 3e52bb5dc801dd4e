import { safeText } from './safe-text.ts';

/** Progress on a terminal is painted no more often than a person can read. */
const PAINT_INTERVAL_MS = 100;

/** One line of progress on a terminal; nothing in a pipe. */
export class ProgressPainter {
  readonly #isTerminal = process.stderr.isTTY === true;
  #lastMs = Number.NEGATIVE_INFINITY;

  /** @param text gives the line, where it is painted */
  paint(text: () => string): void {
    const nowMs = process.uptime() * 1000;
    if (!this.#isTerminal || nowMs - this.#lastMs < PAINT_INTERVAL_MS) {
      return;
    }
    this.#lastMs = nowMs;
    process.stderr.write(`\r\u001b[K${safeText(text())}`);
  }

  say(text: string): void {
    this.clear();
    console.error(safeText(text));
  }

  clear(): void {
    if (this.#isTerminal) {
      process.stderr.write('\r\u001b[K');
    }
  }
}
