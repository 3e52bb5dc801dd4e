import { describe, expect, test } from 'vitest';
import { ExpiryQueue } from '../../../src/stores/common/expiry-queue.ts';
import { ResidentContainer } from '../../../src/stores/common/resident-container.ts';
import { applyWrite } from '../../../src/stores/common/resident-writes.ts';
import { openMemoryBackend } from '../../../src/stores/memory/memory-backend.ts';
import { prepareDocument } from '../../../src/store/prepared-document.ts';
import { SimulatedRuntime } from '../../../src/testing/simulated-runtime.ts';

describe('versions in memory', () => {
  test('are let go of with the writes that follow: as many are kept as the retention has', async () => {
    const runtime = new SimulatedRuntime();
    const backend = openMemoryBackend({ runtime });
    await backend.createDatabase('app');
    const info = await backend.createContainer('app', {
      id: 'items',
      partitionKey: '/pk',
      defaultTtl: 100_000,
      changeFeedPolicy: { retentionDuration: 1 },
    });
    const container = new ResidentContainer(info, runtime, { incarnation: 'test', recordsVersions: true });
    const rules = { paths: [['pk']], matches: () => true };
    for (let n = 0; n < 3000; n += 1) {
      const document = prepareDocument({ id: `${n % 7}`, pk: 'p', n }, [['pk']]);
      await container.write(undefined, (draft) => applyWrite(draft, { type: 'upsert', document, ifMatch: undefined }, rules));
      await runtime.advance(3000);
    }
    expect(container.versions?.log.size).toBeLessThanOrEqual(21);
    await container.tidyVersions(undefined);
    expect(container.versions?.log.size).toBe(20);
    await runtime.advance(3_600_000);
    await container.tidyVersions(undefined);
    expect(container.versions?.log.size).toBe(0);
    await backend.close();
  });
});

test('an expiry queue gives entries in the order of time, then of creation', () => {
  const queue = new ExpiryQueue();
  const entries = Array.from({ length: 500 }, (_, index) => ({
    atSeconds: (index * 7919) % 83,
    ordinal: (index * 104_729) % 500,
    key: `${index}`,
    position: index,
  }));
  entries.forEach((entry) => queue.push(entry));
  const taken = entries.map(() => queue.pop());
  expect(taken).toEqual(entries.toSorted((left, right) => left.atSeconds - right.atSeconds || left.ordinal - right.ordinal));
  expect([queue.pop(), queue.first, queue.size]).toEqual([undefined, undefined, 0]);
});
