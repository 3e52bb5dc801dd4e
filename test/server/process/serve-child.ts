/** `perigee serve` over the sources, for tests: takes what the store is from its argument, and says its address in one line of JSON. */
import { openStore } from '../../../src/cli/open-store.ts';
import { startServer } from '../../../src/server/index.ts';
import { sourceThread } from '../scripts/source-thread.ts';

const { backend } = await openStore(process.argv[2] as string);
const server = await startServer({
  backend,
  port: 0,
  scripts: { createThread: sourceThread },
  logger: {
    log(level, message, fields) {
      if (level === 'error' || level === 'warn') {
        console.error(message, fields);
      }
    },
  },
});
console.log(JSON.stringify({ url: server.url }));
process.once('SIGTERM', () => {
  void server.close().then(() => backend.close());
});
