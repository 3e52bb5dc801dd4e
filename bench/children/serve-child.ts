/** The Perigee server as a process of its own, over a SQLite file, with documents loaded: prints its address. */
import { openSqliteBackend } from '../../src/stores/sqlite/index.ts';
import { startServer } from '../../src/server/index.ts';
import { sampleDocument } from '../harness.ts';

const backend = await openSqliteBackend({ path: process.argv[2] as string });
await backend.createDatabase('bench');
await backend.createContainer('bench', { id: 'docs', partitionKey: '/owner' });
const store = await backend.container('bench', 'docs');
await store.bulk(
  Array.from({ length: 1000 }, (_, index) => ({ type: 'create' as const, document: sampleDocument(index, `owner-${index % 10}`) })),
);
const server = await startServer({ backend, port: 0 });
console.log(JSON.stringify({ url: server.url }));
process.once('SIGTERM', () => void server.close().then(() => backend.close()));
