import { tableNames } from '../container-statements.ts';

/**
 * Statements that make the table of a container's recorded versions.
 *
 * A row is one write, by its position, with the version before it. The version after it is what the next write of the document replaced, or else the
 * document itself, so each version is stored once; `previous` leads from a version to the row that replaced it.
 */
export function createVersionTable(container: number): readonly string[] {
  const { versions } = tableNames(container);
  return [
    `CREATE TABLE ${versions} (
      position INTEGER PRIMARY KEY,
      ordinal INTEGER NOT NULL,
      kind INTEGER NOT NULL,
      at_ms INTEGER NOT NULL,
      pk TEXT NOT NULL,
      id TEXT NOT NULL,
      epk TEXT NOT NULL,
      previous INTEGER,
      previous_ts INTEGER,
      previous_expires_at INTEGER,
      previous_body BLOB
    )`,
    `CREATE INDEX ${versions}_pk ON ${versions} (pk, position)`,
    `CREATE INDEX ${versions}_previous ON ${versions} (previous) WHERE previous IS NOT NULL`,
  ];
}

/** Statements over the recorded versions of one container, as texts. */
export interface VersionStatements {
  /** Records that a document was created: position, kind, time, and the ordinal of its row. */
  readonly created: string;
  /** Records what is done to the row of an ordinal, before it is done: position, kind, time, ordinal. */
  readonly changing: string;
  /** Documents that have expired and are not recorded, in the order of their time. */
  readonly due: string;
  readonly isDue: string;
  /** Marks the row of an ordinal as expired and recorded: it is kept only for a journal. */
  readonly markRecorded: string;
  /** The oldest changes. */
  readonly oldest: string;
  readonly trim: string;
  readonly saveFloor: string;
}

/** The expiry of a row whose expiry is recorded, and which is kept all the same. */
export const RECORDED_EXPIRY = 0;

export function versionStatements(container: number): VersionStatements {
  const { documents, versions } = tableNames(container);
  const columns = '(position, ordinal, kind, at_ms, pk, id, epk, previous, previous_ts, previous_expires_at, previous_body)';
  const due = `FROM ${documents} INDEXED BY ${documents}_expiry WHERE expires_at > ${RECORDED_EXPIRY} AND expires_at <= ?`;
  return {
    created: `INSERT INTO ${versions} ${columns} SELECT ?, ordinal, ?, ?, pk, id, epk, NULL, NULL, NULL, NULL FROM ${documents} WHERE ordinal = ?`,
    changing: `INSERT INTO ${versions} ${columns} SELECT ?, ordinal, ?, ?, pk, id, epk, position, ts, expires_at, body FROM ${documents} WHERE ordinal = ?`,
    due: `SELECT ordinal, pk, id, expires_at ${due} ORDER BY expires_at, ordinal LIMIT ?`,
    isDue: `SELECT 1 AS found ${due} LIMIT 1`,
    markRecorded: `UPDATE ${documents} SET expires_at = ${RECORDED_EXPIRY} WHERE ordinal = ?`,
    oldest: `SELECT position, at_ms FROM ${versions} ORDER BY position LIMIT ?`,
    trim: `DELETE FROM ${versions} WHERE position <= ?`,
    saveFloor: `UPDATE containers SET versions_floor = ?, versions_from_ms = ? WHERE number = ${container}`,
  };
}

/** The text of the version before, in a row `l` of the recorded versions. */
export const PREVIOUS_TEXT = 'json(l.previous_body)';

/** The columns of the version that a write left, of one row `l`, joined by {@link joinAfter}. */
export const AFTER_COLUMNS = 'coalesce(n.previous_ts, d.ts) AS ts, json(coalesce(n.previous_body, d.body)) AS body';

/** Joins to rows `l` of a container what their writes left. */
export function joinAfter(container: number): string {
  const { documents, versions } = tableNames(container);
  return (
    ` LEFT JOIN ${versions} n INDEXED BY ${versions}_previous ON n.previous = l.position` +
    ` LEFT JOIN ${documents} d ON d.ordinal = l.ordinal AND d.position = l.position`
  );
}
