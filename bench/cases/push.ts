import { compareRates, sampleDocument, timed, type BenchResult } from '../harness.ts';
import { loadedRemote, openDevice } from '../device.ts';
import { Workspace } from '../raw-twin.ts';

const DOCUMENTS = 2000;

/** Push of 2,000 pending documents to a remote in memory, against the remote taking the same documents in batches of 100 from nobody. */
export async function* run(): AsyncGenerator<BenchResult> {
  const workspace = new Workspace();
  const bare = await loadedRemote([]);
  const device = await openDevice(workspace.file(), ['owner-1']);
  let next = 0;
  let nextBare = 0;
  yield await compareRates({
    name: 'push, batches of 100',
    unit: 'documents/s',
    rounds: 7,
    measured: async () => {
      await device.store.bulk(
        Array.from({ length: DOCUMENTS }, () => ({ type: 'create' as const, document: sampleDocument(next++, 'owner-1') })),
      );
      return timed(DOCUMENTS, async () => {
        const { pushed } = await device.engine.sync();
        if (pushed !== DOCUMENTS) {
          throw new Error(`The push sent ${pushed} documents.`);
        }
      });
    },
    baseline: () =>
      timed(DOCUMENTS, async () => {
        for (let sent = 0; sent < DOCUMENTS; sent += 100) {
          await bare.batch(
            'owner-1',
            Array.from({ length: 100 }, () => ({ type: 'create' as const, document: sampleDocument(nextBare++, 'owner-1') })),
          );
        }
      }),
  });
  await device.close();
  workspace.dispose();
}
