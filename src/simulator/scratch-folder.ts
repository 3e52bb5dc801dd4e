import { accessSync, constants, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A file system in memory, where there is one. What a disk does is simulated, so that nothing waits for a real one. */
const MEMORY_FOLDER = '/dev/shm';

/** Makes a folder for the files of simulations; who asks removes it. */
export function makeScratchFolder(): string {
  try {
    accessSync(MEMORY_FOLDER, constants.W_OK);
    return mkdtempSync(join(MEMORY_FOLDER, 'perigee-simulation-'));
  } catch {
    return mkdtempSync(join(tmpdir(), 'perigee-simulation-'));
  }
}
