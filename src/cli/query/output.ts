import { once } from 'node:events';

/** The output of a command: waits where the reader is slow, and knows when the reader has gone. */
export class Output {
  readonly #stream: NodeJS.WriteStream;
  readonly #gone = new AbortController();
  #failure: NodeJS.ErrnoException | undefined;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
    stream.on('error', (error: NodeJS.ErrnoException) => {
      this.#failure ??= error;
      this.#gone.abort();
    });
  }

  /** Aborts when nobody reads any more, as behind `| head`. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** Whether the reader ended the output, which is no failure. */
  get wasClosed(): boolean {
    return this.#failure?.code === 'EPIPE';
  }

  get isTerminal(): boolean {
    return this.#stream.isTTY === true;
  }

  /** Columns: of the terminal, else what COLUMNS says, else 120. */
  get width(): number {
    const { columns } = this.#stream;
    const wanted = this.isTerminal && columns > 0 ? columns : Number(process.env['COLUMNS']);
    return Number.isInteger(wanted) && wanted >= 20 ? wanted : 120;
  }

  /** Whether colours may be used: on a terminal that has them, unless NO_COLOR is set. */
  get colours(): boolean {
    const { NO_COLOR: noColour = '', TERM: terminal } = process.env;
    return this.isTerminal && noColour === '' && terminal !== 'dumb';
  }

  /** Writes a text and resolves when there is room for more. @throws what the stream fails with, but for the reader's leaving */
  async write(text: string): Promise<void> {
    if (text !== '' && this.#failure === undefined && !this.#stream.write(text)) {
      await once(this.#stream, 'drain', { signal: this.gone }).catch(() => undefined);
    }
    if (this.#failure !== undefined && !this.wasClosed) {
      throw this.#failure;
    }
  }
}
