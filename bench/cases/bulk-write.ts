import { compareRates, sampleDocument, timed, type BenchResult } from '../harness.ts';
import { openDevice } from '../device.ts';
import { openPlainStore } from '../plain-store.ts';
import { RawTwin, Workspace } from '../raw-twin.ts';

const BATCH = 500;
const BATCHES = 20;

function batches(next: () => number): ReturnType<typeof sampleDocument>[][] {
  return Array.from({ length: BATCHES }, () => Array.from({ length: BATCH }, () => sampleDocument(next(), 'owner-1')));
}

/** Documents in batches of 500, one transaction a batch, against the raw driver doing the same: plain, and with pending rows. */
export async function* run(): AsyncGenerator<BenchResult> {
  const workspace = new Workspace();
  const plain = await openPlainStore(workspace);
  const device = await openDevice(workspace.file(), ['owner-1']);
  const deviceRaw = new RawTwin(device.file, workspace.file());
  for (const [name, store, raw, pending] of [
    ['bulk local write, batches of 500', plain.store, plain.raw, false],
    ['bulk local write + pending rows, batches of 500', device.store, deviceRaw, true],
  ] as const) {
    const write = raw.database.transaction((documents: readonly ReturnType<typeof sampleDocument>[]) => {
      for (const document of documents) {
        raw.insert(document);
        if (pending) {
          raw.insertPending(document);
        }
      }
    });
    let next = 0;
    let nextRaw = 0;
    yield await compareRates({
      name,
      unit: 'documents/s',
      rounds: 7,
      atLeast: 0.5,
      measured: () => {
        const work = batches(() => next++);
        return timed(BATCH * BATCHES, async () => {
          for (const documents of work) {
            const { outcomes } = await store.bulk(documents.map((document) => ({ type: 'create' as const, document })));
            if (!outcomes.every(({ ok }) => ok)) {
              throw new Error('A bulk write failed.');
            }
          }
        });
      },
      baseline: () => {
        const work = batches(() => nextRaw++);
        return timed(BATCH * BATCHES, () => {
          for (const documents of work) {
            write.immediate(documents);
          }
        });
      },
    });
  }
  deviceRaw.close();
  await device.close();
  await plain.close();
  workspace.dispose();
}
