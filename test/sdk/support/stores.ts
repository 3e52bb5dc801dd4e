import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Runtime } from '../../../src/core/runtime.ts';
import type { Backend } from '../../../src/store/backend.ts';
import { openMemoryBackend } from '../../../src/stores/memory/index.ts';
import { openPostgresBackend } from '../../../src/stores/postgres/index.ts';
import { openSqliteBackend } from '../../../src/stores/sqlite/index.ts';
import { postgresForTests } from '../../support/postgres.ts';
import type { StoreName } from './store-names.ts';

/** A store that servers of a test stand on. */
export interface StoreUnderTest {
  /** Opens the backend. */
  readonly open: (runtime?: Runtime) => Promise<Backend>;
  /** Closes a backend and opens what a new process would find; the memory store has nothing else than itself to find. */
  readonly reopen: (backend: Backend) => Promise<Backend>;
  readonly remove: () => Promise<void>;
}

function memoryStore(): StoreUnderTest {
  return {
    open: (runtime) => Promise.resolve(openMemoryBackend({ runtime })),
    reopen: (backend) => Promise.resolve(backend),
    remove: () => Promise.resolve(),
  };
}

function sqliteStore(): StoreUnderTest {
  const folder = mkdtempSync(join(tmpdir(), 'perigee-sdk-'));
  const path = join(folder, 'data.db');
  return {
    open: (runtime) => openSqliteBackend({ path, runtime }),
    reopen: async (backend) => {
      await backend.close();
      return openSqliteBackend({ path });
    },
    remove: () => {
      rmSync(folder, { recursive: true, force: true });
      return Promise.resolve();
    },
  };
}

function postgresStore(): StoreUnderTest {
  let schema: string | undefined;
  const open = async (runtime?: Runtime): Promise<Backend> => {
    const { url, freshSchema } = await postgresForTests();
    schema ??= freshSchema();
    return openPostgresBackend({ connectionString: url, schema, runtime });
  };
  return {
    open,
    reopen: async (backend) => {
      await backend.close();
      return open();
    },
    remove: async () => {
      if (schema !== undefined) {
        await (await postgresForTests()).dropSchemas(schema);
      }
    },
  };
}

const STORES: Readonly<Record<StoreName, () => StoreUnderTest>> = { memory: memoryStore, sqlite: sqliteStore, postgres: postgresStore };

/** A fresh store of a kind. */
export function createStore(name: StoreName): StoreUnderTest {
  return STORES[name]();
}
