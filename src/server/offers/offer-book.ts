import { PerigeeError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Backend, ContainerInfo, DatabaseInfo } from '../../store/backend.ts';
import { containerOwner, databaseOwner } from '../catalog/find-owner.ts';
import type { CatalogOwner, ServerCatalog, Setting } from '../catalog/server-catalog.ts';
import { offerRid } from '../catalog/catalog-rid.ts';
import { serverExtra } from '../container-json.ts';
import { DEFAULT_THROUGHPUT, type Throughput } from './throughput.ts';

const SETTING = 'offer';

/** The throughput of a database or of a container. */
export interface Offer {
  readonly id: string;
  /** What it is of: the container, or the database whose containers share it. */
  readonly owner: CatalogOwner;
  readonly container: ContainerInfo | undefined;
  readonly throughput: Throughput;
  readonly etag: string;
  /** Seconds since 1970. */
  readonly ts: number;
}

/** What a container may use: its own throughput, or a share of its database's. */
export interface ContainerThroughput {
  readonly throughput: Throughput;
  /** Resource id of the container, or of the database whose throughput is shared. */
  readonly ownerRid: string;
}

/**
 * The offers of an account, which the catalog keeps as a setting of their database or container.
 *
 * A container that nothing is kept of has the default throughput, unless its database has one that it shares.
 */
export class OfferBook {
  readonly #backend: Backend;
  readonly #catalog: ServerCatalog;

  constructor(backend: Backend, catalog: ServerCatalog) {
    this.#backend = backend;
    this.#catalog = catalog;
  }

  /** All offers, each database's before those of its containers. */
  async list(): Promise<readonly Offer[]> {
    const offers: Offer[] = [];
    for (const database of await this.#backend.listDatabases()) {
      const shared = await this.#ofDatabase(database);
      offers.push(...(shared === undefined ? [] : [shared]));
      for (const container of await this.#backend.listContainers(database.id)) {
        const own = await this.#ofContainer(container, shared !== undefined);
        offers.push(...(own === undefined ? [] : [own]));
      }
    }
    return offers;
  }

  /** @throws NOT_FOUND */
  async read(id: string): Promise<Offer> {
    const found = (await this.list()).find((offer) => offer.id === id);
    if (found === undefined) {
      throw new PerigeeError('NOT_FOUND', 'Resource Not Found: there is no offer with this id.');
    }
    return found;
  }

  /** Writes the throughput of a new database or container. */
  async create(owner: CatalogOwner, throughput: Throughput): Promise<void> {
    if (this.#catalog.isAvailable) {
      await this.#catalog.changeSetting(owner, SETTING, () => ({ ...throughput }));
    }
  }

  /** Changes the throughput that an offer gives. @throws PRECONDITION_FAILED */
  async replace(offer: Offer, throughput: Throughput, ifMatch: string | undefined): Promise<Offer> {
    const change = (current: JsonObject | undefined): JsonObject => {
      // An offer that nothing was kept of keeps the id that clients know it by.
      const id = current === undefined ? offer.id : current['offerId'];
      return { ...throughput, ...(id === undefined ? {} : { offerId: id }) };
    };
    const setting = await this.#catalog.changeSetting(offer.owner, SETTING, change, ifMatch === '*' ? undefined : ifMatch);
    return offerOf(offer.owner, offer.container, setting as Setting);
  }

  /** Whether a database has a throughput that containers share which have none of their own. */
  async isShared(database: DatabaseInfo): Promise<boolean> {
    return (await this.#ofDatabase(database)) !== undefined;
  }

  /** What a container may use. */
  async ofContainer(container: ContainerInfo): Promise<ContainerThroughput> {
    const database = await this.#backend.readDatabase(container.databaseId);
    const shared = database === undefined ? undefined : await this.#ofDatabase(database);
    const own = await this.#ofContainer(container, shared !== undefined);
    const offer = own ?? shared;
    return { throughput: offer?.throughput ?? DEFAULT_THROUGHPUT, ownerRid: offer?.owner.rid ?? container.rid };
  }

  async #ofDatabase(database: DatabaseInfo): Promise<Offer | undefined> {
    const owner = databaseOwner(database);
    const setting = await this.#setting(owner);
    return setting === undefined ? undefined : offerOf(owner, undefined, setting);
  }

  async #ofContainer(container: ContainerInfo, hasShared: boolean): Promise<Offer | undefined> {
    const owner = containerOwner(container);
    const setting = await this.#setting(owner);
    if (setting !== undefined) {
      return offerOf(owner, container, setting);
    }
    if (hasShared) {
      return undefined;
    }
    const { etag, ts } = container;
    return { id: virtualId(container), owner, container, throughput: throughputKept(serverExtra(container.definition)), etag, ts };
  }

  async #setting(owner: CatalogOwner): Promise<Setting | undefined> {
    return this.#catalog.isAvailable ? this.#catalog.readSetting(owner, SETTING) : undefined;
  }
}

/** The id of an offer that nothing is kept of: the container's resource id without the padding. */
function virtualId({ rid }: ContainerInfo): string {
  return rid.replace(/[=]+$/u, '');
}

function throughputKept(members: { readonly throughput?: unknown; readonly autoscaleMaxThroughput?: unknown }): Throughput {
  const { throughput, autoscaleMaxThroughput } = members;
  if (typeof autoscaleMaxThroughput === 'number') {
    return { autoscaleMaxThroughput };
  }
  return typeof throughput === 'number' ? { throughput } : DEFAULT_THROUGHPUT;
}

function offerOf(owner: CatalogOwner, container: ContainerInfo | undefined, setting: Setting): Offer {
  const { members, number, etag, ts } = setting;
  const kept = members['offerId'];
  return { id: typeof kept === 'string' ? kept : offerRid(number), owner, container, throughput: throughputKept(members), etag, ts };
}
