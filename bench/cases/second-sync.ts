import { compareAmounts, sampleDocument, type BenchResult } from '../harness.ts';
import { loadedRemote, openDevice } from '../device.ts';
import { Workspace } from '../raw-twin.ts';

const ROUNDS = 30;

/** A sync after one change, with 100,000 documents held against 10,000: neither time nor requests may grow with what exists. */
export async function* run(): AsyncGenerator<BenchResult> {
  const workspace = new Workspace();
  const sides = [];
  for (const held of [100_000, 10_000]) {
    const remote = await loadedRemote(Array.from({ length: held }, (_, index) => sampleDocument(index, 'owner-1')));
    const device = await openDevice(workspace.file(), ['owner-1'], remote);
    await device.engine.sync();
    sides.push({ device, remote, times: [] as number[], requests: [] as number[] });
  }
  for (let round = -3; round < ROUNDS; round += 1) {
    for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
      await side.remote.upsert({ ...sampleDocument(5, 'owner-1'), rank: round });
      await side.device.store.upsert({ ...sampleDocument(6, 'owner-1'), rank: round });
      const startMs = performance.now();
      const report = await side.device.engine.sync();
      if (round >= 0) {
        side.times.push(performance.now() - startMs);
        side.requests.push(report.requests);
      }
    }
  }
  const [large, small] = sides as [(typeof sides)[0], (typeof sides)[0]];
  yield compareAmounts('second sync, 100,000 held against 10,000: time', 'ms', large.times, small.times, 1.3);
  yield compareAmounts('second sync, 100,000 held against 10,000: requests', 'requests', large.requests, small.requests, 1.3);
  await Promise.all(sides.map(({ device }) => device.close()));
  workspace.dispose();
}
