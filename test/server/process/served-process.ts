import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';

const SOURCE_MAIN = fileURLToPath(new URL('serve-child.ts', import.meta.url));
const COMMAND_LINE = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url));
const BUILT_MAIN = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));
const BUILD_SCRIPT = fileURLToPath(new URL('../../../scripts/build.mjs', import.meta.url));

/** How a server is run. */
export interface ServedProcessOptions {
  /** As `perigee serve --store` takes it. */
  readonly store: string;
  /** The command line as it is published (see {@link buildCommandLine}), or a child over the sources, which starts slower and needs no build. */
  readonly program: 'built' | 'source';
  /** Further arguments of `perigee serve`; with them, `source` runs the command line itself over its sources, which runs no scripts. */
  readonly args?: readonly string[];
}

/** Compiles the command line, so that servers can be run as people run them. */
export function buildCommandLine(): void {
  const { status } = spawnSync(process.execPath, [BUILD_SCRIPT], { stdio: 'inherit' });
  if (status !== 0) {
    throw new Error('The command line could not be built.');
  }
}

/** A server in a process of its own, and what is known of that process from outside. */
export class ServedProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #ready: Promise<string>;
  #stderr = '';

  constructor({ store, program, args: given }: ServedProcessOptions) {
    const serve = ['serve', '--store', store, '--port', '0', '--json', ...(given ?? [])];
    const tsx = ['--import', import.meta.resolve('tsx')];
    const args =
      program === 'built' ? [BUILT_MAIN, ...serve] : given === undefined ? [...tsx, SOURCE_MAIN, store] : [...tsx, COMMAND_LINE, ...serve];
    const { PERIGEE_KEY: _key, NODE_OPTIONS: _options, ...env } = process.env;
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
    this.#child = child;
    child.stderr.on('data', (chunk: Buffer) => {
      this.#stderr += chunk.toString();
    });
    this.#ended = once(child, 'close');
    this.#ready = Promise.race([
      once(createInterface({ input: child.stdout }), 'line').then(([line]) => (JSON.parse(line as string) as { url: string }).url),
      this.#ended.then(() => Promise.reject(new Error(`The server ended before it was ready: ${this.#stderr}`))),
    ]);
    // Who kills a server before it is ready does not wait for its address.
    this.#ready.catch(() => undefined);
  }

  /** Address of the server, once it is listening. */
  url(): Promise<string> {
    return this.#ready;
  }

  /** What the server told its operator: every failure inside it. */
  get stderr(): string {
    return this.#stderr;
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Memory of the process that is resident, in bytes. */
  residentBytes(): number {
    const pid = this.#child.pid as number;
    if (process.platform === 'linux') {
      return Number(/VmRSS:\s+(\d+) kB/u.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
    }
    return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) * 1024;
  }

  /** Ends the process with SIGKILL, whatever it does. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  /** Asks the server to stop, and gives its exit code. */
  async stop(): Promise<number | null> {
    this.#child.kill('SIGTERM');
    await this.#ended;
    return this.#child.exitCode;
  }
}
