import type { JsonObject } from '../core/json.ts';
import type { DocumentStore } from '../store/document-store.ts';
import type { SnapshotRecord } from '../store/snapshot/snapshot-record.ts';
import { openMemoryBackend, type MemoryBackend } from '../stores/memory/memory-backend.ts';
import type { SqliteDriver } from '../stores/sqlite/driver.ts';
import { SimulatedRuntime } from '../testing/simulated-runtime.ts';
import { Chance } from './chance.ts';
import { dimensionsOf, type Dimension } from './dimensions/dimensions.ts';
import { MIX_RULES, mixOf, type Mix, type MixRules } from './dimensions/mixes.ts';
import { Drafts } from './dimensions/drafts.ts';
import { DeviceRuntime } from './device-runtime.ts';
import { SimulatedDisk } from './disk/simulated-disk.ts';
import { networkedStore } from './network/networked-store.ts';
import { SimulatedNetwork, simulatedError } from './network/simulated-network.ts';
import { Splits } from './network/splits.ts';
import { SimulatedTokens } from './network/tokens.ts';
import { LocalEdits } from './oracle/local-edits.ts';
import { RemoteHistory, type HistoryEntry } from './oracle/remote-history.ts';
import { ShownVersions } from './oracle/shown-versions.ts';
import { WorkLimit } from './oracle/work-limit.ts';
import type { ServedRemote } from './served-remote.ts';
import { remoteBehaviour } from './remote-behaviour.ts';
import { CONTAINER, SimulatedDevice, type DeviceKind } from './simulated-device.ts';
import type { SimulationOptions } from './simulation-options.ts';
import { Trace } from './trace.ts';

/** Turns of the event loop after each event: what follows from it without the network needs no more. */
const SETTLE_TURNS = 2;

/** Each so many-th text makes a document that the remote refuses. */
const REFUSED_EACH = 19;

/** Seconds that documents live at the remote where it says so for all. */
const DEFAULT_TTL = 3600;

/** What a world is made of beside its options. */
export interface WorldParts {
  readonly driver: SqliteDriver;
  readonly folder: string;
  /** File of a device as it is when it was first opened. */
  readonly template: (device: string, user: string, owners: readonly string[], kind: DeviceKind) => Promise<string>;
}

/** A backup of the remote. */
export interface Backup {
  readonly records: readonly SnapshotRecord[];
  /** All living documents, by `owner/id`. */
  readonly contents: ReadonlyMap<string, HistoryEntry>;
  /** Versions that there had been of all documents. */
  readonly versions: number;
}

/** A version that a restored remote has forgotten. */
export interface Forgotten {
  readonly text: string;
  readonly device: string;
}

/** Everything that one seed drives, and all that is known of what happened. */
export class World {
  readonly options: SimulationOptions;
  readonly chance: Chance;
  readonly runtime: SimulatedRuntime;
  readonly network: SimulatedNetwork = new SimulatedNetwork();
  readonly history: RemoteHistory = new RemoteHistory();
  readonly edits: LocalEdits = new LocalEdits();
  readonly shown: ShownVersions = new ShownVersions();
  readonly trace: Trace = new Trace();
  readonly violations: string[] = [];
  readonly devices: SimulatedDevice[] = [];
  /** Texts that each device ever wrote into its file, be it as a document or in its journal. */
  readonly held: Map<string, Set<string>> = new Map();
  /** Texts that may become current again: somebody restored them, or their device forgot that it had sent them. */
  readonly restored: Set<string> = new Set();
  /** Cursors that the remote no longer knows, by device. */
  readonly refusedCursors: Map<string, string> = new Map();
  readonly backend: MemoryBackend;
  /** Devices that have not yet been in peace with a remote that was restored. */
  readonly misled: Set<string> = new Set();
  /** What devices had pending when they first met a restored remote in peace, as `device owner/id`: they have decided about it and may send it later. */
  readonly decided: Set<string> = new Set();
  /** The note beside each text, `null` for none, as far as the call that wrote it has told. */
  readonly notes: Map<string, string | null> = new Map();
  /** The title beside each text, `null` for one of a program that knows none. */
  readonly titles: Map<string, string | null> = new Map();
  /** Texts of documents that expire some time. */
  readonly mortal: Set<string> = new Set();
  readonly drafts: Drafts = new Drafts();
  readonly tokens: SimulatedTokens = new SimulatedTokens();
  /** What the world has beside what all have. */
  readonly dimensions: ReadonlySet<Dimension>;
  readonly mix: Mix;
  readonly #kind: DeviceKind;
  readonly #served: DocumentStore<JsonObject> | undefined;
  /** The remote itself. */
  remote: DocumentStore<JsonObject>;
  /** Whether the remote refuses some documents for a reason of their own. */
  refusing = true;
  /** Whether the remote is backed up and restored now and then. */
  readonly frail: boolean;
  /** What the remote held at some time, with the number of versions that each document had. */
  backup: Backup | undefined;
  /** What a restored remote has forgotten and the device that wrote it still held, by `owner/id`. */
  readonly forgotten: Map<string, Forgotten> = new Map();
  /** Versions of others that lost against a device, which wrote them down and sent its own in their place. */
  readonly overwritten: { readonly device: string; readonly key: string; readonly text: string }[] = [];
  editCount = 0;
  requests = 0;
  crashes = 0;
  receipts = 0;
  readonly splits: Splits;
  readonly work: WorkLimit;
  readonly #startMs: number;
  readonly #closeServed: () => Promise<void>;
  readonly #splitServed: ServedRemote['splitOrMerge'] | undefined;
  /** For each device the processes that wait for an answer. */
  readonly #asking = new Map<string, (() => boolean)[]>();
  readonly #textsOf = new Map<string, string[]>();
  #texts = 0;

  private constructor(
    options: SimulationOptions,
    runtime: SimulatedRuntime,
    backend: MemoryBackend,
    remote: DocumentStore<JsonObject>,
    served: ServedRemote | undefined,
    dimensions: ReadonlySet<Dimension>,
    kind: DeviceKind,
    splits: Splits,
  ) {
    this.splits = splits;
    this.options = options;
    this.dimensions = dimensions;
    this.mix = options.mix ?? (options.dimensions === undefined ? mixOf(options.seed) : 'even');
    this.#kind = kind;
    this.chance = new Chance(`events of ${options.seed}`);
    this.frail = this.chance.happens(25) || this.rules.isFrail;
    this.runtime = runtime;
    this.backend = backend;
    this.remote = remote;
    this.#served = served?.store;
    this.#splitServed = served?.splitOrMerge;
    this.#closeServed = served?.close ?? (() => Promise.resolve());
    this.#startMs = runtime.nowMs();
    this.work = new WorkLimit(options.steps, (what) => this.violate(what));
  }

  /** Makes the remote and the devices, which are up. */
  static async open(options: SimulationOptions, parts: WorldParts): Promise<World> {
    const runtime = new SimulatedRuntime({ seed: `world of ${options.seed}` });
    const backend = openMemoryBackend({ runtime });
    await backend.createDatabase('app');
    const dimensions = new Set(options.dimensions ?? dimensionsOf(options.seed));
    const container = dimensions.has('expiry') && options.seed % 3 === 0 ? { ...CONTAINER, defaultTtl: DEFAULT_TTL } : CONTAINER;
    const kind = { container, hasLocal: dimensions.has('local-fields'), hasVersions: dimensions.has('versions') };
    await backend.createContainer('app', container);
    const splits = new Splits();
    const served =
      options.remote === 'sdk' ? await (await import('./served-remote.ts')).serveRemote(backend, 'app', CONTAINER.id, splits) : undefined;
    const world = new World(options, runtime, backend, await backend.container('app', CONTAINER.id), served, dimensions, kind, splits);
    world.note([`${world.mix} events`, ...dimensions].join(', '));
    const count = options.devices ?? 3;
    for (let index = 0; index < count; index += 1) {
      await world.#addDevice(parts, index, index > 1 && index === count - 1 ? 'bob' : 'ada');
    }
    return world;
  }

  /** Whether the world has something that not all have. */
  has(dimension: Dimension): boolean {
    return this.dimensions.has(dimension);
  }

  /** What is different by what the world has more of. */
  get rules(): MixRules {
    return MIX_RULES[this.mix];
  }

  get container(): DeviceKind['container'] {
    return this.#kind.container;
  }

  /** Refuses a device as the remote does now, if it does. */
  admit(device: string): void {
    this.work.count();
    const nowMs = this.runtime.nowMs();
    const code = this.tokens.refusal(device, nowMs);
    if (code !== undefined) {
      throw simulatedError(code);
    }
    // Whoever comes through the SDK is told beneath it.
    if (this.#served === undefined && this.splits.subStatus(nowMs) !== undefined) {
      throw simulatedError('GONE');
    }
  }

  /** The remote as devices reach it. */
  get served(): DocumentStore<JsonObject> {
    return this.#served ?? this.remote;
  }

  /** Whether devices make one document of both sides of a conflict. */
  get merges(): boolean {
    return this.options.policy?.needsBase === true;
  }

  /** Whether a document of a text may expire: where devices merge, it may have the time to live of another version. */
  isMortal(text: string): boolean {
    return this.mortal.has(text) || (this.merges && this.has('expiry'));
  }

  note(event: string): void {
    this.trace.note(this.runtime.nowMs() - this.#startMs, event);
  }

  /** Notes what must never happen. */
  violate(what: string): void {
    this.violations.push(what);
    this.note(`VIOLATION ${what}`);
  }

  /** A text that nobody wrote before. */
  nextText(who: string): string {
    this.#texts += 1;
    const text = `${who}#${this.#texts}`;
    const texts = this.#textsOf.get(who) ?? [];
    this.#textsOf.set(who, texts);
    texts.push(text);
    return text;
  }

  /** Whether the remote refuses documents with a text: some, until the end of the run. */
  refuses(text: string | undefined): boolean {
    return this.refusing && text !== undefined && Number(text.split('#')[1]) % REFUSED_EACH === 0;
  }

  /** All texts that somebody wrote, or tried to. */
  textsOf(who: string): readonly string[] {
    return this.#textsOf.get(who) ?? [];
  }

  heldBy(device: string): Set<string> {
    const held = this.held.get(device) ?? new Set<string>();
    this.held.set(device, held);
    return held;
  }

  /** Lets follow whatever follows from an event without the network. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < SETTLE_TURNS; turn += 1) {
      await this.runtime.yieldTask();
    }
    this.expire();
  }

  /** Takes note of what has expired at the remote. */
  expire(): void {
    if (this.has('expiry')) {
      this.history.expire(this.runtime.nowMs());
    }
  }

  /** Splits a partition of the server that devices reach through the SDK, or merges two; any other store only says so. Gives which of both. */
  async splitOrMerge(): Promise<'splits' | 'merges'> {
    return (await this.#splitServed?.()) ?? (this.chance.happens(50) ? 'splits' : 'merges');
  }

  /** A process of a device asks the remote: no other one may do so meanwhile. */
  #begin(device: string, isAlive: () => boolean): () => void {
    const asking = this.#asking.get(device) ?? [];
    this.#asking.set(device, asking);
    if (asking.some((other) => other !== isAlive && other())) {
      this.violate(`two processes of ${device} synchronise at once`);
    }
    asking.push(isAlive);
    return () => asking.splice(asking.indexOf(isAlive), 1);
  }

  /** Closes files and stores. */
  async close(): Promise<void> {
    for (const device of this.devices) {
      await device.leave();
    }
    await this.#closeServed();
    await this.backend.close();
  }

  async #addDevice(parts: WorldParts, index: number, user: string): Promise<void> {
    const name = `device-${index}`;
    const owners = this.rules.isNarrow ? [`${user}:a`] : [`${user}:a`, `${user}:b`];
    const { chance } = this;
    const disk = new SimulatedDisk(parts.driver, parts.folder, name, chance);
    disk.begin(await parts.template(name, user, owners, this.#kind));
    const held = this.heldBy(name);
    disk.onStatement = () => this.work.count();
    disk.onWritten = (value) => {
      for (const [, text] of value.matchAll(/"text":"([^"]+)"/gu)) {
        held.add(text as string);
      }
    };
    const skewMs = chance.weighted<number>([
      [50, 0],
      [15, chance.below(60_000)],
      [15, -chance.below(60_000)],
      [10, chance.below(86_400_000)],
      [10, -chance.below(86_400_000)],
    ]);
    const runtime = new DeviceRuntime(
      this.runtime,
      `${name} of ${this.options.seed}`,
      skewMs,
      chance.happens(20) ? chance.below(400) - 200 : 0,
    );
    const device: SimulatedDevice = new SimulatedDevice({
      name,
      user,
      owners,
      kind: this.#kind,
      version: this.has('versions') ? 1 + chance.below(2) : 1,
      disk,
      runtime,
      sync: { policy: this.options.policy, pageItems: 1 + chance.below(5), markerIntervalMs: 0 },
      remote: (wanted, isAlive) => {
        if (wanted !== CONTAINER.id) {
          this.violate(`${name} asks the remote for ${wanted}, which no device shares`);
        }
        return networkedStore(() => this.served, {
          network: this.network,
          device: name,
          behaviour: remoteBehaviour(this, name),
          isAlive,
          admit: () => this.admit(name),
          begin: () => this.#begin(name, isAlive),
        });
      },
    });
    this.devices.push(device);
    await device.start();
  }
}
