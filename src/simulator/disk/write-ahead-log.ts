const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const PAGE_SIZE_AT = 8;
const SALTS_AT = 16;
const SALTS_BYTES = 8;

/**
 * The write-ahead log of SQLite as it lies on the disk.
 *
 * A frame counts as long as it carries the salts of the header: behind the newest there may be frames of an earlier round, which SQLite ignores.
 *
 * @see https://www.sqlite.org/fileformat2.html#the_write_ahead_log
 */
export class WriteAheadLog {
  readonly #bytes: Uint8Array;
  readonly #frameBytes: number;
  /** Frames of this round. */
  readonly frames: number;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    if (bytes.length < HEADER_BYTES) {
      this.#frameBytes = 0;
      this.frames = 0;
      return;
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#frameBytes = FRAME_HEADER_BYTES + view.getUint32(PAGE_SIZE_AT);
    let frames = 0;
    while (HEADER_BYTES + (frames + 1) * this.#frameBytes <= bytes.length && this.#isOfThisRound(frames)) {
      frames += 1;
    }
    this.frames = frames;
  }

  /** Names the round: changes when the log is begun anew. */
  get round(): string {
    return Buffer.from(this.#bytes.subarray(SALTS_AT, SALTS_AT + SALTS_BYTES)).toString('hex');
  }

  /** The log as a loss of power leaves it: its first frames, and `tornBytes` of the one behind them. */
  cut(frames: number, tornBytes: number): Uint8Array {
    const end = HEADER_BYTES + frames * this.#frameBytes;
    return this.#bytes.slice(0, frames >= this.frames ? end : end + Math.min(tornBytes, this.#frameBytes - 1));
  }

  #isOfThisRound(frame: number): boolean {
    const at = HEADER_BYTES + frame * this.#frameBytes + 8;
    for (let index = 0; index < SALTS_BYTES; index += 1) {
      if (this.#bytes[at + index] !== this.#bytes[SALTS_AT + index]) {
        return false;
      }
    }
    return true;
  }
}
