import { sleep, systemRuntime } from '../../core/runtime.ts';
import type { ContainerInput } from '../../store/container-definition.ts';
import type { DocumentStore } from '../../store/document-store.ts';
import { check, checkEqual, checkRejects } from '../checks.ts';
import { SimulatedRuntime } from '../simulated-runtime.ts';
import { checkContent, CONTAINER, DATABASE, type ConformanceContext, type Item, type TestBench } from './conformance-context.ts';

/** Moves the backend's clock to just before, or to, `seconds` after a time stamp. */
interface Clock {
  /** Half a second before that second begins. */
  before(ts: number, seconds: number): Promise<void>;
  /** The moment that second begins. */
  at(ts: number, seconds: number): Promise<void>;
  /** Whether time is real, so that waiting costs and only short times are tested. */
  readonly real: boolean;
}

function simulatedClock(runtime: SimulatedRuntime): Clock {
  const go = (ms: number): Promise<void> => runtime.advance(Math.max(0, ms - runtime.nowMs()));
  return {
    real: false,
    before: (ts, seconds) => go((ts + seconds) * 1000 - 1),
    at: (ts, seconds) => go((ts + seconds) * 1000),
  };
}

/** The service's clock may differ from this one, so a little is added behind the moment, and nothing is said about just before it. */
const realClock: Clock = {
  real: true,
  before: () => Promise.resolve(),
  at: (ts, seconds) => sleep(systemRuntime, Math.max(0, (ts + seconds) * 1000 - systemRuntime.nowMs()) + 1100),
};

async function exists(store: DocumentStore, id: string): Promise<boolean> {
  return (await store.read(id, 'p')) !== undefined;
}

/** Time to live. */
export function timeToLiveSuite({ test, withStore, leaveOut }: ConformanceContext): void {
  const timed = (container: Partial<ContainerInput>, work: (bench: TestBench, clock: Clock) => Promise<void>): Promise<void> => {
    const runtime = new SimulatedRuntime({ seed: 'ttl', startMs: 1735689600400 });
    let simulated = false;
    const first = withStore(
      async (bench) => {
        simulated = bench.backend.capabilities.runtimeClock;
        if (simulated) {
          await work(bench, simulatedClock(runtime));
        }
      },
      container,
      runtime,
    );
    return first.then(() => (simulated ? undefined : withStore((bench) => work(bench, realClock), container)));
  };
  const life = (clock: Clock): number => (clock.real ? 1 : 10);

  test('a document expires with the container’s time to live, exactly to the second', () =>
    timed({ defaultTtl: -1 }, async ({ backend, openStore }, clock) => {
      await backend.replaceContainer(DATABASE, { id: CONTAINER, partitionKey: '/pk', defaultTtl: life(clock) });
      const store = await openStore();
      const { ts } = await store.create({ id: 'x', pk: 'p' });
      await clock.before(ts, life(clock));
      check(await exists(store, 'x'), 'the document to be there before the second');
      await clock.at(ts, life(clock));
      check(!(await exists(store, 'x')), 'the document to be gone at the second');
    }));

  test('an expired document is missing for every operation', () =>
    timed({ defaultTtl: -1, uniqueKeys: [['/u']] }, async ({ store }, clock) => {
      const { ts, document, etag } = await store.create({ id: 'x', pk: 'p', u: 1, ttl: life(clock) });
      await clock.at(ts, life(clock));
      check(!(await exists(store, 'x')), 'read to give undefined');
      checkEqual((await store.readMany([{ id: 'x', partitionKey: 'p' }])).documents, [undefined], 'readMany');
      checkEqual(await store.query('SELECT * FROM c').toArray(), [], 'a query');
      checkEqual(await store.query('SELECT VALUE COUNT(1) FROM c').toArray(), [0], 'a count');
      checkEqual((await store.changes().nextPage()).changes, [], 'the change feed');
      await checkRejects(store.replace({ id: 'x', pk: 'p' }), 'NOT_FOUND', 'replace');
      await checkRejects(store.replace({ id: 'x', pk: 'p' }, { ifMatch: etag }), 'NOT_FOUND', 'replace with its etag');
      await checkRejects(store.patch('x', 'p', [{ op: 'set', path: '/n', value: 1 }]), 'NOT_FOUND', 'patch');
      await checkRejects(store.delete('x', 'p'), 'NOT_FOUND', 'delete');
      const batch = await store.batch('p', [{ type: 'read', id: 'x' }]);
      check(!batch.committed, 'a read within a batch to fail');
      await store.create({ id: 'other', pk: 'p', u: 1 });
      await store.delete('other', 'p');
      const again = await store.create({ id: 'x', pk: 'p', u: 1 });
      check(again.created && again.document._rid !== document._rid, 'a create over it to make a new document');
    }));

  test('an upsert over an expired document creates', () =>
    timed({ defaultTtl: -1 }, async ({ store }, clock) => {
      const { ts } = await store.create({ id: 'x', pk: 'p', ttl: life(clock) });
      await clock.at(ts, life(clock));
      check((await store.upsert({ id: 'x', pk: 'p' }, { ifMatch: '"any"' })).created, 'created to be true');
    }));

  test('a document’s own ttl wins over the container’s, and -1 is for ever', () =>
    timed({ defaultTtl: 3 }, async ({ store }, clock) => {
      const { ts } = await store.create({ id: 'default', pk: 'p' });
      await store.create({ id: 'shorter', pk: 'p', ttl: 1 });
      await store.create({ id: 'longer', pk: 'p', ttl: 3600 });
      await store.create({ id: 'ever', pk: 'p', ttl: -1 });
      await clock.at(ts, 1);
      checkEqual([await exists(store, 'shorter'), clock.real || (await exists(store, 'default'))], [false, true], 'after one second');
      await clock.at(ts, 3);
      checkEqual(
        [await exists(store, 'default'), await exists(store, 'longer'), await exists(store, 'ever')],
        [false, true, true],
        'after three seconds',
      );
      if (!clock.real) {
        await clock.at(ts, 100_000_000);
        await checkContent(store, [{ id: 'ever', pk: 'p', ttl: -1 }], 'the documents after years');
      }
    }));

  test('a container with -1 lets only documents with their own ttl expire; one without lets none', () =>
    timed({ defaultTtl: -1 }, async ({ backend, store, openStore }, clock) => {
      await backend.createContainer(DATABASE, { id: 'without', partitionKey: '/pk' });
      const without = await openStore('without');
      const items: Item[] = [
        { id: 'plain', pk: 'p' },
        { id: 'own', pk: 'p', ttl: 1 },
      ];
      let ts = 0;
      for (const item of items) {
        await without.create(item);
        ts = (await store.create(item)).ts;
      }
      await clock.at(ts, clock.real ? 1 : 100_000_000);
      await checkContent(store, [{ id: 'plain', pk: 'p' }], 'documents of the container with -1');
      await checkContent(without, items, 'documents of the container without a time to live');
    }));

  test('every write starts the time anew, and a patch or replace may change it', () =>
    timed({ defaultTtl: 10 }, async ({ store }, clock) => {
      if (clock.real) {
        leaveOut('renewal of a time to live: the backend has its own clock, and waiting for it is too slow');
        return;
      }
      const { ts } = await store.create({ id: 'x', pk: 'p' });
      await clock.at(ts, 9);
      const second = await store.patch('x', 'p', [{ op: 'set', path: '/n', value: 1 }]);
      await clock.before(second.ts, 10);
      check(await exists(store, 'x'), 'a patch to renew');
      const third = await store.replace({ id: 'x', pk: 'p', ttl: 2 });
      await clock.before(third.ts, 2);
      check(await exists(store, 'x'), 'a replace to renew');
      const fourth = await store.patch('x', 'p', [{ op: 'set', path: '/ttl', value: -1 }]);
      await clock.at(fourth.ts, 1_000_000);
      check(await exists(store, 'x'), 'a patched ttl of -1 to hold');
    }));

  test('a changed time to live of the container holds for documents already there', () =>
    timed({}, async ({ backend, store, openStore }, clock) => {
      if (clock.real) {
        leaveOut('a changed time to live: the backend has its own clock, and waiting for it is too slow');
        return;
      }
      const { ts } = await store.create({ id: 'x', pk: 'p' });
      await clock.at(ts, 100);
      await backend.replaceContainer(DATABASE, { id: CONTAINER, partitionKey: '/pk', defaultTtl: 200 });
      const again = await openStore();
      await clock.before(ts, 200);
      check(await exists(again, 'x'), 'the document to be there before the second');
      await clock.at(ts, 200);
      check(!(await exists(again, 'x')), 'the document to be gone at the second');
    }));

  for (const [what, defaultTtl] of [
    ['a longer one', 1000],
    ['-1', -1],
    ['none', undefined],
  ] as const) {
    test(`what has expired does not come back when the time to live of the container becomes ${what}`, () =>
      timed({ defaultTtl: 10, uniqueKeys: [['/u']] }, async ({ backend, store, opened }, clock) => {
        if (clock.real) {
          leaveOut('a changed time to live: the backend has its own clock, and waiting for it is too slow');
          return;
        }
        const { ts, document } = await store.create({ id: 'x', pk: 'p', u: 'x' });
        const many = Array.from({ length: 1200 }, (_, n) => ({ type: 'create' as const, document: { id: `${n}`, pk: 'q', u: n } }));
        await store.bulk(many);
        await store.create({ id: 'y', pk: 'p', u: 'y', ttl: 100 });
        await clock.at(ts, 10);
        await backend.replaceContainer(DATABASE, { id: CONTAINER, partitionKey: '/pk', uniqueKeys: [['/u']], defaultTtl });
        const reopened = opened.reopen === undefined ? backend : await opened.reopen();
        const again = await reopened.container(DATABASE, CONTAINER);
        check((await again.read('x', 'p')) === undefined, 'the document to be gone');
        await checkContent(again, [{ id: 'y', pk: 'p', u: 'y', ttl: 100 }], 'the documents that are left');
        checkEqual(await again.query('SELECT VALUE COUNT(1) FROM c').toArray(), [1], 'their number');
        const created = await again.create({ id: 'x', pk: 'p', u: 'x' });
        check(created.document._rid !== document._rid, 'a create to make a new document');
        await clock.at(ts, 100);
        checkEqual(await exists(again, 'y'), defaultTtl === undefined, 'whether a living document goes by its own ttl');
      }));
  }

  test('a ttl that is no whole number of seconds from 1, or -1, is refused', () =>
    withStore(
      async ({ store }) => {
        for (const ttl of [0, -2, 1.5, '10', null, true, 2147483648]) {
          await checkRejects(store.create({ id: 'x', pk: 'p', ttl }), 'BAD_REQUEST', `ttl ${JSON.stringify(ttl)}`);
        }
        await store.create({ id: 'x', pk: 'p', ttl: 2147483647 });
        await checkRejects(store.patch('x', 'p', [{ op: 'set', path: '/ttl', value: 0 }]), 'BAD_REQUEST', 'a patch to ttl 0');
      },
      { defaultTtl: -1 },
    ));

  test('a wall clock that goes back neither loses documents nor stops writes', () =>
    withStoreOnMovingClock(withStore, async (store, runtime) => {
      await store.create({ id: 'x', pk: 'p', n: 1 });
      runtime.setNowMs(runtime.nowMs() - 3_600_000);
      const second = await store.replace({ id: 'x', pk: 'p', n: 2 });
      await store.create({ id: 'y', pk: 'p' });
      checkEqual((await store.read('x', 'p'))?.etag, second.etag, 'the document after the jump');
      const feed = await store.changes().nextPage();
      checkEqual(
        feed.changes.map((change) => change.document.id),
        ['x', 'y'],
        'the change feed after the jump',
      );
    }));
}

function withStoreOnMovingClock(
  withStore: ConformanceContext['withStore'],
  work: (store: DocumentStore, runtime: SimulatedRuntime) => Promise<void>,
): Promise<void> {
  const runtime = new SimulatedRuntime({ seed: 'clock' });
  return withStore(({ store }) => work(store, runtime), { defaultTtl: 7200 }, runtime);
}
