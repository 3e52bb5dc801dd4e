import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { SoakDeviceOptions, SoakHolding, SoakMessage, SoakRequest, SoakRunSummary } from './soak-messages.ts';

const PROGRAM = fileURLToPath(new URL('soak-device-child.ts', import.meta.url));

/** One life of a device process, seen from outside. */
export class SoakDevice {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #ready: Promise<unknown>;
  readonly #name: string;
  #stderr = '';
  #isKilled = false;
  /** How many edits this life has made. */
  edits = 0;

  constructor(options: SoakDeviceOptions, onRun: (run: SoakRunSummary) => void) {
    this.#name = options.device;
    const child = fork(PROGRAM, [JSON.stringify(options)], { execArgv: ['--import', 'tsx'], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    this.#child = child;
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr += chunk.toString();
    });
    child.on('message', (message: SoakMessage) => {
      if ('run' in message) {
        onRun(message.run);
      } else if ('edits' in message) {
        this.edits = message.edits;
      }
    });
    this.#ended = once(child, 'close').then(() => undefined);
    this.#ready = this.#next((message) => 'ready' in message || undefined);
    // Who kills a device before it is ready does not wait for it.
    this.#ready.catch(() => undefined);
  }

  /** Resolves when the device has looked at what the life before left, and is at work. */
  async ready(): Promise<void> {
    await this.#ready;
  }

  /** Throws what the process complained of, should it have ended by itself. */
  assertAlive(): void {
    if (!this.#isKilled && (this.#child.exitCode !== null || this.#child.signalCode !== null)) {
      throw new Error(`The device ${this.#name} ended by itself (${this.#child.exitCode ?? this.#child.signalCode}): ${this.#stderr}`);
    }
  }

  /** Ends the process, whatever it does and has said. */
  async end(): Promise<void> {
    this.#isKilled = true;
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  async kill(): Promise<void> {
    this.assertAlive();
    await this.end();
    if (this.#stderr !== '') {
      throw new Error(`The device ${this.#name} complained: ${this.#stderr}`);
    }
  }

  /** Asks the device to end, and kills it while it does. */
  async killWhileClosing(afterMs: number): Promise<void> {
    this.assertAlive();
    this.#isKilled = true;
    this.#child.kill('SIGTERM');
    await Promise.race([this.#ended, new Promise((resolve) => setTimeout(resolve, afterMs))]);
    await this.kill();
  }

  sync(): Promise<SoakRunSummary> {
    return this.#ask('sync', (message) => ('synced' in message ? message.synced : undefined));
  }

  tell(): Promise<SoakHolding> {
    return this.#ask('tell', (message) => ('holding' in message ? message.holding : undefined));
  }

  async close(): Promise<void> {
    await this.#ask('close', (message) => ('closed' in message ? true : undefined));
    await this.#ended;
  }

  #ask<T>(request: SoakRequest, take: (message: SoakMessage) => T | undefined): Promise<T> {
    const answer = this.#next(take);
    this.#child.send(request);
    return answer;
  }

  /** The first message of a kind. @throws Error when the process ends before */
  #next<T>(take: (message: SoakMessage) => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const onMessage = (message: SoakMessage): void => {
        const taken = take(message);
        if (taken !== undefined) {
          this.#child.off('message', onMessage);
          resolve(taken);
        }
      };
      this.#child.on('message', onMessage);
      void this.#ended.then(() => reject(new Error(`The device ${this.#name} ended too early: ${this.#stderr}`)));
    });
  }
}
