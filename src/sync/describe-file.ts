import { PerigeeError } from '../core/errors.ts';
import type { PartitionKey } from '../store/partition-key.ts';
import { parsePartitionKeyText } from '../store/partition-key.ts';
import { all, get, type Program } from '../stores/sqlite/driver.ts';
import { readMeta } from './state/meta.ts';
import { SYNC_MIGRATIONS } from './state/schema.ts';
import { COUNTED, countStatus, type StatusCounts } from './status.ts';
import { TypeFilter } from './remote/type-filter.ts';
import type { ScopeEntry } from './sync-options.ts';

/** A partition key that a file holds, or held, as its tables tell. */
export interface FileScope {
  readonly database: string;
  readonly container: string;
  readonly partitionKey: PartitionKey;
  readonly types: ScopeEntry['types'];
  /** Place in the remote's change feed; `undefined` before the first page of a first load. */
  readonly cursor: string | undefined;
  readonly firstLoad: {
    readonly done: boolean;
    /** Documents loaded, and how many there were to load where the remote could tell. */
    readonly loaded: number;
    readonly total: number | undefined;
  };
  /** Device time of the last reconciliation in milliseconds; `undefined` where there was none, or another one is due. */
  readonly lastReconcileMs: number | undefined;
  /** Documents that wait to be sent, dead letters included. */
  readonly pending: number;
  readonly deadLetters: number;
}

/** What a device's file says of sync, read without a connection and without opening an engine. */
export interface SyncFile {
  readonly user: string | undefined;
  readonly device: string | undefined;
  readonly scopes: readonly FileScope[];
  readonly counts: StatusCounts;
  /** Whether a policy that merges by property has been at work: other policies would undo it. */
  readonly merges: boolean;
  /** Whether documents have versions, which only the application can migrate. */
  readonly versioned: boolean;
}

interface Row {
  readonly database: string;
  readonly container: string;
  readonly pk: string;
  readonly types: string | null;
  readonly cursor: string | null;
  readonly first_load_done: 0 | 1;
  readonly loaded: number;
  readonly total: number | null;
  readonly last_reconcile_ms: number | null;
  readonly pending: number;
  readonly rejected: number;
}

/** The version of the sync tables that knows of merges. */
const VERSION_WITH_BASES = 2;

/** Reads {@link SyncFile}; `undefined` where the file has no sync tables. Run it within `database.read`. @throws STORE_TOO_NEW */
export function* describeFile(): Program<SyncFile | undefined> {
  const component = yield* get<{ version: number }>("SELECT version FROM components WHERE name = 'sync'");
  if (component === undefined) {
    return undefined;
  }
  if (component.version > SYNC_MIGRATIONS.length) {
    throw new PerigeeError('STORE_TOO_NEW', 'Cannot read the tables of sync: a newer version wrote them. Update Perigee.');
  }
  const rows = yield* all<Row>(
    `SELECT s.database, s.container, s.pk, s.types, s.cursor, s.first_load_done, s.loaded, s.total, s.last_reconcile_ms,
       coalesce(c.pending, 0) AS pending, coalesce(c.rejected, 0) AS rejected
     FROM sync_scope s LEFT JOIN (SELECT o.scope, ${COUNTED} FROM sync_outbox o GROUP BY o.scope) c ON c.scope = s.scope ORDER BY s.scope`,
  );
  return {
    user: yield* readMeta('user'),
    device: yield* readMeta('device'),
    scopes: rows.map(scopeOf),
    counts: yield* countStatus(),
    merges: component.version >= VERSION_WITH_BASES && (yield* hasMerged()),
    versioned: (yield* get("SELECT 1 AS one FROM sync_meta WHERE key LIKE 'schema-path %' LIMIT 1")) !== undefined,
  };
}

function scopeOf(row: Row): FileScope {
  return {
    database: row.database,
    container: row.container,
    partitionKey: parsePartitionKeyText(row.pk),
    types: row.types === null ? undefined : TypeFilter.entryOf(row.types),
    cursor: row.cursor ?? undefined,
    firstLoad: { done: row.first_load_done === 1, loaded: row.loaded, total: row.total ?? undefined },
    lastReconcileMs: row.last_reconcile_ms === null || row.last_reconcile_ms === 0 ? undefined : row.last_reconcile_ms,
    pending: row.pending,
    deadLetters: row.rejected,
  };
}

function* hasMerged(): Program<boolean> {
  const found = yield* get(
    `SELECT 1 AS one WHERE EXISTS (SELECT 1 FROM sync_base WHERE lineage IS NOT NULL)
       OR EXISTS (SELECT 1 FROM sync_outbox WHERE base IS NOT NULL)`,
  );
  return found !== undefined;
}
