import { spawnSync } from 'node:child_process';
import { WELL_KNOWN_KEY } from '../../src/server/index.ts';
import { openCosmosBackend } from '../../src/stores/cosmos/index.ts';
import { openDevice, type BenchDevice } from '../device.ts';
import { compareAmounts, sampleDocument, type BenchResult } from '../harness.ts';
import { Workspace } from '../raw-twin.ts';
import { ServedRemote } from '../served-remote.ts';
import { WireMeter } from '../wire-meter.ts';

const ROUNDS = 30;
const WARM_UP = 5;
const AT_MOST = { milliseconds: 1.3, requests: 1, bytes: 1.05 } as const;

type Cost = Record<keyof typeof AT_MOST, number[]>;

interface Held {
  readonly owner: string;
  readonly device: BenchDevice;
  readonly pulled: Cost;
  readonly pushed: Cost;
  readonly patched: Cost;
}

async function measure(meter: WireMeter, held: Held, cost: Cost | undefined, expected: { pulled: number; pushed: number }): Promise<void> {
  const before = meter.read();
  const startMs = performance.now();
  const { pulled, pushed, error } = await held.device.engine.sync();
  const elapsedMs = performance.now() - startMs;
  const after = meter.read();
  if (pulled !== expected.pulled || pushed !== expected.pushed) {
    throw new Error(`The sync pulled ${pulled} and pushed ${pushed} documents.`, { cause: error });
  }
  cost?.milliseconds.push(elapsedMs);
  cost?.requests.push(after.requests - before.requests);
  cost?.bytes.push(after.bytes - before.bytes);
}

/**
 * A sync for one change, over HTTP and through the official client: a document that somebody else changed, and one changed on the device; with 100,000 documents held
 * against 10,000, for what one change costs must not depend on what exists. Requests and bytes are those of the sockets, headers included.
 */
export async function* run(): AsyncGenerator<BenchResult> {
  spawnSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' });
  const workspace = new Workspace();
  const remote = await ServedRemote.open();
  const backend = await openCosmosBackend({ endpoint: remote.server.url, key: WELL_KNOWN_KEY });
  const meter = new WireMeter();
  const sides: Held[] = [];
  try {
    for (const count of [100_000, 10_000]) {
      const owner = `owner-of-${String(count).padStart(6, '0')}`;
      await remote.fill(owner, count);
      const device = await openDevice(workspace.file(), [owner], await backend.container('bench', 'docs'));
      await device.engine.sync();
      sides.push({
        owner,
        device,
        pulled: { milliseconds: [], requests: [], bytes: [] },
        pushed: { milliseconds: [], requests: [], bytes: [] },
        patched: { milliseconds: [], requests: [], bytes: [] },
      });
    }
    for (let round = -WARM_UP; round < ROUNDS; round += 1) {
      for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
        await remote.upsert({ ...sampleDocument(5, side.owner), rank: round });
        const costs = round < 0 ? undefined : side;
        await measure(meter, side, costs?.pulled, { pulled: 1, pushed: 0 });
        await side.device.store.upsert({ ...sampleDocument(6, side.owner), rank: round });
        await measure(meter, side, costs?.pushed, { pulled: 0, pushed: 1 });
        const { id, owner } = sampleDocument(6, side.owner);
        await side.device.store.patch(id, owner, [{ op: 'set', path: '/rank', value: round + 0.5 }]);
        await measure(meter, side, costs?.patched, { pulled: 0, pushed: 1 });
      }
    }
    const [large, small] = sides as [Held, Held];
    for (const way of ['pulled', 'pushed', 'patched'] as const) {
      for (const unit of ['milliseconds', 'requests', 'bytes'] as const) {
        yield compareAmounts(
          `sync: one change ${way}, 100,000 held against 10,000`,
          unit,
          large[way][unit],
          small[way][unit],
          AT_MOST[unit],
        );
      }
    }
    yield compareAmounts('sync: a patch pushed against a whole document', 'bytes', large.patched.bytes, large.pushed.bytes, 1);
  } finally {
    meter.close();
    await Promise.all(sides.map(({ device }) => device.close()));
    await backend.close();
    await remote.close();
    workspace.dispose();
  }
}
