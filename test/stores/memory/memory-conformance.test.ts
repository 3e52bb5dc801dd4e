import { describe, test } from 'vitest';
import { openMemoryBackend } from '../../../src/stores/memory/memory-backend.ts';
import { storeConformance } from '../../../src/testing/store-conformance.ts';

storeConformance({
  name: 'memory backend',
  runner: { describe, test },
  open: async ({ runtime }) => {
    const backend = openMemoryBackend({ runtime });
    return { backend, dispose: () => backend.close() };
  },
});
