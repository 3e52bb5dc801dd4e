import { spawnSync } from 'node:child_process';
import { WELL_KNOWN_KEY } from '../../src/server/index.ts';
import { compareRates, compareAmounts, withBar, type BenchResult } from '../harness.ts';
import { PouchRemote } from '../pouch-remote.ts';
import { Workspace } from '../raw-twin.ts';
import { runChild } from '../run-child.ts';
import { ServedRemote } from '../served-remote.ts';

const DOCUMENTS = 100_000;
const OWNER = 'owner-1';
const ROUNDS = 3;
/** Documents that PouchDB asks for at once: as many as a page of Perigee's has; by default it is 100, and slower. */
const BATCH_SIZE = 500;

/** First load of 100,000 documents by a device in a process of its own, over HTTP and through the official client, against PouchDB from its server. */
export async function* run(): AsyncGenerator<BenchResult> {
  spawnSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' });
  const workspace = new Workspace();
  const ours = await ServedRemote.open();
  const theirs = await PouchRemote.open(`${workspace.folder}/pouch-server`);
  const megabytes: { readonly ours: number[]; readonly theirs: number[] } = { ours: [], theirs: [] };
  try {
    await ours.fill(OWNER, DOCUMENTS);
    await theirs.fill('docs', DOCUMENTS);
    const rates = await compareRates({
      name: `sync: first load of ${DOCUMENTS.toLocaleString('en')}, against PouchDB`,
      unit: 'documents/s',
      rounds: ROUNDS,
      measured: async () => {
        const { pulled, elapsedMs, residentBytes } = await runChild<{ pulled: number; elapsedMs: number; residentBytes: number }>(
          'device-child.mjs',
          { endpoint: ours.server.url, key: WELL_KNOWN_KEY, file: workspace.file(), owner: OWNER },
        );
        expectAll(pulled);
        megabytes.ours.push(residentBytes / 1e6);
        return { units: pulled, elapsedMs };
      },
      baseline: async () => {
        const { documents, elapsedMs, residentBytes } = await runChild<{ documents: number; elapsedMs: number; residentBytes: number }>(
          'pouch-device-child.mjs',
          { url: theirs.url('docs'), folder: workspace.file(), way: 'from', batchSize: BATCH_SIZE },
        );
        expectAll(documents);
        megabytes.theirs.push(residentBytes / 1e6);
        return { units: documents, elapsedMs };
      },
    });
    yield withBar(rates, 'at least', 15_000);
    yield withBar(compareAmounts('sync: most memory of the device meanwhile', 'MB', megabytes.ours, megabytes.theirs), 'at most', 150);
  } finally {
    await Promise.all([ours.close(), theirs.close()]);
    workspace.dispose();
  }
}

function expectAll(documents: number): void {
  if (documents !== DOCUMENTS) {
    throw new Error(`The first load brought ${documents} documents.`);
  }
}
