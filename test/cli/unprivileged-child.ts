/** The command line as somebody without privileges: it loads what it needs while it still may, then gives root's rights away. */
import { openSqliteBackend } from '../../src/stores/sqlite/sqlite-backend.ts';
import '../../src/server/start-server.ts';
import 'commander';

await (await openSqliteBackend({ path: ':memory:' })).close();
if (process.getuid?.() === 0) {
  process.setgroups?.([]);
  process.setgid?.(65534);
  process.setuid?.(65534);
}
await import('../../src/cli/main.ts');
