/*
 * Opens a store to read only, without privileges, and prints what it holds as JSON, or the code of the refusal. Arguments: path, `worker` for that
 * driver.
 */
import { isPerigeeError } from '../../../../src/core/errors.ts';
import { openSqliteBackend } from '../../../../src/stores/sqlite/sqlite-backend.ts';

// Everything is loaded by now, so the folders of the sources need not be readable by others; root's privileges would hide what is tested.
await import('better-sqlite3').then(({ default: Database }) => new Database(':memory:').close());
if (process.getuid?.() === 0) {
  process.setgid?.(65534);
  process.setuid?.(65534);
}
try {
  const backend = await openSqliteBackend({ path: process.argv[2] as string, readOnly: true });
  const store = await backend.container('test', 'items');
  console.log(JSON.stringify(await store.query('SELECT VALUE c.id FROM c').toArray()));
  await backend.close();
} catch (error) {
  console.log(isPerigeeError(error) ? error.code : String(error));
}
