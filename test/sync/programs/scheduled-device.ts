/**
 * One of several processes on a device's file: it runs by schedule, and writes a document now and then. Each request that it makes is a line of a log that
 * all processes append to: its name and the number of its run.
 */
import { appendFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import type { JsonObject } from '../../../src/core/json.ts';
import type { DocumentStore } from '../../../src/store/document-store.ts';
import { openCosmosBackend } from '../../../src/stores/cosmos/index.ts';
import { openSqliteBackend } from '../../../src/stores/sqlite/index.ts';
import { SyncEngine } from '../../../src/sync/index.ts';
import { faultyStore } from '../faulty-store.ts';

const [file, endpoint, key, name, log, count] = process.argv.slice(2) as [string, string, string, string, string, string];
/** Long enough that a process is killed in the middle of a run. */
const REQUEST_MS = 30;
let runs = 0;

const remote = await openCosmosBackend({ endpoint, key });
const backend = await openSqliteBackend({ path: file });
const engine = await SyncEngine.open({
  backend,
  user: 'ada',
  device: 'phone',
  scope: [{ container: 'notes', partitionKey: 'ada' }],
  remote: async (container): Promise<DocumentStore<JsonObject>> =>
    faultyStore(await remote.container('app', container), async () => {
      appendFileSync(log, `${name} ${runs}\n`);
      await wait(REQUEST_MS);
      return undefined;
    }),
  containers: [{ id: 'notes', partitionKey: '/owner', defaultTtl: -1 }],
});
engine.on('run', ({ error }) => {
  runs += 1;
  if (error !== undefined && error.code !== 'SYNC_BUSY') {
    console.error(error);
    process.exit(70);
  }
});
engine.start({ intervalMs: 200, debounceMs: 20, minBackoffMs: 20, maxBackoffMs: 200, pollIntervalMs: 50 });
for (let index = 0; index < Number(count); index += 1) {
  await engine.store<{ id: string; owner: string }>('notes').create({ id: `${name}-${index}`, owner: 'ada' });
  process.send?.({ written: `${name}-${index}` });
  await wait(10);
}
process.on('message', () => {
  void (async () => {
    await engine.close();
    await backend.close();
    await remote.close();
    process.disconnect();
  })();
});
