import { docExpression } from '../../query/compile/postgres/odd-documents.ts';
import { entering } from './entering.ts';
import { databaseSchema, type ContainerNames } from './names.ts';

/** The document as `jsonb`; `NULL` for one of which nothing is told in SQL. */
const DOC = docExpression('body');

/** The column of the digest of a unique key. */
export function uniqueColumn(index: number): string {
  return `u${index}`;
}

function uniqueColumns(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => uniqueColumn(index));
}

/**
 * Statements that make the table of a container.
 *
 * `ordinal` is the position of the write that created the document, so only documents that were written again need an entry in the indexes of the
 * change feed. No index holds a text without a bound. Unique keys are checked at the end of a transaction, since its writes come in no order.
 */
export function createContainerTable(names: ContainerNames, number: number, uniqueKeys: number): readonly string[] {
  const { documents, positions } = names;
  const columns = uniqueColumns(uniqueKeys).map((column) => `, ${column} text COLLATE "C" NOT NULL UNIQUE DEFERRABLE INITIALLY DEFERRED`);
  return [
    `CREATE SEQUENCE ${positions}`,
    `CREATE TABLE ${documents} (
      ordinal bigint PRIMARY KEY,
      pk text COLLATE "C" NOT NULL,
      id text COLLATE "C" NOT NULL,
      position bigint NOT NULL,
      epk text COLLATE "C" NOT NULL,
      ts bigint NOT NULL,
      expires_at bigint,
      body text NOT NULL,
      doc jsonb GENERATED ALWAYS AS (${DOC}) STORED${columns.join('')},
      UNIQUE (pk, id)
    )`,
    `ALTER SEQUENCE ${positions} OWNED BY ${documents}.ordinal`,
    `CREATE INDEX c${number}_pk ON ${documents} (pk, ordinal)`,
    `CREATE INDEX c${number}_position ON ${documents} (position) WHERE position <> ordinal`,
    `CREATE INDEX c${number}_pk_position ON ${documents} (pk, position) WHERE position <> ordinal`,
    `CREATE INDEX c${number}_expiry ON ${documents} (expires_at) WHERE expires_at IS NOT NULL`,
    `CREATE INDEX c${number}_odd ON ${documents} (ordinal) WHERE doc IS NULL`,
  ];
}

/** Statements that make the schema of a database. */
export function createDatabaseSchema(prefix: string, database: number): string {
  return `CREATE SCHEMA ${databaseSchema(prefix, database)}`;
}

function columnsOf(uniqueKeys: number): readonly string[] {
  return ['ordinal', 'pk', 'id', 'position', 'epk', 'ts', 'expires_at', 'body', ...uniqueColumns(uniqueKeys)];
}

/** Adds whole rows, in arrays: ordinal, pk, id, position, epk, ts, expires_at, body, and the digests of unique keys. */
export function insertRows({ documents }: ContainerNames, uniqueKeys: number): string {
  const columns = columnsOf(uniqueKeys);
  const numbers = ['ordinal', 'position', 'ts', 'expires_at'];
  const arrays = columns.map((column, index) => `$${index + 1}::${numbers.includes(column) ? 'bigint' : 'text'}[]`);
  return `INSERT INTO ${documents} (${columns.join(', ')}) SELECT * FROM unnest(${arrays.join(', ')})`;
}

/** The statements of one container, as texts. */
export interface ContainerStatements {
  /** A document by key: `$1` partition key, `$2` id. */
  readonly find: string;
  /** Documents by keys: `$1` and `$2` are arrays, in step. */
  readonly findMany: string;
  /** Rows that have one of some digests: an array for each unique key. */
  readonly findHolders: string;
  /** Adds a document unless a living one has its key: pk, id, epk, ts, expires_at, body, now, definition's etag. Gives its position. */
  readonly create: string;
  /** As {@link create}, or replaces the living one; gives what was there before too. */
  readonly upsert: string;
  /** Replaces the document with a position: pk, id, ts, expires_at, body, position, definition's etag. Gives its new position. */
  readonly replace: string;
  /** Deletes the document with a position: pk, id, position, definition's etag. Gives the position of the delete. */
  readonly delete: string;
  /** {@link insertRows} in place of those with the same key. */
  readonly putRows: string;
  /** Deletes rows by ordinal. */
  readonly dropRows: string;
  /** Up to `$2` rows that expired by `$1`, while `$3` is the definition's etag. */
  readonly sweep: string;
  /**
   * As {@link create} for many documents with different keys: definition's etag, partition keys to lock, their number, now and time of the write, and
   * arrays of pk, id, epk, expires_at and body. Gives all positions in the order of the documents, and those of the ones written.
   */
  readonly createMany: string;
  /** {@link createMany} within a transaction that has entered: time of the write, and arrays of position, pk, id, epk, expires_at and body. Gives the positions of those written. */
  readonly createEntered: string;
  /** Copies whole rows in, behind a savepoint `copied`. */
  readonly copy: string;
  /** Locks partition keys and takes positions: definition's etag, keys, amount. */
  readonly enter: string;
  /** Takes `$1` more positions in a transaction that has entered. */
  readonly next: string;
  readonly head: string;
  /** Up to where the feed of latest versions may be read. */
  readonly horizon: string;
  /** Up to where the recorded versions may be. */
  readonly versionsHorizon: string;
  /** The head, and then whether writes are under way. */
  readonly progress: string;
}

const ROW = 'ordinal, position, ts, expires_at, body';
/** From this version on a statement tells what it replaced. */
const RETURNS_OLD_ROWS = 180_000;

/** @param s the quoted schema of the catalogue */
export function containerStatements(
  s: string,
  names: ContainerNames,
  number: number,
  uniqueKeys: number,
  serverVersion: number,
): ContainerStatements {
  const { documents, positions, versions } = names;
  // A literal, as it is of our own making and constant: so the statement of an index of it may be prepared.
  const table = (name: string): string => `'${name.replaceAll("'", "''")}'::regclass`;
  const sequence = table(positions);
  const unique = uniqueColumns(uniqueKeys);
  const set = columnsOf(uniqueKeys)
    .filter((column) => column !== 'pk' && column !== 'id')
    .map((column) => `${column} = excluded.${column}`);
  const entered = (etag: number): string => entering({ s, number, sequence, key: '$1', etag: `$${etag}` });
  const insert = (etag: number): string =>
    `INSERT INTO ${documents} AS d (ordinal, pk, id, position, epk, ts, expires_at, body)
      SELECT p, $1, $2, p, $3, $4, $5, $6 FROM ${entered(etag)}
      ON CONFLICT (pk, id) DO UPDATE SET ordinal = `;
  const assigned =
    'position = excluded.position, epk = excluded.epk, ts = excluded.ts, expires_at = excluded.expires_at, body = excluded.body';
  const replacing = `${insert(8)} CASE WHEN d.expires_at <= $7 THEN excluded.ordinal ELSE d.ordinal END, ${assigned}`;
  const createRows = (
    ts: string,
    rows: string,
  ): string => `INSERT INTO ${documents} AS d (ordinal, pk, id, position, epk, ts, expires_at, body)
        SELECT r.p, r.pk, r.id, r.p, r.epk, ${ts}::bigint, r.expires_at, r.body FROM ${rows} AS r(p, pk, id, epk, expires_at, body)
        ON CONFLICT (pk, id) DO UPDATE SET ordinal = excluded.ordinal, ${assigned} WHERE d.expires_at <= ${ts}::bigint RETURNING position`;
  const old = ROW.split(', ').map((column) => `old.${column}`);
  const upsertReturningOld = `${replacing} RETURNING new.ordinal AS new_ordinal, new.position AS new_position, ${old.join(', ')}`;
  const upsertReadingBefore = `WITH before AS (SELECT ${ROW} FROM ${documents} WHERE pk = $1 AND id = $2 AND (expires_at IS NULL OR expires_at > $7)),
      written AS (${replacing} RETURNING ordinal, position)
      SELECT w.ordinal AS new_ordinal, w.position AS new_position, b.* FROM written w LEFT JOIN before b ON true`;
  return {
    find: `SELECT ${ROW} FROM ${documents} WHERE pk = $1 AND id = $2`,
    findMany: `SELECT k.n, ${ROW} FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS k(pk, id, n) JOIN ${documents} d ON d.pk = k.pk AND d.id = k.id`,
    findHolders: `SELECT ${['ordinal', 'expires_at', ...unique].join(', ')} FROM ${documents} WHERE ${unique.map((column, index) => `${column} = ANY ($${index + 1}::text[])`).join(' OR ')}`,
    create: `${insert(8)} excluded.ordinal, ${assigned} WHERE d.expires_at <= $7 RETURNING position`,
    upsert: serverVersion >= RETURNS_OLD_ROWS ? upsertReturningOld : upsertReadingBefore,
    replace: `UPDATE ${documents} AS d SET position = p, ts = $3, expires_at = $4, body = $5 FROM ${entered(7)}
      WHERE d.pk = $1 AND d.id = $2 AND d.position = $6 RETURNING d.position`,
    delete: `DELETE FROM ${documents} AS d USING ${entered(4)} WHERE d.pk = $1 AND d.id = $2 AND d.position = $3 RETURNING p AS position`,
    putRows: `${insertRows(names, uniqueKeys)} ON CONFLICT (pk, id) DO UPDATE SET ${set.join(', ')}`,
    createMany: `WITH entered AS MATERIALIZED (SELECT ${s}.enter_many(${number}, $1, ${table(documents)}, ${sequence}, $2::text[], $3) AS positions),
      written AS (${createRows('$4', 'entered, LATERAL unnest(entered.positions, $5::text[], $6::text[], $7::text[], $8::bigint[], $9::text[])')})
      SELECT positions, (SELECT array_agg(position) FROM written) AS written FROM entered`,
    createEntered: createRows('$1', 'unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[])'),
    copy: `SAVEPOINT copied; COPY ${documents} (${columnsOf(uniqueKeys).join(', ')}) FROM STDIN (FORMAT binary)`,
    dropRows: `DELETE FROM ${documents} WHERE ordinal = ANY ($1::bigint[])`,
    sweep: `DELETE FROM ${documents} WHERE ordinal = ANY (ARRAY(SELECT ordinal FROM ${documents} AS d WHERE expires_at <= $1 AND EXISTS (SELECT 1 FROM ${s}.containers WHERE number = ${number} AND etag = $3) LIMIT $2 FOR UPDATE OF d SKIP LOCKED))`,
    enter: `SELECT ${s}.enter_many(${number}, $1, ${table(documents)}, ${sequence}, $2::text[], $3) AS positions`,
    next: `SELECT nextval(${sequence}) AS position FROM generate_series(1, $1::int)`,
    head: `SELECT coalesce(pg_sequence_last_value(${sequence}), 0) AS head`,
    horizon: `SELECT ${s}.horizon(${sequence}, ${table(documents)}, ${number}, NULL) AS horizon`,
    versionsHorizon: `SELECT ${s}.horizon(${sequence}, ${table(documents)}, ${number}, ${table(versions)}) AS horizon`,
    progress: `SELECT head, ${s}.lowest_announced(${sequence}, head) IS NOT NULL AS open FROM (SELECT coalesce(pg_sequence_last_value(${sequence}), 0) AS head OFFSET 0) AS taken`,
  };
}
