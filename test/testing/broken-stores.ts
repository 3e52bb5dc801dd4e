import { PerigeeError } from '../../src/core/errors.ts';
import type { Runtime } from '../../src/core/runtime.ts';
import type { Backend } from '../../src/store/backend.ts';
import type { ChangePage } from '../../src/store/changes.ts';
import type { DocumentStore } from '../../src/store/document-store.ts';
import type { BatchOperation, BulkOperation, OperationOutcome } from '../../src/store/operations.ts';
import { PagedChanges, PagedQuery } from '../../src/store/paged-result.ts';
import type { QueryPage } from '../../src/store/queries.ts';

/** A way to break the contract, and the topics of the suite that have to notice. */
export interface Mutant {
  readonly name: string;
  readonly noticedBy: readonly string[];
  readonly wrap?: ((store: DocumentStore) => DocumentStore) | undefined;
  readonly backend?: ((backend: Backend) => Backend) | undefined;
  readonly runtime?: ((runtime: Runtime) => Runtime) | undefined;
}

type Override<T> = { [Name in keyof T]?: T[Name] };

/** The same object with some members replaced; all others keep their `this`. */
export function override<T extends object>(target: T, members: Override<T>): T {
  return new Proxy(target, {
    get(object, name) {
      if (Object.hasOwn(members, name)) {
        return members[name as keyof T];
      }
      const member: unknown = Reflect.get(object, name, object);
      return typeof member === 'function' ? (member.bind(object) as unknown) : member;
    },
  });
}

function forgetsPartitionKey(store: DocumentStore): DocumentStore {
  const ids = new Set<string>();
  return override(store, {
    create: async (document, options) => {
      const result = await store.create(document, options);
      if (ids.has(document.id)) {
        await store.delete(document.id, document['pk'] as string).catch(() => undefined);
        throw new PerigeeError('CONFLICT', 'One with this id exists.');
      }
      ids.add(document.id);
      return result;
    },
  });
}

/** Gives back what it was given, as a store does that skips the way through JSON. */
function keepsMinusZero(store: DocumentStore): DocumentStore {
  return override(store, {
    create: async (document, options) => {
      const result = await store.create(document, options);
      const { _rid, _self, _etag, _attachments, _ts } = result.document;
      return { ...result, document: { ...document, _rid, _self, _etag, _attachments, _ts } };
    },
  });
}

function ignoresIfMatch(store: DocumentStore): DocumentStore {
  return override(store, {
    upsert: (document, options) => store.upsert(document, { ...options, ifMatch: undefined }),
    replace: (document, options) => store.replace(document, { ...options, ifMatch: undefined }),
    patch: (id, key, operations, options) => store.patch(id, key, operations, { ...options, ifMatch: undefined }),
    delete: (id, key, options) => store.delete(id, key, { ...options, ifMatch: undefined }),
  });
}

function upsertNeedsDocument(store: DocumentStore): DocumentStore {
  return override(store, {
    upsert: (document, options) => (options?.ifMatch === undefined ? store.upsert(document, options) : store.replace(document, options)),
  });
}

/** Loses the last change of each page of more than one, as a cursor does that runs ahead. */
function feedSkips(store: DocumentStore): DocumentStore {
  return override(store, {
    changes: (options) =>
      new PagedChanges(options?.from ?? 'beginning', async (from): Promise<ChangePage> => {
        const page = await store.changes({ ...options, from }).nextPage();
        return page.changes.length < 2 ? page : { ...page, changes: page.changes.slice(0, -1) };
      }),
  });
}

/** Keeps the deletes of documents that expired to itself. */
function versionsWithoutExpiry(store: DocumentStore): DocumentStore {
  return override(store, {
    changes: (options) =>
      new PagedChanges(options?.from ?? 'beginning', async (from): Promise<ChangePage> => {
        const page = await store.changes({ ...options, from }).nextPage();
        return { ...page, changes: page.changes.filter(({ timeToLiveExpired }) => timeToLiveExpired !== true) };
      }),
  });
}

/** Gives every version as it is now, as a feed does that looks documents up. */
function versionsOfNow(store: DocumentStore): DocumentStore {
  return override(store, {
    changes: (options) =>
      new PagedChanges(options?.from ?? 'beginning', async (from): Promise<ChangePage> => {
        const page = await store.changes({ ...options, from }).nextPage();
        const latest = new Map(page.changes.map(({ document }) => [document._rid, document]));
        return {
          ...page,
          changes: page.changes.map((change) => ({ ...change, document: latest.get(change.document._rid) ?? change.document })),
        };
      }),
  });
}

function feedOutOfOrder(store: DocumentStore): DocumentStore {
  return override(store, {
    changes: (options) =>
      new PagedChanges(options?.from ?? 'beginning', async (from): Promise<ChangePage> => {
        const page = await store.changes({ ...options, from }).nextPage();
        return { ...page, changes: page.changes.toReversed() };
      }),
  });
}

function batchIsNotAtomic(store: DocumentStore): DocumentStore {
  return override(store, {
    batch: async (partitionKey, operations, options) => {
      const outcomes: OperationOutcome[] = [];
      for (const operation of operations as readonly BatchOperation[]) {
        const one = await store.batch(partitionKey, [operation], options);
        outcomes.push(...one.outcomes);
      }
      return { committed: outcomes.every((outcome) => outcome.ok), outcomes, requestUnits: 1, session: undefined };
    },
  });
}

function bulkOutOfOrder(store: DocumentStore): DocumentStore {
  return override(store, {
    bulk: async (operations: readonly BulkOperation[], options) => {
      const result = await store.bulk(operations, options);
      return { ...result, outcomes: result.outcomes.toSorted((left, right) => Number(left.ok) - Number(right.ok)) };
    },
  });
}

function readManyDropsMissing(store: DocumentStore): DocumentStore {
  return override(store, {
    readMany: async (keys, options) => {
      const result = await store.readMany(keys, options);
      return { ...result, documents: result.documents.filter((document) => document !== undefined) };
    },
  });
}

/** Leaves out the first item of every page but the first. */
function pagesLoseItems(store: DocumentStore): DocumentStore {
  return override(store, {
    query: ((query, options) =>
      new PagedQuery<unknown>(options?.continuation, async (continuation): Promise<QueryPage<unknown>> => {
        const page = await store.query<unknown>(query, { ...options, continuation }).nextPage();
        if (page === undefined || continuation === undefined) {
          return page ?? { items: [], continuation: undefined, documentsScanned: 0, requestUnits: 1, session: undefined };
        }
        return { ...page, items: page.items.slice(1) };
      })) as DocumentStore['query'],
  });
}

function ignoresSignals(store: DocumentStore): DocumentStore {
  return override(store, {
    read: (id, key, options) => store.read(id, key, { ...options, signal: undefined }),
    bulk: (operations, options) => store.bulk(operations, { ...options, signal: undefined }),
  });
}

function closesAtOnce(store: DocumentStore): DocumentStore {
  return override(store, {
    close: () => {
      void store.close();
      return Promise.resolve();
    },
  });
}

function neverUndoes(store: DocumentStore): DocumentStore {
  return override(store, {
    transact: async (partitionKey, work, options) => {
      let failure: { readonly reason: unknown } | undefined;
      const result = await store.transact(
        partitionKey,
        async (transaction) => {
          try {
            return await work(transaction);
          } catch (reason) {
            failure = { reason };
            return undefined;
          }
        },
        options,
      );
      if (failure !== undefined) {
        throw failure.reason;
      }
      return result as never;
    },
  });
}

function watchShowsOnce(store: DocumentStore): DocumentStore {
  return override(store, {
    watch: async function* (query: string) {
      yield await store.query(query).toArray();
    } as unknown as DocumentStore['watch'],
  });
}

function lacksMoveButSaysNothing(store: DocumentStore): DocumentStore {
  return override(store, {
    patch: (id, key, operations, options) => {
      const kept = Array.isArray(operations) ? operations.filter((operation: { op?: string }) => operation.op !== 'move') : operations;
      return store.patch(id, key, kept.length === 0 ? [{ op: 'set', path: '/moved', value: true }] : kept, options);
    },
  });
}

function capabilityWithoutRefusal(store: DocumentStore): DocumentStore {
  return override(store, { capabilities: { ...store.capabilities, transact: false } });
}

function sharesDocuments(store: DocumentStore): DocumentStore {
  const cache = new Map<string, Awaited<ReturnType<DocumentStore['read']>>>();
  return override(store, {
    read: async (id, key, options) => {
      const found = await store.read(id, key, options);
      const known = cache.get(found?.etag ?? '');
      cache.set(found?.etag ?? '', known ?? found);
      return found === undefined ? undefined : (known ?? found);
    },
  });
}

/** Every way of breaking the contract that the suite is known to notice. */
export const MUTANTS: readonly Mutant[] = [
  { name: 'forgets the partition key in the key of a document', wrap: forgetsPartitionKey, noticedBy: ['keys', 'writes'] },
  { name: 'keeps -0 and undefined in what a write gives back', wrap: keepsMinusZero, noticedBy: ['values'] },
  { name: 'shares the documents it keeps with its callers', wrap: sharesDocuments, noticedBy: ['values'] },
  { name: 'ignores ifMatch', wrap: ignoresIfMatch, noticedBy: ['writes', 'patch'] },
  { name: 'refuses an upsert with ifMatch on a missing document', wrap: upsertNeedsDocument, noticedBy: ['writes'] },
  {
    name: 'lets its feed skip changes',
    wrap: feedSkips,
    noticedBy: ['change feed', 'change feed of all versions', 'retention of versions'],
  },
  {
    name: 'gives changes out of order',
    wrap: feedOutOfOrder,
    noticedBy: ['change feed', 'change feed of all versions', 'retention of versions'],
  },
  {
    name: 'leaves expiries out of its feed of all versions',
    wrap: versionsWithoutExpiry,
    noticedBy: ['retention of versions'],
  },
  {
    name: 'gives each version as the document is now',
    wrap: versionsOfNow,
    noticedBy: ['change feed of all versions', 'retention of versions'],
  },
  { name: 'applies a batch operation by operation', wrap: batchIsNotAtomic, noticedBy: ['batch', 'unique keys'] },
  { name: 'sorts the outcomes of a bulk call', wrap: bulkOutOfOrder, noticedBy: ['bulk'] },
  { name: 'leaves missing documents out of readMany', wrap: readManyDropsMissing, noticedBy: ['reads'] },
  { name: 'loses an item where a page begins', wrap: pagesLoseItems, noticedBy: ['queries'] },
  { name: 'ignores abort signals', wrap: ignoresSignals, noticedBy: ['life cycle'] },
  { name: 'does not wait for calls under way when it closes', wrap: closesAtOnce, noticedBy: ['life cycle'] },
  { name: 'keeps what a failed transaction wrote', wrap: neverUndoes, noticedBy: ['transactions'] },
  { name: 'shows a watched query once', wrap: watchShowsOnce, noticedBy: ['watch'] },
  { name: 'drops move operations without a word', wrap: lacksMoveButSaysNothing, noticedBy: ['patch'] },
  { name: 'says it cannot transact but does', wrap: capabilityWithoutRefusal, noticedBy: ['transactions'] },
  {
    name: 'expires documents a second late',
    runtime: (runtime) => ({
      nowMs: () => runtime.nowMs() - 1000,
      monotonicMs: () => runtime.monotonicMs(),
      setTimer: (delayMs, callback) => runtime.setTimer(delayMs, callback),
      yieldTask: () => runtime.yieldTask(),
      random: () => runtime.random(),
      randomBytes: (length) => runtime.randomBytes(length),
    }),
    noticedBy: ['time to live'],
  },
  {
    name: 'forgets unique keys',
    backend: (backend) =>
      override(backend, {
        createContainer: (databaseId, input) => backend.createContainer(databaseId, { ...input, uniqueKeys: undefined }),
      }),
    noticedBy: ['unique keys', 'databases and containers'],
  },
  {
    name: 'folds the case of database names',
    backend: (backend) => override(backend, { createDatabase: (id) => backend.createDatabase(id.toLowerCase()) }),
    noticedBy: ['databases and containers'],
  },
];
