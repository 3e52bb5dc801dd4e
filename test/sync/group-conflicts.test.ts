import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { mergeFields } from '../../src/sync/index.ts';
import { fault } from './faulty-store.ts';
import { GroupScene, held, journal, note, together } from './group-scene.ts';
import { contents, plain, synced, type Device, type Note } from './world.ts';

let scene: GroupScene;

beforeEach(async () => {
  scene = await GroupScene.open();
});

afterEach(async () => {
  await scene.close();
});

describe('a conflict on one document decides the whole', () => {
  async function conflicting(phone: Device): Promise<void> {
    await phone.notes.bulk(['a', 'b'].map((id) => ({ type: 'create', document: note(id, '0') })));
    await synced(phone);
  }

  test('lost: all of it goes to the journal, and the device has what the remote has', async () => {
    const phone = await scene.phone();
    await conflicting(phone);
    await together(phone, note('a', 'mine'), note('b', 'mine'), note('c', 'mine'));
    await scene.world.pass(5000);
    await (await scene.remote()).upsert(note('b', 'theirs'));
    const handle = await phone.notes.read('a', 'ada');
    expect(handle?.document.text).toBe('mine');
    expect(await synced(phone)).toMatchObject({ conflictCount: 3 });
    expect(await scene.texts()).toEqual({ a: '0', b: 'theirs' });
    expect(await held(phone)).toEqual({ a: '0', b: 'theirs' });
    expect((await journal(phone)).toSorted()).toEqual(['a local group mine', 'b local remote-wins mine', 'c local group mine']);
    expect(await phone.engine.status()).toMatchObject({ pending: 0 });
  });

  test('a pull leaves its documents as they are until it is sent', async () => {
    const phone = await scene.phone();
    await conflicting(phone);
    await together(phone, note('a', 'mine'), note('b', 'mine'));
    await scene.world.pass(5000);
    await (await scene.remote()).upsert(note('b', 'theirs'));
    scene.plan = (request) => (request === 'batch' ? fault('FORBIDDEN') : undefined);
    await phone.engine.sync();
    expect(await held(phone)).toEqual({ a: 'mine', b: 'mine' });
    scene.plan = () => undefined;
    await synced(phone);
    expect(await held(phone)).toEqual({ a: '0', b: 'theirs' });
    expect(await scene.texts()).toEqual({ a: '0', b: 'theirs' });
  });

  test('won: it is sent over the remote version, which goes to the journal', async () => {
    const phone = await scene.phone();
    await conflicting(phone);
    await (await scene.remote()).upsert(note('b', 'theirs'));
    await scene.world.pass(5000);
    await together(phone, note('a', 'mine'), note('b', 'mine'));
    await synced(phone);
    expect(await scene.texts()).toEqual({ a: 'mine', b: 'mine' });
    expect(await journal(phone)).toEqual(['b remote local-wins theirs']);
  });

  test('writes that follow one that is lost meet the remote themselves', async () => {
    const phone = await scene.phone();
    await conflicting(phone);
    await together(phone, note('a', 'mine'), note('b', 'mine'));
    await scene.world.pass(5000);
    await (await scene.remote()).upsert(note('b', 'theirs'));
    await scene.world.pass(5000);
    await phone.notes.upsert(note('b', 'later'));
    await together(phone, note('a', 'later'), note('c', 'later'));
    await synced(phone);
    expect(await scene.texts()).toEqual({ a: 'later', b: 'later', c: 'later' });
    expect(await held(phone)).toEqual({ a: 'later', b: 'later', c: 'later' });
    expect((await journal(phone)).toSorted()).toEqual(['a local group mine', 'b local remote-wins mine', 'b remote local-wins theirs']);
  });

  test('whoever waits for one of its writes hears that it is lost', async () => {
    const phone = await scene.phone();
    await conflicting(phone);
    const written = (await phone.engine.store<Note>('notes').batch('ada', [
      { type: 'upsert', document: note('a', 'mine') },
      { type: 'upsert', document: note('b', 'mine') },
    ])) as Awaited<ReturnType<ReturnType<typeof phone.engine.store<Note>>['batch']>>;
    await scene.world.pass(5000);
    await (await scene.remote()).upsert(note('b', 'theirs'));
    const reached = expect(written.reached('remote')).rejects.toMatchObject({ code: 'SYNC_LOST', details: { reason: 'group' } });
    await synced(phone);
    await reached;
  });

  test('a forced push of one of its documents sends all of it, over whatever is there', async () => {
    const phone = await scene.phone();
    await conflicting(phone);
    await together(phone, note('a', 'mine'), note('b', 'mine'));
    await phone.notes.upsert(note('a', 'later'));
    await scene.world.pass(5000);
    await (await scene.remote()).upsert(note('b', 'theirs'));
    expect(await phone.engine.forcePush('notes', 'b', 'ada')).toBe(true);
    expect(await scene.texts()).toEqual({ a: 'mine', b: 'mine' });
    expect(await phone.engine.forcePush('notes', 'a', 'ada')).toBe(true);
    expect(await scene.texts()).toEqual({ a: 'later', b: 'mine' });
    expect(await journal(phone)).toEqual(['b remote forced theirs']);
  });

  test('a document that the remote deleted takes the edits of the others with it', async () => {
    const phone = await scene.phone();
    await conflicting(phone);
    await together(phone, note('a', 'mine'), note('b', 'mine'));
    await (await scene.remote()).delete('b', 'ada');
    await synced(phone);
    expect(await scene.texts()).toEqual({ a: '0' });
    expect((await journal(phone)).toSorted()).toEqual(['a local group mine', 'b local remote-deleted mine']);
  });
});

describe('policies that merge', () => {
  const policy = mergeFields({ counters: ['/n'] });

  test('counters of many transactions, one after the other, add up with what others counted', async () => {
    const phone = await scene.phone({ policy });
    const tablet = await scene.world.device({ policy });
    await phone.notes.create(note('sum', 's', { n: 0 }));
    await synced(phone);
    await synced(tablet);
    for (let index = 0; index < 5; index += 1) {
      await phone.notes.transact('ada', async (transaction) => {
        await transaction.patch('sum', [{ op: 'incr', path: '/n', value: 1 }]);
        await transaction.create(note(`item-${index}`, 'i'));
      });
    }
    await phone.notes.patch('sum', 'ada', [{ op: 'incr', path: '/n', value: 100 }]);
    await tablet.notes.patch('sum', 'ada', [{ op: 'incr', path: '/n', value: 10 }]);
    await synced(tablet);
    await synced(phone);
    await synced(tablet);
    expect((await contents(await scene.remote()))['sum']).toMatchObject({ n: 115 });
    expect(Object.keys(await scene.texts())).toHaveLength(6);
    for (const device of [phone, tablet]) {
      expect(plain((await device.notes.read('sum', 'ada'))?.document ?? {})).toMatchObject({ n: 115 });
    }
    expect(await phone.engine.status()).toMatchObject({ pending: 0 });
  });

  test('what others changed is in every version that follows, also where the last one was made by hand', async () => {
    const phone = await scene.phone({ policy });
    await phone.notes.create(note('a', '0', { title: 'old', n: 1 }));
    await synced(phone);
    await together(phone, note('a', '1', { title: 'old', n: 2 }), note('b', '1'));
    await together(phone, note('a', '2', { title: 'old', n: 3 }), note('c', '1'));
    await phone.notes.upsert(note('a', '3', { title: 'old', n: 4 }));
    await (
      await scene.remote()
    ).patch('a', 'ada', [
      { op: 'set', path: '/title', value: 'new' },
      { op: 'incr', path: '/n', value: 10 },
    ]);
    await synced(phone);
    expect(scene.batches.slice(1).filter((batch) => batch.length > 0)).toEqual([['a=1', 'b=1'], ['a=1', 'b=1'], ['a=2', 'c=1'], ['a=3']]);
    expect((await contents(await scene.remote()))['a']).toEqual(note('a', '3', { title: 'new', n: 14 }));
    expect(await held(phone)).toEqual({ a: '3', b: '1', c: '1' });
  });
});
