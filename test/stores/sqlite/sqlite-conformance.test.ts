import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'vitest';
import { openSqliteBackend, type SqliteBackend } from '../../../src/stores/sqlite/sqlite-backend.ts';
import { storeConformance } from '../../../src/testing/store-conformance.ts';
import { drivers } from './test-files.ts';

for (const { name, driver } of drivers) {
  storeConformance({
    runner: { describe, test },
    name: `store conformance of sqlite over ${name}`,
    open: async ({ runtime }) => {
      const folder = mkdtempSync(join(tmpdir(), 'perigee-conformance-'));
      const open = (): Promise<SqliteBackend> => openSqliteBackend({ path: join(folder, 'store.db'), driver: driver(), runtime });
      let backend = await open();
      return {
        backend,
        reopen: async () => {
          await backend.close();
          backend = await open();
          return backend;
        },
        dispose: async () => {
          await backend.close();
          rmSync(folder, { recursive: true, force: true });
        },
      };
    },
  });
}

storeConformance({
  runner: { describe, test },
  name: 'store conformance of sqlite in memory',
  open: async ({ runtime }) => {
    const backend = await openSqliteBackend({ path: ':memory:', runtime });
    return { backend, dispose: () => backend.close() };
  },
});
