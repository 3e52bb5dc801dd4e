import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isPerigeeError, PerigeeError } from '../../src/core/errors.ts';
import type { JsonObject } from '../../src/core/json.ts';
import type { DocumentStore } from '../../src/store/document-store.ts';
import { openMemoryBackend, type MemoryBackend } from '../../src/stores/memory/index.ts';
import { lastWriteWins, mergeFields, type SyncEngine, type SyncOptions, type SyncReport } from '../../src/sync/index.ts';
import { seededRandom } from '../../src/core/seeded-random.ts';
import { SimulatedRuntime } from '../../src/testing/simulated-runtime.ts';
import { CrashableDevice } from './crashable-device.ts';
import { fault, faultyStore, withoutPositions, type Fault, type RequestName } from './faulty-store.ts';
import { contents, NOTES, SkewedRuntime, type Note } from './world.ts';

const SEEDS = Number(process.env['PERIGEE_SEEDS'] ?? 16);
const FIRST_SEED = Number(process.env['PERIGEE_SEED'] ?? 1);
const STEPS = 70;
const OWNERS = ['ada', 'bob'];
const IDS = ['a', 'b\u0000c', '__proto__', 'd', 'e'];
const KINDS = ['task', 'memo'];

/** What varies from seed to seed. */
interface Mode {
  /** Documents with a time to live, and clocks that jump; then only convergence is checked. */
  readonly mortal: boolean;
  /** Devices hold tasks only. */
  readonly typed: boolean;
  /** Devices merge by field. */
  readonly merging: boolean;
  /** The remote tells no positions, as Cosmos DB in answers to writes. */
  readonly positions: boolean;
}

class Chaos {
  readonly #words: () => number;
  readonly #base = new SimulatedRuntime();
  readonly #serverClock = new SkewedRuntime(this.#base, 0);
  readonly #cloud: MemoryBackend;
  readonly #folder = mkdtempSync(join(tmpdir(), 'perigee-chaos-'));
  readonly #devices: CrashableDevice[] = [];
  readonly #mode: Mode;
  /** Texts and deletions that the remote ever held. */
  readonly #reached = new Set<string>();
  readonly #last = new Map<string, string | undefined>();
  #value = 0;
  #faulty = true;

  constructor(seed: number) {
    this.#words = seededRandom(`more-chaos-${seed}`);
    this.#mode = { mortal: seed % 2 === 0, typed: seed % 3 === 0, positions: seed % 5 !== 0, merging: seed % 8 >= 4 };
    this.#cloud = openMemoryBackend({ runtime: this.#serverClock });
  }

  async run(): Promise<void> {
    await this.#cloud.createDatabase('app');
    await this.#cloud.createContainer('app', NOTES);
    for (const skewMs of [0, 40_000, -3_600_000]) {
      await this.#addDevice(skewMs);
    }
    for (let step = 0; step < STEPS; step += 1) {
      await this.#step();
    }
    await this.#settle();
    await this.#check();
  }

  async close(): Promise<void> {
    for (const { engine, backend } of this.#devices) {
      await engine.close();
      await backend.close();
    }
    await this.#cloud.close();
    rmSync(this.#folder, { recursive: true });
  }

  async #addDevice(skewMs: number): Promise<void> {
    const device = new CrashableDevice(`device-${this.#devices.length}`, new SkewedRuntime(this.#base, skewMs), this.#folder);
    this.#devices.push(device);
    await device.start(this.#optionsOf(device));
  }

  #optionsOf(device: CrashableDevice): Omit<SyncOptions, 'backend' | 'user' | 'device'> {
    const life = device.life;
    return {
      pageItems: 3,
      policy: this.#mode.merging ? mergeFields() : lastWriteWins,
      reconcileIntervalMs: this.#mode.mortal ? 600_000 : 0,
      scope: OWNERS.map((partitionKey) => ({
        container: 'notes',
        partitionKey,
        ...(this.#mode.typed ? { types: { path: '/kind', values: ['task'] } } : {}),
      })),
      containers: [NOTES],
      remote: async (container) => {
        const store = await this.#cloud.container('app', container);
        const told = this.#mode.positions ? store : withoutPositions(store);
        return faultyStore(this.#recording(told, device.name), (request) => this.#fault(request, device, life));
      },
    };
  }

  #recording(store: DocumentStore<JsonObject>, name: string): DocumentStore<JsonObject> {
    return new Proxy(store, {
      get: (target, property) => {
        const value: unknown = Reflect.get(target, property, target);
        if (property !== 'batch') {
          return typeof value === 'function' ? (value as (...rest: unknown[]) => unknown).bind(target) : value;
        }
        return async (...parameters: Parameters<typeof target.batch>) => {
          const result = await target.batch(...parameters);
          for (const operation of result.committed ? parameters[1] : []) {
            const { document } = operation as unknown as { document: Note };
            const deleted = (document['_perigee'] as { deleted?: boolean }).deleted === true;
            this.#reached.add(deleted ? `deleted:${name}:${document.owner}/${document.id}` : (document.text ?? ''));
          }
          return result;
        };
      },
    });
  }

  async #fault(request: RequestName, device: CrashableDevice, life: number): Promise<Fault | undefined> {
    if (device.life !== life || device.crashed !== undefined) {
      return fault('CONNECTION_LOST');
    }
    if (!this.#faulty) {
      return undefined;
    }
    const dice = this.#below(100);
    if (dice < 8) {
      await this.#edit(device);
    } else if (dice < 13) {
      await this.#stranger();
    } else if (dice < 16) {
      device.crashed = device.copy();
      return fault('CONNECTION_LOST', request === 'batch' && this.#below(2) === 0 ? 'after' : 'before');
    } else if (dice < 18) {
      device.abort?.abort(new PerigeeError('CLOSED', 'Given up.'));
    } else if (dice < 20) {
      this.#jump(device);
    }
    const applied = request === 'batch' && this.#below(2) === 0 ? 'after' : 'before';
    switch (this.#below(30)) {
      case 0:
        return fault('UNREACHABLE');
      case 1:
        return fault('TIMEOUT', applied);
      case 2:
        return fault('CONNECTION_LOST', applied);
      case 3:
        return fault('THROTTLED', 'before', 10);
      case 4:
        return fault('TOKEN_EXPIRED');
      case 5:
        return request === 'changes' ? fault('INVALID_CONTINUATION') : undefined;
      case 6:
        return fault('SESSION_NOT_AVAILABLE');
      default:
        return undefined;
    }
  }

  async #restart(device: CrashableDevice, path: string): Promise<void> {
    await device.stop();
    await device.start(this.#optionsOf(device), path);
  }

  #jump(device: CrashableDevice): void {
    const by = (this.#below(2) === 0 ? 1 : -1) * this.#below(200_000);
    if (this.#below(3) === 0) {
      this.#serverClock.skewMs += Math.trunc(by / 10);
    } else if (this.#mode.mortal) {
      device.runtime.skewMs += by;
    }
  }

  async #step(): Promise<void> {
    const device = this.#pick(this.#devices);
    const dice = this.#below(100);
    if (dice < 45) {
      await this.#edit(device);
    } else if (dice < 82) {
      await this.#sync(device, dice > 78);
    } else if (dice < 90) {
      await this.#stranger();
    } else if (dice < 93) {
      await this.#restart(device, device.copy());
    } else {
      await this.#base.advance(this.#below(this.#mode.mortal ? 60_000 : 20_000));
    }
  }

  async #sync(device: CrashableDevice, reconcile: boolean): Promise<void> {
    device.abort = new AbortController();
    const { signal } = device.abort;
    try {
      await (reconcile ? device.engine.reconcile({ signal, maxRequestUnits: 3 }) : device.engine.sync({ signal }));
    } catch (error) {
      expect(signal.aborted, String(error)).toBe(true);
    }
    if (device.crashed !== undefined) {
      await this.#restart(device, device.crashed);
    }
  }

  async #edit(device: CrashableDevice): Promise<void> {
    const owner = this.#pick(OWNERS);
    const id = this.#pick(IDS);
    const { notes } = device;
    const make = (): Note => ({
      id,
      owner,
      kind: 'task',
      text: this.#next(device.name),
      ...(this.#mode.mortal && this.#below(3) === 0 ? { ttl: 1 + this.#below(100) } : {}),
    });
    const key = `${device.name} ${owner}/${id}`;
    const note = make();
    try {
      switch (this.#below(8)) {
        case 0:
        case 1:
          await notes.delete(id, owner);
          await this.#deleted(device, owner, id);
          return;
        case 2:
          await notes.create(note);
          break;
        case 3: {
          const current = await notes.read(id, owner);
          await notes.replace(note, { ifMatch: current?.etag ?? '*' });
          break;
        }
        case 4:
          await notes.patch(id, owner, [{ op: 'set', path: '/text', value: note.text as string }]);
          break;
        case 5:
          await notes.batch(owner, [
            { type: 'upsert', document: make() },
            { type: 'upsert', document: note },
          ]);
          break;
        case 6:
          await notes.transact(owner, async (transaction) => {
            if ((await transaction.read(id)) !== undefined) {
              await transaction.delete(id);
            }
            await transaction.create(note);
          });
          break;
        default:
          await notes.bulk([{ type: 'upsert', document: note }]);
      }
    } catch (error) {
      expect(isPerigeeError(error, 'NOT_FOUND') || isPerigeeError(error, 'CONFLICT'), String(error)).toBe(true);
      return;
    }
    this.#last.set(key, note.text);
  }

  async #deleted(device: CrashableDevice, owner: string, id: string): Promise<void> {
    const pending = (await device.engine.pending()).some((one) => one.id === id && one.partitionKey[0] === owner);
    const key = `${device.name} ${owner}/${id}`;
    if (pending) {
      this.#last.set(key, undefined);
    } else {
      this.#last.delete(key);
    }
  }

  async #stranger(): Promise<void> {
    const remote = await this.#cloud.container<Note>('app', 'notes');
    const owner = this.#pick(OWNERS);
    const id = this.#pick(IDS);
    const current = await remote.read(id, owner);
    const kind = this.#pick(KINDS);
    const more = this.#mode.mortal && this.#below(3) === 0 ? { ttl: 1 + this.#below(100) } : {};
    const text = this.#next('stranger');
    switch (this.#below(5)) {
      case 0:
      case 1:
        if (current !== undefined) {
          await remote.delete(id, owner);
        }
        return;
      case 2:
        await remote.upsert({ ...(current?.document ?? { id, owner }), text, kind, ...more } as Note);
        return;
      case 3:
        if (current !== undefined) {
          // Touched: the same content under a new etag.
          await remote.upsert(current.document);
        }
        return;
      default:
        await remote.upsert({ id, owner, text, kind, ...more });
    }
  }

  async #settle(): Promise<void> {
    this.#faulty = false;
    if (this.#mode.mortal) {
      // Whatever has a time to live is gone on every clock; tombstones are still there.
      this.#serverClock.skewMs = 0;
      for (const device of this.#devices) {
        device.runtime.skewMs = 0;
      }
      await this.#base.advance(400_000);
    }
    await this.#rounds((engine) => engine.sync());
    if (!this.#mode.mortal) {
      // The feed alone tells of everything but what vanished.
      for (const { name, expected, held } of await this.#compared()) {
        expect(held, name).toMatchObject(expected);
      }
    }
    await this.#rounds((engine) => engine.reconcile());
  }

  async #rounds(run: (engine: SyncEngine) => Promise<SyncReport>): Promise<void> {
    for (let round = 0; round < 3; round += 1) {
      for (const { engine } of this.#devices) {
        expect((await run(engine)).error).toBeUndefined();
      }
    }
  }

  /** What the remote has in scope, and what each device holds. */
  async #compared(): Promise<readonly { name: string; expected: object; held: object }[]> {
    const remote = await this.#cloud.container<Note>('app', 'notes');
    const compared = [];
    for (const owner of OWNERS) {
      const all = Object.entries(await contents(remote, owner));
      const expected = Object.fromEntries(all.filter(([, { kind }]) => !this.#mode.typed || kind === 'task'));
      for (const { name, notes } of this.#devices) {
        compared.push({ name, expected, held: await contents(notes, owner) });
      }
    }
    return compared;
  }

  async #check(): Promise<void> {
    for (const { name, expected, held } of await this.#compared()) {
      expect(held, name).toEqual(expected);
    }
    for (const device of this.#devices) {
      expect(await device.engine.pending()).toEqual([]);
    }
    if (!this.#mode.mortal) {
      await this.#checkLosses(await this.#cloud.container<Note>('app', 'notes'));
    }
  }

  async #checkLosses(remote: DocumentStore<Note>): Promise<void> {
    const problems: string[] = [];
    for (const [key, text] of this.#last) {
      const [name, path] = key.split(' ') as [string, string];
      const [owner, id] = path.split('/') as [string, string];
      const device = this.#devices.find((one) => one.name === name) as CrashableDevice;
      if (this.#reached.has(text ?? `deleted:${name}:${path}`)) {
        continue;
      }
      const journal = await device.engine.journal({ id, limit: 10_000 });
      const kept = journal.some(
        (entry) => entry.partitionKey[0] === owner && entry.losingSide === 'local' && entry.document?.['text'] === text,
      );
      // A deletion has its will wherever the document is gone, and a deleted document that was made anew since is another one.
      if (!kept && text !== undefined) {
        problems.push(`${key} = ${text} neither reached the remote nor is in the journal`);
      } else if (!kept) {
        const text = (await remote.read(id, owner))?.document.text;
        if (text?.startsWith(name) === true) {
          problems.push(`${key} was deleted and is there as ${text}`);
        }
      }
    }
    expect(problems).toEqual([]);
  }

  #next(who: string): string {
    this.#value += 1;
    return `${who}-${this.#value}`;
  }

  #below(limit: number): number {
    return this.#words() % limit;
  }

  #pick<T>(from: readonly T[]): T {
    return from[this.#below(from.length)] as T;
  }
}

test(
  `crashes, clocks that jump, refused cursors, expiry, type filters and every kind of local write: devices end equal (${SEEDS} seeds)`,
  { timeout: 1_200_000 },
  async () => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed += 1) {
      const chaos = new Chaos(seed);
      try {
        await chaos.run();
      } catch (error) {
        throw new Error(`Seed ${seed} fails; repeat it with PERIGEE_SEED=${seed} PERIGEE_SEEDS=1.`, { cause: error });
      } finally {
        await chaos.close();
      }
    }
  },
);
