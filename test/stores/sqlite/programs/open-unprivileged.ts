import { isPerigeeError } from '../../../../src/core/errors.ts';
import { openSqliteBackend } from '../../../../src/stores/sqlite/sqlite-backend.ts';

// Everything is loaded by now, so the folders of the sources need not be readable by others; root's privileges would hide what is tested.
await import('better-sqlite3').then(({ default: Database }) => new Database(':memory:').close());
if (process.getuid?.() === 0) {
  process.setgid?.(65534);
  process.setuid?.(65534);
}
try {
  const backend = await openSqliteBackend({ path: process.argv[2] as string });
  await backend.close();
  console.log('opened');
} catch (error) {
  console.log(isPerigeeError(error) ? error.code : String(error));
}
