import { compareRates, sampleDocument, timed, type BenchResult } from '../harness.ts';
import { openDevice } from '../device.ts';
import { RawTwin, Workspace } from '../raw-twin.ts';

const WRITES = 4000;

/** One document and its pending row in a transaction of their own, against the raw driver writing the same rows in one transaction. */
export async function* run(): AsyncGenerator<BenchResult> {
  const workspace = new Workspace();
  const device = await openDevice(workspace.file(), ['owner-1']);
  const raw = new RawTwin(device.file, workspace.file());
  const write = raw.database.transaction((document: ReturnType<typeof sampleDocument>) => {
    raw.insert(document);
    raw.insertPending(document);
  });
  let next = 0;
  let nextRaw = 0;
  yield await compareRates({
    name: 'local write + pending row',
    unit: 'writes/s',
    rounds: 9,
    atLeast: 0.6,
    measured: () =>
      timed(WRITES, async () => {
        for (let count = 0; count < WRITES; count += 1) {
          await device.store.create(sampleDocument(next++, 'owner-1'));
        }
      }),
    baseline: () =>
      timed(WRITES, () => {
        for (let count = 0; count < WRITES; count += 1) {
          write.immediate(sampleDocument(nextRaw++, 'owner-1'));
        }
      }),
  });
  raw.close();
  await device.close();
  workspace.dispose();
}
