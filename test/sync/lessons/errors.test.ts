/** What an error may do to pending work: it is told apart by its code, and being out of reach costs nothing. */
import { expect, test } from 'vitest';
import type { ErrorCode } from '../../../src/core/error-codes.ts';
import { PerigeeError } from '../../../src/core/errors.ts';
import { SyncEngine } from '../../../src/sync/index.ts';
import { fault } from '../faulty-store.ts';
import { contents, NOTES, synced } from '../world.ts';
import { note, notes, useLine } from './line.ts';

const line = useLine();
const SCHEDULE = { intervalMs: 60_000, minBackoffMs: 1000, maxBackoffMs: 60_000, jitter: 0 };

test.each<[string, ErrorCode]>([
  ['HTTP 401 token expired', 'TOKEN_EXPIRED'],
  ['401 Unauthorized', 'UNAUTHORIZED'],
  ['403 Forbidden by the gateway', 'FORBIDDEN'],
  ['Request timed out after 4000ms', 'TIMEOUT'],
  ['lock wait 14220 ms exceeded', 'UNAVAILABLE'],
  ['socket 4220:400 was reset', 'CONNECTION_LOST'],
  ['getaddrinfo ENOTFOUND node-422.example.org', 'UNREACHABLE'],
  ['400 requests per second at most', 'THROTTLED'],
  ['500 because of 400', 'INTERNAL'],
  ['422 in the answer', 'BAD_RESPONSE'],
])('row 1: a write is kept whatever digits are in the error text: %s (%s)', async (text, code) => {
  const phone = await line.device();
  await phone.notes.create(note('kept'));
  line.plan = () => ({ when: 'before', error: new PerigeeError(code, text) });
  expect(await phone.engine.sync()).toMatchObject({ outcome: 'failed', rejectedCount: 0, error: { code } });
  const again = await line.restarted(phone);
  await again.engine.sync();
  expect(await again.engine.pending()).toMatchObject([{ id: '1', attempts: 0, rejected: undefined }]);
  line.plan = () => undefined;
  expect(await synced(again)).toMatchObject({ pushed: 1 });
  expect(await contents(await line.world.remote())).toEqual({ 1: note('kept') });
});

test('row 1: a refusal is known by its code as well, however harmless its text, and even then the write is kept', async () => {
  const phone = await line.device();
  await phone.notes.create(note('refused'));
  line.plan = (request) => (request === 'batch' ? { when: 'before', error: new PerigeeError('TOO_LARGE', '200 OK') } : undefined);
  expect(await phone.engine.sync()).toMatchObject({ outcome: 'complete', rejected: [{ id: '1', code: 'TOO_LARGE' }] });
  expect(await phone.engine.deadLetters.list()).toMatchObject([{ local: note('refused'), code: 'TOO_LARGE' }]);
});

test('row 3: attempts do not count while nobody can be reached', async () => {
  const phone = await line.device();
  await phone.notes.create(note('kept'));
  await phone.notes.create(note('kept too', '2'));
  let attempts = 0;
  line.plan = (request) => {
    attempts += request === 'batch' ? 1 : 0;
    return fault('UNREACHABLE');
  };
  phone.engine.start(SCHEDULE);
  await line.world.pass(3 * 3_600_000);
  expect(attempts).toBeGreaterThan(150);
  expect(await phone.engine.status()).toMatchObject({ state: 'offline', pending: 2, rejected: 0 });
  expect(await phone.engine.pending()).toMatchObject([{ attempts: 0 }, { attempts: 0 }]);
  line.plan = () => undefined;
  await line.world.pass(60_000);
  expect(await phone.engine.status()).toMatchObject({ state: 'idle', pending: 0 });
  expect(await contents(await line.world.remote())).toEqual({ 1: note('kept'), 2: note('kept too', '2') });
});

test('row 14: what failed is sent after a reconnection without any new local write', async () => {
  const phone = await line.device();
  await phone.notes.create(note('kept'));
  line.plan = () => fault('CONNECTION_LOST');
  phone.engine.start(SCHEDULE);
  await line.world.pass(600_000);
  expect((await phone.engine.status()).pending).toBe(1);
  line.plan = () => undefined;
  await line.world.pass(60_000);
  expect((await phone.engine.status()).pending).toBe(0);
  expect(await contents(await line.world.remote())).toEqual({ 1: note('kept') });
});

test('row 14: what an earlier run of the application left is sent after a restart without any new local write', async () => {
  const phone = await line.device();
  await phone.notes.create(note('kept'));
  line.plan = () => fault('TIMEOUT');
  phone.engine.start(SCHEDULE);
  await line.world.pass(10_000);
  const again = await line.restarted(phone);
  again.engine.start(SCHEDULE);
  await line.world.pass(10_000);
  expect((await again.engine.status()).pending).toBe(1);
  line.plan = () => undefined;
  await line.world.pass(60_000);
  expect((await again.engine.status()).pending).toBe(0);
  expect(await contents(await line.world.remote())).toEqual({ 1: note('kept') });
});

test('row 14: a write made between a failure and its retry neither delays the retry nor is left behind', async () => {
  const phone = await line.device();
  await phone.notes.create(note('first'));
  line.plan = () => fault('UNREACHABLE');
  phone.engine.start({ ...SCHEDULE, minBackoffMs: 10_000 });
  await line.world.pass(5000);
  line.plan = () => undefined;
  await phone.notes.create(note('second', '2'));
  await line.world.pass(6000);
  expect((await phone.engine.status()).pending).toBe(0);
});

test.each<ErrorCode>(['UNAUTHORIZED', 'TOKEN_EXPIRED'])(
  'row 20: while nobody is signed in (%s) nothing is dropped, and signing in sends everything',
  async (code) => {
    const phone = await line.device();
    await phone.notes.create(note('first'));
    await synced(phone);
    await phone.notes.replace(note('edited'));
    await phone.notes.bulk(notes(20).map((document) => ({ type: 'create', document })));
    await phone.notes.delete('n3', 'ada');
    line.plan = () => fault(code);
    phone.engine.start(SCHEDULE);
    await line.world.pass(3_600_000);
    expect(await phone.engine.status()).toMatchObject({ state: 'auth', pending: 20, rejected: 0 });
    await phone.notes.create(note('written meanwhile', 'late'));
    line.plan = () => undefined;
    await line.world.pass(60_000);
    expect(await phone.engine.status()).toMatchObject({ state: 'idle', pending: 0 });
    const remote = await contents(await line.world.remote());
    expect(Object.keys(remote)).toHaveLength(21);
    expect(remote).toMatchObject({ 1: note('edited'), late: note('written meanwhile', 'late') });
  },
);

test('row 20: a credential that cannot be had when the remote is opened drops nothing either', async () => {
  let signedIn = false;
  const phone = await line.device({
    containers: [NOTES],
    remote: (container) => {
      if (!signedIn) {
        throw new PerigeeError('UNAUTHORIZED', 'Nobody is signed in.');
      }
      return line.world.cloud.container('app', container);
    },
  });
  await phone.notes.create(note('kept'));
  expect(await phone.engine.sync()).toMatchObject({ outcome: 'failed', error: { code: 'UNAUTHORIZED' } });
  expect(await phone.engine.status()).toMatchObject({ state: 'auth', pending: 1, rejected: 0 });
  signedIn = true;
  expect(await synced(phone)).toMatchObject({ pushed: 1 });
});

test('row 20: signing out keeps what is pending for its user, and shows and sends it to nobody else', async () => {
  const phone = await line.device();
  await phone.notes.create(note('of ada'));
  line.plan = () => fault('UNAUTHORIZED');
  await phone.engine.sync();
  await phone.engine.close();
  const other = SyncEngine.open({
    backend: phone.backend,
    user: 'bob',
    scope: [{ container: 'notes', partitionKey: 'ada' }],
    remote: (container) => line.world.cloud.container('app', container),
  });
  await expect(other).rejects.toMatchObject({ code: 'SYNC_SCOPE' });
  expect(await contents(await line.world.remote())).toEqual({});
  line.plan = () => undefined;
  const again = await line.restarted(phone);
  expect(await synced(again)).toMatchObject({ pushed: 1 });
});

test('row 24: the age of the oldest pending write grows while nothing is sent, and is an alarm that goes off by itself', async () => {
  const phone = await line.device();
  expect((await phone.engine.status()).oldestPendingAgeMs).toBeUndefined();
  line.plan = (request) => (request === 'batch' ? fault('UNAVAILABLE') : undefined);
  phone.engine.start(SCHEDULE);
  await phone.notes.create(note('old'));
  await line.world.pass(3_600_000);
  await phone.notes.create(note('new', '2'));
  await phone.notes.replace(note('old, edited'));
  await line.world.pass(5 * 3_600_000);
  // Later writes, of other documents or of the same, do not make the oldest look young.
  expect(await phone.engine.status()).toMatchObject({ pending: 2, oldestPendingAgeMs: 6 * 3_600_000 });
  const again = await line.restarted(phone);
  expect(await again.engine.status()).toMatchObject({ pending: 2, oldestPendingAgeMs: 6 * 3_600_000 });
  line.plan = () => undefined;
  await synced(again);
  expect((await again.engine.status()).oldestPendingAgeMs).toBeUndefined();
});

test('row 24: a write that was refused keeps the alarm on until somebody decides', async () => {
  const phone = await line.device();
  await phone.notes.create(note('refused'));
  line.plan = (request) => (request === 'batch' ? fault('TOO_LARGE') : undefined);
  await phone.engine.sync();
  await line.world.pass(60_000);
  expect(await phone.engine.status()).toMatchObject({ state: 'idle', rejected: 1, oldestPendingAgeMs: 60_000 });
  await phone.engine.deadLetters.discard({ container: 'notes', partitionKey: 'ada', id: '1' });
  expect((await phone.engine.status()).oldestPendingAgeMs).toBeUndefined();
});
