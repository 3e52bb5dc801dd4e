import { PerigeeError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Backend, CatalogDocument } from '../../store/backend.ts';
import { isStoreOfNoUse } from '../../store/container-gone.ts';
import type { DocumentStore, StoreTransaction } from '../../store/document-store.ts';
import type { StoredDocument } from '../../store/document.ts';
import { parseDocumentRid } from '../../store/resource-id.ts';
import { catalogRid } from './catalog-rid.ts';
import { RESOURCE_KINDS, type ResourceKind } from './resource-kind.ts';

/** What resources of the catalog belong to. */
export interface CatalogOwner {
  readonly databaseRid: string;
  /** Resource id of the database, user or container. */
  readonly rid: string;
  /** `_self` of the owner, with a slash at the end. */
  readonly self: string;
}

/** One user, permission, script and so on. */
export interface CatalogResource {
  readonly id: string;
  readonly rid: string;
  /** The number that its resource id is made of: the order of creation in the whole catalog. */
  readonly number: number;
  readonly self: string;
  readonly etag: string;
  /** Seconds since 1970. */
  readonly ts: number;
  /** The members that its kind has. */
  readonly members: JsonObject;
}

/** A resource as it is to be written. */
export interface ResourceDraft {
  readonly id: string;
  readonly members: JsonObject;
  /** What no other resource of the same kind and owner may be about: that of a permission. */
  readonly target?: string | undefined;
}

/** How a resource lies in the catalog of the backend. */
interface Entry extends CatalogDocument {
  readonly members: JsonObject;
  readonly target?: string;
  /** The number that its resource id is made of, where that is not the entry's own: it was given a new id. */
  readonly number?: number;
}

/** What a transaction on a scope can do. */
type Transaction = StoreTransaction<Entry>;

function missing(kind: ResourceKind, name: string): PerigeeError {
  return new PerigeeError('NOT_FOUND', `Resource Not Found: there is no ${RESOURCE_KINDS[kind].noun} ${JSON.stringify(name)}.`);
}

/** The partition key of the entries of one kind and owner; those of a database, whatever level, begin with its resource id. */
function scopeOf(kind: string, owner: Pick<CatalogOwner, 'databaseRid' | 'rid'>): string {
  return `${owner.databaseRid}/${owner.rid}/${kind}`;
}

/**
 * Users, permissions, keys, scripts and settings, kept in the catalog of a backend so that any number of servers may share them.
 *
 * An entry belongs to the resource id of its owner. Resource ids are never given twice, so what an owner left behind that was deleted by other means is
 * never found again.
 */
export class ServerCatalog {
  readonly #backend: Backend;
  #store: Promise<DocumentStore<Entry>> | undefined;

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  /** Whether the backend has a catalog at all. Without one every call raises NOT_SUPPORTED. */
  get isAvailable(): boolean {
    return this.#backend.capabilities.catalog;
  }

  /** In the order of creation. */
  async list(kind: ResourceKind, owner: CatalogOwner): Promise<readonly CatalogResource[]> {
    const scope = scopeOf(kind, owner);
    const entries = await this.#use((store) =>
      store.query<StoredDocument<Entry>>('SELECT * FROM c', { partitionKey: scope, maxItemCount: 1000 }).toArray(),
    );
    return entries.map((entry) => resourceOf(kind, owner, entry));
  }

  /** By id or resource id. @throws NOT_FOUND */
  async read(kind: ResourceKind, owner: CatalogOwner, name: string): Promise<CatalogResource> {
    const found = await this.#use((store) => store.read(name, scopeOf(kind, owner)));
    const resource = found === undefined ? undefined : resourceOf(kind, owner, found.document);
    const byRid = resource ?? (await this.#listIfRid(kind, owner, name)).find(({ rid }) => rid === name);
    if (byRid === undefined) {
      throw missing(kind, name);
    }
    return byRid;
  }

  /** @throws CONFLICT */
  async create(kind: ResourceKind, owner: CatalogOwner, draft: ResourceDraft): Promise<CatalogResource> {
    const entry = entryOf(scopeOf(kind, owner), draft);
    const { document } =
      draft.target === undefined
        ? await this.#use((store) => store.create(entry))
        : await this.#transact(entry.scope, async (transaction) => {
            await checkTarget(transaction, draft, draft.id);
            return transaction.create(entry);
          });
    return resourceOf(kind, owner, document);
  }

  /** Creates or replaces by id. @throws CONFLICT */
  async upsert(
    kind: ResourceKind,
    owner: CatalogOwner,
    draft: ResourceDraft,
  ): Promise<{ readonly resource: CatalogResource; readonly created: boolean }> {
    const scope = scopeOf(kind, owner);
    return this.#transact(scope, async (transaction) => {
      await checkTarget(transaction, draft, draft.id);
      const before = await transaction.read(draft.id);
      const number = before?.document.number;
      const written = await transaction.upsert({ ...entryOf(scope, draft), ...(number === undefined ? {} : { number }) });
      return { resource: resourceOf(kind, owner, written.document), created: written.created };
    });
  }

  /** Replaces; a new id is given to it where that of the draft differs from `name`. @throws NOT_FOUND, PRECONDITION_FAILED, CONFLICT */
  async replace(
    kind: ResourceKind,
    owner: CatalogOwner,
    name: string,
    draft: ResourceDraft,
    ifMatch: string | undefined,
  ): Promise<CatalogResource> {
    const current = await this.read(kind, owner, name);
    const scope = scopeOf(kind, owner);
    const document = await this.#transact(scope, async (transaction) => {
      const before = await transaction.read(current.id);
      if (before === undefined) {
        throw missing(kind, name);
      }
      await checkTarget(transaction, draft, current.id);
      const entry = { ...entryOf(scope, draft), number: numberOf(before.document) };
      if (draft.id === current.id) {
        return (await transaction.replace(entry, { ifMatch })).document;
      }
      await transaction.delete(current.id, { ifMatch });
      return (await transaction.create(entry)).document;
    });
    return resourceOf(kind, owner, document);
  }

  /** Gives the resource that is gone. @throws NOT_FOUND, PRECONDITION_FAILED */
  async delete(kind: ResourceKind, owner: CatalogOwner, name: string, ifMatch: string | undefined): Promise<CatalogResource> {
    const current = await this.read(kind, owner, name);
    await this.#use((store) => store.delete(current.id, scopeOf(kind, owner), { ifMatch }));
    return current;
  }

  /** A setting of an owner that no client sees as a resource of its own. */
  async readSetting(owner: Pick<CatalogOwner, 'databaseRid' | 'rid'>, name: string): Promise<Setting | undefined> {
    const found = await this.#use((store) => store.read(name, scopeOf('settings', owner)));
    return found === undefined ? undefined : settingOf(found.document);
  }

  /**
   * Writes a setting from what it is now, all or nothing; `undefined` leaves it as it is.
   *
   * @param change may be called again, so it has no effects of its own
   * @param ifMatch the etag that the setting must have, if there is one
   * @throws PRECONDITION_FAILED
   */
  async changeSetting(
    owner: Pick<CatalogOwner, 'databaseRid' | 'rid'>,
    name: string,
    change: (current: JsonObject | undefined) => JsonObject | undefined,
    ifMatch?: string,
  ): Promise<Setting | undefined> {
    const scope = scopeOf('settings', owner);
    return this.#transact(scope, async (transaction) => {
      const before = await transaction.read(name);
      if (ifMatch !== undefined && before !== undefined && before.document._etag !== ifMatch) {
        throw new PerigeeError('PRECONDITION_FAILED', 'The setting changed since the etag was read. Read it again and decide.');
      }
      const members = change(before?.document.members);
      if (members === undefined) {
        return before === undefined ? undefined : settingOf(before.document);
      }
      return settingOf((await transaction.upsert({ id: name, scope, members })).document);
    });
  }

  /** Removes what belongs to a database, or to one of its users or containers; after the owner itself is gone. */
  async forget(databaseRid: string, ownerRid?: string): Promise<void> {
    if (!this.isAvailable) {
      return;
    }
    const prefix = ownerRid === undefined ? `${databaseRid}/` : `${databaseRid}/${ownerRid}/`;
    const query = 'SELECT c.id, c.scope FROM c WHERE STARTSWITH(c.scope, @prefix)';
    const { outcomes } = await this.#use(async (store) => {
      const entries = await store
        .query<{ readonly id: string; readonly scope: string }>({ query, parameters: [{ name: '@prefix', value: prefix }] })
        .toArray();
      return store.bulk(entries.map(({ id, scope }) => ({ type: 'delete' as const, id, partitionKey: scope })));
    });
    const failed = outcomes.find((outcome) => !outcome.ok && outcome.error.code !== 'NOT_FOUND');
    if (failed?.ok === false) {
      throw failed.error;
    }
  }

  async close(): Promise<void> {
    await (await this.#store)?.close();
  }

  async #listIfRid(kind: ResourceKind, owner: CatalogOwner, name: string): Promise<readonly CatalogResource[]> {
    const ridLength = catalogRid(kind, owner.rid, 1).length;
    return name.length === ridLength ? this.list(kind, owner) : [];
  }

  #transact<R>(scope: string, work: (transaction: Transaction) => Promise<R>): Promise<R> {
    return this.#use((store) => store.transact(scope, work));
  }

  /** Runs `work` on the catalog; where it meets a store that a restore put away, it runs again on the one there is now. */
  async #use<R>(work: (store: DocumentStore<Entry>) => Promise<R>): Promise<R> {
    const opening = this.#open();
    const store = await opening;
    try {
      return await work(store);
    } catch (error) {
      if (!isStoreOfNoUse(error)) {
        throw error;
      }
      if (this.#store === opening) {
        this.#store = undefined;
        await store.close();
      }
      return work(await this.#open());
    }
  }

  #open(): Promise<DocumentStore<Entry>> {
    this.#store ??= (this.#backend.catalog() as Promise<DocumentStore<Entry>>).catch((error: unknown) => {
      this.#store = undefined;
      throw error;
    });
    return this.#store;
  }
}

/** A setting of an owner: what it says, and the number and stamp of its entry. */
export interface Setting {
  readonly members: JsonObject;
  /** Never the same for two settings of a catalog. */
  readonly number: number;
  readonly etag: string;
  /** Seconds since 1970. */
  readonly ts: number;
}

function entryOf(scope: string, { id, members, target }: ResourceDraft): Entry {
  return { id, scope, members, ...(target === undefined ? {} : { target }) };
}

/** Raises CONFLICT where another resource than the one of the id is about the same. */
async function checkTarget(transaction: Transaction, { target }: ResourceDraft, id: string): Promise<void> {
  if (target === undefined) {
    return;
  }
  const query = 'SELECT VALUE c.id FROM c WHERE c.target = @target AND c.id != @id';
  const parameters = [
    { name: '@target', value: target },
    { name: '@id', value: id },
  ];
  if ((await transaction.query({ query, parameters })).length > 0) {
    throw new PerigeeError(
      'CONFLICT',
      'The user has a permission for the same resource and partition key already: there is one for each. Replace it, or delete it first.',
    );
  }
}

function settingOf(entry: StoredDocument<Entry>): Setting {
  return { members: entry.members, number: numberOf(entry), etag: entry._etag, ts: entry._ts };
}

function numberOf(entry: StoredDocument<Entry>): number {
  return entry.number ?? parseDocumentRid(entry._rid)?.ordinal ?? 0;
}

function resourceOf(kind: ResourceKind, owner: CatalogOwner, entry: StoredDocument<Entry>): CatalogResource {
  const number = numberOf(entry);
  const rid = catalogRid(kind, owner.rid, number);
  return { id: entry.id, rid, number, self: `${owner.self}${kind}/${rid}/`, etag: entry._etag, ts: entry._ts, members: entry.members };
}
