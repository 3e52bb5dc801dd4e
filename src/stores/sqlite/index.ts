export {
  betterSqlite3Driver,
  type BetterSqlite3Constructor,
  type BetterSqlite3DatabaseLike,
  type BetterSqlite3DriverOptions,
} from './better-sqlite3-driver.ts';
export { changeStoreKey, encryptedDriver, type ChangeKeyOptions, type EncryptedDriverOptions, type StoreKey } from './encrypted-driver.ts';
export type { Program, SqliteConnection, SqliteConnectionOptions, SqliteDriver, SqliteRow, SqliteStep, SqliteValue } from './driver.ts';
export type { IndexProgress } from './indexes/index-builder.ts';
export type { IndexStatus } from './indexes/index-manager.ts';
export type { AutoIndex } from '../common/auto-index.ts';
export type { IndexAdvice } from '../common/index-usage.ts';
export type { ContainerAdvice } from '../common/used-indexes.ts';
export { sqliteFolder, type SqliteFolder } from './sqlite-folder.ts';
export { openSqliteBackend, SqliteBackend, type JournaledContainerOptions, type SqliteBackendOptions } from './sqlite-backend.ts';
export type { SqliteDatabase } from './sqlite-database.ts';
export { SqliteDocumentStore } from './sqlite-document-store.ts';
export { workerDriver, type WorkerDriverOptions, type WorkerLike } from './worker-driver.ts';
export type { ProgramWriteOptions, StoredRow, WriteJournal } from './write-journal.ts';
export type { AppliedWrite, PreviousVersion } from '../common/applied-write.ts';
