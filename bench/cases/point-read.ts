import { openSqliteBackend } from '../../src/stores/sqlite/index.ts';
import { compareRates, sampleDocument, timed, type BenchResult } from '../harness.ts';
import { RawTwin, Workspace } from '../raw-twin.ts';

const HELD = 20_000;
const READS = 20_000;

/** Point reads, parsed, against the raw driver and `JSON.parse`. */
export async function* run(): AsyncGenerator<BenchResult> {
  const workspace = new Workspace();
  const file = workspace.file();
  const backend = await openSqliteBackend({ path: file });
  await backend.createDatabase('bench');
  await backend.createContainer('bench', { id: 'docs', partitionKey: '/owner' });
  const store = await backend.container('bench', 'docs');
  const raw = new RawTwin(file, workspace.file());
  for (let start = 0; start < HELD; start += 1000) {
    const documents = Array.from({ length: 1000 }, (_, index) => sampleDocument(start + index, `owner-${(start + index) % 50}`));
    await store.bulk(documents.map((document) => ({ type: 'create' as const, document })));
    raw.database.transaction(() => documents.forEach((document) => raw.insert(document)))();
  }
  const keys = Array.from({ length: READS }, (_, index) => sampleDocument((index * 7919) % HELD, `owner-${((index * 7919) % HELD) % 50}`));
  yield await compareRates({
    name: 'point read, parsed',
    unit: 'reads/s',
    rounds: 9,
    atLeast: 0.6,
    measured: () =>
      timed(READS, async () => {
        for (const { id, owner } of keys) {
          if ((await store.read(id, owner)) === undefined) {
            throw new Error('A document is missing.');
          }
        }
      }),
    baseline: () =>
      timed(READS, () => {
        for (const { id, owner } of keys) {
          if (raw.read(owner, id) === undefined) {
            throw new Error('A document is missing.');
          }
        }
      }),
  });
  raw.close();
  await backend.close();
  workspace.dispose();
}
