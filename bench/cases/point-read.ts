import { compareRates, sampleDocument, timed, type BenchResult } from '../harness.ts';
import { openPlainStore } from '../plain-store.ts';
import { Workspace } from '../raw-twin.ts';

const HELD = 20_000;
const READS = 20_000;

/** Point reads, parsed, against the raw driver and `JSON.parse`. */
export async function* run(): AsyncGenerator<BenchResult> {
  const workspace = new Workspace();
  const held = await openPlainStore(workspace, HELD);
  const { store, raw } = held;
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
  await held.close();
  workspace.dispose();
}
