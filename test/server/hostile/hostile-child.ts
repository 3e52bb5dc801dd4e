/** A server that hostile clients work on, as a process of its own. Says its port, and does over what it is told over the channel to its parent. */
import { openMemoryBackend } from '../../../src/stores/memory/index.ts';
import { startServer } from '../../../src/server/index.ts';
import { sourceThread } from '../scripts/source-thread.ts';
import { CONTAINER, DATABASE } from './requests.ts';

const backend = openMemoryBackend();

/** Puts the data back that the requests are about. */
async function reset(): Promise<void> {
  for (const { id } of await backend.listDatabases()) {
    await backend.deleteDatabase(id);
  }
  await backend.createDatabase(DATABASE);
  await backend.createContainer(DATABASE, { id: CONTAINER, partitionKey: '/k', defaultTtl: -1 });
  await backend.createContainer(DATABASE, { id: 'trees', partitionKey: ['/a', '/b', '/c'] });
  const store = await backend.container(DATABASE, CONTAINER);
  for (let index = 0; index < 20; index += 1) {
    await store.create({ id: `d${index}`, k: index % 2 === 0 ? 'a' : 'b', n: index, text: `the text of ${index}`, tags: ['red', 'green'] });
  }
  for (const id of ['d1', 'd3']) {
    await store.create({ id, k: 'a', n: 3, text: 'more', tags: ['red'] });
  }
  await store.close();
}

await reset();
const server = await startServer({
  backend,
  port: 0,
  headersTimeoutMs: 2000,
  requestTimeoutMs: 4000,
  scripts: { createThread: sourceThread },
  logger: {
    log(level, message, fields) {
      if (level === 'error') {
        console.error(message, fields);
      }
    },
  },
});

process.on('message', (message) => {
  if (message === 'reset') {
    void reset().then(() => {
      globalThis.gc?.();
      process.send?.({ heapBytes: process.memoryUsage().heapUsed, externalBytes: process.memoryUsage().external });
    });
  }
  if (message === 'stop') {
    void server
      .close()
      .then(() => backend.close())
      .then(() => process.disconnect());
  }
});
process.send?.({ port: server.port });
