/** What the remote refuses is a dead letter: counted, kept with its content, tried again on demand, and in nobody's way. */
import { expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { PerigeeError } from '../../../src/core/errors.ts';
import type { DocumentStore } from '../../../src/store/document-store.ts';
import { STORE_LIMITS } from '../../../src/store/limits.ts';
import { contents, synced } from '../world.ts';
import { addressed as note, addressedNotes as notes, UNIQUE, useLine } from './line.ts';

const line = useLine(UNIQUE);

/**
 * A remote that refuses requests with a document named `denied…` in them while `denies` says so: as a whole, without saying which one it is, or by naming the first of them.
 */
const denying =
  (denies: () => boolean, names: boolean = false) =>
  (store: DocumentStore<JsonObject>): DocumentStore<JsonObject> =>
    new Proxy(store, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (name !== 'batch') {
          return typeof value === 'function' ? (value as (...rest: unknown[]) => unknown).bind(target) : value;
        }
        return (...parameters: Parameters<typeof target.batch>) => {
          const denied = parameters[1].findIndex((operation) => JSON.stringify(operation).includes('"id":"denied'));
          if (!denies() || denied === -1) {
            return target.batch(...parameters);
          }
          const error = new PerigeeError('VALIDATION_FAILED', 'The remote does not accept this.');
          if (!names) {
            return Promise.reject(error);
          }
          const others = new PerigeeError('FAILED_DEPENDENCY', 'Another operation was refused.');
          const outcomes = parameters[1].map((_, index) => ({
            ok: false as const,
            error: index === denied ? error : others,
            requestUnits: 0,
          }));
          return Promise.resolve({ committed: false, outcomes, requestUnits: 0, session: undefined });
        };
      },
    });

test('row 7: documents that the remote denies are counted, and sent on demand after it has begun to accept them', async () => {
  let denies = true;
  const phone = await line.device({ wrap: denying(() => denies) });
  const remote = await line.world.remote();
  await phone.notes.create(note('mine', 'denied 1'));
  await phone.notes.create(note('mine', 'denied 2'));
  await phone.notes.create(note('mine', 'fine'));
  await remote.create(note('theirs', 'theirs'));
  // The run ends well, says what was refused, and the cursor moves on.
  expect(await synced(phone)).toMatchObject({ pushed: 1, pulled: 1, rejectedCount: 2 });
  for (let round = 0; round < 3; round += 1) {
    await remote.upsert(note(`theirs ${round}`, 'theirs'));
    expect(await synced(phone)).toMatchObject({ pulled: 1, pushed: 0 });
  }
  const again = await line.restarted(phone, { wrap: denying(() => denies) });
  expect(await again.engine.status()).toMatchObject({ pending: 2, rejected: 2 });
  expect(await again.engine.deadLetters.list()).toMatchObject([
    { code: 'VALIDATION_FAILED', attempts: 1, local: note('mine', 'denied 1'), remote: { state: 'missing' } },
    { code: 'VALIDATION_FAILED', attempts: 1, local: note('mine', 'denied 2'), remote: { state: 'missing' } },
  ]);
  denies = false;
  expect(await again.engine.deadLetters.retry()).toBe(2);
  expect(await synced(again)).toMatchObject({ pushed: 2, rejectedCount: 0 });
  expect(await contents(remote)).toEqual(await contents(again.notes));
  expect(Object.keys(await contents(remote))).toHaveLength(4);
});

test('row 7: refused edits and deletions of documents that the remote has are kept the same way', async () => {
  let denies = false;
  const phone = await line.device({ wrap: denying(() => denies) });
  await phone.notes.create(note('first', 'denied edit'));
  await phone.notes.create(note('first', 'denied deletion'));
  await synced(phone);
  denies = true;
  await phone.notes.replace(note('second', 'denied edit'));
  await phone.notes.delete('denied deletion', 'ada');
  expect(await synced(phone)).toMatchObject({ rejectedCount: 2 });
  await phone.engine.reconcile();
  expect(await contents(phone.notes)).toEqual({ 'denied edit': note('second', 'denied edit') });
  expect((await phone.engine.status()).rejected).toBe(2);
  denies = false;
  await phone.engine.deadLetters.retry();
  expect(await synced(phone)).toMatchObject({ pushed: 2 });
  expect(await contents(await line.world.remote())).toEqual({ 'denied edit': note('second', 'denied edit') });
});

test('row 25: one document that the remote refuses does not hold back the others, nor what is written after it', async () => {
  const phone = await line.device();
  await phone.notes.create(note('x'.repeat(STORE_LIMITS.documentBytes - 60), 'large'));
  await phone.notes.bulk(notes(130).map((document) => ({ type: 'create', document })));
  expect(await synced(phone)).toMatchObject({ pushed: 130, rejected: [{ id: 'large', code: 'TOO_LARGE' }] });
  for (let round = 0; round < 3; round += 1) {
    await phone.notes.create(note('later', `later ${round}`, `later ${round}`));
    expect(await synced(phone)).toMatchObject({ pushed: 1, rejectedCount: 0 });
  }
  expect(Object.keys(await contents(await line.world.remote()))).toHaveLength(133);
  expect(await phone.engine.pending()).toMatchObject([{ id: 'large', attempts: 1 }]);
});

test('row 25: documents for which whole requests are refused are found among 300, and only they wait', async () => {
  const phone = await line.device({ wrap: denying(() => true) });
  const denied = [3, 99, 150, 151, 299].map((place) => `denied ${place}`);
  const documents = notes(300).map((one, index) => (denied.includes(`denied ${index}`) ? { ...one, id: `denied ${index}` } : one));
  await phone.notes.bulk(documents.map((document) => ({ type: 'create', document })));
  expect(await synced(phone)).toMatchObject({ pushed: 295, rejectedCount: 5 });
  expect((await phone.engine.deadLetters.list()).map(({ id }) => id).toSorted()).toEqual(denied.toSorted());
});

test('row 12: many operations of one batch that are refused by name, one after the other, drop none of those between them', async () => {
  const phone = await line.device({ wrap: denying(() => true, true) });
  const documents = notes(200).map((one, index) => (index % 10 === 5 ? { ...one, id: `denied ${index}` } : one));
  await phone.notes.bulk(documents.map((document) => ({ type: 'create', document })));
  expect(await synced(phone)).toMatchObject({ pushed: 180, rejectedCount: 20 });
  expect(Object.keys(await contents(await line.world.remote()))).toHaveLength(180);
  expect(
    (await phone.engine.pending()).every(({ id, rejected }) => id.startsWith('denied') && rejected?.code === 'VALIDATION_FAILED'),
  ).toBe(true);
});

test('row 25: a user with several partition keys and containers is stuck in none of them by a document in one', async () => {
  await line.world.cloud.createContainer('app', { id: 'tasks', partitionKey: '/owner', defaultTtl: -1 });
  const phone = await line.device({
    scope: [
      { container: 'notes', partitionKey: 'ada' },
      { container: 'notes', partitionKey: 'team' },
      { container: 'tasks', partitionKey: 'ada' },
    ],
    wrap: denying(() => true),
  });
  await phone.notes.create(note('refused', 'denied'));
  await phone.notes.create({ ...note('fine'), owner: 'team' });
  await phone.engine.store('tasks').create({ id: 'fine', owner: 'ada' });
  await (await line.world.remote('tasks')).create({ id: 'theirs', owner: 'ada' });
  expect(await synced(phone)).toMatchObject({ pushed: 2, pulled: 1, rejected: [{ id: 'denied', container: 'notes' }] });
});

test('row 28: conflicts are resolved without any resolver being configured, and none fails for good', async () => {
  const [phone, laptop] = [await line.device(), await line.device()];
  await phone.notes.bulk(notes(30).map((document) => ({ type: 'create', document })));
  await synced(phone);
  await synced(laptop);
  for (const device of [laptop, phone]) {
    await line.world.pass(1000);
    for (let index = 0; index < 30; index += 1) {
      await device.notes.patch(`n${index}`, 'ada', [{ op: 'set', path: '/text', value: device.name }]);
    }
  }
  await synced(laptop);
  expect(await synced(phone)).toMatchObject({ conflictCount: 30, rejectedCount: 0 });
  await synced(laptop);
  const held = await contents(phone.notes);
  expect(Object.values(held).every((document) => document['text'] === phone.name)).toBe(true);
  expect(await contents(laptop.notes)).toEqual(held);
  expect(await contents(await line.world.remote())).toEqual(held);
  expect([...(await phone.engine.pending()), ...(await laptop.engine.pending())]).toEqual([]);
  expect(await phone.engine.journal()).toHaveLength(30);
});
