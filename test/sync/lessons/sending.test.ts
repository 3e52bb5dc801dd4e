/** What counts as sent: only what the remote acknowledged, each document for itself and each version for itself. */
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import type { DocumentStore } from '../../../src/store/document-store.ts';
import { fault } from '../faulty-store.ts';
import { contents, synced, type Note } from '../world.ts';
import { addressed as note, addressedNotes as notes, rowsOf, UNIQUE, useLine } from './line.ts';

const line = useLine(UNIQUE);
const SCHEDULE = { intervalMs: 60_000, minBackoffMs: 1000, maxBackoffMs: 60_000, jitter: 0 };

describe.each(['before', 'after'] as const)('a push that fails %s the remote carried it out', (when) => {
  test.each(['stop', 'close', 'abort'] as const)('row 9: a pause during a failing push marks nothing as sent: %s', async (pause) => {
    const phone = await line.device();
    await phone.notes.bulk(notes(120).map((document) => ({ type: 'create', document })));
    const controller = new AbortController();
    let closing: Promise<void> | undefined;
    line.plan = (request) => {
      if (request !== 'batch') {
        return undefined;
      }
      if (pause === 'stop') {
        phone.engine.stop();
      } else if (pause === 'close') {
        closing = phone.engine.close();
      } else {
        controller.abort(new Error('The user has left.'));
      }
      return fault('CONNECTION_LOST', when);
    };
    if (pause === 'stop') {
      phone.engine.start(SCHEDULE);
      await line.world.pass(600_000);
    } else {
      await phone.engine.sync({ signal: controller.signal }).catch(() => undefined);
    }
    await closing;
    expect(await rowsOf(phone, 'SELECT id FROM sync_outbox')).toHaveLength(120);
    line.plan = () => undefined;
    const again = await line.restarted(phone);
    expect(await synced(again)).toMatchObject({ pushed: 120, conflictCount: 0 });
    expect(await contents(await line.world.remote())).toEqual(await contents(again.notes));
  });

  test('row 12: when the line breaks in the second of three batches, what was acknowledged is done and the rest is sent', async () => {
    const phone = await line.device();
    await phone.notes.bulk(notes(250).map((document) => ({ type: 'create', document })));
    let batches = 0;
    line.plan = (request) => {
      batches += request === 'batch' ? 1 : 0;
      return batches === 2 ? fault('CONNECTION_LOST', when) : undefined;
    };
    expect(await phone.engine.sync()).toMatchObject({ outcome: 'failed', pushed: 99 });
    expect(await rowsOf(phone, 'SELECT id FROM sync_outbox')).toHaveLength(151);
    line.plan = () => undefined;
    expect(await synced(phone)).toMatchObject({ pushed: 151, conflictCount: 0 });
    expect(Object.keys(await contents(await line.world.remote()))).toHaveLength(250);
  });

  test('row 21: a create that failed and an update after it leave the updated document', async () => {
    const phone = await line.device();
    await phone.notes.create(note('created'));
    line.plan = (request) => (request === 'batch' ? fault('UNAVAILABLE', when) : undefined);
    await phone.engine.sync();
    await phone.notes.patch('1', 'ada', [{ op: 'set', path: '/text', value: 'updated' }]);
    line.plan = () => undefined;
    expect(await synced(phone)).toMatchObject({ conflictCount: 0 });
    expect(await contents(await line.world.remote())).toEqual({ 1: note('updated') });
    expect(await phone.engine.pending()).toEqual([]);
  });
});

test.each([0, 57, 99, 100, 101, 199, 249])(
  'row 12: a document refused at place %i of 250 keeps none of the others from being sent',
  async (place) => {
    await (await line.world.remote()).create(note('holder', 'holder', 'taken'));
    const phone = await line.device();
    const documents = notes(250).map((one, index) => ({ ...one, email: index === place ? 'taken' : `${index}` }));
    await phone.notes.bulk(documents.map((document) => ({ type: 'create', document })));
    expect(await synced(phone)).toMatchObject({ pushed: 249, rejected: [{ id: `n${place}` }] });
    expect(Object.keys(await contents(await line.world.remote()))).toHaveLength(250);
    expect(await phone.engine.pending()).toMatchObject([{ id: `n${place}` }]);
  },
);

test('row 12: refused documents at many places of many batches cost only themselves', async () => {
  const places = new Set([0, 1, 50, 98, 99, 100, 150, 151, 248, 249]);
  const remote = await line.world.remote();
  for (const place of places) {
    await remote.create(note('holder', `holder ${place}`, `${place}`));
  }
  const phone = await line.device();
  await phone.notes.bulk(notes(250).map((one, index) => ({ type: 'create', document: { ...one, email: `${index}` } })));
  expect(await synced(phone)).toMatchObject({ pushed: 240, rejectedCount: 10 });
  expect((await phone.engine.pending()).map(({ id }) => id).toSorted()).toEqual([...places].map((place) => `n${place}`).toSorted());
});

/** Each way to write, on a document `1` that is there and one `2` that is not. */
const WRITES: readonly [string, (store: DocumentStore<Note>) => Promise<unknown>, Record<string, JsonObject>][] = [
  ['create', (store) => store.create(note('new', '2')), { 1: note('old') as JsonObject, 2: note('new', '2') as JsonObject }],
  ['upsert', (store) => store.upsert(note('new')), { 1: note('new') as JsonObject }],
  ['replace', (store) => store.replace(note('new')), { 1: note('new') as JsonObject }],
  ['patch', (store) => store.patch('1', 'ada', [{ op: 'set', path: '/text', value: 'new' }]), { 1: note('new') as JsonObject }],
  ['delete', (store) => store.delete('1', 'ada'), {}],
  ['batch', (store) => store.batch('ada', [{ type: 'upsert', document: note('new') }]), { 1: note('new') as JsonObject }],
  ['bulk', (store) => store.bulk([{ type: 'upsert', document: note('new') }]), { 1: note('new') as JsonObject }],
  ['transact', (store) => store.transact('ada', (transaction) => transaction.replace(note('new'))), { 1: note('new') as JsonObject }],
];

test.each(WRITES)(
  'row 17: what %s resolved is on the disk with its pending row when the process ends right then',
  async (_name, write, expected) => {
    const phone = await line.device();
    await phone.notes.create(note('old'));
    await synced(phone);
    let copy = '';
    await write(phone.notes).then(() => {
      copy = line.copied(phone);
    });
    const again = await line.device({ path: copy });
    expect(await contents(again.notes)).toEqual(expected);
    expect((await again.engine.status()).pending).toBe(1);
    await synced(again);
    expect(await contents(await line.world.remote())).toEqual(expected);
  },
);

test('row 18: the success of a second document does not clear the failed first', async () => {
  await (await line.world.remote()).create(note('holder', 'holder', 'taken'));
  const phone = await line.device();
  await phone.notes.create(note('first', 'first', 'taken'));
  await synced(phone);
  await phone.notes.create(note('second', 'second', 'free'));
  expect(await synced(phone)).toMatchObject({ pushed: 1 });
  expect(await phone.engine.pending()).toMatchObject([{ id: 'first', rejected: { code: 'CONFLICT' } }]);
  expect(await contents(phone.notes)).toMatchObject({ first: note('first', 'first', 'taken') });
  await (await line.world.remote()).delete('holder', 'ada');
  await phone.engine.deadLetters.retry();
  expect(await synced(phone)).toMatchObject({ pushed: 1 });
  expect(Object.keys(await contents(await line.world.remote()))).toEqual(['first', 'second']);
});

test('row 18: of two documents that are pending together, each goes by its own acknowledgement', async () => {
  const phone = await line.device();
  await phone.notes.create(note('first', 'first'));
  line.plan = (request) => (request === 'batch' ? fault('TIMEOUT') : undefined);
  await phone.engine.sync();
  await phone.notes.create(note('second', 'second'));
  let batches = 0;
  line.plan = async (request) => {
    batches += request === 'batch' ? 1 : 0;
    if (request === 'batch' && batches === 1) {
      await phone.notes.replace(note('first, edited', 'first'));
      await phone.notes.create(note('third', 'third'));
    } else if (request === 'batch') {
      return fault('CONNECTION_LOST');
    }
    return undefined;
  };
  await phone.engine.sync();
  expect((await phone.engine.pending()).map(({ id }) => id)).toEqual(['first', 'third']);
  line.plan = () => undefined;
  await synced(phone);
  expect(await contents(await line.world.remote())).toEqual({
    first: note('first, edited', 'first'),
    second: note('second', 'second'),
    third: note('third', 'third'),
  });
});

test.each([
  ['created', false],
  ['replaced', true],
])('row 21: an edit while the request that %s the document is in flight is sent as well, and is no conflict', async (_name, known) => {
  const phone = await line.device();
  if (known) {
    await phone.notes.create(note('zero'));
    await synced(phone);
  }
  await phone.notes.upsert(note('first'));
  let edits = 0;
  line.plan = async (request) => {
    if (request === 'batch' && edits < 2) {
      edits += 1;
      await phone.notes.replace(note(`edit ${edits}`));
    }
    return undefined;
  };
  for (let round = 0; round < 3; round += 1) {
    expect(await synced(phone)).toMatchObject({ conflictCount: 0 });
  }
  expect(edits).toBe(2);
  expect(await contents(await line.world.remote())).toEqual({ 1: note('edit 2') });
  expect(await contents(phone.notes)).toEqual({ 1: note('edit 2') });
  expect(await phone.engine.pending()).toEqual([]);
});

test('row 21: a deletion while the creation is in flight deletes at the remote', async () => {
  const phone = await line.device();
  await phone.notes.create(note('short'));
  let deleted = false;
  line.plan = async (request) => {
    if (request === 'batch' && !deleted) {
      deleted = true;
      await phone.notes.delete('1', 'ada');
    }
    return undefined;
  };
  await synced(phone);
  await synced(phone);
  expect(await contents(await line.world.remote())).toEqual({});
  expect(await contents(phone.notes)).toEqual({});
  expect(await phone.engine.pending()).toEqual([]);
});
