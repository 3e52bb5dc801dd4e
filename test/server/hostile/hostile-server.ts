import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('hostile-child.ts', import.meta.url));

/** A server in a process of its own. */
export class HostileServer {
  readonly port: number;
  readonly #child: ChildProcess;
  #stderr = '';

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr += chunk.toString();
    });
  }

  static async start(): Promise<HostileServer> {
    const child = spawn(process.execPath, ['--expose-gc', '--import', import.meta.resolve('tsx'), MAIN], {
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    });
    const [message] = (await once(child, 'message')) as [{ port: number }];
    return new HostileServer(child, message.port);
  }

  /** What the server told its operator: every failure inside it. */
  get stderr(): string {
    return this.#stderr;
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Puts the data back, and gives the bytes that are in use then. */
  async reset(): Promise<number> {
    this.#child.send('reset');
    const [{ heapBytes, externalBytes }] = (await once(this.#child, 'message')) as [{ heapBytes: number; externalBytes: number }];
    return heapBytes + externalBytes;
  }

  /** Stops in peace; gives the exit code. */
  async stop(): Promise<number | null> {
    if (this.isAlive) {
      this.#child.send('stop');
      await once(this.#child, 'exit');
    }
    return this.#child.exitCode;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}
