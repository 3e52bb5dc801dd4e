import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { GroupScene, held, journal, keyOf, note, together } from './group-scene.ts';
import { synced, type Device } from './world.ts';

let scene: GroupScene;

beforeEach(async () => {
  scene = await GroupScene.open({ container: { id: 'notes', partitionKey: '/owner', defaultTtl: -1, uniqueKeys: [['/email']] } });
});

afterEach(async () => {
  await scene.close();
});

test('documents of a transaction that others make and delete meanwhile, each once, are no unique value that is taken', async () => {
  const phone = await scene.phone();
  const remote = await scene.remote();
  await together(phone, note('a', '1', { email: 'a' }), note('b', '1', { email: 'b' }));
  const others = ['a', 'b'];
  let there: string | undefined;
  scene.plan = async (request) => {
    if (request === 'batch' && others.length > 0) {
      there = others.shift() as string;
      await remote.create(note(there, 'other', { email: `other ${there}` }));
    } else if (request === 'readMany' && there !== undefined) {
      await remote.delete(there, 'ada');
      there = undefined;
    }
    return undefined;
  };
  expect(await synced(phone)).toMatchObject({ rejectedCount: 0 });
  expect(scene.sent).toHaveLength(3);
  expect(await scene.texts()).toMatchObject({ a: '1', b: '1' });
});

describe('one dead letter', () => {
  /** A transaction of two documents, of which the remote refuses one. */
  async function refused(): Promise<Device> {
    const phone = await scene.phone();
    const remote = await scene.remote();
    await remote.create(note('holder', 'h', { email: 'taken' }));
    await phone.notes.create(note('a', '0', { email: 'a' }));
    await synced(phone);
    await together(phone, note('a', '1', { email: 'a' }), note('b', '1', { email: 'taken' }));
    await phone.notes.create(note('other', '1', { email: 'o' }));
    expect(await synced(phone)).toMatchObject({ rejected: [{ id: 'b', code: 'CONFLICT' }], rejectedCount: 1 });
    return phone;
  }

  test('with all its documents; the others are sent, and later writes of its documents wait behind it', async () => {
    const phone = await refused();
    expect(await scene.texts()).toMatchObject({ a: '0', other: '1' });
    const [letter, ...more] = await phone.engine.deadLetters.list();
    expect(more).toEqual([]);
    expect(letter).toMatchObject({
      id: 'b',
      code: 'CONFLICT',
      attempts: 1,
      local: { text: '1' },
      remote: { state: 'missing' },
      group: [{ id: 'a', local: { text: '1' }, remote: { state: 'present', document: { text: '0' } } }],
    });
    await phone.notes.upsert(note('a', '2', { email: 'a' }));
    await synced(phone);
    expect(await scene.texts()).toMatchObject({ a: '0' });
    expect(await phone.engine.status()).toMatchObject({ rejected: 1, pending: 2 });
    expect((await phone.engine.deadLetters.list())[0]?.group).toMatchObject([{ id: 'a', local: { text: '1' } }]);
    const exported = [];
    for await (const one of phone.engine.deadLetters.export()) {
      exported.push(one);
    }
    expect(JSON.parse(JSON.stringify(exported))).toMatchObject([{ id: 'b', group: [{ id: 'a', local: { text: '1' } }] }]);
  });

  test('an edit of the refused document lets all of it go', async () => {
    const phone = await refused();
    await phone.notes.upsert(note('a', '2', { email: 'a' }));
    scene.forget();
    await phone.engine.deadLetters.edit(keyOf('b'), note('b', 'repaired', { email: 'free' }));
    await synced(phone);
    expect(scene.batches).toEqual([['a=1', 'b=repaired'], ['a=2']]);
    expect(await scene.texts()).toMatchObject({ a: '2', b: 'repaired' });
    expect(await held(phone)).toMatchObject({ a: '2', b: 'repaired' });
    expect(await phone.engine.status()).toMatchObject({ rejected: 0, pending: 0 });
    await expect(phone.engine.deadLetters.edit(keyOf('b'), note('b', 'x'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('an edit of a version that others have followed leaves those on the device, and is checked as a write', async () => {
    const phone = await refused();
    await phone.notes.upsert(note('b', '2', { email: 'mine' }));
    await expect(phone.engine.deadLetters.edit(keyOf('b'), { ...note('b', 'x'), _perigee: 1 })).rejects.toMatchObject({
      code: 'INVALID_DOCUMENT',
    });
    await phone.engine.deadLetters.edit(keyOf('b'), note('b', 'repaired', { email: 'free' }));
    expect(await held(phone)).toMatchObject({ b: '2' });
    scene.forget();
    await synced(phone);
    expect(scene.batches).toEqual([['a=1', 'b=repaired'], ['b=2']]);
  });

  test('tried again it is one, and goes once the remote takes it', async () => {
    const phone = await refused();
    expect(await phone.engine.deadLetters.retry()).toBe(1);
    expect(await synced(phone)).toMatchObject({ rejectedCount: 1 });
    expect(await phone.engine.deadLetters.list()).toMatchObject([{ id: 'b', attempts: 2, group: [{ id: 'a' }] }]);
    await (await scene.remote()).delete('holder', 'ada');
    expect(await phone.engine.deadLetters.retry(keyOf('a'))).toBe(1);
    await synced(phone);
    expect(await scene.texts()).toMatchObject({ a: '1', b: '1' });
  });

  test('given up it goes to the journal whole, and the device has what the remote has', async () => {
    const phone = await refused();
    await phone.engine.deadLetters.discard(keyOf('b'));
    expect(await held(phone)).toEqual({ a: '0', holder: 'h', other: '1' });
    expect((await journal(phone)).toSorted()).toEqual(['a local discarded 1', 'b local discarded 1']);
    expect(await phone.engine.pending()).toEqual([]);
    await synced(phone);
    expect(await held(phone)).toEqual(await scene.texts());
  });

  test('what others wrote while it waited is there after it was given up', async () => {
    const phone = await refused();
    await (await scene.remote()).upsert(note('a', 'theirs', { email: 'a' }));
    await synced(phone);
    expect(await held(phone)).toMatchObject({ a: '1' });
    await phone.engine.deadLetters.discard(keyOf('b'));
    await synced(phone);
    expect(await held(phone)).toMatchObject({ a: 'theirs' });
  });

  test('a transaction that writes a dead letter waits behind it, whole', async () => {
    const phone = await scene.phone();
    await (await scene.remote()).create(note('holder', 'h', { email: 'taken' }));
    await phone.notes.create(note('a', '1', { email: 'taken' }));
    await synced(phone);
    await together(phone, note('a', '2', { email: 'taken' }), note('b', '2', { email: 'b' }));
    await synced(phone);
    expect(await scene.texts()).toEqual({ holder: 'h' });
    expect(await phone.engine.deadLetters.list()).toMatchObject([{ id: 'a', local: { text: '2' }, group: [{ id: 'b' }] }]);
    await phone.engine.deadLetters.edit(keyOf('a'), note('a', '3', { email: 'free' }));
    await synced(phone);
    expect(await scene.texts()).toEqual({ holder: 'h', a: '3', b: '2' });
  });
});
