import { spawnSync } from 'node:child_process';
import { WELL_KNOWN_KEY } from '../../src/server/index.ts';
import { openDevice } from '../device.ts';
import { compareAmounts, compareRates, sampleDocument, type BenchResult } from '../harness.ts';
import { PouchRemote } from '../pouch-remote.ts';
import { Workspace } from '../raw-twin.ts';
import { runChild } from '../run-child.ts';
import { ServedRemote } from '../served-remote.ts';
import { openPouch } from '../write-peers.ts';

const DOCUMENTS = 10_000;
const ROUNDS = 5;
/** As in the first load. */
const BATCH_SIZE = 500;

interface Sent {
  readonly requests: number;
  readonly requestUnits: number;
  readonly elapsedMs: number;
}

const documentsOf = (owner: string): ReturnType<typeof sampleDocument>[] =>
  Array.from({ length: DOCUMENTS }, (_, index) => sampleDocument(index, owner));

/**
 * Push of 10,000 documents written offline, by a device in a process of its own, over HTTP and through the official client: the whole run, in which the
 * device also reads in the change feed what it sent. Against the official client alone, which keeps nothing, and against PouchDB to its server.
 */
export async function* run(): AsyncGenerator<BenchResult> {
  spawnSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' });
  const workspace = new Workspace();
  const ours = await ServedRemote.open();
  const theirs = await PouchRemote.open(`${workspace.folder}/pouch-server`);
  const connection = { endpoint: ours.server.url, key: WELL_KNOWN_KEY };
  const [device, client]: [Sent[], Sent[]] = [[], []];
  let owners = 0;
  const push = async (): Promise<{ units: number; elapsedMs: number }> => {
    owners += 1;
    const owner = `owner-${owners}`;
    const file = workspace.file();
    const offline = await openDevice(file, [owner]);
    await offline.store.bulk(documentsOf(owner).map((document) => ({ type: 'create' as const, document })));
    await offline.close();
    const sent = await runChild<Sent & { readonly pushed: number }>('device-child.mjs', { ...connection, file, owner });
    if (sent.pushed !== DOCUMENTS) {
      throw new Error(`The push sent ${sent.pushed} documents.`);
    }
    device.push(sent);
    return { units: DOCUMENTS, elapsedMs: sent.elapsedMs };
  };
  try {
    yield await compareRates({
      name: `sync: push of ${DOCUMENTS.toLocaleString('en')}, against the SDK alone`,
      unit: 'documents/s',
      rounds: ROUNDS,
      measured: push,
      baseline: async () => {
        owners += 1;
        const sent = await runChild<Sent>('sdk-device-child.ts', { ...connection, owner: `owner-${owners}`, count: DOCUMENTS });
        client.push(sent);
        return { units: DOCUMENTS, elapsedMs: sent.elapsedMs };
      },
    });
    for (const [name, unit, of] of [
      ['requests', 'requests', (sent: Sent) => sent.requests],
      ['request units', 'RU', (sent: Sent) => sent.requestUnits],
    ] as const) {
      yield compareAmounts(`sync: ${name} of that push, against the SDK alone`, unit, device.map(of), client.map(of));
    }
    yield await compareRates({
      name: 'sync: the same push, against PouchDB',
      unit: 'documents/s',
      rounds: ROUNDS,
      measured: push,
      baseline: async () => {
        const folder = workspace.file();
        const peer = openPouch(folder);
        await peer.bulk['bulkDocs']?.(documentsOf('owner-1'));
        await peer.close();
        owners += 1;
        const settings = { url: theirs.url(`push-${owners}`), folder: `${folder}/pouch`, way: 'to', batchSize: BATCH_SIZE };
        const { documents, elapsedMs } = await runChild<{ documents: number; elapsedMs: number }>('pouch-device-child.mjs', settings);
        if (documents !== DOCUMENTS) {
          throw new Error(`PouchDB sent ${documents} documents.`);
        }
        return { units: documents, elapsedMs };
      },
    });
  } finally {
    await Promise.all([ours.close(), theirs.close()]);
    workspace.dispose();
  }
}
