import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SyncEngine } from '../../src/sync/index.ts';
import { fault } from './faulty-store.ts';
import { GroupScene, held, journal, note, together } from './group-scene.ts';
import { synced } from './world.ts';

let scene: GroupScene;

beforeEach(async () => {
  scene = await GroupScene.open();
});

afterEach(async () => {
  await scene.close();
});

describe('what a transaction wrote is sent whole', () => {
  test('in one batch of its own making: deletions, patches and new documents', async () => {
    const phone = await scene.phone();
    await phone.notes.bulk([
      { type: 'create', document: note('a', 'a1') },
      { type: 'create', document: note('b', 'b1') },
    ]);
    await synced(phone);
    scene.forget();
    await phone.notes.transact('ada', async (transaction) => {
      await transaction.patch('a', [{ op: 'set', path: '/text', value: 'a2' }]);
      await transaction.delete('b');
      await transaction.create(note('c', 'c1'));
    });
    const pending = await phone.engine.pending();
    expect(new Set(pending.map(({ group }) => group)).size).toBe(1);
    expect(pending[0]?.group).toBeTypeOf('number');
    await synced(phone);
    expect(scene.batches).toEqual([['a=a2', 'b=deleted', 'c=c1']]);
    expect(await scene.texts()).toEqual({ a: 'a2', c: 'c1' });
    expect(await phone.engine.status()).toMatchObject({ pending: 0 });
  });

  test('a batch of a store counts as one; bulk writes, and transactions that leave one document to send, do not', async () => {
    const phone = await scene.phone();
    await phone.notes.batch('ada', [
      { type: 'create', document: note('a', '1') },
      { type: 'create', document: note('b', '1') },
    ]);
    await phone.notes.bulk([
      { type: 'create', document: note('c', '1') },
      { type: 'create', document: note('d', '1') },
    ]);
    await together(phone, note('e', '1'));
    await phone.notes.transact('ada', async (transaction) => {
      await transaction.create(note('f', '1'));
      await transaction.create(note('g', '1'));
      await transaction.delete('g');
    });
    const groups = (await phone.engine.pending()).map(({ id, group }) => `${id} ${group === undefined ? 'alone' : 'grouped'}`);
    expect(groups.toSorted()).toEqual(['a grouped', 'b grouped', 'c alone', 'd alone', 'e alone', 'f alone']);
    await synced(phone);
    expect(await scene.texts()).toEqual({ a: '1', b: '1', c: '1', d: '1', e: '1', f: '1' });
    expect(scene.batches).toHaveLength(1);
  });

  test('one that was given up, or whose batch was refused, leaves nothing', async () => {
    const phone = await scene.phone();
    const failing = phone.notes.transact('ada', async (transaction) => {
      await transaction.create(note('a', '1'));
      await transaction.create(note('b', '1'));
      throw new Error('given up');
    });
    await expect(failing).rejects.toThrow('given up');
    const batch = await phone.notes.batch('ada', [
      { type: 'create', document: note('a', '1') },
      { type: 'delete', id: 'missing' },
    ]);
    expect(batch.committed).toBe(false);
    expect(await phone.engine.pending()).toEqual([]);
    await phone.notes.create(note('a', 'alone'));
    expect((await phone.engine.pending()).map(({ group }) => group)).toEqual([undefined]);
  });

  test('a lost answer is settled by reading back, for all of it', async () => {
    const phone = await scene.phone();
    await together(phone, note('a', '1'), note('b', '1'));
    let requests = 0;
    scene.plan = (request) => (request === 'batch' && (requests += 1) === 1 ? fault('UNREACHABLE', 'after') : undefined);
    expect(await phone.engine.sync()).toMatchObject({ outcome: 'failed' });
    expect(await synced(phone)).toMatchObject({ conflicts: [] });
    expect(await scene.texts()).toEqual({ a: '1', b: '1' });
    expect(await phone.engine.status()).toMatchObject({ pending: 0, conflicts: 0 });
  });

  test('it survives the end of the program, and the engine that opens the file sends it whole', async () => {
    const phone = await scene.phone();
    await together(phone, note('a', '1'), note('b', '1'));
    await phone.notes.upsert(note('a', '2'));
    await phone.engine.close();
    const engine = await SyncEngine.open({
      backend: phone.backend,
      user: 'ada',
      scope: [{ container: 'notes', partitionKey: 'ada' }],
      remote: async () => scene.line(await scene.world.cloud.container('app', 'notes')),
    });
    expect(await engine.sync()).toMatchObject({ outcome: 'complete' });
    expect(scene.batches).toEqual([['a=1', 'b=1'], ['a=2']]);
    await engine.close();
  });

  test('as its writes went: a single document within is not sent earlier, and several transactions share a request where they share no document', async () => {
    const phone = await scene.phone();
    await together(phone, note('a', '1'), note('b', '1'));
    await together(phone, note('c', '2'), note('d', '2'));
    await together(phone, note('b', '3'), note('d', '3'));
    await phone.notes.upsert(note('b', '4'));
    await synced(phone);
    expect(scene.batches).toEqual([['a=1', 'b=1', 'c=2', 'd=2'], ['b=3', 'd=3'], ['b=4']]);
  });
});

describe('limits are told when it is written', () => {
  test('100 documents are sent as one batch, and the marker follows; 101 are refused, and nothing was written', async () => {
    const phone = await scene.phone();
    const notes = Array.from({ length: 101 }, (_, index) => note(`n${index}`, '1'));
    await expect(together(phone, ...notes)).rejects.toMatchObject({ code: 'TOO_LARGE', details: { documents: 101 } });
    expect(await held(phone)).toEqual({});
    expect(await phone.engine.pending()).toEqual([]);
    await together(phone, ...notes.slice(0, 100));
    await synced(phone);
    expect(scene.batches.map(({ length }) => length)).toEqual([100, 0]);
    expect(Object.keys(await scene.texts())).toHaveLength(100);
  });

  test('more than 2 MB are refused, in a transaction and in a batch', async () => {
    const phone = await scene.phone();
    const large = ['a', 'b', 'c'].map((id) => note(id, 'x'.repeat(720_000)));
    await expect(together(phone, ...large)).rejects.toMatchObject({ code: 'TOO_LARGE' });
    await expect(
      phone.notes.batch(
        'ada',
        large.map((document) => ({ type: 'create', document })),
      ),
    ).rejects.toMatchObject({ code: 'TOO_LARGE' });
    expect(await held(phone)).toEqual({});
    await together(phone, ...large.slice(0, 2));
    expect(await synced(phone)).toMatchObject({ rejected: [] });
    expect(Object.keys(await scene.texts())).toEqual(['a', 'b']);
  });
});

describe('later writes of its documents', () => {
  test('a transaction whose answer is on its way stays what it was, and the write made meanwhile follows', async () => {
    const phone = await scene.phone();
    await together(phone, note('a', '1'), note('b', '1'));
    let edited = false;
    scene.plan = async (request) => {
      if (request === 'batch' && !edited) {
        edited = true;
        await phone.notes.upsert(note('a', '2'));
      }
      return undefined;
    };
    await synced(phone);
    expect(scene.batches).toEqual([['a=1', 'b=1'], ['a=2']]);
    expect(await scene.texts()).toEqual({ a: '2', b: '1' });
    expect(await phone.engine.status()).toMatchObject({ pending: 0 });
  });

  test('a deletion of what only the transaction has made reaches the remote after it', async () => {
    const phone = await scene.phone();
    await together(phone, note('a', '1'), note('b', '1'));
    await phone.notes.delete('a', 'ada');
    await synced(phone);
    expect(scene.batches).toEqual([['a=1', 'b=1'], ['a=deleted']]);
    expect(await scene.texts()).toEqual({ b: '1' });
  });

  test('a document made anew after a transaction deleted it', async () => {
    const phone = await scene.phone();
    await phone.notes.create(note('a', '0'));
    await synced(phone);
    await phone.notes.transact('ada', async (transaction) => {
      await transaction.delete('a');
      await transaction.create(note('b', '1'));
    });
    await phone.notes.create(note('a', '2'));
    await synced(phone);
    expect(scene.batches.slice(1)).toEqual([['a=deleted', 'b=1'], ['a=2']]);
    expect(await scene.texts()).toEqual({ a: '2', b: '1' });
  });
});

test('a remote that was restored from a backup gets what waits, whole, and nothing of it is taken for deleted', async () => {
  let current = await scene.world.cloud.container('app', 'notes');
  // The address stays, what answers behind it is another store.
  const address = new Proxy(current, {
    get: (_, name) => {
      const value: unknown = Reflect.get(current, name, current);
      return typeof value === 'function' ? (value as (...rest: unknown[]) => unknown).bind(current) : value;
    },
  });
  const phone = await scene.world.device({ markerIntervalMs: 0, remote: () => scene.line(address) });
  await phone.notes.create(note('a', '0'));
  await synced(phone);
  const records = [];
  for await (const record of scene.world.cloud.snapshot()) {
    records.push(record);
  }
  await scene.world.pass(5000);
  await phone.notes.bulk([
    { type: 'upsert', document: note('a', '1') },
    { type: 'create', document: note('b', '1') },
  ]);
  await synced(phone);
  await together(phone, note('a', '2'), note('b', '2'));
  await phone.notes.upsert(note('a', '3'));
  await scene.world.cloud.restore(records, { replace: true });
  current = await scene.world.cloud.container('app', 'notes');
  await scene.world.pass(5000);
  scene.forget();
  // The first run meets a session that the remote has forgotten.
  await phone.engine.sync();
  await synced(phone);
  expect(scene.batches.filter((batch) => batch.length > 0).slice(-2)).toEqual([['a=2', 'b=2'], ['a=3']]);
  expect(await scene.texts()).toEqual({ a: '3', b: '2' });
  expect(await journal(phone)).toEqual(['a remote restored 0']);
  expect(await phone.engine.status()).toMatchObject({ pending: 0 });
});
