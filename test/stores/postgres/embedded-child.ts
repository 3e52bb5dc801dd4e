/**
 * A program with an embedded server: `embedded-child.ts FOLDER WHO`, where an empty FOLDER is a temporary one and WHO is `self` or `nobody`. It prints one
 * line of JSON once the server runs, or once it does not, and ends by itself once its input does, without stopping the server.
 */
import { startEmbeddedPostgres } from '../../../src/stores/postgres/embedded/start-embedded-postgres.ts';

const [folder = '', who = 'self'] = process.argv.slice(2);
if (who === 'nobody' && process.getuid?.() === 0) {
  process.setgroups?.([]);
  process.setgid?.(65534);
  process.setuid?.(65534);
}
try {
  const { connectionString, pid, folder: at } = await startEmbeddedPostgres(folder === '' ? {} : { folder });
  console.log(JSON.stringify({ connectionString, pid, folder: at }));
  process.stdin.resume();
} catch (error) {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  console.log(JSON.stringify({ code, message }));
}
