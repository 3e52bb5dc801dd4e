/*
 * Restores a snapshot in place of what a file holds, and says when it is about to commit. Arguments: path of the file, path of the snapshot.
 */
import { createReadStream } from 'node:fs';
import { writeSync } from 'node:fs';
import { readSnapshot } from '../../../../src/store/snapshot/snapshot-stream.ts';
import { openSqliteBackend } from '../../../../src/stores/sqlite/sqlite-backend.ts';

const [path = '', snapshot = ''] = process.argv.slice(2);
const backend = await openSqliteBackend({ path });
writeSync(1, 'started\n');
await backend.restore(readSnapshot(createReadStream(snapshot)), {
  replace: true,
  onProgress: ({ documents }) => void writeSync(1, `${documents}\n`),
});
writeSync(1, 'restored\n');
await backend.close();
