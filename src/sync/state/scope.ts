import { PerigeeError } from '../../core/errors.ts';
import { parsePropertyPath, partitionKeyText, type PartitionKey, type PartitionKeyText } from '../../store/partition-key.ts';
import type { PreparedKey } from '../../store/write-rules.ts';
import { get, run, type Program } from '../../stores/sqlite/driver.ts';
import type { SqliteDocumentStore } from '../../stores/sqlite/sqlite-document-store.ts';
import type { ConflictPolicy } from '../decide/conflict.ts';
import type { DocumentForm } from '../form/document-form.ts';
import type { TypeFilter } from '../remote/type-filter.ts';

/** One partition key that the device holds, with its local store. */
export interface Scope {
  /** Number of its row in `sync_scope`; other tables name it by that. */
  readonly number: number;
  readonly container: string;
  readonly partitionKey: PartitionKey;
  readonly partitionKeyText: PartitionKeyText;
  readonly types: TypeFilter | undefined;
  readonly store: SqliteDocumentStore;
  readonly policy: ConflictPolicy;
  /** Whether the policy asks for the version that both sides of a conflict come from. */
  readonly needsBase: boolean;
  readonly form: DocumentForm;
  /** Partition key paths of the container, parsed. */
  readonly paths: readonly (readonly string[])[];
  /** Drawn when the engine was opened; part of the names of writes. */
  readonly life: string;
  /** The container's at the remote, as far as it is known; expiry follows it. */
  defaultTtl: number | undefined;
  /** Number of the newest reconciliation; base rows written since its start carry it. */
  reconcileRun: number;
  /** When the markers were last compared, by the runtime's monotonic clock; `undefined` where something speaks for doing it again. */
  epochCheckedAtMs: number | undefined;
  /** When the device's marker was last written, by the same clock. */
  markedAtMs: number | undefined;
}

/** State of a scope as it is stored. */
export interface ScopeRow {
  readonly cursor: string | null;
  readonly session: string | null;
  readonly first_load_done: 0 | 1;
  readonly loaded: number;
  readonly total: number | null;
  readonly last_reconcile_ms: number | null;
  readonly reconcile_run: number;
  /** 1 while a reconciliation has begun and not ended. */
  readonly reconcile_open: 0 | 1;
  readonly reconcile_continuation: string | null;
  /** Epoch of the remote; empty for the first. */
  readonly epoch: string;
  /** 1 while it is not known yet what a restored remote has forgotten. */
  readonly restored: 0 | 1;
  /** 1 while something was sent without the device's marker, and none has followed yet. */
  readonly unmarked: 0 | 1;
}

/** A scope entry, checked against its container. */
export interface CheckedEntry {
  readonly container: string;
  readonly partitionKey: PartitionKey;
  readonly types: TypeFilter | undefined;
}

/** What a scope takes from its container. */
export interface ScopeParts {
  readonly store: SqliteDocumentStore;
  readonly policy: ConflictPolicy;
  readonly form: DocumentForm;
  readonly life: string;
}

/**
 * Finds or makes the row of an entry. Another type filter than last time means that documents are missing or too many: the partition key is then
 * loaded from the beginning.
 */
export function* openScope(database: string, entry: CheckedEntry, { store, policy, form, life }: ScopeParts): Program<Scope> {
  const pk = partitionKeyText(entry.partitionKey);
  const types = entry.types?.text ?? null;
  yield* run(
    'INSERT INTO sync_scope (database, container, pk, types) VALUES (?, ?, ?, ?) ON CONFLICT (database, container, pk) DO NOTHING',
    database,
    entry.container,
    pk,
    types,
  );
  const row = yield* get<{ scope: number; types: string | null; reconcile_run: number }>(
    'SELECT scope, types, reconcile_run FROM sync_scope WHERE database = ? AND container = ? AND pk = ?',
    database,
    entry.container,
    pk,
  );
  if (row === undefined) {
    throw new PerigeeError('INTERNAL', 'The row of a sync scope is missing right after it was written.');
  }
  if (row.types !== types) {
    yield* run('UPDATE sync_scope SET types = ? WHERE scope = ?', types, row.scope);
    yield* restartPull(row.scope);
  }
  return {
    number: row.scope,
    container: entry.container,
    partitionKey: entry.partitionKey,
    partitionKeyText: pk,
    life,
    types: entry.types,
    store,
    policy,
    needsBase: policy.needsBase === true,
    form,
    paths: store.definition.partitionKey.paths.map(parsePropertyPath),
    defaultTtl: store.definition.defaultTtl,
    reconcileRun: row.reconcile_run,
    epochCheckedAtMs: undefined,
    markedAtMs: undefined,
  };
}

/** The state of a scope. */
export function* readScope(scope: number): Program<ScopeRow> {
  const row = yield* get<ScopeRow>(
    `SELECT cursor, session, first_load_done, loaded, total, last_reconcile_ms, reconcile_run, reconcile_open, reconcile_continuation,
       epoch, restored, unmarked
     FROM sync_scope WHERE scope = ?`,
    scope,
  );
  if (row === undefined) {
    throw new PerigeeError('STORE_CORRUPT', 'The sync tables of the file have no row for a scope that is open.');
  }
  return row;
}

/** Changes members of a scope's row. Names are the program's own. */
export function* updateScope(scope: number, change: Partial<ScopeRow>): Program<void> {
  const names = Object.keys(change) as (keyof ScopeRow)[];
  const values = names.map((name) => change[name] ?? null);
  yield* run(`UPDATE sync_scope SET ${names.map((name) => `${name} = ?`).join(', ')} WHERE scope = ?`, ...values, scope);
}

/** Lets the next pull begin at the beginning; nothing local is dropped, and pending work stays. A reconciliation is due afterwards. */
export function* restartPull(scope: number): Program<void> {
  yield* updateScope(scope, { cursor: null, session: null, first_load_done: 0, loaded: 0, total: null, last_reconcile_ms: 0 });
}

/** Begins an epoch of the remote: a reconciliation has to find what it forgot. With a `cursor` the feed is followed from there. */
export function* beginEpoch(scope: number, epoch: string, cursor?: string): Program<void> {
  yield* updateScope(scope, {
    epoch,
    restored: 1,
    reconcile_open: 0,
    reconcile_continuation: null,
    ...(cursor === undefined ? {} : { cursor, session: null, first_load_done: 1, last_reconcile_ms: 0 }),
  });
}

/** The key of a document of a scope. */
export function keyIn(scope: Scope, id: string): PreparedKey {
  return { id, partitionKey: scope.partitionKey, partitionKeyText: scope.partitionKeyText };
}
