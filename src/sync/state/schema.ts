import { run, type Program } from '../../stores/sqlite/driver.ts';
import type { Migration } from '../../stores/sqlite/schema.ts';

const TABLES_1: readonly string[] = [
  `CREATE TABLE sync_meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID`,
  `CREATE TABLE sync_scope (
    scope INTEGER PRIMARY KEY,
    database TEXT NOT NULL,
    container TEXT NOT NULL,
    pk TEXT NOT NULL,
    types TEXT,
    cursor TEXT,
    session TEXT,
    first_load_done INTEGER NOT NULL DEFAULT 0,
    loaded INTEGER NOT NULL DEFAULT 0,
    total INTEGER,
    last_reconcile_ms INTEGER,
    reconcile_run INTEGER NOT NULL DEFAULT 0,
    reconcile_open INTEGER NOT NULL DEFAULT 0,
    reconcile_continuation TEXT,
    UNIQUE (database, container, pk)
  )`,
  `CREATE TABLE sync_outbox (
    scope INTEGER NOT NULL,
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    generation INTEGER NOT NULL,
    stamp TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    group_id TEXT,
    sent TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    rejected_code TEXT,
    rejected_message TEXT,
    rejected_at_ms INTEGER,
    PRIMARY KEY (scope, id)
  ) WITHOUT ROWID`,
  `CREATE TABLE sync_base (
    scope INTEGER NOT NULL,
    id TEXT NOT NULL,
    etag TEXT NOT NULL,
    ts INTEGER NOT NULL,
    position INTEGER,
    deleted INTEGER NOT NULL,
    seen INTEGER NOT NULL,
    PRIMARY KEY (scope, id)
  ) WITHOUT ROWID`,
  `CREATE TABLE sync_journal (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    scope INTEGER NOT NULL,
    id TEXT NOT NULL,
    reason TEXT NOT NULL,
    losing_side TEXT NOT NULL,
    deleted INTEGER NOT NULL,
    document TEXT,
    losing_stamp TEXT NOT NULL,
    winning_stamp TEXT,
    at_ms INTEGER NOT NULL
  )`,
];

/** Nullable columns that most rows leave empty. */
const COLUMNS_2: readonly string[] = [
  'ALTER TABLE sync_outbox ADD COLUMN base TEXT',
  'ALTER TABLE sync_outbox ADD COLUMN sent_bodies TEXT',
  'ALTER TABLE sync_outbox ADD COLUMN first_rejected_at_ms INTEGER',
  'ALTER TABLE sync_outbox ADD COLUMN rejected_remote TEXT',
  'ALTER TABLE sync_base ADD COLUMN lineage TEXT',
];

/** Markers tell whether the remote is still the one that was known. */
const TABLES_3: readonly string[] = [
  "ALTER TABLE sync_scope ADD COLUMN epoch TEXT NOT NULL DEFAULT ''",
  'ALTER TABLE sync_scope ADD COLUMN restored INTEGER NOT NULL DEFAULT 0',
  'ALTER TABLE sync_scope ADD COLUMN unmarked INTEGER NOT NULL DEFAULT 0',
  `CREATE TABLE sync_marker (
    scope INTEGER NOT NULL,
    id TEXT NOT NULL,
    etag TEXT NOT NULL,
    ts INTEGER NOT NULL,
    ttl INTEGER NOT NULL,
    epoch TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (scope, id)
  ) WITHOUT ROWID`,
];

/** Patches travel as such. */
const COLUMNS_4: readonly string[] = ['ALTER TABLE sync_outbox ADD COLUMN touched TEXT'];

/** Atomic groups: versions that later writes have taken the place of are kept, and members are found by their group. */
const GROUPS_5: readonly string[] = [
  'ALTER TABLE sync_outbox ADD COLUMN frozen TEXT',
  'CREATE INDEX sync_outbox_group ON sync_outbox (scope, group_id) WHERE group_id IS NOT NULL',
];

function* statements(texts: readonly string[]): Program<void> {
  for (const sql of texts) {
    yield* run(sql);
  }
}

/**
 * Tables of the sync engine in the device's file. They share the file with the documents, so that one transaction covers both.
 *
 * - `sync_meta`: user, device, clock.
 * - `sync_scope`: one row per container and partition key ever in scope: cursor, session, progress. Other tables name it by number.
 * - `sync_outbox`: pending writes as state, not as events: one row per document, its body stays in the container. Where a policy asks for the common
 *   base, `base` is its JSON (`null` for none) and `sent_bodies` what was sent with unknown outcome, by name. Dead letters are rows with a
 *   `rejected_code`; `rejected_remote` is what the remote then held.
 *   `touched` is the JSON of the paths at which the document may differ from the remote version that it follows, where patches alone have led to it; SQL
 *   NULL: anywhere. `group_id` is the number of the atomic group that a row belongs to; `frozen` is the JSON of a member that a later write has taken the place of
 *   on the device, under the id `document/group`.
 * - `sync_base`: the newest remote version that is known of each document; tombstones too. `lineage` names the writes in it, where a policy merges.
 * - `sync_marker`: the markers of devices at the remote, with its epoch and their counts. `restored` of a scope: what the remote forgot is yet to be found.
 * - `sync_journal`: versions that lost a conflict, or were discarded.
 *
 * Outbox and base are one tree each, without further indexes but one of the members of groups: each local write and each pulled document pays for every tree.
 */
export const SYNC_MIGRATIONS: readonly Migration[] = [TABLES_1, COLUMNS_2, TABLES_3, COLUMNS_4, GROUPS_5].map(
  (texts) => () => statements(texts),
);
