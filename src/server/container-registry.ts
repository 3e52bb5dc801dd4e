import { isPerigeeError, PerigeeError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { Runtime } from '../core/runtime.ts';
import type { Backend, ContainerInfo, DatabaseInfo } from '../store/backend.ts';
import { isStoreOfNoUse, OWNER_MISSING } from '../store/container-gone.ts';
import type { DocumentStore } from '../store/document-store.ts';
import { parsePropertyPath } from '../store/partition-key.ts';
import type { ContainerThroughput, OfferBook } from './offers/offer-book.ts';
import type { LayoutStore } from './partitions/layout-store.ts';
import type { PartitionLayout } from './partitions/partition-layout.ts';
import { parseContainerRid, parseDatabaseRid } from '../store/resource-id.ts';
import { serverExtra } from './container-json.ts';

/** A container that is being served. */
export interface OpenContainer {
  readonly info: ContainerInfo;
  readonly store: DocumentStore;
  /** Partition key paths, parsed. */
  readonly partitionKeyPaths: readonly (readonly string[])[];
  /** Whether it was made without a partition key; its key is then the empty one on the wire. */
  readonly hasSystemKey: boolean;
  /** How its hash space is cut. */
  readonly layout: PartitionLayout;
  readonly layoutVersion: string;
  /** What it may use; looked up where somebody enforces it. */
  readonly throughput: ContainerThroughput | undefined;
}

/** What {@link ContainerRegistry} looks at beside the backend. */
export interface ContainerSettings {
  readonly layouts: LayoutStore;
  /** `undefined` where throughput is not enforced. */
  readonly offers: OfferBook | undefined;
}

interface Entry {
  container: Promise<OpenContainer>;
  /** The container once it is open, so that a request need not wait. */
  opened: OpenContainer | undefined;
  checkedAtMs: number;
}

/** How long an open container is believed to be the one that its name stands for; another server may have replaced it. */
const TRUST_MS = 1000;
const MAX_OPEN = 1000;
/** How often work is begun on a container that somebody replaces again and again. */
const MAX_ATTEMPTS = 20;

function missing(what: string, name: string): PerigeeError {
  return new PerigeeError(
    'NOT_FOUND',
    `Resource Not Found: there is no ${what} ${JSON.stringify(name)}. Create it first, or check the case of the name.`,
  );
}

/** Says that the owner of what was asked for is missing, so that nobody takes it for a missing document. */
function ownerMissing(error: unknown): never {
  throw isPerigeeError(error, 'NOT_FOUND')
    ? new PerigeeError('NOT_FOUND', error.message, { subStatus: OWNER_MISSING, cause: error })
    : error;
}

/** Finds databases and containers by id or by resource id, and keeps the stores of containers open between requests. */
export class ContainerRegistry {
  readonly #backend: Backend;
  readonly #runtime: Runtime;
  readonly #logger: Logger;
  readonly #settings: ContainerSettings;
  readonly #entries = new Map<string, Entry>();
  readonly #closing = new Set<Promise<void>>();
  /** What was asked for last, and its key: most requests are for the same container as the one before. */
  #last = { databaseName: '', name: '', key: '/' };

  constructor(backend: Backend, runtime: Runtime, logger: Logger, settings: ContainerSettings) {
    this.#backend = backend;
    this.#runtime = runtime;
    this.#logger = logger;
    this.#settings = settings;
  }

  /** A database by id or resource id. @throws NOT_FOUND */
  async database(name: string): Promise<DatabaseInfo> {
    const found = await this.#backend.readDatabase(name);
    if (found !== undefined) {
      return found;
    }
    const byRid = parseDatabaseRid(name) === undefined ? undefined : (await this.#backend.listDatabases()).find(({ rid }) => rid === name);
    if (byRid === undefined) {
      throw missing('database', name);
    }
    return byRid;
  }

  /** A container by ids or resource ids, as it is now. @throws NOT_FOUND */
  async containerInfo(databaseName: string, name: string): Promise<ContainerInfo> {
    const found = await this.#backend.readContainer(databaseName, name);
    if (found !== undefined) {
      return found;
    }
    const database = await this.database(databaseName);
    const byRid =
      parseContainerRid(name) === undefined
        ? await this.#backend.readContainer(database.id, name)
        : (await this.#backend.listContainers(database.id)).find(({ rid }) => rid === name);
    if (byRid === undefined) {
      throw missing('container', name);
    }
    return byRid;
  }

  /** Runs `work` on a container. Where it meets a store whose container was deleted, replaced or restored, it runs again on the one there is now. */
  async use<R>(databaseName: string, name: string, work: (container: OpenContainer) => Promise<R>): Promise<R> {
    const key = this.#keyOf(databaseName, name);
    const entry = this.#entries.get(key);
    const trusted = entry?.opened !== undefined && this.#runtime.monotonicMs() - entry.checkedAtMs < TRUST_MS;
    let container = trusted ? (entry.opened as OpenContainer) : await this.#open(key, databaseName, name).catch(ownerMissing);
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await work(container);
      } catch (error) {
        if (attempt >= MAX_ATTEMPTS || (!isPerigeeError(error, 'NOT_FOUND') && !isPerigeeError(error, 'CLOSED'))) {
          throw error;
        }
        // Neither is raised after something was written, so the work can be done again.
        const again = isStoreOfNoUse(error) ? this.#reopen(key, databaseName, name, container) : this.#open(key, databaseName, name);
        const now = await again.catch(ownerMissing);
        if (now.store === container.store) {
          throw error;
        }
        container = now;
      }
    }
  }

  #keyOf(databaseName: string, name: string): string {
    if (this.#last.databaseName !== databaseName || this.#last.name !== name) {
      this.#last = { databaseName, name, key: `${databaseName}/${name}` };
    }
    return this.#last.key;
  }

  /** Closes the stores of a container, or of a whole database, after it was deleted or replaced. */
  drop(databaseId: string, containerId?: string): void {
    for (const [key, { opened }] of Array.from(this.#entries)) {
      if (opened === undefined) {
        continue;
      }
      const { info } = opened;
      if (info.databaseId === databaseId && (containerId === undefined || info.definition.id === containerId)) {
        this.#entries.delete(key);
        this.#closeStore(opened);
      }
    }
  }

  /** Has a container looked at again before its next use, after something about it changed that the server keeps. */
  refresh(rid: string): void {
    for (const entry of this.#entries.values()) {
      if (entry.opened?.info.rid === rid) {
        entry.checkedAtMs = Number.NEGATIVE_INFINITY;
      }
    }
  }

  /** Closes all stores. */
  async close(): Promise<void> {
    const entries = Array.from(this.#entries.values());
    this.#entries.clear();
    for (const { container } of entries) {
      const opened = await container.catch(() => undefined);
      if (opened !== undefined) {
        this.#closeStore(opened);
      }
    }
    await Promise.all(this.#closing);
  }

  /** The container that the name stands for now. */
  async #open(key: string, databaseName: string, name: string): Promise<OpenContainer> {
    const current = this.#entries.get(key);
    if (current === undefined) {
      return this.#start(key, databaseName, name);
    }
    const opened = await current.container;
    let info: ContainerInfo;
    try {
      info = await this.containerInfo(databaseName, name);
    } catch (error) {
      this.#replace(key, current, opened);
      throw error;
    }
    if (info.rid === opened.info.rid && info.etag === opened.info.etag) {
      const settings = await this.#settingsOf(info);
      // The store is the same, so requests under way go on with the ranges that they began with.
      const now =
        settings.layoutVersion === opened.layoutVersion && settings.throughput === undefined ? opened : { ...opened, ...settings };
      current.container = Promise.resolve(now);
      current.opened = now;
      current.checkedAtMs = this.#runtime.monotonicMs();
      return now;
    }
    this.#replace(key, current, opened);
    return this.#start(key, databaseName, name);
  }

  /** Opens a container anew whose store is of no use, although it may be the same by resource id and etag: a restore keeps both. */
  #reopen(key: string, databaseName: string, name: string, useless: OpenContainer): Promise<OpenContainer> {
    const entry = this.#entries.get(key);
    if (entry?.opened?.store === useless.store) {
      this.#replace(key, entry, useless);
    }
    return this.#start(key, databaseName, name);
  }

  /** Opens a container, once for all who ask at the same time. */
  #start(key: string, databaseName: string, name: string): Promise<OpenContainer> {
    const running = this.#entries.get(key);
    if (running !== undefined) {
      return running.container;
    }
    const checkedAtMs = this.#runtime.monotonicMs();
    const entry: Entry = { container: this.#openStore(databaseName, name), opened: undefined, checkedAtMs };
    this.#entries.set(key, entry);
    entry.container.then(
      (opened) => {
        entry.opened = opened;
      },
      () => {
        if (this.#entries.get(key) === entry) {
          this.#entries.delete(key);
        }
      },
    );
    this.#evict(key);
    return entry.container;
  }

  async #openStore(databaseName: string, name: string): Promise<OpenContainer> {
    const info = await this.containerInfo(databaseName, name);
    const settings = await this.#settingsOf(info);
    const store = await this.#backend.container(info.databaseId, info.definition.id);
    return {
      info,
      store,
      ...settings,
      partitionKeyPaths: info.definition.partitionKey.paths.map(parsePropertyPath),
      hasSystemKey: serverExtra(info.definition).systemKey === true,
    };
  }

  async #settingsOf(info: ContainerInfo): Promise<Pick<OpenContainer, 'layout' | 'layoutVersion' | 'throughput'>> {
    const { layouts, offers } = this.#settings;
    const { layout, version } = await layouts.read(info);
    return { layout, layoutVersion: version, throughput: await offers?.ofContainer(info) };
  }

  #replace(key: string, entry: Entry, opened: OpenContainer): void {
    if (this.#entries.get(key) === entry) {
      this.#entries.delete(key);
      this.#closeStore(opened);
    }
  }

  /** Keeps the number of open stores within bounds; the one opened first goes first. */
  #evict(keep: string): void {
    if (this.#entries.size <= MAX_OPEN) {
      return;
    }
    for (const [key, entry] of this.#entries) {
      if (key !== keep && entry.opened !== undefined) {
        this.#replace(key, entry, entry.opened);
        return;
      }
    }
  }

  #closeStore({ store, info }: OpenContainer): void {
    const closing = store
      .close()
      .catch((error: unknown) => this.#logger.log('error', 'a store did not close', { container: info.definition.id, error }))
      .finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }
}
