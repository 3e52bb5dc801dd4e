import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { AnswerReader, type Answer } from './answer-reader.ts';

/** How long answers may take to come; past it the server hangs. */
const PATIENCE_MS = 60_000;

/** What came back for some bytes. */
export interface Exchange {
  readonly answers: readonly Answer[];
  /** The connection is over. */
  readonly closed: boolean;
}

/** One connection that sends bytes as they are. */
export class HostileConnection {
  readonly #socket: Socket;
  readonly #reader = new AnswerReader();
  readonly #localPort: number | undefined;
  #closed = false;
  #wake: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#localPort = socket.localPort;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      this.#reader.push(chunk);
      this.#wake();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#closed = true;
      this.#wake();
    });
  }

  static async open(port: number): Promise<HostileConnection> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new HostileConnection(socket);
  }

  /** By which the server's side of the connection can be found. */
  get localPort(): number | undefined {
    return this.#localPort;
  }

  get closed(): boolean {
    return this.#closed;
  }

  write(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  /** Says that nothing more will come. */
  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Answers to requests with these methods, fewer where the server closes the connection. @throws where neither happens */
  async answers(methods: readonly string[]): Promise<Exchange> {
    const answers: Answer[] = [];
    const deadline = Date.now() + PATIENCE_MS;
    while (answers.length < methods.length) {
      const answer = this.#reader.next(methods[answers.length] as string);
      if (answer !== undefined) {
        answers.push(answer);
        if (answer.closes) {
          break;
        }
        continue;
      }
      if (this.#closed) {
        break;
      }
      await this.#change(deadline, `the answer ${answers.length + 1} of ${methods.length} (${methods[answers.length]})`);
    }
    return { answers, closed: this.#closed };
  }

  /** Resolves when the server has closed the connection. */
  async whenClosed(): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS;
    while (!this.#closed) {
      await this.#change(deadline, 'the end of the connection');
    }
  }

  async #change(deadline: number, what: string): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve, reject) => {
      this.#wake = resolve;
      timer = setTimeout(() => reject(new Error(`The server hangs: ${what} did not come.`)), Math.max(0, deadline - Date.now()));
    }).finally(() => clearTimeout(timer));
  }
}
