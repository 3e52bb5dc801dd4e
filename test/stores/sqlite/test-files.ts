import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach } from 'vitest';
import type { Backend } from '../../../src/store/backend.ts';
import type { DocumentStore } from '../../../src/store/document-store.ts';
import { openSqliteBackend, type SqliteBackend, type SqliteBackendOptions } from '../../../src/stores/sqlite/sqlite-backend.ts';
import { workerDriver, type WorkerLike } from '../../../src/stores/sqlite/worker-driver.ts';
import type { SqliteDriver } from '../../../src/stores/sqlite/driver.ts';

const cleanups: (() => Promise<void> | void)[] = [];

/** Runs `cleanup` after the test, the latest first. */
export function afterTest(cleanup: () => Promise<void> | void): void {
  cleanups.unshift(cleanup);
}

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) {
    await cleanup();
  }
});

/** A folder that is removed after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'perigee-sqlite-'));
  afterTest(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Statements that make a file one of version 3 again, which knew nothing of recorded versions. */
export const BACK_TO_VERSION_3 = `
  ALTER TABLE containers DROP COLUMN versions_floor;
  ALTER TABLE containers DROP COLUMN versions_from_ms;
  ALTER TABLE containers DROP COLUMN etags;
  PRAGMA user_version = 3;`;

/** A backend that is closed after the test. */
export async function openBackend(options: SqliteBackendOptions): Promise<SqliteBackend> {
  const backend = await openSqliteBackend(options);
  afterTest(() => backend.close());
  return backend;
}

/** The store of a new container with the partition key `/pk`. */
export async function newStore(backend: Backend, id = 'items'): Promise<DocumentStore> {
  if ((await backend.readDatabase('test')) === undefined) {
    await backend.createDatabase('test');
  }
  await backend.createContainer('test', { id, partitionKey: '/pk' });
  return backend.container('test', id);
}

const register = import.meta.resolve('tsx/esm/api');
const thread = new URL('../../../src/stores/sqlite/worker-thread.ts', import.meta.url).href;
const idle: Worker[] = [];

/** A thread over the sources, which it has to translate first; that takes a while, so threads are used again. */
function sourceWorker(): WorkerLike {
  const code = `import(${JSON.stringify(register)}).then(({ register }) => { register(); return import(${JSON.stringify(thread)}); });`;
  const worker = idle.pop() ?? new Worker(code, { eval: true });
  worker.removeAllListeners();
  return {
    postMessage: (message) => worker.postMessage(message),
    on: (event: string, listener: (value: never) => void) => worker.on(event as 'message', listener as (value: unknown) => void),
    ref: () => worker.ref(),
    unref: () => worker.unref(),
    terminate: () => {
      worker.removeAllListeners();
      idle.push(worker);
      return Promise.resolve(0);
    },
  };
}

/** The worker driver over the sources. */
export function sourceWorkerDriver(): SqliteDriver {
  return workerDriver({ createWorker: sourceWorker });
}

/** The drivers that every test of behaviour runs on. */
export const drivers: readonly { readonly name: string; readonly driver: () => SqliteBackendOptions['driver'] }[] = [
  { name: 'better-sqlite3', driver: () => 'better-sqlite3' },
  { name: 'worker', driver: sourceWorkerDriver },
];
