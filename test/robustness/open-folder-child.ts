/** Opens a folder as somebody without privileges, to write and to read, and prints what came of it. Argument: folder. */
import { join } from 'node:path';
import { isPerigeeError } from '../../src/core/errors.ts';
import { openFileBackend } from '../../src/stores/file/file-backend.ts';

const folder = process.argv[2] as string;
// Everything is loaded by now, so the folders of the sources need not be readable by others; root's privileges would hide what is tested.
if (process.getuid?.() === 0) {
  process.setgid?.(65534);
  process.setuid?.(65534);
}

async function outcome(what: string, work: () => Promise<string>): Promise<void> {
  try {
    console.log(`${what}: ${await work()}`);
  } catch (error) {
    console.log(`${what}: ${isPerigeeError(error) ? error.code : String(error)}`);
  }
}

await outcome('to write', async () => {
  await (await openFileBackend({ folder })).close();
  return 'opened';
});
const backend = await openFileBackend({ folder, readOnly: true });
const store = await backend.container('shop', 'orders');
await outcome('to read', async () => (await store.query<string>('SELECT VALUE c.id FROM c').toArray()).join());
await outcome('a write', async () => (await store.create({ id: 'b' })).etag);
await backend.close();
await outcome('missing', async () => {
  await (await openFileBackend({ folder: join(folder, 'missing') })).close();
  return 'opened';
});
