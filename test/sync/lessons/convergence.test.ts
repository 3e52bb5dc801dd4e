/** What applications read goes forward only, one's own writes come back to nobody as news, and a defect is not the end. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import type { DocumentStore } from '../../../src/store/document-store.ts';
import type { ScopeEntry } from '../../../src/sync/index.ts';
import { fault } from '../faulty-store.ts';
import { contents, NOTES, synced, type Device } from '../world.ts';
import { emptied, note, useLine } from './line.ts';

const line = useLine();

test('row 16: on a flaky line, with a feed that repeats itself, no document that was read is ever seen in an earlier version again', async () => {
  const step = fc.record({
    kind: fc.constantFrom('sync', 'sync', 'remote', 'local', 'reconcile', 'restart'),
    id: fc.constantFrom('a', 'b', 'c', 'd'),
    fault: fc.option(fc.record({ at: fc.integer({ min: 1, max: 6 }), when: fc.constantFrom('before' as const, 'after' as const) })),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 30 }), async (steps) => {
      await emptied(line.world.cloud, NOTES);
      let phone = await line.device({ pageItems: 2, wrap: repeating });
      const remote = await line.world.remote();
      const seen = new Map<string, number>();
      const read = async (): Promise<void> => {
        for (const [id, { n }] of Object.entries(await contents(phone.notes))) {
          expect(n).toBeGreaterThanOrEqual(seen.get(id) ?? 0);
          seen.set(id, n as number);
        }
        // What was there does not vanish either: nobody deletes.
        expect(await contents(phone.notes)).toMatchObject(Object.fromEntries([...seen].map(([id, n]) => [id, { n }])));
      };
      let version = 0;
      for (const { kind, id, fault: injected } of steps) {
        version += 1;
        line.requests.length = 0;
        line.plan = async () => {
          await read();
          return injected !== null && line.requests.length === injected.at ? fault('CONNECTION_LOST', injected.when) : undefined;
        };
        await line.world.pass(1000);
        if (kind === 'remote') {
          await remote.upsert(note('remote', id, { n: version }));
        } else if (kind === 'local') {
          // Versions grow with time, so a later write is also the newer version.
          await phone.notes.upsert(note('phone', id, { n: version }));
        } else if (kind === 'restart') {
          line.plan = () => undefined;
          phone = await line.restarted(phone, { pageItems: 2, wrap: repeating });
        } else {
          await (kind === 'sync' ? phone.engine.sync() : phone.engine.reconcile());
        }
        await read();
      }
      line.plan = () => undefined;
      await phone.engine.reconcile();
      await read();
      expect(await contents(phone.notes)).toEqual(await contents(remote));
    }),
    { numRuns: 12, seed: 16 },
  );
});

test('row 23: what a device has pushed is no change to it: nothing is pulled, no local version is new, and nobody hears of one', async () => {
  const phone = await line.device();
  await phone.notes.create(note('first'));
  await phone.notes.create(note('short', 'gone'));
  await synced(phone);
  await phone.notes.replace(note('second'));
  await phone.notes.delete('gone', 'ada');
  const before = await phone.notes.read('1', 'ada');
  const { cursor } = await phone.notes.changes({ partitionKey: 'ada', from: 'now' }).nextPage();
  for (let round = 0; round < 3; round += 1) {
    expect(await synced(phone)).toMatchObject({
      pushed: round === 0 ? 2 : 0,
      pulled: 0,
      deletedLocally: 0,
      conflictCount: 0,
      bytesReceived: 0,
    });
  }
  await phone.engine.reconcile();
  expect(await phone.notes.read('1', 'ada')).toEqual(before);
  expect((await phone.notes.changes({ partitionKey: 'ada', from: { cursor } }).nextPage()).changes).toEqual([]);
});

test('row 23: a feed that gives every change twice, and earlier pages again, changes nothing twice and brings nothing deleted back', async () => {
  const [phone, laptop] = [await line.device(), await line.device({ wrap: repeating })];
  const remote = await line.world.remote();
  await phone.notes.create(note('first'));
  await phone.notes.create(note('short', 'gone'));
  await synced(phone);
  await synced(laptop);
  await phone.notes.replace(note('second'));
  await phone.notes.delete('gone', 'ada');
  await synced(phone);
  for (let round = 0; round < 4; round += 1) {
    await remote.upsert(note(`${round}`, 'theirs'));
    expect(await synced(laptop)).toMatchObject({ pulled: round === 0 ? 2 : 1, conflictCount: 0 });
    expect(await contents(laptop.notes)).toEqual({ 1: note('second'), theirs: note(`${round}`, 'theirs') });
  }
});

/** A feed that begins and ends each page with all that it has ever given, as feeds that deliver at least once may. */
function repeating(store: DocumentStore<JsonObject>): DocumentStore<JsonObject> {
  const given: Awaited<ReturnType<ReturnType<typeof store.changes>['nextPage']>>['changes'][number][] = [];
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (name !== 'changes') {
        return typeof value === 'function' ? (value as (...rest: unknown[]) => unknown).bind(target) : value;
      }
      return (...parameters: Parameters<typeof target.changes>) => ({
        nextPage: async () => {
          const page = await target.changes(...parameters).nextPage();
          const earlier = [...given];
          given.push(...page.changes);
          return { ...page, changes: [...earlier, ...page.changes, ...page.changes, ...earlier] };
        },
      });
    },
  });
}

test('row 23: a document edited between the request for a page and its arrival keeps the edit, and deleted there it stays deleted', async () => {
  const phone = await line.device();
  const remote = await line.world.remote();
  await remote.create(note('first', 'edited'));
  await remote.create(note('first', 'deleted'));
  await synced(phone);
  await line.world.pass(1000);
  await remote.replace(note('second', 'edited'));
  await remote.replace(note('second', 'deleted'));
  await line.world.pass(60_000);
  let raced = false;
  line.plan = async (request) => {
    if (request === 'changes' && !raced) {
      raced = true;
      await phone.notes.replace(note('mine', 'edited'));
      await phone.notes.delete('deleted', 'ada');
    }
    return undefined;
  };
  await synced(phone);
  await synced(phone);
  expect(await contents(phone.notes)).toEqual({ edited: note('mine', 'edited') });
  expect(await contents(remote)).toEqual({ edited: note('mine', 'edited') });
  expect((await phone.engine.journal()).map(({ losingSide, document }) => [losingSide, document?.['text']])).toEqual([
    ['remote', 'second'],
    ['remote', 'second'],
  ]);
});

test('row 26: devices with filters of their own hold what an oracle says, whatever moves between the filters in transactions', async () => {
  const kinds = ['task', 'memo', 'draft'];
  const filters: readonly (readonly string[] | undefined)[] = [['task'], ['memo', 'draft'], undefined];
  const write = fc.record({ id: fc.integer({ min: 0, max: 7 }), kind: fc.constantFrom(...kinds), remove: fc.nat({ max: 4 }) });
  const transaction = fc.uniqueArray(write, { minLength: 1, maxLength: 6, selector: ({ id }) => id });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(transaction, fc.nat({ max: 3 })), { minLength: 3, maxLength: 12 }), async (transactions) => {
      await emptied(line.world.cloud, NOTES);
      const remote = await line.world.remote();
      const devices: Device[] = [];
      for (const values of filters) {
        const scope = ['ada', 'team'].map((partitionKey): ScopeEntry => {
          const entry = { container: 'notes', partitionKey };
          return values === undefined ? entry : { ...entry, types: { path: '/kind', values } };
        });
        devices.push(await line.device({ scope, pageItems: 3 }));
      }
      let version = 0;
      for (const [writes, who] of transactions) {
        version += 1;
        for (const owner of ['ada', 'team']) {
          const held = await contents(remote, owner);
          const operations = writes.map(({ id, kind, remove }) =>
            remove === 0 && `${id}` in held
              ? ({ type: 'delete', id: `${id}` } as const)
              : ({ type: 'upsert', document: { ...note(`${version}`, `${id}`, { kind }), owner } } as const),
          );
          expect(await remote.batch(owner, operations)).toMatchObject({ committed: true });
        }
        // A device that writes nothing of its own, at one of many moments.
        await devices[who]?.engine.reconcile();
      }
      for (const [index, device] of devices.entries()) {
        expect((await device.engine.reconcile()).error).toBeUndefined();
        for (const owner of ['ada', 'team']) {
          const all = Object.entries(await contents(remote, owner));
          const expected = all.filter(([, { kind }]) => filters[index]?.includes(kind as string) ?? true);
          expect(await contents(device.notes, owner)).toEqual(Object.fromEntries(expected));
        }
      }
    }),
    { numRuns: 12, seed: 26 },
  );
});

/** A remote of which one method has a defect while `isBroken` says so. */
const broken =
  (method: string, isBroken: () => boolean) =>
  (store: DocumentStore<JsonObject>): DocumentStore<JsonObject> =>
    new Proxy(store, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (name === method && isBroken()) {
          return () => {
            throw new TypeError('INTERNAL ASSERTION FAILED: 400 401 403 422');
          };
        }
        return typeof value === 'function' ? (value as (...rest: unknown[]) => unknown).bind(target) : value;
      },
    });

test.each(['batch', 'changes', 'query', 'readMany'])(
  'row 29: after a defect in %s the engine goes on, and nothing is lost',
  async (method) => {
    let isBroken = true;
    const phone = await line.device({ wrap: broken(method, () => isBroken) });
    await (await line.world.remote()).create(note('theirs', 'theirs'));
    await phone.notes.create(note('mine', 'mine'));
    if (method === 'readMany') {
      // It is only asked in a conflict.
      await (await line.world.remote()).create(note('in between', 'mine'));
    }
    await expect(phone.engine.sync()).rejects.toThrow('INTERNAL ASSERTION FAILED');
    expect(await phone.engine.status()).toMatchObject({ state: 'idle', rejected: 0 });
    expect(await contents(phone.notes)).toMatchObject({ mine: note('mine', 'mine') });
    await phone.notes.create(note('written after the defect', 'after'));
    isBroken = false;
    await synced(phone);
    expect(await contents(await line.world.remote())).toEqual(await contents(phone.notes));
    expect(Object.keys(await contents(phone.notes))).toEqual(['after', 'mine', 'theirs']);
  },
);

test('row 29: a scheduled engine outlives defects, and sends what is pending when they are over', async () => {
  let isBroken = true;
  const phone = await line.device({ wrap: broken('changes', () => isBroken) });
  phone.engine.start({ intervalMs: 1000, minBackoffMs: 1000, maxBackoffMs: 4000, jitter: 0 });
  await line.world.pass(30_000);
  await phone.notes.create(note('kept'));
  await line.world.pass(30_000);
  expect(await phone.engine.status()).toMatchObject({ state: 'idle', scheduled: true });
  isBroken = false;
  await (await line.world.remote()).create(note('theirs', 'theirs'));
  await line.world.pass(5000);
  expect(await phone.engine.status()).toMatchObject({ state: 'idle', pending: 0, lastRun: { outcome: 'complete' } });
  expect(Object.keys(await contents(phone.notes))).toEqual(['1', 'theirs']);
});
