import { PerigeeError } from '../../core/errors.ts';
import { get, run, type Program } from './driver.ts';
import { CREATE_CATALOG } from './indexes/index-catalog.ts';

/** `PRAGMA application_id` of a Perigee store: the letters PERG. */
export const APPLICATION_ID = 0x50455247;

/** One step of a schema: brings a file from the version before to its own; versions count from 1. */
export type Migration = () => Program<void>;

function* statements(...texts: readonly string[]): Program<void> {
  for (const sql of texts) {
    yield* run(sql);
  }
}

/** The steps of the file's own schema, in order. Never change one that was released: add the next. */
export const MIGRATIONS: readonly Migration[] = [
  // 1: the tables of the first version. Those of containers are made with each container.
  () =>
    statements(
      'CREATE TABLE components (name TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID',
      'CREATE TABLE databases (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, etag TEXT NOT NULL, ts INTEGER NOT NULL, containers INTEGER NOT NULL)',
      `CREATE TABLE containers (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        database INTEGER NOT NULL,
        id TEXT NOT NULL,
        rid TEXT NOT NULL,
        definition TEXT NOT NULL,
        etag TEXT NOT NULL,
        ts INTEGER NOT NULL,
        incarnation TEXT NOT NULL,
        floor INTEGER NOT NULL,
        journal TEXT,
        UNIQUE (database, id)
      )`,
    ),
  // 2: documents are written as JSONB. Rows of version 1 stay text until they are written again: both are read alike.
  () => statements(),
  // 3: the catalogue of indexes. Those that policies ask for are added when a container is opened.
  () => statements(...CREATE_CATALOG),
  // 4: recorded versions of documents, whose table is made when a container gets a change feed policy; and the etags of restored containers.
  () =>
    statements(
      'ALTER TABLE containers ADD COLUMN versions_floor INTEGER',
      'ALTER TABLE containers ADD COLUMN versions_from_ms INTEGER',
      'ALTER TABLE containers ADD COLUMN etags TEXT',
    ),
];

/** What the header of a file says of it. */
export interface FileHeader {
  readonly applicationId: number;
  readonly version: number;
  /** Tables, indexes and so on of any kind. */
  readonly objects: number;
}

/** Reads what identifies a file. */
export function* readHeader(): Program<FileHeader> {
  const application = yield* get<{ application_id: number }>('PRAGMA application_id');
  const version = yield* get<{ user_version: number }>('PRAGMA user_version');
  const objects = yield* get<{ n: number }>('SELECT count(*) AS n FROM sqlite_master');
  return { applicationId: application?.application_id ?? 0, version: version?.user_version ?? 0, objects: objects?.n ?? 0 };
}

/** The oldest SQLite that has all that Perigee's statements use: JSONB is the newest part of it. */
const OLDEST_SQLITE: readonly [number, number] = [3, 45];

/** Refuses a driver whose SQLite is too old, before anything is written. @throws NOT_SUPPORTED */
export function* checkVersion(driver: string): Program<void> {
  const { version } = (yield* get<{ version: string }>('SELECT sqlite_version() AS version')) as { version: string };
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_SQLITE;
  if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor)) {
    const needed = OLDEST_SQLITE.join('.');
    throw new PerigeeError(
      'NOT_SUPPORTED',
      `Cannot open a store with the driver ${JSON.stringify(driver)}: it brings SQLite ${version}, and ${needed} or newer is needed. Update the driver's package.`,
      { details: { version, needed } },
    );
  }
}

/** Whether a file holds nothing yet. */
export function isEmptyHeader(header: FileHeader): boolean {
  return header.applicationId === 0 && header.version === 0 && header.objects === 0;
}

/** Refuses a file that is not ours or is newer than this program. @throws STORE_CORRUPT, STORE_TOO_NEW */
export function checkHeader(header: FileHeader, path: string, newest: number): void {
  if (isEmptyHeader(header)) {
    return;
  }
  const attempt = `Cannot open the store ${JSON.stringify(path)}`;
  if (header.applicationId !== APPLICATION_ID || header.version < 1) {
    throw new PerigeeError('STORE_CORRUPT', `${attempt}: it is an SQLite database of another program. It was left as it was.`);
  }
  if (header.version > newest) {
    throw new PerigeeError('STORE_TOO_NEW', `${attempt}: a newer version wrote it. Update Perigee. It was left as it was.`, {
      details: { version: header.version, newest },
    });
  }
}

/** Brings the file to the newest version, in the transaction that is open. Another process may have done it a moment ago. */
export function* migrate(path: string, migrations: readonly Migration[]): Program<void> {
  const header = yield* readHeader();
  checkHeader(header, path, migrations.length);
  for (const migration of migrations.slice(header.version)) {
    yield* migration();
  }
  if (header.version < migrations.length) {
    // A pragma takes no bound values; both are numbers of this file.
    yield* run(`PRAGMA application_id = ${APPLICATION_ID}`);
    yield* run(`PRAGMA user_version = ${migrations.length}`);
  }
}

/** Brings the tables of a part of the system, which it names itself, to its newest version. @throws STORE_TOO_NEW */
export function* migrateComponent(name: string, migrations: readonly Migration[]): Program<void> {
  const row = yield* get<{ version: number }>('SELECT version FROM components WHERE name = ?', name);
  const version = row?.version ?? 0;
  if (version > migrations.length) {
    throw new PerigeeError(
      'STORE_TOO_NEW',
      `Cannot use the tables of ${JSON.stringify(name)}: a newer version wrote them. Update Perigee.`,
      {
        details: { version, newest: migrations.length },
      },
    );
  }
  for (const migration of migrations.slice(version)) {
    yield* migration();
  }
  if (version < migrations.length) {
    yield* run('INSERT OR REPLACE INTO components (name, version) VALUES (?, ?)', name, migrations.length);
  }
}
