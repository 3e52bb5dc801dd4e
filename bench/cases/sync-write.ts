import { compareRates, sampleDocument, timed, type BenchResult } from '../harness.ts';
import { openDevice, type BenchDevice } from '../device.ts';
import { Workspace } from '../raw-twin.ts';
import { openPouch, openPowerSync, type WritePeer } from '../write-peers.ts';

/** Single writes of one round, and documents of one round of bulk writes. */
const WRITES = 1500;
const BATCH = 500;
const BATCHES = 20;
const ROUNDS = 9;
const BAR = 3;

type Documents = readonly ReturnType<typeof sampleDocument>[];

async function* compareWith(peer: WritePeer, device: BenchDevice): AsyncGenerator<BenchResult> {
  let next = 0;
  let nextOfPeer = 0;
  const documents = (count: number, draw: () => number): Documents =>
    Array.from({ length: count }, () => sampleDocument(draw(), 'owner-1'));
  const ours = (): number => next++;
  const theirs = (): number => nextOfPeer++;
  const oneByOne = async (work: Documents, write: (document: Documents[number]) => Promise<unknown>): ReturnType<typeof timed> =>
    timed(work.length, async () => {
      for (const document of work) {
        await write(document);
      }
    });
  yield await compareRates({
    name: `sync: local write, against ${peer.name}`,
    unit: 'writes/s',
    rounds: ROUNDS,
    atLeast: BAR,
    measured: () => oneByOne(documents(WRITES, ours), (document) => device.store.create(document)),
    baseline: () => oneByOne(documents(WRITES, theirs), peer.write),
  });
  const inBatches = (draw: () => number, write: (batch: Documents) => Promise<unknown>): ReturnType<typeof timed> => {
    const work = Array.from({ length: BATCHES }, () => documents(BATCH, draw));
    return timed(BATCH * BATCHES, async () => {
      for (const batch of work) {
        await write(batch);
      }
    });
  };
  for (const [way, write] of Object.entries(peer.bulk)) {
    yield await compareRates({
      name: `sync: writes by ${BATCH}, against ${peer.name} ${way}`,
      unit: 'documents/s',
      rounds: ROUNDS,
      atLeast: BAR,
      measured: () =>
        inBatches(ours, async (batch) => {
          const { outcomes } = await device.store.bulk(batch.map((document) => ({ type: 'create' as const, document })));
          if (!outcomes.every(({ ok }) => ok)) {
            throw new Error('A bulk write failed.');
          }
        }),
      baseline: () => inBatches(theirs, write),
    });
  }
  const pending = (await device.engine.status()).pending;
  const pendingOfPeer = await peer.pending();
  if (pending !== next || pendingOfPeer !== nextOfPeer) {
    throw new Error(`Of ${next} and ${nextOfPeer} documents written, ${pending} and ${pendingOfPeer} wait to be sent.`);
  }
}

/**
 * Documents and what keeps them to be sent, written one by one and in batches of 500, against products that do the same, each as it is by default:
 * Perigee in WAL with `synchronous` normal, as PowerSync; PouchDB in leveldb.
 */
export async function* run(): AsyncGenerator<BenchResult> {
  for (const open of [openPowerSync, openPouch]) {
    const workspace = new Workspace();
    const peer = await open(workspace.folder);
    const device = await openDevice(workspace.file(), ['owner-1']);
    yield* compareWith(peer, device);
    await device.close();
    await peer.close();
    workspace.dispose();
  }
}
