import { afterEach, beforeEach, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import type { ChangesOptions } from '../../src/store/changes.ts';
import type { DocumentStore } from '../../src/store/document-store.ts';
import { fault, faultyStore } from './faulty-store.ts';
import { World, type Note } from './world.ts';

let world: World;

beforeEach(async () => {
  world = await World.open({ seed: 5 });
});

afterEach(() => world.close());

/** A remote whose feed is behind: it says that there is nothing more, for so many reads. */
function lagging(store: DocumentStore<JsonObject>, reads: { left: number }): DocumentStore<JsonObject> {
  return new Proxy(store, {
    get(target, name) {
      if (name === 'changes') {
        return (options: ChangesOptions) => {
          if (typeof options.from === 'object' && 'cursor' in options.from && reads.left > 0) {
            reads.left -= 1;
            const { cursor } = options.from;
            return { nextPage: () => Promise.resolve({ changes: [], cursor, caughtUp: true, requestUnits: 1, session: undefined }) };
          }
          return target.changes(options);
        };
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value as (...rest: unknown[]) => unknown).bind(target) : value;
    },
  });
}

test('what others wrote before the call is on the device after it, however far behind the feed is', async () => {
  const reads = { left: 0 };
  const ada = await world.device({ device: 'ada-1', wrap: (store) => lagging(store, reads) });
  await ada.engine.sync();
  const other = await world.device({ device: 'ada-2' });
  await other.notes.upsert({ id: 'x', owner: 'ada', text: 'from the other device' });
  await other.engine.sync();

  reads.left = 4;
  await ada.engine.sync();
  expect(await ada.notes.read('x', 'ada'), 'a plain run believes the replica').toBeUndefined();
  reads.left = 4;
  await world.runtime.runUntilSettled(ada.engine.caughtUp());
  expect((await ada.notes.read('x', 'ada'))?.document.text).toBe('from the other device');
});

test('markers are documents to nobody: not on a device, not in a run, not after a reconciliation', async () => {
  const [one, two] = [await world.device({ device: 'ada-1' }), await world.device({ device: 'ada-2' })];
  for (let round = 0; round < 3; round += 1) {
    await world.runtime.runUntilSettled(one.engine.caughtUp());
    await world.runtime.runUntilSettled(two.engine.caughtUp());
  }
  const reports = [await one.engine.reconcile(), await two.engine.reconcile()];
  expect(reports.map(({ outcome, conflictCount, rejectedCount }) => [outcome, conflictCount, rejectedCount])).toEqual([
    ['complete', 0, 0],
    ['complete', 0, 0],
  ]);
  for (const device of [one, two]) {
    expect(await device.notes.query<Note>('SELECT * FROM c').toArray()).toEqual([]);
    expect((await device.engine.status()).pending).toBe(0);
  }
});

test('nobody can write a document in the place of a marker', async () => {
  const { notes } = await world.device({ device: 'ada-1' });
  await expect(notes.upsert({ id: '_perigee.marker.ada-1', owner: 'ada' })).rejects.toMatchObject({ code: 'INVALID_DOCUMENT' });
});

test('what waits on the device stays there, and is not overwritten', async () => {
  const one = await world.device({ device: 'ada-1' });
  await one.notes.upsert({ id: 'x', owner: 'ada', text: 'mine' });
  await world.runtime.runUntilSettled(one.engine.caughtUp());
  expect((await one.engine.status()).pending).toBe(1);
  expect((await one.notes.read('x', 'ada'))?.document.text).toBe('mine');
  await one.engine.sync();
  expect((await one.engine.status()).pending).toBe(0);
});

test('an engine that is closed does not wait for a feed that never comes up', async () => {
  const one = await world.device({ device: 'ada-1', wrap: (store) => lagging(store, { left: Number.POSITIVE_INFINITY }) });
  await one.engine.sync();
  const waiting = expect(one.engine.caughtUp()).rejects.toMatchObject({ code: 'CLOSED' });
  await world.runtime.settle();
  await one.engine.close();
  await waiting;
});

test('it rejects when the feed does not come up in time, when nobody answers, and when it is aborted', async () => {
  const reads = { left: 0 };
  let isDown = false;
  const one = await world.device({
    device: 'ada-1',
    wrap: (store) =>
      lagging(
        faultyStore(store, () => (isDown ? fault('UNREACHABLE') : undefined)),
        reads,
      ),
  });
  await one.engine.sync();
  reads.left = Number.POSITIVE_INFINITY;
  await expect(world.runtime.runUntilSettled(one.engine.caughtUp({ timeoutMs: 5000 }))).rejects.toMatchObject({ code: 'TIMEOUT' });
  const controller = new AbortController();
  const waiting = one.engine.caughtUp({ signal: controller.signal });
  controller.abort(new Error('left the page'));
  await expect(waiting).rejects.toThrow('left the page');
  isDown = true;
  await expect(one.engine.caughtUp()).rejects.toMatchObject({ code: 'UNREACHABLE' });
  isDown = false;
  reads.left = 0;
  await world.runtime.runUntilSettled(one.engine.caughtUp());
});
