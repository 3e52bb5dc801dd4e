import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { StoredDocument } from '../../../src/store/document.ts';
import { openMemoryBackend } from '../../../src/stores/memory/index.ts';
import { SimulatedRuntime } from '../../../src/testing/simulated-runtime.ts';

const numRuns = Number(process.env['PERIGEE_FUZZ_RUNS'] ?? 100);
const seed = Number(process.env['PERIGEE_FUZZ_SEED'] ?? 20261129);

type Item = { readonly id: string; readonly pk: string; readonly n: number; readonly ttl?: number };
type Read = { readonly read: (id: string) => Promise<{ readonly document: StoredDocument<Item> } | undefined> };

const IDS = ['0', '1', '2', '3', '4', '5'];
const KEYS = ['p', 'q'];

const write = fc.record({
  kind: fc.constantFrom('put', 'put', 'put', 'delete'),
  id: fc.constantFrom(...IDS),
  n: fc.integer({ min: 0, max: 9 }),
  ttl: fc.option(fc.constantFrom(1, 3, -1), { nil: undefined }),
});
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('write' as const), pk: fc.constantFrom(...KEYS), write }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('transaction' as const),
      pk: fc.constantFrom(...KEYS),
      writes: fc.array(write, { maxLength: 5 }),
      commits: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait' as const), seconds: fc.constantFrom(1, 2) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('live' as const), defaultTtl: fc.constantFrom(undefined, -1, 2) }) },
);

/** What reads of all keys give, in the order of creation. */
async function readAll(reads: readonly Read[]): Promise<readonly object[]> {
  const found = await Promise.all(reads.flatMap((one) => IDS.map((id) => one.read(id))));
  return found.flatMap((one) => (one === undefined ? [] : [one.document])).toSorted((left, right) => (left._rid < right._rid ? -1 : 1));
}

test(`a scan finds exactly what reads find, in the order of creation, whatever was written (PERIGEE_FUZZ_SEED=${seed})`, async () => {
  let found = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
      const runtime = new SimulatedRuntime({ seed });
      const backend = openMemoryBackend({ runtime });
      await backend.createDatabase('db');
      await backend.createContainer('db', { id: 'docs', partitionKey: '/pk', defaultTtl: -1 });
      const store = await backend.container<Item>('db', 'docs');
      const undo = new Error('undo');
      for (const one of steps) {
        if (one.kind === 'wait') {
          await runtime.advance(one.seconds * 1000);
        } else if (one.kind === 'live') {
          await backend.replaceContainer('db', { id: 'docs', partitionKey: '/pk', defaultTtl: one.defaultTtl });
        } else {
          const { pk } = one;
          const writes = one.kind === 'write' ? [one.write] : one.writes;
          const commits = one.kind === 'write' || one.commits;
          const ended = store.transact(pk, async (transaction) => {
            for (const { kind, id, n, ttl } of writes) {
              if (kind === 'put') {
                await transaction.upsert({ id, pk, n, ...(ttl === undefined ? {} : { ttl }) });
              } else if ((await transaction.read(id)) !== undefined) {
                await transaction.delete(id);
              }
            }
            expect(await transaction.query('SELECT * FROM c')).toEqual(await readAll([transaction]));
            if (!commits) {
              throw undo;
            }
          });
          await (commits ? ended : expect(ended).rejects.toBe(undo));
        }
        const of = (pk: string): Read => ({ read: (id) => store.read(id, pk) });
        const expected = await readAll(KEYS.map(of));
        found += expected.length;
        expect(await store.query('SELECT * FROM c').toArray()).toEqual(expected);
        expect(await store.query<number>('SELECT VALUE COUNT(1) FROM c').toArray()).toEqual([expected.length]);
        expect(await store.query('SELECT * FROM c', { partitionKey: 'q' }).toArray()).toEqual(await readAll([of('q')]));
        const page = await store.query('SELECT * FROM c', { maxItemCount: 1000 }).nextPage();
        expect(page?.bytesRead).toBe(expected.reduce((bytes, document) => bytes + JSON.stringify(document).length, 0));
      }
      await backend.close();
    }),
    { seed, numRuns },
  );
  expect(found).toBeGreaterThan(numRuns);
});
