/** Pending work is data of single documents: it outlives restarts, updates, refusals and edits made while it is under way. */
import { expect, test } from 'vitest';
import { run } from '../../../src/stores/sqlite/driver.ts';
import type { SqliteBackend } from '../../../src/stores/sqlite/index.ts';
import { mergeFields, SyncEngine } from '../../../src/sync/index.ts';
import { fault } from '../faulty-store.ts';
import { contents, synced, type Device, type Note } from '../world.ts';
import { note, rowsOf, useLine } from './line.ts';

const line = useLine();
const KEY = { container: 'notes', partitionKey: 'ada' };

const exec = (backend: SqliteBackend, sql: string): Promise<unknown> => backend.database.write(() => run(sql));

/** Leaves three pending writes, the first two of a kind that this version does not know. */
async function unknownKinds(): Promise<Device> {
  const phone = await line.device();
  await phone.notes.create(note('known to both', 'old'));
  await synced(phone);
  await phone.notes.replace(note('of another version', 'old'));
  await phone.notes.create(note('of another version', 'new'));
  await phone.notes.create(note('fine', 'fine'));
  await exec(phone.backend, "UPDATE sync_outbox SET kind = 'append' WHERE id <> 'fine'");
  return line.restarted(phone);
}

test('row 2: a pending write of a kind that this version does not know is parked with a code, over restarts, and holds nobody back', async () => {
  const phone = await unknownKinds();
  expect(await synced(phone)).toMatchObject({ pushed: 1, rejectedCount: 0 });
  expect((await phone.engine.status()).warnings.join()).toContain('kind that this version does not know');
  const again = await line.restarted(phone);
  await synced(again);
  expect(await again.engine.status()).toMatchObject({ pending: 2, rejected: 2 });
  expect(await again.engine.deadLetters.list()).toMatchObject([
    { code: 'NOT_SUPPORTED', id: 'new', local: note('of another version', 'new') },
    { code: 'NOT_SUPPORTED', id: 'old', local: note('of another version', 'old'), remote: { state: 'present' } },
  ]);
  expect(await contents(await line.world.remote())).toEqual({
    fine: note('fine', 'fine'),
    old: note('known to both', 'old'),
  });
});

test('row 2: one whose document is not on the device is not taken for a deletion, nor for nothing', async () => {
  const phone = await line.device();
  await phone.notes.create(note('known to both', 'old'));
  await synced(phone);
  await phone.notes.delete('old', 'ada');
  await exec(phone.backend, "UPDATE sync_outbox SET kind = 'append'");
  await exec(
    phone.backend,
    "INSERT INTO sync_outbox (scope, id, kind, generation, stamp, created_at_ms) VALUES (1, 'ghost', 'append', 1, '', 0)",
  );
  const again = await line.restarted(phone);
  await synced(again);
  await again.engine.deadLetters.retry();
  await again.engine.forcePushAll();
  await synced(again);
  expect(await again.engine.pending()).toMatchObject([{ id: 'ghost' }, { id: 'old' }]);
  expect(await contents(await line.world.remote())).toEqual({ old: note('known to both', 'old') });
});

test('row 2: what is parked cannot be retried unseen; edited, it is sent, and the version that knows it finds it untouched', async () => {
  const phone = await unknownKinds();
  await synced(phone);
  expect(await phone.engine.deadLetters.retry()).toBe(0);
  expect(await phone.engine.deadLetters.retry({ ...KEY, id: 'new' })).toBe(0);
  expect(await rowsOf(phone, "SELECT kind FROM sync_outbox WHERE id = 'old'")).toEqual([{ kind: 'append' }]);
  await phone.engine.deadLetters.edit({ ...KEY, id: 'old' }, note('repaired', 'old'));
  await phone.engine.deadLetters.discard({ ...KEY, id: 'new' });
  expect(await synced(phone)).toMatchObject({ pushed: 1 });
  expect(await phone.engine.pending()).toEqual([]);
  expect(await contents(await line.world.remote())).toMatchObject({ old: note('repaired', 'old') });
  expect(await phone.engine.journal()).toMatchObject([{ reason: 'discarded', document: note('of another version', 'new') }]);
});

test('row 2: a file that a newer version has written is refused, and its outbox is left as it is', async () => {
  const phone = await line.device();
  await phone.notes.create(note('kept'));
  await phone.engine.close();
  await exec(phone.backend, "UPDATE components SET version = version + 1 WHERE name = 'sync'");
  const before = await rowsOf(phone, 'SELECT * FROM sync_outbox');
  const opened = SyncEngine.open({
    backend: phone.backend,
    user: 'ada',
    scope: [{ container: 'notes', partitionKey: 'ada' }],
    remote: (container) => line.world.cloud.container('app', container),
  });
  await expect(opened).rejects.toMatchObject({ code: 'STORE_TOO_NEW' });
  expect(await rowsOf(phone, 'SELECT * FROM sync_outbox')).toEqual(before);
  await exec(phone.backend, "UPDATE components SET version = version - 1 WHERE name = 'sync'");
  expect(await synced(await line.restarted(phone))).toMatchObject({ pushed: 1 });
});

/** Documents with every kind of value that JSON has. */
const VALUES: Note[] = [
  note('', 'empty', { a: '', b: [], c: {}, d: null, e: false, f: 0 }),
  note('deep', 'deep', { a: { b: { c: [1, [2, [3, { d: 'é😀\u0000"\\' }]]] } } }),
  note('numbers', 'numbers', { a: -0.5, b: 1e21, c: 5e-324, d: 9007199254740991, e: 1.7976931348623157e308 }),
  note('names', 'names', { 'with space': 1, ключ: 2, '/a~b': 3, ttl: 1000 }),
];

test.each([
  ['by default', undefined],
  ['where a policy merges', mergeFields()],
] as const)(
  'row 4: every persisted field of pending work survives a restart, and what is sent is the whole document: %s',
  async (_name, policy) => {
    const options = policy === undefined ? {} : { policy };
    const phone = await line.device(options);
    await phone.notes.bulk(
      [...VALUES, note('to be deleted', 'gone'), note('to be patched', 'patched')].map((document) => ({ type: 'create', document })),
    );
    await synced(phone);
    for (const value of VALUES) {
      await phone.notes.replace({ ...value, edited: value });
    }
    await phone.notes.create(note('new', 'new', { changes: { a: 1 } }));
    await phone.notes.patch('patched', 'ada', [{ op: 'set', path: '/changes', value: { b: [2] } }]);
    await phone.notes.delete('gone', 'ada');
    line.plan = (request) => (request === 'batch' ? fault('CONNECTION_LOST') : undefined);
    await phone.engine.sync();
    await phone.notes.create(note('unsent', 'unsent'));
    await exec(
      phone.backend,
      "UPDATE sync_outbox SET rejected_code = 'TOO_LARGE', rejected_message = 'é', rejected_at_ms = 7, first_rejected_at_ms = 5, attempts = 3 WHERE id = 'deep'",
    );
    const before = await tables(phone);
    const sent = await rowsOf(phone, SENT);
    const pending = await phone.engine.pending();
    const letters = await phone.engine.deadLetters.list();
    const again = await line.restarted(phone, options);
    expect(await tables(again)).toEqual(before);
    expect(await again.engine.pending()).toEqual(pending);
    expect(await again.engine.deadLetters.list()).toEqual(letters);
    // Opening notes that further writes may be under way; of those that were noted none goes.
    const sentAfter = await rowsOf(again, SENT);
    for (const [index, { id, sent: names, sent_bodies: bodies }] of sent.entries()) {
      const after = sentAfter[index] as (typeof sent)[number];
      expect(after['id']).toBe(id);
      expect(namesIn(after['sent'])).toEqual(expect.arrayContaining(namesIn(names)));
      expect(bodiesIn(after['sent_bodies'])).toMatchObject(bodiesIn(bodies));
    }
    expect(sent.filter((row) => row['sent'] !== null)).toHaveLength(7);
    line.plan = () => undefined;
    await again.engine.deadLetters.retry();
    expect(await synced(again)).toMatchObject({ pushed: 8, conflictCount: 0 });
    const remote = await contents(await line.world.remote());
    expect(remote).toEqual(await contents(again.notes));
    expect(remote).toEqual({
      ...Object.fromEntries(VALUES.map((value) => [value.id, { ...value, edited: value }])),
      new: note('new', 'new', { changes: { a: 1 } }),
      patched: note('to be patched', 'patched', { changes: { b: [2] } }),
      unsent: note('unsent', 'unsent'),
    });
  },
);

const namesIn = (sent: unknown): string[] => (typeof sent === 'string' ? sent.split(' ') : []);
const bodiesIn = (bodies: unknown): object => (typeof bodies === 'string' ? (JSON.parse(bodies) as object) : {});
const SENT = 'SELECT id, sent, sent_bodies FROM sync_outbox ORDER BY id';

/** All else that is kept of pending work and of what the remote is known to hold. */
async function tables(device: Device): Promise<unknown> {
  const outbox = await rowsOf(device, 'SELECT * FROM sync_outbox ORDER BY id');
  return {
    outbox: outbox.map((row) => ({ ...row, sent: undefined, sent_bodies: undefined })),
    base: await rowsOf(device, 'SELECT * FROM sync_base ORDER BY id'),
    scope: await rowsOf(device, 'SELECT * FROM sync_scope'),
    journal: await rowsOf(device, 'SELECT * FROM sync_journal'),
  };
}
