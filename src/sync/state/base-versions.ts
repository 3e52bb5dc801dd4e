import { all, get, run, type Program } from '../../stores/sqlite/driver.ts';

/** The newest remote version known of a document. */
export interface BaseRow {
  readonly etag: string;
  /** Seconds, by the server's clock. */
  readonly ts: number;
  readonly position: number | null;
  /** 1 for a tombstone. */
  readonly deleted: 0 | 1;
  /** Names of the writes in it, newest first, separated by spaces; only where a policy merges. */
  readonly lineage: string | null;
}

/** What identifies a remote version. */
export interface BaseVersion {
  readonly etag: string;
  readonly ts: number;
  readonly position: number | undefined;
  readonly deleted: boolean;
  /** As {@link BaseRow.lineage}. */
  readonly lineage: string | null;
}

/** The remote version known of a document. */
export function* readBase(scope: number, id: string): Program<BaseRow | undefined> {
  return yield* get<BaseRow>('SELECT etag, ts, position, deleted, lineage FROM sync_base WHERE scope = ? AND id = ?', scope, id);
}

/** The remote versions known of many documents, in one statement. */
export function* readBases(scope: number, ids: readonly string[]): Program<ReadonlyMap<string, BaseRow>> {
  const rows = yield* all<BaseRow & { readonly id: string }>(
    'SELECT id, etag, ts, position, deleted, lineage FROM sync_base WHERE scope = ? AND id IN (SELECT value FROM json_each(?))',
    scope,
    JSON.stringify(ids),
  );
  return new Map(rows.map((row) => [row.id, row]));
}

/** Takes note of a remote version. `seen` is the number of the scope's reconciliation: a version noted since its start is not missing. */
export function* writeBase(scope: number, id: string, version: BaseVersion, seen: number): Program<void> {
  yield* run(
    `INSERT INTO sync_base (scope, id, etag, ts, position, deleted, seen, lineage) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (scope, id) DO UPDATE SET etag = excluded.etag, ts = excluded.ts, position = excluded.position,
       deleted = excluded.deleted, seen = excluded.seen, lineage = excluded.lineage`,
    scope,
    id,
    version.etag,
    version.ts,
    version.position ?? null,
    version.deleted ? 1 : 0,
    seen,
    version.lineage,
  );
}

/** Forgets a document that the remote does not hold, not even as a tombstone. */
export function* deleteBase(scope: number, id: string): Program<void> {
  yield* run('DELETE FROM sync_base WHERE scope = ? AND id = ?', scope, id);
}

/**
 * Whether a version that a feed delivers is older than the one known: by position. Where a position is not told, a server's clock that says so
 * leaves it open: clocks go back, and several servers have several.
 *
 * Stamps are not asked: a foreign write has none of its own and is ordered before stamped writes of the same second, yet may come after them.
 */
export function compareWithBase(version: Pick<BaseVersion, 'ts' | 'position'>, base: BaseRow): 'older' | 'newer' | 'unsure' {
  if (version.position !== undefined && base.position !== null) {
    return version.position < base.position ? 'older' : 'newer';
  }
  return version.ts < base.ts ? 'unsure' : 'newer';
}
