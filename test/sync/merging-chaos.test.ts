import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { seededRandom } from '../../src/core/seeded-random.ts';
import type { StoredDocument } from '../../src/store/document.ts';
import type { DocumentStore } from '../../src/store/document-store.ts';
import { openMemoryBackend, type MemoryBackend } from '../../src/stores/memory/index.ts';
import { mergeFields, type SyncOptions } from '../../src/sync/index.ts';
import { SimulatedRuntime } from '../../src/testing/simulated-runtime.ts';
import { CrashableDevice } from './crashable-device.ts';
import { fault, faultyStore, withoutPositions, type Fault, type RequestName } from './faulty-store.ts';
import { contents, NOTES, SkewedRuntime, type Note } from './world.ts';

const SEEDS = Number(process.env['PERIGEE_SEEDS'] ?? 12);
const FIRST_SEED = Number(process.env['PERIGEE_SEED'] ?? 1);
const STEPS = 80;
const IDS = ['a', 'b', 'c'];

/** Devices that count, tag and edit the same documents over failing lines, and a stranger who counts at the remote. */
class Counting {
  readonly #words: () => number;
  readonly #base = new SimulatedRuntime();
  readonly #cloud: MemoryBackend = openMemoryBackend({ runtime: this.#base });
  readonly #folder = mkdtempSync(join(tmpdir(), 'perigee-counting-'));
  readonly #devices: CrashableDevice[] = [];
  readonly #seed: number;
  /** Requests that the remote will carry out although nobody waits for them any more. */
  readonly #late: (() => Promise<unknown>)[] = [];
  /** Sum of all increments, by document. */
  readonly #sums = new Map<string, number>();
  /** Everything that was ever added to a set and never removed, by document. */
  readonly #tags = new Map<string, Set<string>>();
  /** Newest value of each property that one device alone writes. */
  readonly #own = new Map<string, string>();
  /** Writes nothing for the moment. */
  #idle: CrashableDevice | undefined;
  /** Dead letters that were repaired. */
  #repaired = 0;
  #value = 0;
  #faulty = true;

  constructor(seed: number) {
    this.#seed = seed;
    this.#words = seededRandom(`counting-${seed}`);
  }

  /** Gives how many dead letters there were. */
  async run(): Promise<number> {
    await this.#cloud.createDatabase('app');
    await this.#cloud.createContainer('app', NOTES);
    for (const skewMs of [0, 40_000, -3_600_000, 500]) {
      const device = new CrashableDevice(`device-${this.#devices.length}`, new SkewedRuntime(this.#base, skewMs), this.#folder);
      this.#devices.push(device);
      await device.start(this.#optionsOf(device));
    }
    for (let step = 0; step < STEPS; step += 1) {
      await this.#step();
    }
    await this.#settle();
    await this.#check();
    return this.#repaired;
  }

  async close(): Promise<void> {
    for (const { engine, backend } of this.#devices) {
      await engine.close();
      await backend.close();
    }
    await this.#cloud.close();
    rmSync(this.#folder, { recursive: true });
  }

  #optionsOf(device: CrashableDevice): Omit<SyncOptions, 'backend' | 'user' | 'device'> {
    const life = device.life;
    return {
      pageItems: 3,
      reconcileIntervalMs: 0,
      scope: [{ container: 'notes', partitionKey: 'ada' }],
      containers: [NOTES],
      policies: { notes: mergeFields({ counters: ['/n', '/stats/views'], sets: ['/tags'] }) },
      remote: async (container) => {
        const store = await this.#cloud.container('app', container);
        return faultyStore(
          this.#seed % 3 === 0 ? withoutPositions(store) : store,
          (request) => this.#fault(request, device, life),
          (send) => this.#late.push(send),
        );
      },
    };
  }

  async #fault(request: RequestName, device: CrashableDevice, life: number): Promise<Fault | undefined> {
    if (device.life !== life || device.crashed !== undefined) {
      return fault('CONNECTION_LOST');
    }
    if (!this.#faulty) {
      return undefined;
    }
    const dice = this.#below(100);
    if (dice < 10) {
      await (this.#idle === device ? undefined : this.#edit(device));
    } else if (dice < 14) {
      await this.#stranger();
    } else if (dice < 18) {
      device.crashed = device.copy();
      return fault('CONNECTION_LOST', request === 'batch' && this.#below(2) === 0 ? 'after' : 'before');
    }
    switch (this.#below(12)) {
      case 0:
      case 1:
        return fault('TIMEOUT', request === 'batch' ? 'after' : 'before');
      case 2:
        return fault('TIMEOUT', request === 'batch' ? 'late' : 'before');
      case 3:
        return fault('UNREACHABLE');
      case 4:
        // Some documents of the batch become dead letters.
        return request === 'batch' ? fault('BAD_REQUEST') : undefined;
      default:
        return undefined;
    }
  }

  async #step(): Promise<void> {
    if (this.#late.length > 0 && this.#below(3) === 0) {
      await this.#late.shift()?.();
    }
    const device = this.#pick(this.#devices);
    const dice = this.#below(100);
    if (dice < 45) {
      await this.#edit(device);
    } else if (dice < 82) {
      await this.#sync(device);
    } else if (dice < 88) {
      await this.#losePower(device);
    } else if (dice < 93) {
      await this.#stranger();
    } else if (dice < 96) {
      await this.#repair(device);
    } else {
      await this.#base.advance(this.#below(20_000));
    }
  }

  async #sync(device: CrashableDevice): Promise<void> {
    await device.engine.sync();
    if (device.crashed !== undefined) {
      const path = device.crashed;
      await device.stop();
      await device.start(this.#optionsOf(device), path);
    }
  }

  /** A loss of power takes back whatever a device has noted of its runs, and what they made of its documents; the remote keeps its own. */
  async #losePower(device: CrashableDevice): Promise<void> {
    const path = device.copy();
    this.#idle = device;
    for (let runs = this.#below(3); runs >= 0; runs -= 1) {
      await device.engine.sync();
      device.crashed = undefined;
    }
    this.#idle = undefined;
    await device.stop();
    await device.start(this.#optionsOf(device), path);
  }

  async #edit(device: CrashableDevice): Promise<void> {
    const id = this.#pick(IDS);
    const by = this.#below(5) - 1;
    this.#value += 1;
    const text = `${device.name}-${this.#value}`;
    this.#own.set(`${id}/${device.name}`, text);
    this.#add(id, by);
    const current = (await device.notes.read(id, 'ada'))?.document;
    if (current === undefined) {
      await device.notes.create({ id, owner: 'ada', n: by, stats: { views: by }, tags: [], [device.name]: text, shared: text });
      return;
    }
    if (this.#below(2) === 0) {
      await device.notes.patch(id, 'ada', [
        { op: 'incr', path: '/n', value: by },
        { op: 'incr', path: '/stats/views', value: by },
        { op: 'set', path: `/${device.name}`, value: text },
        { op: 'set', path: '/shared', value: text },
      ]);
      return;
    }
    const { n, stats, tags } = current as unknown as { n: number; stats: { views: number }; tags: string[] };
    this.#tags.set(id, (this.#tags.get(id) ?? new Set()).add(text));
    const changed = { n: n + by, stats: { views: stats.views + by }, tags: [...tags, text], [device.name]: text, shared: text };
    await device.notes.replace({ ...current, ...changed } as unknown as Note);
  }

  /** Somebody counts at the remote without any engine, and leaves what sync added alone. */
  async #stranger(): Promise<void> {
    const remote = await this.#cloud.container<Note>('app', 'notes');
    const id = this.#pick(IDS);
    if ((await remote.read(id, 'ada')) !== undefined) {
      this.#add(id, 7);
      const more = ['/n', '/stats/views'].map((path) => ({ op: 'incr', path, value: 7 }) as const);
      await remote.patch(id, 'ada', more);
    }
  }

  /** Deals with a dead letter: lets it be sent again, as it is or with one more increment. */
  async #repair(device: CrashableDevice): Promise<void> {
    const [letter] = await device.engine.deadLetters.list({ limit: 1 });
    if (letter?.local === undefined) {
      return;
    }
    this.#repaired += 1;
    const key = { container: 'notes', partitionKey: 'ada', id: letter.id };
    if (this.#below(2) === 0) {
      await device.engine.deadLetters.retry(key);
      return;
    }
    const { n, stats } = letter.local as unknown as { n: number; stats: { views: number } };
    this.#add(letter.id, 1);
    await device.engine.deadLetters.edit(key, { ...letter.local, n: n + 1, stats: { views: stats.views + 1 } });
  }

  #add(id: string, by: number): void {
    this.#sums.set(id, (this.#sums.get(id) ?? 0) + by);
  }

  async #settle(): Promise<void> {
    this.#faulty = false;
    for (const send of this.#late) {
      await send();
    }
    for (let round = 0; round < 3; round += 1) {
      for (const { engine } of this.#devices) {
        this.#repaired += await engine.deadLetters.retry();
        expect((await engine.sync()).error).toBeUndefined();
      }
    }
  }

  async #check(): Promise<void> {
    const remote = await this.#cloud.container<Note>('app', 'notes');
    const expected = await contents(remote);
    for (const { notes, engine, name } of this.#devices) {
      expect(await contents(notes as DocumentStore<Note>), name).toEqual(expected);
      expect(await engine.pending()).toEqual([]);
    }
    for (const [id, sum] of this.#sums) {
      const found = expected[id] as unknown as { n: number; stats: { views: number }; tags: string[] } & StoredDocument;
      expect([id, found.n, found.stats.views]).toEqual([id, sum, sum]);
      expect(new Set(found.tags)).toEqual(this.#tags.get(id) ?? new Set());
    }
    for (const [key, text] of this.#own) {
      const [id, name] = key.split('/') as [string, string];
      expect([key, expected[id]?.[name]]).toEqual([key, text]);
    }
  }

  #below(limit: number): number {
    return this.#words() % limit;
  }

  #pick<T>(from: readonly T[]): T {
    return from[this.#below(from.length)] as T;
  }
}

test(
  `crashes, losses of power, lost answers, late requests, refusals and wrong clocks: every increment counts once, and no field of one's own is lost (${SEEDS} seeds)`,
  { timeout: 1_200_000 },
  async () => {
    let repaired = 0;
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed += 1) {
      const counting = new Counting(seed);
      try {
        repaired += await counting.run();
      } catch (error) {
        throw new Error(`Seed ${seed} fails; repeat it with PERIGEE_SEED=${seed} PERIGEE_SEEDS=1.`, { cause: error });
      } finally {
        await counting.close();
      }
    }
    expect(repaired).toBeGreaterThan(0);
  },
);
