import { compareRates, sampleDocument, type BenchResult } from '../harness.ts';
import { loadedRemote, openDevice } from '../device.ts';
import { RawTwin, Workspace } from '../raw-twin.ts';

const DOCUMENTS = 10_000;
const PAGE = 500;

/** First pull of 10,000 documents from a remote in memory, conflicts checked and cursor kept, against raw inserts of the same rows by pages. */
export async function* run(): AsyncGenerator<BenchResult> {
  const workspace = new Workspace();
  const documents = Array.from({ length: DOCUMENTS }, (_, index) => sampleDocument(index, 'owner-1'));
  const remote = await loadedRemote(documents);
  const model = await openDevice(workspace.file(), ['owner-1'], remote);
  // What the remote itself takes to hand out the pages is no part of applying them, so it is timed alone before each round and taken off.
  const feedOnlyMs = async (): Promise<number> => {
    const startMs = performance.now();
    for await (const change of remote.changes({ partitionKey: 'owner-1', maxItemCount: PAGE })) {
      void change;
    }
    return performance.now() - startMs;
  };
  yield await compareRates({
    name: 'apply pulled pages',
    unit: 'documents/s',
    rounds: 7,
    atLeast: 0.35,
    measured: async () => {
      const device = await openDevice(workspace.file(), ['owner-1'], remote);
      const feedMs = await feedOnlyMs();
      const startMs = performance.now();
      const report = await device.engine.sync();
      const elapsedMs = performance.now() - startMs - feedMs;
      if (report.pulled !== DOCUMENTS) {
        throw new Error(`The pull applied ${report.pulled} documents.`);
      }
      await device.close();
      return { units: DOCUMENTS, elapsedMs };
    },
    baseline: () => {
      const raw = new RawTwin(model.file, workspace.file());
      const apply = raw.database.transaction((page: readonly ReturnType<typeof sampleDocument>[]) => {
        for (const document of page) {
          raw.insert(document);
          raw.insertBase(document);
        }
      });
      const startMs = performance.now();
      for (let start = 0; start < DOCUMENTS; start += PAGE) {
        apply.immediate(documents.slice(start, start + PAGE));
      }
      const elapsedMs = performance.now() - startMs;
      raw.close();
      return { units: DOCUMENTS, elapsedMs };
    },
  });
  await model.close();
  workspace.dispose();
}
