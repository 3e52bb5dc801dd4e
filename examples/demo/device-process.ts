import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Answer, Request } from './messages.ts';

/** Where a device's process finds its file and the server. */
export interface DeviceSettings {
  readonly name: string;
  readonly file: string;
  readonly endpoint: string;
  readonly key: string;
  readonly scope: readonly string[];
  /** A moment of the next sync at which the device kills itself. */
  readonly killAt?: string | undefined;
}

/** The parent's handle on one device process. */
export class DeviceProcess {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Starts the process and waits until its file is open. */
  static async start(settings: DeviceSettings): Promise<{ readonly device: DeviceProcess; readonly pending: number }> {
    const child = fork(
      fileURLToPath(new URL('device.ts', import.meta.url)),
      [settings.name, settings.file, settings.endpoint, settings.key, JSON.stringify(settings.scope)],
      {
        execArgv: ['--import', 'tsx'],
        env: { ...process.env, ...(settings.killAt === undefined ? {} : { KILL_AT: settings.killAt }) },
      },
    );
    const device = new DeviceProcess(child);
    const ready = await device.#next('ready');
    return { device, pending: ready.pending };
  }

  /** Asks the device for something and waits for its answer. */
  ask<Kind extends Answer['answer']>(request: Request, kind: Kind): Promise<Extract<Answer, { readonly answer: Kind }>> {
    const next = this.#next(kind);
    this.#child.send(request);
    return next;
  }

  /** Asks for a sync during which the device dies; resolves with the signal that ended it. */
  async askAndDie(request: Request): Promise<string> {
    const gone = once(this.#child, 'exit') as Promise<[number | null, string | null]>;
    this.#child.send(request);
    const [code, signal] = await gone;
    return signal ?? `exit ${code}`;
  }

  async close(): Promise<void> {
    const gone = once(this.#child, 'exit');
    await this.ask({ ask: 'close' }, 'closed');
    await gone;
  }

  async #next<Kind extends Answer['answer']>(kind: Kind): Promise<Extract<Answer, { readonly answer: Kind }>> {
    const died = new AbortController();
    const onExit = (code: number | null, signal: string | null): void =>
      died.abort(new Error(`The device ended (${signal ?? code}) instead of answering.`));
    this.#child.once('exit', onExit);
    try {
      const [answer] = (await once(this.#child, 'message', { signal: died.signal })) as [Answer];
      if (answer.answer !== kind) {
        throw new Error(`The device answered ${answer.answer} instead of ${kind}.`);
      }
      return answer as Extract<Answer, { readonly answer: Kind }>;
    } catch (error) {
      throw died.signal.aborted ? died.signal.reason : error;
    } finally {
      this.#child.off('exit', onExit);
    }
  }
}
