/**
 * The device of the crash tests: it writes without pause, tells its parent of each write that has resolved, and syncs all the time. It is
 * killed from outside at a random moment, or kills itself at the n-th pass of a named point.
 */
import { Worker } from 'node:worker_threads';
import { isPerigeeError } from '../../src/core/errors.ts';
import { openCosmosBackend } from '../../src/stores/cosmos/index.ts';
import { openSqliteBackend } from '../../src/stores/sqlite/index.ts';
import { SyncEngine } from '../../src/sync/index.ts';
import { CRASH_SCOPE, scriptedWrite } from './operations.ts';

const [file, endpoint, key, name, firstSequence, killPoint, killPass, mode] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
  string,
  string,
  'write' | 'settle',
];
let passes = 0;

/** The checkpoint itself runs on this thread without a pause, so another one kills the process in the middle of it. */
function startExecutioner(): Int32Array {
  const shared = new Int32Array(new SharedArrayBuffer(4));
  const source = `
    const { workerData: shared } = require('node:worker_threads');
    Atomics.wait(shared, 0, 0);
    process.kill(process.pid, 'SIGKILL');
  `;
  new Worker(source, { eval: true, workerData: shared }).unref();
  return shared;
}

const executioner = killPoint === 'in-checkpoint' ? startExecutioner() : undefined;

const remote = await openCosmosBackend({ endpoint, key });
const backend = await openSqliteBackend({ path: file });
const engine = await SyncEngine.open({
  backend,
  user: 'user',
  device: name,
  scope: CRASH_SCOPE.map((owner) => ({ container: 'docs', partitionKey: owner })),
  remote: (container) => remote.container('crash', container),
  containers: [{ id: 'docs', partitionKey: '/owner', defaultTtl: -1 }],
  pageItems: 7,
  probe: (point) => {
    passes += point === killPoint ? 1 : 0;
    if (point === killPoint && passes === Number(killPass)) {
      if (executioner === undefined) {
        process.kill(process.pid, 'SIGKILL');
      } else {
        Atomics.store(executioner, 0, 1);
        Atomics.notify(executioner, 0);
      }
    }
  },
});
const store = engine.store<{ id: string; owner: string; sequence: number }>('docs');

async function write(sequence: number): Promise<void> {
  const { kind, id, owner } = scriptedWrite(sequence);
  if (kind === 'put') {
    await store.upsert({ id, owner, sequence });
    return;
  }
  try {
    await store.delete(id, owner);
  } catch (error) {
    // Deleting what is not there: a write made again after a crash, or one of a document that never was.
    if (!isPerigeeError(error, 'NOT_FOUND')) {
      throw error;
    }
  }
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));

if (mode === 'settle') {
  const reports = [await engine.sync(), await engine.sync()];
  const failed = reports.find(({ outcome }) => outcome !== 'complete');
  const documents = await store.query('SELECT * FROM c').toArray();
  const message = {
    settled: documents,
    pending: (await engine.status()).pending,
    error: failed?.error?.message,
  };
  // The channel closes with whatever has not left yet, so a large message is waited for.
  await new Promise((resolve) => process.send?.(message, resolve));
  await engine.close();
  await backend.close();
  await remote.close();
  process.disconnect();
} else {
  process.send?.({ ready: true });
  const writing = async (): Promise<never> => {
    for (let sequence = Number(firstSequence); ; sequence += 1) {
      await write(sequence);
      process.send?.({ acknowledged: sequence });
      if (sequence % 3 === 0) {
        await pause();
      }
    }
  };
  const syncing = async (): Promise<never> => {
    for (;;) {
      const { outcome, error } = await engine.sync();
      if (outcome !== 'complete') {
        throw new Error('A sync failed.', { cause: error });
      }
    }
  };
  await Promise.all([writing(), syncing()]).catch((error: unknown) => {
    console.error(error);
    process.exit(70);
  });
}
