import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fsyncSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CosmosClient, type Container } from '@azure/cosmos';
import { startServer, WELL_KNOWN_KEY } from '../../src/server/index.ts';
import { openSqliteBackend } from '../../src/stores/sqlite/index.ts';
import type { SyncPoint } from '../../src/sync/index.ts';
import { CRASH_SCOPE, expectedState } from './operations.ts';

/** Every named point at which a device is killed. */
export const CRASH_POINTS: readonly SyncPoint[] = [
  'before-send',
  'after-send',
  'after-remote-applied',
  'before-local-commit',
  'after-local-commit',
  'between-page-and-cursor',
  'in-checkpoint',
];

interface HeldDocument {
  readonly id: string;
  readonly owner: string;
  readonly sequence: number;
  readonly _perigee?: { readonly deleted?: boolean };
}

interface Settled {
  readonly settled: readonly HeldDocument[];
  readonly pending: number;
  readonly error: string | undefined;
}

/** What a run of crashes found. */
export interface CrashResult {
  readonly acknowledged: number;
  /** How often the device died: at random moments, and at each named point. */
  readonly deaths: Readonly<Record<string, number>>;
  readonly documents: number;
}

/** A named point and the pass of it at which to die, or a random moment after so many milliseconds. */
type Death = { readonly point: SyncPoint; readonly pass: number } | { readonly afterMs: number };

/** One run: a server, a device that is killed again and again, an observer that only syncs, and a third party that writes through the SDK. */
class CrashRun {
  readonly #folder: string;
  readonly #log: number;
  readonly #url: string;
  readonly #container: Container;
  #acknowledged = 0;
  #foreign = 0;

  constructor(folder: string, url: string, container: Container) {
    this.#folder = folder;
    this.#url = url;
    this.#container = container;
    this.#log = openSync(join(folder, 'acknowledged.log'), 'a');
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  close(): void {
    closeSync(this.#log);
  }

  /** Lets the device live until its death; resolves with whether it died as it should. */
  async live(death: Death): Promise<boolean> {
    const child = this.#start('device', 'write', death);
    let timer: NodeJS.Timeout | undefined;
    child.on('message', (message: { acknowledged?: number; ready?: boolean }) => {
      if (message.acknowledged !== undefined) {
        this.#record(message.acknowledged);
      } else if (message.ready === true && 'afterMs' in death) {
        timer = setTimeout(() => child.kill('SIGKILL'), death.afterMs);
      } else if (message.ready === true) {
        // A point that never comes must not hang the test: it then counts as not reached.
        timer = setTimeout(() => child.kill('SIGTERM'), 20_000);
      }
    });
    await this.#foreignWrites();
    const [, signal] = (await once(child, 'close')) as [number | null, string | null];
    clearTimeout(timer);
    return signal === 'SIGKILL';
  }

  /** Restarts a device in peace, lets it sync to the end, and gives what it holds. */
  async settle(name: string): Promise<Settled> {
    const child = this.#start(name, 'settle', { afterMs: 0 });
    const closed = once(child, 'close');
    const [message] = (await Promise.race([
      once(child, 'message'),
      closed.then(([code, signal]) => Promise.reject(new Error(`The device ${name} ended (${String(signal ?? code)}) without settling.`))),
    ])) as [Settled];
    await closed;
    return message;
  }

  /** Compares the log on disk with the three sides. */
  async check(): Promise<number> {
    const logged = readFileSync(join(this.#folder, 'acknowledged.log'), 'utf8').trimEnd().split('\n').filter(Boolean).map(Number);
    const last = logged.at(-1) ?? 0;
    if (logged.length !== last || logged.some((sequence, index) => sequence !== index + 1)) {
      throw new Error('The log of acknowledged writes has a gap: the test itself is broken.');
    }
    const device = await this.settle('device');
    const observer = await this.settle('observer');
    const { resources } = await this.#container.items.readAll<HeldDocument>().fetchAll();
    const remote = resources.filter((document) => document._perigee?.deleted !== true);
    // The write after the last acknowledged one may have been committed before the kill; then it is there on every side.
    const candidates = [last, last + 1].map((count) => {
      const expected = expectedState(count);
      for (let index = 1; index <= this.#foreign; index += 1) {
        expected.set(`foreign-${index}`, -index);
      }
      return expected;
    });
    const sides = { device: device.settled, observer: observer.settled, remote };
    const problems = candidates.map((expected) =>
      Object.entries(sides).flatMap(([side, documents]) => differences(side, documents, expected)),
    );
    if (problems.every((found) => found.length > 0)) {
      throw new Error(`The sides differ from the log of acknowledged writes: ${problems[0]?.slice(0, 8).join('; ')}.`);
    }
    for (const settled of [device, observer]) {
      if (settled.pending !== 0 || settled.error !== undefined) {
        throw new Error(`After the last sync ${settled.pending} writes were pending: ${settled.error ?? 'no error'}.`);
      }
    }
    return remote.length;
  }

  #start(name: string, mode: 'write' | 'settle', death: Death): ChildProcess {
    const point = 'point' in death ? [death.point, String(death.pass)] : ['', '0'];
    return fork(
      fileURLToPath(new URL('device-child.ts', import.meta.url)),
      [join(this.#folder, `${name}.sqlite`), this.#url, WELL_KNOWN_KEY, name, String(this.#acknowledged + 1), ...point, mode],
      {
        execArgv: ['--import', 'tsx'],
      },
    );
  }

  #record(sequence: number): void {
    writeSync(this.#log, `${sequence}\n`);
    fsyncSync(this.#log);
    this.#acknowledged = sequence;
  }

  async #foreignWrites(): Promise<void> {
    for (let count = 0; count < 9; count += 1) {
      this.#foreign += 1;
      await this.#container.items.create({
        id: `foreign-${this.#foreign}`,
        owner: CRASH_SCOPE[this.#foreign % CRASH_SCOPE.length] as string,
        sequence: -this.#foreign,
      });
    }
  }
}

function differences(side: string, documents: readonly HeldDocument[], expected: ReadonlyMap<string, number>): string[] {
  const problems: string[] = [];
  const found = new Map<string, number>();
  for (const { id, sequence } of documents) {
    if (found.has(id)) {
      problems.push(`${side} holds ${id} twice`);
    }
    found.set(id, sequence);
  }
  for (const id of new Set([...found.keys(), ...expected.keys()])) {
    if (found.get(id) !== expected.get(id)) {
      problems.push(`on ${side} ${id} is ${found.get(id) ?? 'missing'} and should be ${expected.get(id) ?? 'missing'}`);
    }
  }
  return problems;
}

/**
 * Kills a device at random moments and at every named point, then checks that no acknowledged write is lost, none is there twice, and all sides
 * are equal.
 *
 * @param onProgress called after each death
 * @throws Error that names what differs, or the point that was never reached
 */
export async function runCrashes(options: {
  readonly seed: number;
  readonly randomDeaths: number;
  readonly deathsPerPoint: number;
  readonly onProgress?: (deaths: Readonly<Record<string, number>>) => void;
}): Promise<CrashResult> {
  const folder = mkdtempSync(join(tmpdir(), 'perigee-crash-'));
  const backend = await openSqliteBackend({ path: join(folder, 'server.sqlite') });
  const server = await startServer({ backend, port: 0 });
  const sdk = new CosmosClient({ endpoint: server.url, key: WELL_KNOWN_KEY });
  const deaths: Record<string, number> = { random: 0, ...Object.fromEntries(CRASH_POINTS.map((point) => [point, 0])) };
  const { database } = await sdk.databases.create({ id: 'crash' });
  const { container } = await database.containers.create({ id: 'docs', partitionKey: { paths: ['/owner'] }, defaultTtl: -1 });
  const run = new CrashRun(folder, server.url, container);
  let random = options.seed >>> 0;
  const next = (limit: number): number => {
    random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
    return Math.floor((random / 2 ** 32) * limit);
  };
  const plan: Death[] = [
    ...Array.from({ length: options.deathsPerPoint }, () => CRASH_POINTS.map((point): Death => ({ point, pass: 1 + next(4) }))).flat(),
    ...Array.from({ length: options.randomDeaths }, (): Death => ({ afterMs: next(250) })),
  ];
  try {
    for (const death of plan) {
      const name = 'point' in death ? death.point : 'random';
      // On a busy machine a point may not come around in time; it is given one more life, and dies at its first pass.
      const died = (await run.live(death)) || ('point' in death && (await run.live({ ...death, pass: 1 })));
      if (died) {
        deaths[name] = (deaths[name] ?? 0) + 1;
      }
      options.onProgress?.(deaths);
    }
    const never = Object.entries(deaths).filter(([name, count]) => count === 0 && (name !== 'random' || options.randomDeaths > 0));
    if (never.length > 0) {
      throw new Error(`The device never died at: ${never.map(([name]) => name).join(', ')}.`);
    }
    return { acknowledged: run.acknowledged, deaths, documents: await run.check() };
  } finally {
    run.close();
    sdk.dispose();
    await server.close();
    await backend.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
