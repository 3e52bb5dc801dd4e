/** PouchDB as a device in a process of its own: replicates once with a server, one way, and prints what it took. */
import { createRequire } from 'node:module';

const PouchDB = createRequire(new URL('../peers/package.json', import.meta.url))('pouchdb-node');
const { url, folder, way, batchSize } = JSON.parse(process.argv[2]);
const local = new PouchDB(folder);
const startMs = performance.now();
const { docs_written: documents } = await local.replicate[way](url, { batch_size: batchSize });
const elapsedMs = performance.now() - startMs;
await local.close();
console.log(JSON.stringify({ documents, elapsedMs, residentBytes: process.resourceUsage().maxRSS * 1024 }));
