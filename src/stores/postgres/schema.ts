import { PerigeeError } from '../../core/errors.ts';
import { toHex } from '../../core/runtime.ts';
import { columnFunctions } from './columns/column-functions.ts';
import { geometryBoxFunctions } from './indexes/geometry-box.ts';
import { textWordsFunction } from './indexes/text-words.ts';
import { vectorFunction } from './vectors/vector-function.ts';
import { quoteName } from './names.ts';
import { CHANGED_STATE, GONE_STATE } from './postgres-errors.ts';
import type { PostgresDatabase, Session } from './postgres-database.ts';

/** One step of the schema, as statements; `s` is the quoted schema of the catalogue. Never change one that was released: add the next. */
type Migration = (s: string) => readonly string[];

/** Part of a function: ends it where the container is not the one that is known, then announces how far positions have come. */
function checkAndAnnounce(s: string): string {
  return `SELECT etag INTO current_etag FROM ${s}.containers WHERE number = container_number;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'container gone' USING ERRCODE = '${GONE_STATE}';
  END IF;
  IF current_etag <> known_etag THEN
    RAISE EXCEPTION 'container changed' USING ERRCODE = '${CHANGED_STATE}';
  END IF;
  PERFORM pg_advisory_xact_lock_shared(${s}.signed(positions::oid::bigint), ${s}.signed(coalesce(pg_sequence_last_value(positions), 0) & 4294967295));`;
}

/**
 * Readies a transaction for writes to one container, and gives the first of `amount` positions for it (the others follow by `nextval`).
 *
 * The locks end with the transaction. That of a partition key is taken before a position is, so that positions of a partition key have the order
 * of commits. The shared one says how far positions had come before this transaction took its own: whoever reads the change feed stays below the
 * lowest of these ({@link HORIZON}), since what is not committed yet may lie above. It is held under the identity of the sequence, so no other container,
 * and no other transaction, holds a reader up.
 */
const ENTER: Migration = (s) => [
  `CREATE FUNCTION ${s}.enter(container_number bigint, known_etag text, positions regclass, key text) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  current_etag text;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended(key, positions::oid::bigint));
  ${checkAndAnnounce(s)}
  RETURN nextval(positions);
END $$`,
  `CREATE FUNCTION ${s}.enter_many(container_number bigint, known_etag text, documents regclass, positions regclass, keys text[], amount int) RETURNS bigint[] LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  current_etag text;
  key_lock bigint;
BEGIN
  -- A definition is replaced under a stronger lock, so it stays as it is from here on.
  EXECUTE format('LOCK TABLE %s IN ROW EXCLUSIVE MODE', documents);
  FOR key_lock IN SELECT DISTINCT hashtextextended(k, positions::oid::bigint) AS h FROM unnest(keys) AS k ORDER BY h LOOP
    PERFORM pg_advisory_xact_lock(key_lock);
  END LOOP;
  ${checkAndAnnounce(s)}
  RETURN ARRAY(SELECT nextval(positions) FROM generate_series(1, amount));
END $$`,
];

/** A word as the number with the same 32 bits that locks are named by. */
const SIGNED: Migration = (s) => [
  `CREATE FUNCTION ${s}.signed(word bigint) RETURNS int LANGUAGE sql IMMUTABLE AS $$
  SELECT (CASE WHEN word > 2147483647 THEN word - 4294967296 ELSE word END)::int
$$`,
];

/**
 * The position up to which every write that will ever be committed is visible to a statement that begins after this one.
 *
 * The head is read before the locks: whoever takes a position later takes one above it. Of a lock only the low half of a position is known, which is
 * within 2^31 of the head.
 *
 * A crash takes positions back that were taken and lost with their transactions before the log of the server was on disk, and gives them to others then,
 * which a reader who stands above them would never see. So where some of the log is not on disk yet, the horizon is no higher than what is committed.
 */
const HORIZON: Migration = (s) => [
  `CREATE FUNCTION ${s}.lowest_announced(positions regclass, head bigint) RETURNS bigint LANGUAGE sql VOLATILE AS $$
  SELECT head + min(${s}.signed((l.objid::bigint - (head & 4294967295)) & 4294967295))
    FROM pg_locks l
    WHERE l.locktype = 'advisory' AND l.objsubid = 2 AND l.classid = positions::oid
      AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
$$`,
  `CREATE FUNCTION ${s}.horizon(positions regclass, documents regclass, container_number bigint, versions regclass) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  head bigint := coalesce(pg_sequence_last_value(positions), 0);
  written pg_lsn := pg_current_wal_insert_lsn();
  announced bigint := ${s}.lowest_announced(positions, head);
  committed bigint;
BEGIN
  IF pg_current_wal_flush_lsn() < written THEN
    EXECUTE format('SELECT greatest((SELECT max(ordinal) FROM %1$s), (SELECT max(position) FROM %1$s WHERE position <> ordinal))', documents) INTO committed;
    IF versions IS NOT NULL THEN
      EXECUTE format('SELECT greatest($1, (SELECT max(position) FROM %s), (SELECT versions_floor FROM ${s}.containers WHERE number = $2))', versions)
        INTO committed USING committed, container_number;
    END IF;
    head := least(head, coalesce(committed, 0));
  END IF;
  RETURN least(head, announced);
END $$`,
];

const MIGRATIONS: readonly Migration[] = [
  // 1: the catalogue. Schemas of databases and tables of containers are made with these.
  (s) => [
    `CREATE TABLE ${s}.databases (
      number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      id text COLLATE "C" NOT NULL UNIQUE,
      etag text NOT NULL,
      ts bigint NOT NULL,
      containers bigint NOT NULL
    )`,
    `CREATE TABLE ${s}.containers (
      number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      database bigint NOT NULL,
      id text COLLATE "C" NOT NULL,
      rid text COLLATE "C" NOT NULL UNIQUE,
      definition text NOT NULL,
      etag text NOT NULL,
      ts bigint NOT NULL,
      incarnation text NOT NULL,
      etags text,
      versions_floor bigint,
      versions_from_ms bigint,
      UNIQUE (database, id)
    )`,
    `CREATE TABLE ${s}.leases (name text COLLATE "C" PRIMARY KEY, holder text NOT NULL, until_ms bigint NOT NULL)`,
    ...SIGNED(s),
    ...ENTER(s),
    ...HORIZON(s),
  ],
  // 2: indexes of containers. A row outlives its definition, `dropped`, until the index itself is gone.
  (s) => [
    `CREATE TABLE ${s}.indexes (
      number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      container bigint NOT NULL REFERENCES ${s}.containers (number) ON DELETE CASCADE,
      kind text NOT NULL,
      key text NOT NULL,
      form text NOT NULL,
      ready boolean NOT NULL,
      dropped boolean NOT NULL DEFAULT false
    )`,
    `CREATE INDEX indexes_container ON ${s}.indexes (container)`,
  ],
  // 3: paths that are columns too, as JSON, and what makes them.
  (s) => [`ALTER TABLE ${s}.containers ADD COLUMN columns text`, ...columnFunctions(s)],
  // 4: databases that are deleted and whose tables are still there.
  (s) => [`CREATE TABLE ${s}.dropped_databases (number bigint PRIMARY KEY)`],
  // 5: indexes that use asks for, and when they were last used, in seconds.
  (s) => [`ALTER TABLE ${s}.indexes ADD COLUMN origin text NOT NULL DEFAULT 'policy', ADD COLUMN used_at bigint NOT NULL DEFAULT 0`],
  // 6: schemas that a restore replaced, or made and never put in place.
  (s) => [`CREATE TABLE ${s}.dropped_schemas (name text COLLATE "C" PRIMARY KEY)`],
  // 7: the words of texts, for indexes over them.
  (s) => [textWordsFunction(s)],
  // 8: what makes vectors of documents, for indexes of an extension.
  vectorFunction,
  // 9: where geometries lie, for indexes over them.
  geometryBoxFunctions,
];

/** What identifies the data of a store: whoever restores a dump of it elsewhere has another. */
export interface StoreIdentity {
  readonly installation: string;
  readonly system: string;
  /** Version of the server, as `server_version_num` has it. */
  readonly serverVersion: number;
}

/** PostgreSQL versions that are tested; older ones lack what the statements use. */
const OLDEST_VERSION = 140_000;

/**
 * Brings the schemas of a store to the newest version, once for all servers that start at the same time, and gives what identifies its data.
 *
 * @throws STORE_TOO_NEW; NOT_SUPPORTED for a PostgreSQL that is too old; STORE_CORRUPT for a schema of another program
 */
export async function migrate(database: PostgresDatabase): Promise<StoreIdentity> {
  const { prefix, runtime } = database;
  const s = quoteName(prefix);
  const { installation, serverVersion } = await database.transaction('open the PostgreSQL store', async (session) => {
    const serverVersion = await checkServer(session);
    const installed = await installedVersion(session, prefix);
    if (installed !== MIGRATIONS.length) {
      // Others that start now wait here, and find the work done.
      await session.rows({ text: 'SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', values: [`perigee schema ${prefix}`] });
      await install(session, prefix, await installedVersion(session, prefix), toHex(runtime.randomBytes(8)));
    }
    const [meta] = await session.rows<{ installation: string }>({ text: `SELECT installation FROM ${s}.meta` });
    return { installation: meta?.installation ?? '', serverVersion };
  });
  return { installation, serverVersion, system: await systemIdentifier(database) };
}

/** The server's version. @throws NOT_SUPPORTED */
async function checkServer(session: Session): Promise<number> {
  const [row] = await session.rows<{ version: string; encoding: string }>({
    text: "SELECT current_setting('server_version_num') AS version, current_setting('server_encoding') AS encoding",
  });
  if (Number(row?.version) < OLDEST_VERSION) {
    throw new PerigeeError('NOT_SUPPORTED', 'Cannot open the PostgreSQL store: it needs PostgreSQL 14 or newer.', {
      details: { version: row?.version },
    });
  }
  if (row?.encoding !== 'UTF8') {
    throw new PerigeeError(
      'NOT_SUPPORTED',
      'Cannot open the PostgreSQL store: the encoding of the database is not UTF8. Create one that is.',
      {
        details: { encoding: row?.encoding },
      },
    );
  }
  return Number(row.version);
}

async function installedVersion(session: Session, prefix: string): Promise<number> {
  const [found] = await session.rows<{ table: string | null; objects: number }>({
    text: `SELECT to_regclass($1)::text AS table, (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $2) AS objects`,
    values: [`${quoteName(prefix)}.meta`, prefix],
  });
  if (found?.table === null || found === undefined) {
    if ((found?.objects ?? 0) > 0) {
      throw new PerigeeError(
        'STORE_CORRUPT',
        `Cannot open the PostgreSQL store: its schema ${JSON.stringify(prefix)} holds tables of another program. It was left as it was; choose another schema.`,
      );
    }
    return 0;
  }
  const [meta] = await session.rows<{ version: number }>({ text: `SELECT version FROM ${quoteName(prefix)}.meta` });
  const version = meta?.version ?? 0;
  if (version > MIGRATIONS.length) {
    throw new PerigeeError(
      'STORE_TOO_NEW',
      'Cannot open the PostgreSQL store: a newer version wrote it. Update Perigee. It was left as it was.',
      {
        details: { version, newest: MIGRATIONS.length },
      },
    );
  }
  return version;
}

async function install(session: Session, prefix: string, version: number, installation: string): Promise<void> {
  const s = quoteName(prefix);
  if (version === 0) {
    await session.rows({ text: `CREATE SCHEMA IF NOT EXISTS ${s}` });
    await session.rows({
      text: `CREATE TABLE ${s}.meta (single boolean PRIMARY KEY DEFAULT true CHECK (single), version bigint NOT NULL, installation text NOT NULL)`,
    });
    await session.rows({ text: `INSERT INTO ${s}.meta (version, installation) VALUES (0, $1)`, values: [installation] });
  }
  for (const migration of MIGRATIONS.slice(version)) {
    for (const text of migration(s)) {
      await session.rows({ text });
    }
  }
  await session.rows({ text: `UPDATE ${s}.meta SET version = $1`, values: [MIGRATIONS.length] });
}

/** The identity of the cluster, where the user of the database may ask for it. */
async function systemIdentifier(database: PostgresDatabase): Promise<string> {
  try {
    const [row] = await database.rows<{ system: string }>('open the PostgreSQL store', {
      text: 'SELECT system_identifier::text AS system FROM pg_control_system()',
    });
    return row?.system ?? '';
  } catch (error) {
    if (error instanceof PerigeeError && error.details['sqlState'] === '42501') {
      return '';
    }
    throw error;
  }
}
