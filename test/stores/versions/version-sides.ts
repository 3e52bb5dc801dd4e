import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Backend } from '../../../src/store/backend.ts';
import type { DocumentStore } from '../../../src/store/document-store.ts';
import { openMemoryBackend } from '../../../src/stores/memory/memory-backend.ts';
import { openPostgresBackend } from '../../../src/stores/postgres/postgres-backend.ts';
import { openSqliteBackend } from '../../../src/stores/sqlite/sqlite-backend.ts';
import type { SimulatedRuntime } from '../../../src/testing/simulated-runtime.ts';
import { postgresForTests } from '../../support/postgres.ts';

/** The partition key of the containers under test. */
export const PARTITION_KEY = { paths: ['/pk', '/sub'], kind: 'MultiHash', version: 2 } as const;

/** One store under test; `next` gives the handle for the next call, which may be that of another process. */
export interface Side {
  readonly name: string;
  readonly cursors: string[];
  next(): DocumentStore;
  backend(): Backend;
  reopen(): Promise<void>;
  close(): Promise<void>;
}

async function prepare(backend: Backend, defaultTtl: number | undefined, keptMinutes: number | undefined): Promise<void> {
  await backend.createDatabase('db');
  await backend.createContainer('db', definition(defaultTtl, keptMinutes));
}

export function definition(defaultTtl: number | undefined, keptMinutes: number | undefined): Parameters<Backend['createContainer']>[1] {
  const changeFeedPolicy = keptMinutes === undefined ? undefined : { retentionDuration: keptMinutes };
  return { id: 'items', partitionKey: PARTITION_KEY, defaultTtl, changeFeedPolicy };
}

export async function memorySide(
  runtime: SimulatedRuntime,
  defaultTtl: number | undefined,
  keptMinutes: number | undefined,
): Promise<Side> {
  const backend = openMemoryBackend({ runtime });
  await prepare(backend, defaultTtl, keptMinutes);
  const store = await backend.container('db', 'items');
  return {
    name: 'memory',
    cursors: [],
    next: () => store,
    backend: () => backend,
    reopen: () => Promise.resolve(),
    close: () => backend.close(),
  };
}

/** Data that two backends share. */
interface SharedData {
  readonly name: string;
  readonly open: () => Promise<Backend>;
  readonly remove: () => Promise<void>;
}

export function fileData(runtime: SimulatedRuntime): SharedData {
  const folder = mkdtempSync(join(tmpdir(), 'perigee-versions-'));
  return {
    name: 'sqlite',
    open: () => openSqliteBackend({ path: join(folder, 'store.db'), runtime }),
    remove: () => {
      rmSync(folder, { recursive: true, force: true });
      return Promise.resolve();
    },
  };
}

export async function postgresData(runtime: SimulatedRuntime): Promise<SharedData> {
  const { url, freshSchema, dropSchemas } = await postgresForTests();
  const schema = freshSchema();
  return {
    name: 'postgres',
    open: () => openPostgresBackend({ connectionString: url, schema, runtime, maxConnections: 3 }),
    remove: () => dropSchemas(schema),
  };
}

/** Two backends on the same data, called in turn, as two processes would. */
export async function sharedSide(
  { name, open: openOne, remove }: SharedData,
  defaultTtl: number | undefined,
  keptMinutes: number | undefined,
): Promise<Side> {
  let backends: Backend[] = [];
  let stores: DocumentStore[] = [];
  let turn = 0;
  const open = async (): Promise<void> => {
    backends = [await openOne(), await openOne()];
    if ((await backends[0]?.readDatabase('db')) === undefined) {
      await prepare(backends[0] as Backend, defaultTtl, keptMinutes);
    }
    stores = await Promise.all(backends.map((backend) => backend.container('db', 'items')));
  };
  const close = async (): Promise<void> => {
    await Promise.all(backends.map((backend) => backend.close()));
  };
  await open();
  return {
    name,
    cursors: [],
    next: () => stores[(turn += 1) % 2] as DocumentStore,
    backend: () => backends[(turn += 1) % 2] as Backend,
    reopen: async () => {
      await close();
      await open();
    },
    close: async () => {
      await close();
      await remove();
    },
  };
}
