import type { Backend } from '../../store/backend.ts';
import type { SnapshotRecord } from '../../store/snapshot/snapshot-record.ts';
import { checkEqual, checkRejects } from '../checks.ts';
import { DATABASE, type ConformanceContext } from './conformance-context.ts';
import { fill, START_MS, take, snapshotBench } from './snapshot-bench.ts';

/** Which moment a snapshot shows, and what becomes of times when it is restored. */
export function snapshotTimesSuite(context: ConformanceContext): void {
  const { test } = context;
  const { able, withCopy } = snapshotBench(context);

  test('documents have as much of their life left as when the snapshot was taken', () =>
    able(async ({ backend }, clock) => {
      await backend.createDatabase(DATABASE);
      await backend.createContainer(DATABASE, { id: 'items', partitionKey: '/pk', defaultTtl: 100 });
      const store = await backend.container(DATABASE, 'items');
      await store.create({ id: 'gone', pk: 'p', ttl: 5 });
      await store.create({ id: 'short', pk: 'p', ttl: 20 });
      const { document } = await store.create({ id: 'usual', pk: 'p' });
      await store.create({ id: 'ever', pk: 'p', ttl: -1 });
      await clock.advance(10_000);
      const records = await take(backend);
      await clock.advance(1_000_000);
      await withCopy(clock, async (copy) => {
        await copy.backend.restore(records);
        const restored = await copy.backend.container(DATABASE, 'items');
        const ids = async (): Promise<unknown> => restored.query('SELECT VALUE c.id FROM c').toArray();
        checkEqual(await ids(), ['short', 'usual', 'ever'], 'at once');
        checkEqual((await restored.read('usual', 'p'))?.document, document, 'a document');
        await clock.advance(9999);
        checkEqual(await ids(), ['short', 'usual', 'ever'], 'nearly ten seconds later');
        await clock.advance(1);
        checkEqual(await ids(), ['usual', 'ever'], 'ten seconds later');
        const again = await take(copy.backend);
        await clock.advance(80_000);
        checkEqual(await ids(), ['ever'], 'ninety seconds later');
        await copy.backend.restore(again, { replace: true });
        const third = await copy.backend.container(DATABASE, 'items');
        await clock.advance(79_000);
        checkEqual(await third.query('SELECT VALUE c.id FROM c').toArray(), ['usual', 'ever'], 'a snapshot of the copy');
        await third.patch('usual', 'p', [{ op: 'set', path: '/n', value: 1 }]);
        await clock.advance(99_000);
        checkEqual(await third.query('SELECT VALUE c.id FROM c').toArray(), ['usual', 'ever'], 'a write starts the time anew');
      });
    }));

  test('a snapshot is one moment, whatever is written while it is read', () =>
    able(async ({ backend }) => {
      await backend.createDatabase(DATABASE);
      for (const id of ['a', 'b']) {
        await backend.createContainer(DATABASE, { id, partitionKey: '/pk' });
        const store = await backend.container(DATABASE, id);
        await store.bulk(Array.from({ length: 600 }, (_, n) => ({ type: 'create' as const, document: { id: `${n}`, pk: n % 7, n: 0 } })));
      }
      const stores = [await backend.container(DATABASE, 'a'), await backend.container(DATABASE, 'b')];
      let written = 0;
      const counts = new Map<string, number>();
      const iterator = backend.snapshot()[Symbol.asyncIterator]();
      const first = await iterator.next();
      const records: SnapshotRecord[] = [first.value as SnapshotRecord];
      for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
        records.push(next.value);
        if (written < 300 && records.length % 2 === 0) {
          // Every write is in one container and then in the other, so that a later moment would show more in the second.
          written += 1;
          for (const store of stores) {
            await store.upsert({ id: `${599 - written}`, pk: (599 - written) % 7, n: written });
            await store.create({ id: `new-${written}`, pk: 0, n: written });
          }
        }
      }
      let container = '';
      for (const record of records) {
        if (record.kind === 'container') {
          container = record.definition.id;
        } else if (record.kind === 'document') {
          const { n } = JSON.parse(record.text) as { readonly n: number };
          counts.set(container, (counts.get(container) ?? 0) + 1);
          checkEqual(n, 0, 'the state of a document when the snapshot began');
        }
      }
      checkEqual(Object.fromEntries(counts), { a: 600, b: 600 }, 'the number of documents');
      checkEqual((await take(backend)).filter(({ kind }) => kind === 'document').length, 1800, 'the documents of another snapshot');
    }));

  test('what is recorded of versions goes with it, and is read by time', () =>
    able(async ({ backend }, clock) => {
      if (!backend.capabilities.allVersionsFeed) {
        return;
      }
      await fill(backend);
      await clock.advance(30_000);
      const full = await backend.container(DATABASE, 'full');
      await full.replace({ id: '0', u: 0, n: 100 });
      await clock.advance(150_000);
      const records = await take(backend);
      const versions = async (one: Backend, timeMs: number): Promise<unknown[]> => {
        const store = await one.container(DATABASE, 'full');
        const changes: unknown[] = [];
        for await (const change of store.changes({ mode: 'all', from: { timeMs } })) {
          changes.push(change);
        }
        return changes;
      };
      await withCopy(clock, async (copy) => {
        await copy.backend.restore(records);
        for (const timeMs of [START_MS, START_MS + 20_000]) {
          checkEqual(await versions(copy.backend, timeMs), await versions(backend, timeMs), 'the versions');
        }
        const store = await copy.backend.container(DATABASE, 'full');
        await store.delete('0', [undefined, undefined]);
        const [change] = (await versions(copy.backend, START_MS + 180_000)) as { previous?: { n: number } }[];
        checkEqual(change?.previous?.n, 100, 'a later change');
        await clock.advance(600_000);
        await checkRejects(versions(copy.backend, START_MS), 'OUTSIDE_RETENTION', 'what is older than it is kept');
      });
    }));

  test('a snapshot of a past time has the documents of then, and is refused where versions do not reach back', () =>
    able(async ({ backend }, clock) => {
      if (!backend.capabilities.allVersionsFeed) {
        await checkRejects(take(backend, { asOfMs: START_MS }), 'OUTSIDE_RETENTION', 'a past time');
        return;
      }
      await backend.createDatabase(DATABASE);
      const policy = { changeFeedPolicy: { retentionDuration: 10 } };
      await backend.createContainer(DATABASE, { id: 'items', partitionKey: '/pk', defaultTtl: -1, ...policy });
      const store = await backend.container(DATABASE, 'items');
      const moments: { readonly atMs: number; readonly documents: unknown }[] = [];
      const remember = async (): Promise<void> => {
        moments.push({ atMs: clock.nowMs(), documents: await store.query('SELECT * FROM c').toArray() });
        await clock.advance(7000);
      };
      await remember();
      await store.create({ id: 'a', pk: 1, n: 1 });
      await store.create({ id: 'b', pk: 2, n: 1, ttl: 20 });
      await remember();
      await store.batch(1, [
        { type: 'replace', document: { id: 'a', pk: 1, n: 2 } },
        { type: 'create', document: { id: 'c', pk: 1, n: 2 } },
        { type: 'upsert', document: { id: 'c', pk: 1, n: 3 } },
      ]);
      await remember();
      await store.delete('a', 1);
      await remember();
      await store.create({ id: 'a', pk: 1, n: 4 });
      await remember();
      await remember();
      await backend.createContainer(DATABASE, { id: 'younger', partitionKey: '/pk', ...policy });
      await (await backend.container(DATABASE, 'younger')).create({ id: 'x', pk: 1 });
      for (const { atMs, documents } of moments) {
        const records = await take(backend, { asOfMs: atMs });
        checkEqual(records[0], { ...records[0], takenAtMs: atMs } as never, 'the time of the snapshot');
        await withCopy(clock, async (copy) => {
          await copy.backend.restore(records);
          const then = await copy.backend.container(DATABASE, 'items');
          checkEqual(await then.query('SELECT * FROM c').toArray(), documents, `the documents ${atMs - START_MS} ms after the start`);
          const { changes } = await (await copy.backend.container(DATABASE, 'younger')).changes().nextPage();
          checkEqual(changes, [], 'a container of a later time');
        });
      }
      checkEqual(
        (await take(backend, { asOfMs: clock.nowMs() })).filter(({ kind }) => kind === 'document'),
        (await take(backend)).filter(({ kind }) => kind === 'document'),
        'the time of now',
      );
      await checkRejects(take(backend, { asOfMs: clock.nowMs() + 1 }), 'INVALID_OPTION', 'a time to come');
      const refused = async (asOfMs: number, containers: readonly string[], what: string): Promise<void> => {
        const error = await checkRejects(take(backend, { asOfMs }), 'OUTSIDE_RETENTION', what);
        checkEqual(error.details['containers'], containers, `the containers named for ${what}`);
      };
      await backend.createContainer(DATABASE, { id: 'without', partitionKey: '/pk' });
      await refused(START_MS + 1000, [`${DATABASE}/without`], 'a container without a policy');
      await backend.replaceContainer(DATABASE, { id: 'without', partitionKey: '/pk', ...policy });
      await refused(START_MS + 1000, [`${DATABASE}/without`], 'a policy that came later');
      await backend.deleteContainer(DATABASE, 'without');
      await clock.advance(560_000);
      await refused(START_MS + 1000, [`${DATABASE}/items`, `${DATABASE}/younger`], 'a time before the retention');
    }));
}
