import { expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import type { DocumentStore } from '../../src/store/document-store.ts';
import { isPerigeeError } from '../../src/core/errors.ts';
import { seededRandom } from '../../src/core/seeded-random.ts';
import { lastWriteWins, mergeFields, type ConflictPolicy } from '../../src/sync/index.ts';
import { fault, faultyStore, type Fault, type RequestName } from './faulty-store.ts';
import { contents, World, type Device, type Note } from './world.ts';

const SEEDS = Number(process.env['PERIGEE_SEEDS'] ?? 15);
const FIRST_SEED = Number(process.env['PERIGEE_SEED'] ?? 1);
const STEPS = 90;
const OWNERS = ['ada', 'bob'];
const IDS = Array.from({ length: 8 }, (_, index) => `n${index}`);

interface LastWrite {
  readonly value: string | undefined;
}

/** Random work on three devices and by strangers, over lines that fail in every way; checks what must hold at the end. */
class Chaos {
  readonly #policy: ConflictPolicy;
  readonly #words: () => number;
  readonly #world: World;
  readonly #devices: Device[] = [];
  /** Values and deletions that the remote ever held, by `value` or `deleted:device:owner/id`. */
  readonly #reached = new Set<string>();
  /** Values that were ever on a device. */
  readonly #held = new Map<string, Set<string>>();
  /** Newest write of each device to each document. */
  readonly #last = new Map<string, LastWrite>();
  readonly #problems: string[] = [];
  /** Requests that the remote will carry out although nobody waits for them any more. */
  readonly #late: (() => Promise<unknown>)[] = [];
  #value = 0;
  #faulty = true;

  constructor(world: World, seed: number, policy: ConflictPolicy) {
    this.#policy = policy;
    this.#world = world;
    this.#words = seededRandom(`chaos-${seed}`);
  }

  async run(): Promise<void> {
    for (const skewMs of [0, 40_000, -3_600_000]) {
      await this.#addDevice(skewMs);
    }
    for (let step = 0; step < STEPS; step += 1) {
      await this.#step();
      await this.#observe();
    }
    await this.#settle();
    await this.#check();
  }

  async #addDevice(skewMs: number): Promise<void> {
    const name = `device-${this.#devices.length}`;
    const index = this.#devices.length;
    const device = await this.#world.device({
      device: name,
      skewMs,
      pageItems: 3,
      policy: this.#policy,
      scope: OWNERS.map((owner) => ({ container: 'notes', partitionKey: owner })),
      wrap: (store) =>
        faultyStore(
          this.#recording(store, name),
          (request) => this.#fault(request, index),
          (send) => this.#late.push(send),
        ),
    });
    this.#devices.push(device);
    this.#held.set(name, new Set());
  }

  /** Takes note of what reaches the remote, and checks that nobody overwrites there what they neither held nor kept in the journal. */
  #recording(store: DocumentStore<JsonObject>, name: string): DocumentStore<JsonObject> {
    return new Proxy(store, {
      get: (target, property) => {
        if (property !== 'batch') {
          const value: unknown = Reflect.get(target, property, target);
          return typeof value === 'function' ? (value as (...rest: unknown[]) => unknown).bind(target) : value;
        }
        return async (...parameters: Parameters<typeof target.batch>) => {
          const [owner, operations] = parameters as unknown as [readonly string[], readonly { document: Note; type: string }[]];
          const before = await target.readMany(operations.map(({ document }) => ({ id: document.id, partitionKey: owner })));
          const result = await target.batch(...parameters);
          if (result.committed) {
            for (const [index, { document }] of operations.entries()) {
              const previous = before.documents[index] as Note | undefined;
              // A merged document may have what it replaces in it.
              await this.#overwritten(name, previous?.text === document.text ? undefined : previous);
              const wire = document['_perigee'] as { deleted?: boolean };
              this.#reached.add(wire.deleted === true ? `deleted:${name}:${document.owner}/${document.id}` : (document.text ?? ''));
            }
          }
          return result;
        };
      },
    });
  }

  async #overwritten(name: string, previous: Note | undefined): Promise<void> {
    if (previous?.text === undefined || this.#held.get(name)?.has(previous.text) === true) {
      return;
    }
    const journal = await (this.#devices.find((device) => device.name === name) as Device).engine.journal({ id: previous.id, limit: 1000 });
    if (!journal.some(({ document }) => document?.['text'] === previous.text)) {
      this.#problems.push(`${name} overwrote ${previous.text}, which it never held and has not in its journal`);
    }
  }

  async #fault(request: RequestName, index: number): Promise<Fault | undefined> {
    if (!this.#faulty) {
      return undefined;
    }
    const device = this.#devices[index] as Device;
    const dice = this.#below(100);
    await this.#observe();
    if (dice < 8) {
      // An edit while a request is under way.
      await this.#edit(device);
      await this.#observe();
    } else if (dice < 12) {
      await this.#stranger();
    }
    const applied = request === 'batch' && this.#below(2) === 0 ? 'after' : 'before';
    switch (this.#below(24)) {
      case 0:
        return fault('UNREACHABLE');
      case 1:
        return fault('TIMEOUT', applied);
      case 2:
        return fault('CONNECTION_LOST', applied);
      case 3:
        return fault('THROTTLED', 'before', 10);
      case 4:
        return fault('UNAVAILABLE');
      case 5:
        return fault('TOKEN_EXPIRED');
      case 6:
        return fault('TIMEOUT', request === 'batch' ? 'late' : 'before');
      default:
        return undefined;
    }
  }

  async #step(): Promise<void> {
    if (this.#late.length > 0 && this.#below(3) === 0) {
      await this.#late.shift()?.();
      await this.#observe();
    }
    const device = this.#devices[this.#below(this.#devices.length)] as Device;
    const dice = this.#below(100);
    if (dice < 50) {
      await this.#edit(device);
    } else if (dice < 80) {
      await device.engine.sync();
    } else if (dice < 90) {
      await this.#stranger();
    } else if (dice < 93) {
      await device.engine.reconcile();
    } else {
      await this.#world.pass(this.#below(20_000));
    }
  }

  async #edit(device: Device): Promise<void> {
    const owner = this.#pick(OWNERS);
    const id = this.#pick(IDS);
    const key = `${device.name} ${owner}/${id}`;
    if (this.#below(4) === 0) {
      try {
        await device.notes.delete(id, owner);
      } catch (error) {
        expect(isPerigeeError(error, 'NOT_FOUND')).toBe(true);
        return;
      }
      const pending = await device.engine.pending();
      const isPending = pending.some((one) => one.id === id && one.partitionKey[0] === owner);
      // What the remote never heard of vanishes without a trace.
      if (isPending) {
        this.#last.set(key, { value: undefined });
      } else {
        this.#last.delete(key);
      }
      return;
    }
    const text = this.#next(device.name);
    await device.notes.upsert({ id, owner, text });
    this.#held.get(device.name)?.add(text);
    this.#last.set(key, { value: text });
  }

  /** Somebody writes to the remote without any engine. */
  async #stranger(): Promise<void> {
    const remote = await this.#world.remote();
    const owner = this.#pick(OWNERS);
    const id = this.#pick(IDS);
    const current = await remote.read(id, owner);
    const text = this.#next('stranger');
    switch (this.#below(4)) {
      case 0:
        if (current !== undefined) {
          await remote.delete(id, owner);
        }
        return;
      case 1:
        // Keeps the stamp of whoever wrote before.
        await remote.upsert({ ...(current?.document ?? { id, owner }), text } as Note);
        return;
      default:
        await remote.upsert({ id, owner, text });
    }
  }

  async #observe(): Promise<void> {
    for (const device of this.#devices) {
      for (const owner of OWNERS) {
        for (const { text } of Object.values(await contents(device.notes, owner))) {
          this.#held.get(device.name)?.add(text as string);
        }
      }
    }
    // Where the remote has no such document a deletion has its will, whoever brought that about.
    const remote = await this.#world.remote();
    const present = new Map<string, Record<string, unknown>>();
    for (const owner of OWNERS) {
      present.set(owner, await contents(remote, owner));
    }
    for (const [key, { value }] of this.#last) {
      const [owner, id] = (key.split(' ')[1] as string).split('/') as [string, string];
      if (value === undefined && present.get(owner)?.[id] === undefined) {
        this.#last.delete(key);
      }
    }
  }

  async #settle(): Promise<void> {
    this.#faulty = false;
    for (const send of this.#late) {
      await send();
      await this.#observe();
    }
    for (let round = 0; round < 3; round += 1) {
      for (const device of this.#devices) {
        const report = await device.engine.reconcile();
        expect(report.error).toBeUndefined();
        await this.#observe();
      }
    }
  }

  async #check(): Promise<void> {
    const remote = await this.#world.remote();
    for (const owner of OWNERS) {
      const expected = await contents(remote, owner);
      for (const device of this.#devices) {
        expect(await contents(device.notes, owner)).toEqual(expected);
      }
    }
    for (const device of this.#devices) {
      expect(await device.engine.pending()).toEqual([]);
      const journal = await device.engine.journal({ limit: 10_000 });
      for (const [key, { value }] of this.#last) {
        const [name, path] = key.split(' ') as [string, string];
        const [owner, id] = path.split('/');
        if (name !== device.name || this.#reached.has(value ?? `deleted:${name}:${path}`)) {
          continue;
        }
        const lost = journal.filter((entry) => entry.id === id && entry.partitionKey[0] === owner && entry.losingSide === 'local');
        const kept = lost.some(({ document }) => document?.['text'] === value);
        if (!kept) {
          this.#problems.push(`${key} = ${value ?? 'deleted'} neither reached the remote nor is in the journal`);
        }
      }
    }
    expect(this.#problems).toEqual([]);
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

test.each([
  ['lastWriteWins', lastWriteWins],
  ['mergeFields', mergeFields()],
] as const)(
  `three devices, strangers and failing lines end equal, and no acknowledged write is lost: %s (${SEEDS} seeds)`,
  { timeout: 600_000 },
  async (_name, policy) => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed += 1) {
      const world = await World.open({ seed });
      try {
        await new Chaos(world, seed, policy).run();
      } catch (error) {
        throw new Error(`Seed ${seed} fails; repeat it with PERIGEE_SEED=${seed} PERIGEE_SEEDS=1.`, { cause: error });
      } finally {
        await world.close();
      }
    }
  },
);
