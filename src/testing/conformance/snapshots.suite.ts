import { systemRuntime } from '../../core/runtime.ts';
import type { SnapshotRecord, SnapshotSummary } from '../../store/snapshot/snapshot-record.ts';
import { check, checkAborts, checkEqual, checkRejects } from '../checks.ts';
import { DATABASE, type ConformanceContext } from './conformance-context.ts';
import { fill, ordinalOf, shown, take, snapshotBench } from './snapshot-bench.ts';

/** Snapshots of everything that a backend holds. */
export function snapshotsSuite(context: ConformanceContext): void {
  const { test } = context;
  const { able, withCopy } = snapshotBench(context);

  test('an empty backend takes over everything, and gives the same snapshot again', () =>
    able(async ({ backend }, clock) => {
      await fill(backend);
      const records = await take(backend);
      await withCopy(clock, async (copy) => {
        const summary = await copy.backend.restore(records);
        checkEqual(summary, { databases: 2, containers: backend.capabilities.catalog ? 3 : 2, documents: 39, changes: 22 }, 'the summary');
        checkEqual(await shown(copy.backend), await shown(backend), 'what is there');
        checkEqual(await take(copy.backend), records, 'the snapshot of the copy');
        if (copy.reopen !== undefined) {
          const again = await copy.reopen();
          checkEqual(await shown(again), await shown(backend), 'what is there when it is opened again');
          checkEqual(await take(again), records, 'the snapshot then');
        }
      });
    }));

  test('records are plain JSON', () =>
    able(async ({ backend }, clock) => {
      await fill(backend);
      const records = (await take(backend)).map((record) => JSON.parse(JSON.stringify(record)) as SnapshotRecord);
      await withCopy(clock, async (copy) => {
        async function* stream(): AsyncGenerator<SnapshotRecord> {
          yield* records;
        }
        await copy.backend.restore(stream());
        checkEqual(await shown(copy.backend), await shown(backend), 'what is there');
      });
    }));

  test('nothing of the numbers that were given comes again: resource ids, positions, etags', () =>
    able(async ({ backend }, clock) => {
      await fill(backend);
      const records = await take(backend);
      await withCopy(clock, async (copy) => {
        await copy.backend.restore(records);
        for (const one of [backend, copy.backend]) {
          const database = await one.createDatabase('new');
          const container = await one.createContainer(DATABASE, { id: 'new', partitionKey: '/pk' });
          checkEqual([database.rid, container.rid], ['AAAABA==', 'AAAAAYAAAAM='], 'the next resource ids');
        }
        const store = await copy.backend.container('other', 'plain');
        const old = await backend.container('other', 'plain');
        const before = await old.read('1', 1);
        const position = (await old.upsert({ id: 'next', pk: 1 })).position ?? 0;
        const next = await store.upsert({ id: 'next', pk: 1 });
        check((next.position ?? Number.POSITIVE_INFINITY) >= position, 'the position to go on');
        const { changes } = await store.changes().nextPage();
        check(
          changes.every(({ document }) => document.id === 'next' || ordinalOf(document) < ordinalOf(next.document)),
          'the resource id of the next document to be higher than all',
        );
        // What was written before the snapshot is the same version here and there.
        checkEqual(
          (await store.replace({ id: '1', pk: 1, n: 1 }, { ifMatch: before?.etag })).created,
          false,
          'a write with an etag from before',
        );
        const theirs = await old.upsert({ id: 'next', pk: 1, n: 2 });
        await checkRejects(
          store.replace({ id: 'next', pk: 1 }, { ifMatch: theirs.etag }),
          'PRECONDITION_FAILED',
          'an etag from after the snapshot',
        );
      });
    }));

  test('restored in place, everything is as it was, and what refers to what came later is refused', () =>
    able(async ({ backend }) => {
      await fill(backend);
      const before = await shown(backend);
      const records = await take(backend);
      const store = await backend.container('other', 'plain');
      const early = await store.changes().nextPage();
      let last = await store.upsert({ id: '0', pk: 0, n: 2 });
      for (let n = 0; n < 30; n += 1) {
        last = await store.upsert({ id: 'later', pk: 0, n });
      }
      await backend.createDatabase('later');
      await backend.createContainer('later', { id: 'later', partitionKey: '/pk' });
      await backend.deleteContainer(DATABASE, 'full');
      const late = await store.changes().nextPage();
      const page = await store.query('SELECT * FROM c', { maxItemCount: 3 }).nextPage();
      await checkRejects(backend.restore(records), 'CONFLICT', 'a backend that is not empty');
      check((await store.read('later', 0)) !== undefined, 'a refused restore to change nothing');
      for (let round = 0; round < 2; round += 1) {
        await backend.restore(records, { replace: true });
        checkEqual(await shown(backend), before, 'what is there');
      }
      await checkRejects(store.read('0', 0), 'NOT_FOUND', 'a store that was opened before');
      const again = await backend.container('other', 'plain');
      for (const { cursor } of [early, late]) {
        await checkRejects(again.changes({ from: { cursor } }).nextPage(), 'INVALID_CONTINUATION', 'a cursor from before');
      }
      await checkRejects(
        again.query('SELECT * FROM c', { continuation: page?.continuation }).nextPage(),
        'INVALID_CONTINUATION',
        'a continuation from before',
      );
      const known = await again.read('0', 0, { session: last.session });
      checkEqual(known?.document['n'], 1, 'a session from before, which is reached');
      const next = await again.upsert({ id: 'next', pk: 0 });
      check((next.position ?? Number.POSITIVE_INFINITY) > (last.position ?? 0), 'a position above all that were given');
      check(ordinalOf(next.document) > ordinalOf(last.document), 'a resource id above all that were given');
      checkEqual((await backend.createDatabase('new')).rid, 'AAAABQ==', 'a resource id of a database above all that were given');
    }));

  test('a snapshot that is cut off, damaged, foreign or newer is refused, and nothing is changed', () =>
    able(async ({ backend }, clock) => {
      await fill(backend);
      const records = await take(backend);
      const changed = (index: number, members: object): SnapshotRecord[] =>
        records.map((record, at) => (at === index ? ({ ...record, ...members } as SnapshotRecord) : record));
      const at = (kind: SnapshotRecord['kind']): number => records.findIndex((record) => record.kind === kind);
      const document = records[at('document')] as Extract<SnapshotRecord, { kind: 'document' }>;
      const broken: readonly (readonly [string, string, readonly unknown[]])[] = [
        ['truncated', 'without its end', records.slice(0, -1)],
        ['truncated', 'cut off in the middle', records.slice(0, 20)],
        ['foreign', 'without a record', []],
        ['foreign', 'of other objects', [{ hello: 'world' }]],
        ['foreign', 'without its head', records.slice(1)],
        ['newer', 'of a newer version', changed(0, { version: 2 })],
        ['damaged', 'with a record missing', records.filter((_, index) => index !== at('document'))],
        ['damaged', 'with a record twice', [...records.slice(0, at('document') + 1), ...records.slice(at('document'))]],
        ['damaged', 'with another text', changed(at('document'), { text: document.text.replace('"z":0', '"z":1') })],
        ['damaged', 'with a text that is no document', changed(at('document'), { text: '{"z":0}' })],
        ['damaged', 'with a text that is no JSON', changed(at('document'), { text: '{"z":' })],
        ['damaged', 'with a position to come', changed(at('document'), { position: 10_000 })],
        ['damaged', 'with another time', changed(at('document'), { ts: document.ts + 1 })],
        ['damaged', 'with another count', changed(records.length - 1, { documents: 1 })],
        ['damaged', 'with a definition that is none', changed(at('container'), { definition: { id: 'full' } })],
        ['damaged', 'with a resource id that is none', changed(at('database'), { rid: 'x' })],
        ['damaged', 'with an unknown record', [...records.slice(0, 5), { kind: 'secret' }, ...records.slice(5)]],
        ['damaged', 'with records behind its end', [...records, records.at(-1)]],
      ];
      await withCopy(clock, async (copy) => {
        await copy.backend.createDatabase('mine');
        await copy.backend.createContainer('mine', { id: 'mine', partitionKey: '/pk' });
        const store = await copy.backend.container('mine', 'mine');
        await store.create({ id: 'mine', pk: 'p' });
        const before = await shown(copy.backend);
        for (const [fault, what, wrong] of broken) {
          const restore = copy.backend.restore(wrong as SnapshotRecord[], { replace: true });
          const error = await checkRejects(restore, 'INVALID_SNAPSHOT', `a snapshot ${what}`);
          checkEqual(error.details['fault'], fault, `what is wrong with a snapshot ${what}`);
        }
        checkEqual(await shown(copy.backend), before, 'what is there');
        await store.replace({ id: 'mine', pk: 'p', n: 1 });
      });
    }));

  test('progress is told, and a signal ends both directions, with nothing changed', () =>
    able(async ({ backend }, clock) => {
      await fill(backend);
      const told: SnapshotSummary[] = [];
      const records = await take(backend, { onProgress: (progress) => told.push(progress) });
      const { databases, containers, documents, changes } = records.at(-1) as Extract<SnapshotRecord, { kind: 'end' }>;
      checkEqual(told.at(-1), { databases, containers, documents, changes }, 'the progress at the end of a snapshot');
      const controller = new AbortController();
      const reason = new Error('enough');
      const reading = backend.snapshot({ signal: controller.signal })[Symbol.asyncIterator]();
      await reading.next();
      controller.abort(reason);
      const rest = async (): Promise<void> => {
        for (let next = await reading.next(); next.done !== true;) {
          next = await reading.next();
        }
      };
      await checkAborts(rest(), reason, 'a snapshot');
      await withCopy(clock, async (copy) => {
        const restoring = new AbortController();
        async function* slow(): AsyncGenerator<SnapshotRecord> {
          for (const [index, record] of records.entries()) {
            if (index === 10) {
              restoring.abort(reason);
              // A source that never goes on must not hold anybody up.
              await new Promise(() => undefined);
            }
            yield record;
          }
        }
        await checkAborts(copy.backend.restore(slow(), { signal: restoring.signal }), reason, 'a restore');
        await systemRuntime.yieldTask();
        checkEqual(await copy.backend.listDatabases(), [], 'what is there');
        let failed: unknown;
        async function* failing(): AsyncGenerator<SnapshotRecord> {
          yield* records.slice(0, 30);
          throw reason;
        }
        await copy.backend.restore(failing()).catch((error: unknown) => {
          failed = error;
        });
        check(failed === reason, 'what the source throws to come through');
        checkEqual(await copy.backend.listDatabases(), [], 'what is there behind a source that failed');
        const progress: SnapshotSummary[] = [];
        await copy.backend.restore(records, { onProgress: (one) => progress.push(one) });
        checkEqual(progress.at(-1), told.at(-1), 'the progress at the end of a restore');
      });
    }));
}
