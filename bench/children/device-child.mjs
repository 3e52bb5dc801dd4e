/**
 * A device in a process of its own, of the package as it is published: opens the file, synchronises once through the official client, and prints what it
 * took. `resident` is the most memory that the process ever had.
 */
import { openCosmosBackend } from '../../dist/stores/cosmos/index.js';
import { openSqliteBackend } from '../../dist/stores/sqlite/index.js';
import { SyncEngine } from '../../dist/sync/index.js';

const { endpoint, key, file, owner } = JSON.parse(process.argv[2]);
const remote = await openCosmosBackend({ endpoint, key });
const backend = await openSqliteBackend({ path: file });
const engine = await SyncEngine.open({
  backend,
  user: 'bench',
  scope: [{ container: 'docs', partitionKey: owner }],
  remote: (container) => remote.container('bench', container),
  containers: [{ id: 'docs', partitionKey: '/owner', defaultTtl: -1 }],
});
const startMs = performance.now();
const { outcome, pulled, pushed, requests, requestUnits, error } = await engine.sync();
const elapsedMs = performance.now() - startMs;
if (outcome !== 'complete') {
  throw error;
}
await engine.close();
await backend.close();
await remote.close();
console.log(JSON.stringify({ pulled, pushed, requests, requestUnits, elapsedMs, residentBytes: process.resourceUsage().maxRSS * 1024 }));
