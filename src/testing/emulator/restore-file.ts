import { createReadStream } from 'node:fs';
import type { Backend } from '../../store/backend.ts';
import { readSnapshot } from '../../store/snapshot/snapshot-stream.ts';

/** Restores a snapshot file, compressed or not, into an empty backend. @throws INVALID_SNAPSHOT, what the file system says */
export async function restoreFile(backend: Backend, path: string | URL): Promise<void> {
  await backend.restore(readSnapshot(createReadStream(path) as AsyncIterable<Uint8Array>));
}
