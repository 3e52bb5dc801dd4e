import { openSqliteBackend } from '../../src/stores/sqlite/index.ts';
import { compareRates, sampleDocument, timed, type BenchResult } from '../harness.ts';
import { openDevice } from '../device.ts';
import { RawTwin, Workspace } from '../raw-twin.ts';

const BATCH = 500;
const BATCHES = 20;

function batches(next: () => number): ReturnType<typeof sampleDocument>[][] {
  return Array.from({ length: BATCHES }, () => Array.from({ length: BATCH }, () => sampleDocument(next(), 'owner-1')));
}

/** Documents in batches of 500, one transaction a batch, against the raw driver doing the same: plain, and with pending rows. */
export async function* run(): AsyncGenerator<BenchResult> {
  const workspace = new Workspace();
  const file = workspace.file();
  const backend = await openSqliteBackend({ path: file });
  await backend.createDatabase('bench');
  await backend.createContainer('bench', { id: 'docs', partitionKey: '/owner' });
  const plain = await backend.container('bench', 'docs');
  const device = await openDevice(workspace.file(), ['owner-1']);
  for (const [name, store, source, pending] of [
    ['bulk local write, batches of 500', plain, file, false],
    ['bulk local write + pending rows, batches of 500', device.store, device.file, true],
  ] as const) {
    const raw = new RawTwin(source, workspace.file());
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
    raw.close();
  }
  await device.close();
  await backend.close();
  workspace.dispose();
}
