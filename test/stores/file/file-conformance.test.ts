import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'vitest';
import { openFileBackend, type FileBackend } from '../../../src/stores/file/file-backend.ts';
import { storeConformance } from '../../../src/testing/store-conformance.ts';

/** How soon files are tidied: hardly ever, and all the time. */
for (const foldAfterMs of [1000, 0]) {
  storeConformance({
    runner: { describe, test },
    name: `store conformance of file, tidied after ${foldAfterMs} ms`,
    open: async ({ runtime }) => {
      const folder = mkdtempSync(join(tmpdir(), 'perigee-conformance-'));
      const open = (): Promise<FileBackend> => openFileBackend({ folder, runtime, foldAfterMs });
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
