import { expect, test } from 'vitest';
import { systemRuntime } from '../../../../src/core/runtime.ts';
import { SimulatedRuntime } from '../../../../src/testing/simulated-runtime.ts';
import { openBackend } from '../test-files.ts';

const COUNT = 2000;
/** Few enough that the index is walked, and too many for one slice. */
const PAGE = 1000;
const INDEXES = { includedPaths: ['/*', '/n/?'].map((path) => ({ path })), excludedPaths: [] };

test.each(['ORDER BY c.n', 'ORDER BY c.n DESC'])(
  'a document that is written between two slices of %s is not in a page twice',
  async (order) => {
    let write: (() => Promise<unknown>) | undefined;
    const runtime = new SimulatedRuntime({
      yieldTask: async () => {
        const once = write;
        write = undefined;
        await once?.();
        await systemRuntime.yieldTask();
      },
    });
    const backend = await openBackend({ path: ':memory:', runtime });
    await backend.createDatabase('test');
    await backend.createContainer('test', { id: 'items', partitionKey: '/pk', indexingPolicy: INDEXES });
    const store = await backend.container('test', 'items');
    await store.bulk(Array.from({ length: COUNT }, (_, n) => ({ type: 'create' as const, document: { id: `d${n}`, pk: 'p', n } })));
    const isTurned = order.endsWith('DESC');
    write = () => store.upsert({ id: isTurned ? `d${COUNT - 1}` : 'd0', pk: 'p', n: (isTurned ? COUNT - PAGE / 2 : PAGE / 2) + 0.5 });
    const page = await store.query<{ id: string }>(`SELECT c.id FROM c ${order}`, { maxItemCount: PAGE }).nextPage();
    const ids = (page?.items ?? []).map(({ id }) => id);
    expect(write).toBeUndefined();
    expect(ids).toHaveLength(PAGE);
    expect(new Set(ids).size).toBe(PAGE);
  },
);
