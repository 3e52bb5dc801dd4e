/** The statements of one container, as texts; made once, so that drivers find them prepared. */
export interface ContainerStatements {
  /** Adds a document unless its key is there. */
  readonly insert: string;
  /** {@link insert} of an odd document ({@link isOddText}), which is kept as text. */
  readonly insertOdd: string;
  /** Replaces the document with an ordinal. */
  readonly update: string;
  readonly updateOdd: string;
  readonly deleteOne: string;
  readonly setExpiry: string;
  /** A document by partition key text and id, without and with its text. */
  readonly find: string;
  readonly findText: string;
  /** Some ids of a partition key behind one, in the order of their bytes; expired ones too. */
  readonly idsAfter: string;
  /** The row that holds a unique value. */
  readonly findClaim: string;
  readonly addClaim: string;
  readonly dropClaims: string;
  /** Some expired documents. */
  readonly expired: string;
  /** Highest position that any row has or had. */
  readonly head: string;
  readonly load: string;
  readonly saveFloor: string;
}

/** The text of a document, as it was written, from the column that holds it as JSONB or, where it is odd or written by an early version, as text. */
export const BODY_TEXT = 'json(body)';

/** A longer document is not read together with others: their text would grow without bound. */
const MAX_FOLDED_BYTES = 65_536;

/** Whether a document is short enough to be read together with others. */
export function isFoldable(body: string): string {
  return `octet_length(${body}) <= ${MAX_FOLDED_BYTES}`;
}

/** Names of the tables of a container: generated, never taken from users' names. */
export function tableNames(container: number): { readonly documents: string; readonly claims: string; readonly versions: string } {
  return { documents: `c${container}`, claims: `u${container}`, versions: `v${container}` };
}

/**
 * Statements that make the tables of a container.
 *
 * `ordinal` is the position of the write that created the document, so the newest row is at the end of the table, and only documents that were
 * written again need an entry in the indexes of the change feed: an insert touches as few pages as can be.
 */
export function createContainerTables(container: number, hasUniqueKeys: boolean): readonly string[] {
  const { documents, claims } = tableNames(container);
  const statements = [
    `CREATE TABLE ${documents} (
      ordinal INTEGER PRIMARY KEY,
      pk TEXT NOT NULL,
      id TEXT NOT NULL,
      position INTEGER NOT NULL,
      epk TEXT NOT NULL,
      ts INTEGER NOT NULL,
      expires_at INTEGER,
      body BLOB NOT NULL,
      UNIQUE (pk, id)
    )`,
    `CREATE INDEX ${documents}_pk ON ${documents} (pk)`,
    `CREATE INDEX ${documents}_position ON ${documents} (position) WHERE position <> ordinal`,
    `CREATE INDEX ${documents}_pk_position ON ${documents} (pk, position) WHERE position <> ordinal`,
    `CREATE INDEX ${documents}_expiry ON ${documents} (expires_at) WHERE expires_at IS NOT NULL`,
  ];
  if (hasUniqueKeys) {
    statements.push(
      `CREATE TABLE ${claims} (value TEXT PRIMARY KEY, ordinal INTEGER NOT NULL) WITHOUT ROWID`,
      `CREATE INDEX ${claims}_ordinal ON ${claims} (ordinal)`,
    );
  }
  return statements;
}

/** Statements that drop the tables of a container. */
export function dropContainerTables(container: number): readonly string[] {
  const { documents, claims, versions } = tableNames(container);
  return [`DROP TABLE IF EXISTS ${claims}`, `DROP TABLE IF EXISTS ${versions}`, `DROP TABLE IF EXISTS ${documents}`];
}

export function containerStatements(container: number): ContainerStatements {
  const { documents, claims } = tableNames(container);
  const highest = `max(
      ifnull((SELECT max(ordinal) FROM ${documents}), 0),
      ifnull((SELECT max(position) FROM ${documents} WHERE position <> ordinal), 0))`;
  const insert = (body: string): string =>
    `INSERT INTO ${documents} (ordinal, pk, id, position, epk, ts, expires_at, body) VALUES (?, ?, ?, ?, ?, ?, ?, ${body}) ON CONFLICT (pk, id) DO NOTHING`;
  const update = (body: string): string => `UPDATE ${documents} SET position = ?, ts = ?, expires_at = ?, body = ${body} WHERE ordinal = ?`;
  return {
    insert: insert('jsonb(?)'),
    insertOdd: insert('?'),
    update: update('jsonb(?)'),
    updateOdd: update('?'),
    deleteOne: `DELETE FROM ${documents} WHERE ordinal = ?`,
    setExpiry: `UPDATE ${documents} SET expires_at = ? WHERE pk = ? AND id = ?`,
    find: `SELECT ordinal, position, ts, expires_at FROM ${documents} WHERE pk = ? AND id = ?`,
    findText: `SELECT ordinal, position, ts, expires_at, ${BODY_TEXT} AS body FROM ${documents} WHERE pk = ? AND id = ?`,
    idsAfter: `SELECT id FROM ${documents} WHERE pk = ? AND id > ? ORDER BY id LIMIT ?`,
    findClaim: `SELECT d.ordinal, d.expires_at FROM ${claims} u JOIN ${documents} d ON d.ordinal = u.ordinal WHERE u.value = ?`,
    addClaim: `INSERT INTO ${claims} (value, ordinal) VALUES (?, ?)`,
    dropClaims: `DELETE FROM ${claims} WHERE ordinal = ?`,
    expired: `SELECT ordinal, pk, id, expires_at FROM ${documents} WHERE expires_at <= ? LIMIT ?`,
    head: `SELECT max(floor, ${highest}) AS head FROM containers WHERE number = ${container}`,
    load: `SELECT rid, id, database, definition, etag, ts, incarnation, journal, etags, versions_floor, versions_from_ms, max(floor, ${highest}) AS head FROM containers WHERE number = ${container}`,
    saveFloor: `UPDATE containers SET floor = ? WHERE number = ${container}`,
  };
}
