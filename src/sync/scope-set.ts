import { PerigeeError } from '../core/errors.ts';
import type { JsonObject } from '../core/json.ts';
import type { DocumentStore } from '../store/document-store.ts';
import {
  normalizePartitionKey,
  parsePropertyPath,
  partitionKeyOf,
  partitionKeyText,
  type PartitionKey,
  type PartitionKeyInput,
} from '../store/partition-key.ts';
import type { SqliteDocumentStore } from '../stores/sqlite/sqlite-document-store.ts';
import { checkEntry } from './check-entry.ts';
import { clientWins, lastWriteWins, serverWins } from './decide/conflict-policies.ts';
import type { ConflictPolicy } from './decide/conflict.ts';
import type { DocumentForm } from './form/document-form.ts';
import type { FilledOptions } from './filled-options.ts';
import { ensureContainer, ensureDatabase } from './form/local-containers.ts';
import { LATE } from './late-parts.ts';
import { loadPart } from './load-part.ts';
import { lastLife, nextLife } from './state/meta.ts';
import { isMigrated } from './form/migration-progress.ts';
import { openForm } from './form/open-form.ts';
import { OutboxJournal } from './push/outbox-journal.ts';
import { markPending } from './push/pending-version.ts';
import { openScope, type Scope } from './state/scope.ts';
import type { SyncClock } from './state/sync-clock.ts';
import type { WrittenDocument } from './writes/synced-store.ts';
import type { FollowedWrite } from './writes/write-handle.ts';

/** Policies that never make a document of both sides. */
const SIDE_POLICIES: ReadonlySet<ConflictPolicy> = new Set([lastWriteWins, serverWins, clientWins]);

/** What opening the scopes of an engine needs beside its options. */
export interface ScopeSetParts {
  readonly clock: SyncClock;
  /** The remote store of a container, for the definition of one that is new to the file. */
  readonly remote: (container: string) => Promise<DocumentStore<JsonObject>>;
  /** Called after each local commit that left something to send. */
  readonly onRecorded: () => void;
  readonly warn: (warning: string) => void;
}

/** The partition keys that an engine holds, and the local stores of their containers. */
export class ScopeSet {
  /** Grows while the engine opens. */
  readonly all: Scope[] = [];
  readonly #options: FilledOptions;
  readonly #stores = new Map<string, SqliteDocumentStore>();
  readonly #journals = new Map<string, OutboxJournal>();
  #localOnly: ReadonlyMap<string, DocumentStore<JsonObject>> = new Map();

  constructor(options: FilledOptions) {
    this.#options = options;
  }

  /** Makes containers that the file lacks, and finds or makes the row of each entry. @throws INVALID_OPTION and others of an entry; what the remote throws, where it is needed */
  async open({ clock, remote, onRecorded, warn }: ScopeSetParts): Promise<void> {
    const { backend, database, scope, containers, runtime } = this.#options;
    await ensureDatabase(backend, database);
    const before = await backend.database.read(lastLife);
    const life = nextLife(before, runtime);
    const forms = new Map<string, DocumentForm>();
    for (const container of new Set(scope.map((entry) => entry.container))) {
      const given = containers.find(({ id }) => id === container);
      await ensureContainer(backend, database, container, given, () => remote(container));
      const form = await openForm(this.#options, { container, given, warn });
      forms.set(container, form);
      const policy = this.#policyOf(container);
      const needsBase = policy.needsBase === true;
      if (!SIDE_POLICIES.has(policy)) {
        // It may merge, and is asked within transactions.
        await loadPart(LATE.merging);
      }
      const journal = new OutboxJournal({ database: backend.database, clock, needsBase, form, onRecorded });
      this.#journals.set(container, journal);
      this.#stores.set(container, await backend.openJournaled(database, container, { journal }));
    }
    for (const entry of scope) {
      const store = this.#stores.get(entry.container) as SqliteDocumentStore;
      const checked = await checkEntry(entry, store.definition);
      const form = forms.get(entry.container) as DocumentForm;
      const parts = { store, policy: this.#policyOf(entry.container), form, life };
      const opened = await backend.database.write(() => openScope(database, checked, parts));
      if (this.all.some(({ number }) => number === opened.number)) {
        throw new PerigeeError(
          'INVALID_OPTION',
          `The scope lists a partition key of the container ${JSON.stringify(entry.container)} twice.`,
        );
      }
      if (!(await backend.database.read(() => isMigrated(opened)))) {
        await (await loadPart(LATE.migration)).migrateStored(backend.database, opened, runtime);
      }
      for (let after: string | undefined = opened.needsBase ? '' : undefined; after !== undefined;) {
        const behind: string = after;
        after = await backend.database.write(() => markPending(opened, behind, before));
      }
      this.all.push(opened);
      this.#journals.get(entry.container)?.add(opened);
    }
    if (this.#options.localContainers.length > 0) {
      this.#localOnly = await (await loadPart(LATE.localOnly)).openLocalOnly(this.#options);
    }
  }

  /** The local store of a container. @throws SYNC_SCOPE */
  store(container: string): DocumentStore<JsonObject> {
    const store = this.#stores.get(container) ?? this.#localOnly.get(container);
    if (store === undefined) {
      throw new PerigeeError(
        'SYNC_SCOPE',
        `The container ${JSON.stringify(container)} is not in the scope of the sync engine. Add it to the scope, or to localContainers.`,
      );
    }
    return store;
  }

  /** The scope of a partition key. @throws SYNC_SCOPE, PARTITION_KEY_MISMATCH */
  of(container: string, partitionKey: PartitionKeyInput): Scope {
    const store = this.#stores.get(container);
    const text =
      store === undefined ? '' : partitionKeyText(normalizePartitionKey(partitionKey, store.definition.partitionKey.paths.length));
    const scope = this.all.find((one) => one.container === container && one.partitionKeyText === text);
    if (scope === undefined) {
      throw new PerigeeError(
        'SYNC_SCOPE',
        `The partition key is not in the scope of the sync engine (container ${JSON.stringify(container)}).`,
      );
    }
    return scope;
  }

  /** A write of this engine as what is followed until the remote has it. @throws SYNC_SCOPE */
  followed(container: string, { id, partitionKey, position }: WrittenDocument): FollowedWrite {
    const key = 'given' in partitionKey ? partitionKey.given : this.#keyOf(container, partitionKey.in);
    const { number } = this.of(container, key);
    return { id, scope: number, journalSeq: this.#journals.get(container)?.journalSeqAt(position ?? 0) ?? 0 };
  }

  /** Closes the local stores. */
  async close(): Promise<void> {
    for (const store of [...this.#stores.values(), ...this.#localOnly.values()]) {
      await store.close();
    }
  }

  #keyOf(container: string, document: JsonObject): PartitionKey {
    const paths = this.#stores.get(container)?.definition.partitionKey.paths ?? [];
    return partitionKeyOf(document, paths.map(parsePropertyPath));
  }

  #policyOf(container: string): ConflictPolicy {
    const { policies = {}, policy = lastWriteWins } = this.#options;
    return Object.hasOwn(policies, container) ? (policies[container] ?? policy) : policy;
  }
}
