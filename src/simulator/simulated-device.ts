import type { JsonObject } from '../core/json.ts';
import type { ContainerInput } from '../store/container-definition.ts';
import type { DocumentStore } from '../store/document-store.ts';
import type { SqliteDriver } from '../stores/sqlite/driver.ts';
import { all, type Program } from '../stores/sqlite/driver.ts';
import { openSqliteBackend, type SqliteBackend } from '../stores/sqlite/sqlite-backend.ts';
import { SyncEngine } from '../sync/engine.ts';
import type { JournalEntry } from '../sync/state/journal.ts';
import type { SyncOptions } from '../sync/sync-options.ts';
import type { SyncReport } from '../sync/sync-report.ts';
import type { SyncedStore } from '../sync/writes/synced-store.ts';
import { documentOf } from '../sync/push/groups.ts';
import type { DeviceRuntime } from './device-runtime.ts';
import { schemaOf } from './dimensions/document-shapes.ts';
import type { SimulatedDisk } from './disk/simulated-disk.ts';
import { SecondProcess } from './second-process.ts';

/** The documents of simulations. */
export interface SimulatedDocument {
  readonly id: string;
  readonly owner: string;
  /** Unique to the write. */
  readonly text: string;
  /** What patches leave alone, change or take away; each text is written beside one, or none. */
  readonly note?: string | undefined;
  readonly body?: string;
  readonly ttl?: number;
  /** Never leaves the device, in some worlds. */
  readonly draft?: string;
}

/** The container that devices share. */
export const CONTAINER: ContainerInput & { readonly id: string } = { id: 'notes', partitionKey: '/owner', defaultTtl: -1 };

/** A container that no device shares, in some worlds. */
export const SETTINGS: ContainerInput & { readonly id: string } = { id: 'settings', partitionKey: '/area' };

/** What is the same for all devices of a world. */
export interface DeviceKind {
  readonly container: ContainerInput & { readonly id: string };
  /** Whether documents have a property, and devices a container, that never leaves them. */
  readonly hasLocal: boolean;
  /** Whether programs know versions of the documents. */
  readonly hasVersions: boolean;
}

/** What the engine of a device holds. */
export function holding(
  owners: readonly string[],
  { container, hasLocal, hasVersions }: DeviceKind,
  version: number,
): Pick<SyncOptions, 'containers' | 'scope' | 'localFields' | 'localContainers' | 'schemas'> {
  return {
    containers: [container],
    scope: owners.map((owner) => ({ container: container.id, partitionKey: owner })),
    ...(hasLocal ? { localFields: { [container.id]: ['/draft'] }, localContainers: [SETTINGS] } : {}),
    ...(hasVersions ? { schemas: { [container.id]: schemaOf(version) } } : {}),
  };
}

/** What a device is made of. */
export interface SimulatedDeviceOptions {
  readonly name: string;
  readonly user: string;
  /** Partition keys of the user. */
  readonly owners: readonly string[];
  readonly kind: DeviceKind;
  /** Version of the documents that its program knows at first. */
  readonly version: number;
  readonly disk: SimulatedDisk;
  readonly runtime: DeviceRuntime;
  /** Options of the engine beside those that the device has itself. */
  readonly sync: Omit<SyncOptions, 'backend' | 'user' | 'device' | 'scope' | 'remote' | 'containers' | 'runtime'>;
  /** Opens the remote store for one life of the device. */
  readonly remote: (container: string, isAlive: () => boolean) => DocumentStore<JsonObject>;
}

/** What a device knows of a document at the remote, and where its cursor stands. */
export interface Knowledge {
  readonly cursors: ReadonlyMap<string, string>;
  /** Etags by `owner/id`. */
  readonly bases: ReadonlyMap<string, string>;
  /** Documents with something to send, by `owner/id`; dead letters, and what waits behind them, are not among them. */
  readonly pending: ReadonlySet<string>;
  readonly deadLetters: ReadonlySet<string>;
  /** Documents that wait to be sent with others at once, or behind such, by `owner/id`. */
  readonly grouped: ReadonlySet<string>;
  /** Documents that were made anew on the device and have not been sent as such, and those known to be deleted, by `owner/id`. */
  readonly anew: ReadonlySet<string>;
  /** Partition keys of which it knows a marker. */
  readonly marked: ReadonlySet<string>;
}

interface ScopedRow {
  readonly pk: string;
  readonly id: string;
  readonly etag: string;
}

/** Documents that were refused, and those that wait behind them: their later versions, and what goes with such a version. */
function behindRefused(
  rows: readonly { readonly key: string; readonly group: string | null; readonly rejected: boolean }[],
): ReadonlySet<string> {
  const waiting = new Set(rows.filter(({ rejected }) => rejected).map(({ key }) => key));
  for (let before = -1; before < waiting.size;) {
    before = waiting.size;
    const groups = new Set(rows.filter(({ key, group }) => group !== null && waiting.has(key)).map(({ group }) => group));
    rows.filter(({ group }) => groups.has(group)).forEach(({ key }) => waiting.add(key));
  }
  return waiting;
}

async function positionOf(store: Pick<DocumentStore, 'changes'>): Promise<number> {
  return Number((await store.changes({ from: 'now' }).nextPage()).session);
}

/** One device: a real engine on a real file, which can be stopped, killed, and started again. */
export class SimulatedDevice {
  readonly name: string;
  readonly user: string;
  readonly owners: readonly string[];
  readonly disk: SimulatedDisk;
  readonly runtime: DeviceRuntime;
  readonly #options: SimulatedDeviceOptions;
  #life = 0;
  #backend: SqliteBackend | undefined;
  #engine: SyncEngine | undefined;
  /** Runs that were asked for and have not ended. */
  readonly running: Set<Promise<unknown>> = new Set();
  /** Version of the documents that its program knows. */
  version: number;
  /** Whether it runs by itself. */
  isScheduled = false;
  /** Another program on its file. */
  second: SecondProcess | undefined;
  /** Position of the container as the program that opened it last has found it, where migrations change that. */
  foundPosition: number | undefined;
  /** What it last wrote into the container that no other has; `undefined` where that is not known. */
  setting: number | undefined = 0;

  constructor(options: SimulatedDeviceOptions) {
    this.#options = options;
    this.name = options.name;
    this.user = options.user;
    this.owners = options.owners;
    this.disk = options.disk;
    this.runtime = options.runtime;
    this.version = options.version;
  }

  get isUp(): boolean {
    return this.#engine !== undefined && !this.disk.isDown;
  }

  /** @throws where the device is not up */
  get engine(): SyncEngine {
    if (this.#engine === undefined) {
      throw new Error(`${this.name} is not up.`);
    }
    return this.#engine;
  }

  get notes(): SyncedStore<SimulatedDocument & JsonObject> {
    return this.engine.store('notes');
  }

  /** Starts on the file that is there. */
  async start(): Promise<void> {
    const { disk } = this.#options;
    if (this.second === undefined) {
      await disk.restart();
    }
    this.#life += 1;
    const life = this.#life;
    const { backend, engine } = await this.#open(disk.driver, () => this.#life === life && !disk.isDown);
    this.#backend = backend;
    this.#engine = engine;
    this.isScheduled = false;
  }

  /** Starts another program on the file. */
  async startSecond(): Promise<void> {
    const process = this.disk.process();
    const { backend, engine } = await this.#open(process.driver, () => !process.isDown);
    this.second = new SecondProcess(`${this.name}'s second`, process, backend, engine);
  }

  async #open(driver: SqliteDriver, isAlive: () => boolean): Promise<{ readonly backend: SqliteBackend; readonly engine: SyncEngine }> {
    const { disk, runtime, sync, user, owners, name, kind } = this.#options;
    const backend = await openSqliteBackend({ path: disk.path, runtime, driver, autoIndex: 'off' });
    // Migrations take positions of their own.
    this.foundPosition = kind.hasVersions
      ? await this.disk.look(async () => positionOf(await backend.container('sync', kind.container.id)))
      : undefined;
    const opening = SyncEngine.open({
      ...sync,
      backend,
      user,
      device: name,
      runtime,
      ...holding(owners, kind, this.version),
      remote: (container) => this.#options.remote(container, isAlive),
    });
    try {
      return { backend, engine: await opening };
    } catch (error) {
      // A device that went down has lost its connections with it.
      await backend.close().catch(() => undefined);
      throw error;
    }
  }

  /** Stops as a program does that is asked to. */
  async stop(): Promise<void> {
    const [engine, backend] = [this.#engine, this.#backend];
    this.#engine = undefined;
    this.#backend = undefined;
    await engine?.close();
    await backend?.close();
  }

  /** Leaves the life that has crashed behind. */
  async leave(): Promise<void> {
    this.#engine?.stop();
    this.#engine = undefined;
    this.second?.engine.stop();
    this.second = undefined;
    this.running.clear();
    this.#life += 1;
    await this.disk.dispose();
  }

  /** Runs the engine; resolves with its report, or with what it failed with. */
  run(start: (engine: SyncEngine) => Promise<SyncReport>): Promise<SyncReport | Error> {
    const run = start(this.engine).catch((error: unknown) => error as Error);
    this.running.add(run);
    return run.finally(() => this.running.delete(run));
  }

  /** All documents, by `owner/id`. */
  async documents(): Promise<Map<string, SimulatedDocument & JsonObject>> {
    const rows = await this.disk.look(() => this.notes.query<SimulatedDocument & JsonObject>('SELECT * FROM c').toArray());
    return new Map(rows.map((row) => [`${row.owner}/${row.id}`, row]));
  }

  /** The texts of all documents, by `owner/id`. */
  async contents(): Promise<Map<string, string>> {
    return new Map(Array.from(await this.documents(), ([key, { text }]) => [key, text]));
  }

  /** Position of the container. */
  position(): Promise<number> {
    return this.disk.look(() => positionOf(this.notes));
  }

  /** Versions that lost a conflict. */
  journal(limit: number): Promise<readonly JournalEntry[]> {
    return this.disk.look(() => this.engine.journal({ limit }));
  }

  /** When documents expire on the device, in milliseconds since 1970, by `owner/id`; `undefined` for never. */
  expiries(): Promise<ReadonlyMap<string, number | undefined>> {
    const { database } = this.#backend as SqliteBackend;
    const read = function* (): Program<ReadonlyMap<string, number | undefined>> {
      const containers = yield* all<{ number: number }>('SELECT number FROM containers WHERE id = ?', CONTAINER.id);
      const rows = yield* all<{ pk: string; id: string; expires_at: number | null }>(
        `SELECT pk, id, expires_at FROM c${containers[0]?.number}`,
      );
      return new Map(
        rows.map(({ pk, id, expires_at: at }) => [`${(JSON.parse(pk) as string[])[0]}/${id}`, at === null ? undefined : at * 1000]),
      );
    };
    return this.disk.look(() => database.read(read));
  }

  /** What the file says of the remote. */
  knowledge(): Promise<Knowledge> {
    const { database } = this.#backend as SqliteBackend;
    const byKey = ({ pk, id }: { readonly pk: string; readonly id: string }): string => `${(JSON.parse(pk) as string[])[0]}/${id}`;
    const read = function* (): Program<Knowledge> {
      const cursors = yield* all<{ pk: string; cursor: string | null }>('SELECT pk, cursor FROM sync_scope');
      const bases = yield* all<ScopedRow & { deleted: number }>(
        'SELECT s.pk, b.id, b.etag, b.deleted FROM sync_base b JOIN sync_scope s ON s.scope = b.scope',
      );
      const rows = yield* all<{ pk: string; id: string; kind: string; group_id: string | null; rejected: 0 | 1 }>(
        'SELECT s.pk, o.id, o.kind, o.group_id, o.rejected_code IS NOT NULL AS rejected FROM sync_outbox o JOIN sync_scope s ON s.scope = o.scope',
      );
      const outbox = rows.map((row) => ({ ...row, id: documentOf(row.id) }));
      const marked = yield* all<{ pk: string }>('SELECT s.pk FROM sync_marker m JOIN sync_scope s ON s.scope = m.scope');
      const waiting = behindRefused(outbox.map((row) => ({ key: byKey(row), group: row.group_id, rejected: row.rejected === 1 })));
      return {
        marked: new Set(marked.map(({ pk }) => (JSON.parse(pk) as string[])[0] as string)),
        cursors: new Map(
          cursors.flatMap(({ pk, cursor }) => (cursor === null ? [] : [[(JSON.parse(pk) as string[])[0] as string, cursor]])),
        ),
        bases: new Map(bases.map((row) => [byKey(row), row.etag])),
        pending: new Set(outbox.map(byKey).filter((key) => !waiting.has(key))),
        deadLetters: waiting,
        grouped: new Set(outbox.filter(({ group_id: group }) => group !== null).map(byKey)),
        anew: new Set([...outbox.filter(({ kind }) => kind === 'create'), ...bases.filter(({ deleted }) => deleted === 1)].map(byKey)),
      };
    };
    return this.disk.look(() => database.read(read));
  }
}
