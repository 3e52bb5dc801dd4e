/** The cursor is never ahead of the data, and what the remote forgets costs no pending work. */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../../src/core/error-codes.ts';
import { openSqliteBackend, type SqliteBackend } from '../../../src/stores/sqlite/index.ts';
import type { SyncPoint } from '../../../src/sync/index.ts';
import { fault } from '../faulty-store.ts';
import { contents, NOTES, synced, type Device, type DeviceOptions, type Note } from '../world.ts';
import { emptied, note, notes, rowsOf, useLine } from './line.ts';

const line = useLine();

async function fill(count: number): Promise<void> {
  await (await line.world.remote()).bulk(notes(count).map((document) => ({ type: 'create', document })));
}

test('row 5: a patch of a document that the device never saw makes no ghost, neither here nor there', async () => {
  await (await line.world.remote()).create(note('theirs', 'unseen'));
  const phone = await line.device();
  const set = { op: 'set', path: '/text', value: 'patched' } as const;
  await expect(phone.notes.patch('unseen', 'ada', [set])).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(phone.notes.replace(note('replaced', 'unseen'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect(await phone.notes.batch('ada', [{ type: 'patch', id: 'unseen', operations: [set] }])).toMatchObject({ committed: false });
  const { outcomes } = await phone.notes.bulk([{ type: 'patch', id: 'unseen', partitionKey: 'ada', operations: [set] }]);
  expect(outcomes).toMatchObject([{ ok: false, error: { code: 'NOT_FOUND' } }]);
  expect(await phone.engine.pending()).toEqual([]);
  expect(await contents(phone.notes)).toEqual({});
  await synced(phone);
  expect(await contents(phone.notes)).toEqual({ unseen: note('theirs', 'unseen') });
});

test('row 5: a patch of a document that was deleted elsewhere does not bring a part of it back', async () => {
  const phone = await line.device();
  await phone.notes.create(note('whole', '1', { more: 1 }));
  await synced(phone);
  await (await line.world.remote()).delete('1', 'ada');
  await phone.notes.patch('1', 'ada', [{ op: 'set', path: '/text', value: 'patched' }]);
  await synced(phone);
  expect(await contents(await line.world.remote())).toEqual({});
  expect(await contents(phone.notes)).toEqual({});
  expect(await phone.engine.journal()).toMatchObject([{ reason: 'remote-deleted', document: note('patched', '1', { more: 1 }) }]);
});

/** Documents on the device are those up to its cursor, no more and no fewer: what the feed still has makes them complete, and nothing comes twice. */
async function expectCursorInStep(copy: string, total: number): Promise<number> {
  const device = await line.device({ path: copy, pageItems: 10 });
  const held = Object.keys(await contents(device.notes)).length;
  const [scope] = await rowsOf(device, 'SELECT cursor, loaded FROM sync_scope');
  expect(scope?.['cursor'] === null).toBe(held === 0);
  expect(scope?.['loaded']).toBe(held);
  expect(await synced(device)).toMatchObject({ pulled: total - held });
  expect(await contents(device.notes)).toEqual(await contents(await line.world.remote()));
  await device.engine.close();
  return held;
}

test.each<SyncPoint>(['between-page-and-cursor', 'before-local-commit', 'after-local-commit', 'in-checkpoint'])(
  'row 6: a process that ends in a pull, %s, finds documents and cursor in step',
  async (at) => {
    await fill(35);
    const copies: string[] = [];
    const phone: Device = await line.device({ pageItems: 10, probe: (point) => void (point === at && copies.push(line.copied(phone))) });
    await synced(phone);
    expect(copies).toHaveLength(at === 'in-checkpoint' ? 1 : 4);
    const held: number[] = [];
    for (const copy of copies) {
      held.push(await expectCursorInStep(copy, 35));
    }
    expect(held).toEqual(at === 'in-checkpoint' ? [35] : at === 'after-local-commit' ? [10, 20, 30, 35] : [0, 10, 20, 30]);
  },
);

test('row 5: a page that could not be stored moves no cursor', async () => {
  await fill(30);
  let pages = 0;
  const phone = await line.device({
    pageItems: 10,
    probe: (point) => {
      pages += point === 'between-page-and-cursor' ? 1 : 0;
      if (point === 'between-page-and-cursor' && pages === 2) {
        throw new Error('The disk is gone.');
      }
    },
  });
  await expect(phone.engine.sync()).rejects.toThrow('The disk is gone.');
  expect(Object.keys(await contents(phone.notes))).toHaveLength(10);
  expect(await synced(phone)).toMatchObject({ pulled: 20 });
  expect(await contents(phone.notes)).toEqual(await contents(await line.world.remote()));
});

describe('a remote that forgets', () => {
  /** A device with a synchronised document of each kind of pending work: edited, deleted and new. */
  async function withPending(): Promise<Device> {
    const phone = await line.device();
    await fill(20);
    await phone.notes.create(note('first', 'edited'));
    await phone.notes.create(note('first', 'deleted'));
    await synced(phone);
    await phone.notes.replace(note('offline', 'edited'));
    await phone.notes.delete('deleted', 'ada');
    await phone.notes.create(note('offline', 'new'));
    return phone;
  }

  test('row 22: a cursor that the remote no longer knows means loading everything again, with the queue and all that is readable kept', async () => {
    const phone = await withPending();
    let forgotten = true;
    const seen: number[] = [];
    line.plan = async (request) => {
      seen.push(Object.keys(await contents(phone.notes)).length);
      if (request === 'changes' && forgotten) {
        forgotten = false;
        return fault('INVALID_CONTINUATION');
      }
      // The queue itself has to wait a little longer.
      return request === 'batch' && forgotten ? fault('UNAVAILABLE') : undefined;
    };
    expect(await phone.engine.sync()).toMatchObject({ outcome: 'failed' });
    expect((await phone.engine.status()).pending).toBe(3);
    forgotten = true;
    line.plan = async (request) => {
      seen.push(Object.keys(await contents(phone.notes)).length);
      const forget = request === 'changes' && forgotten;
      forgotten &&= !forget;
      return forget ? fault('INVALID_CONTINUATION') : undefined;
    };
    await synced(phone);
    expect(Math.min(...seen)).toBe(22);
    const remote = await contents(await line.world.remote());
    expect(Object.keys(remote)).toHaveLength(22);
    expect(remote).toMatchObject({ edited: note('offline', 'edited'), new: note('offline', 'new') });
    expect(await contents(phone.notes)).toEqual(remote);
    expect(await phone.engine.pending()).toEqual([]);
  });

  test('row 22: a queue that was refused when the cursor was forgotten outlives the reload and a restart', async () => {
    const phone = await withPending();
    let forgotten = true;
    line.plan = (request) => {
      if (request === 'batch') {
        return fault('TOO_LARGE');
      }
      const forget = request === 'changes' && forgotten;
      forgotten &&= !forget;
      return forget ? fault('INVALID_CONTINUATION') : undefined;
    };
    expect(await synced(phone)).toMatchObject({ rejectedCount: 3 });
    const again = await line.restarted(phone);
    expect(await again.engine.status()).toMatchObject({ pending: 3, rejected: 3 });
    expect(await contents(again.notes)).toMatchObject({ edited: note('offline', 'edited'), new: note('offline', 'new') });
    line.plan = () => undefined;
    await again.engine.deadLetters.retry();
    expect(await synced(again)).toMatchObject({ pushed: 3 });
    expect(await contents(again.notes)).toEqual(await contents(await line.world.remote()));
  });

  test('row 22: a device that was away for longer than tombstones live keeps its queue, and finds what was deleted by itself', async () => {
    const options = { tombstoneTtlSeconds: 60, reconcileIntervalMs: 0 };
    const [phone, laptop] = [await line.device(options), await line.device(options)];
    await fill(5);
    await synced(phone);
    await synced(laptop);
    await phone.notes.replace(note('offline', 'n0'));
    await phone.notes.replace(note('offline', 'n2'));
    await phone.notes.create(note('offline', 'new'));
    await laptop.notes.delete('n1', 'ada');
    await laptop.notes.delete('n2', 'ada');
    await synced(laptop);
    await line.world.pass(10 * 60_000);
    const again = await line.restarted(phone, options);
    expect(await synced(again)).toMatchObject({ pushed: 2, deletedLocally: 2, conflictCount: 1 });
    const remote = await contents(await line.world.remote());
    expect(Object.keys(remote)).toEqual(['n0', 'n3', 'n4', 'new']);
    expect(remote).toMatchObject({ n0: note('offline', 'n0'), new: note('offline', 'new') });
    expect(await contents(again.notes)).toEqual(remote);
    expect(await again.engine.journal()).toMatchObject([{ reason: 'remote-deleted', document: note('offline', 'n2') }]);
  });

  test('row 8: a server restored from a backup gets what is pending, and what it forgot although nobody has touched it since', async () => {
    const server = await openSqliteBackend({ path: join(line.folder, 'server.db'), runtime: line.world.runtime });
    await server.createDatabase('app');
    await server.createContainer('app', NOTES);
    let current: SqliteBackend = server;
    const options: DeviceOptions = { containers: [NOTES], remote: (container) => current.container('app', container) };
    const phone = await line.device(options);
    await phone.notes.create(note('before the backup', 'old'));
    await phone.notes.create(note('before the backup', 'edited'));
    await phone.notes.create(note('before the backup', 'deleted'));
    await synced(phone);
    await (await server.container('app', 'notes')).flush();
    copyFileSync(join(line.folder, 'server.db'), join(line.folder, 'backup.db'));
    await line.world.pass(61_000);
    await phone.notes.create(note('after the backup', 'forgotten'));
    await phone.notes.create(note('after the backup', 'untouched'));
    await phone.notes.replace(note('after the backup', 'edited'));
    await phone.notes.delete('deleted', 'ada');
    await synced(phone);
    await server.close();
    current = await openSqliteBackend({ path: join(line.folder, 'backup.db'), runtime: line.world.runtime });
    await phone.notes.replace(note('offline', 'old'));
    await phone.notes.replace(note('offline', 'forgotten'));
    await phone.notes.create(note('offline', 'new'));
    const again = await line.restarted(phone, options);
    await synced(again);
    const remote = await contents(await current.container<Note>('app', 'notes'));
    expect(remote).toEqual({
      edited: note('after the backup', 'edited'),
      forgotten: note('offline', 'forgotten'),
      new: note('offline', 'new'),
      old: note('offline', 'old'),
      untouched: note('after the backup', 'untouched'),
    });
    expect(await contents(again.notes)).toEqual(remote);
    expect(await again.engine.pending()).toEqual([]);
    expect((await again.engine.status()).warnings).toEqual([expect.stringContaining('was restored from a backup or made again')]);
    // What the server had gone back to is kept.
    const journal = (await again.engine.journal()).map(({ reason, losingSide, document }) => [reason, losingSide, document]);
    expect(journal).toEqual([
      ['restored', 'remote', note('before the backup', 'edited')],
      ['restored', 'remote', note('before the backup', 'deleted')],
    ]);
    await again.engine.close();
    await current.close();
  });

  test('row 8: a server that lost everything and takes no old cursor gets all of it again', async () => {
    const phone = await withPending();
    await emptied(line.world.cloud, NOTES);
    const again = await line.restarted(phone);
    await synced(again);
    const remote = await contents(await line.world.remote());
    expect(Object.keys(remote)).toHaveLength(22);
    expect(remote).toMatchObject({ new: note('offline', 'new'), edited: note('offline', 'edited') });
    expect(remote['deleted']).toBeUndefined();
    expect(await contents(again.notes)).toEqual(remote);
    expect(await again.engine.pending()).toEqual([]);
    expect(await again.engine.journal()).toEqual([]);
  });
});

test.each<ErrorCode>(['THROTTLED', 'RETRY_WITH', 'UNAVAILABLE', 'SESSION_NOT_AVAILABLE'])(
  'row 27: the cursor moves only after a page was applied, whichever request is answered with %s',
  async (code) => {
    await fill(35);
    const phone = await line.device({ pageItems: 10 });
    let at = 0;
    // The first request of the first run fails, the second of the second, and so on, before and after the remote has worked.
    for (let run = 1; ; run += 1) {
      at = run;
      line.requests.length = 0;
      line.plan = () => (line.requests.length === at ? fault(code, run % 2 === 0 ? 'before' : 'after', 5) : undefined);
      const { outcome } = await phone.engine.sync();
      const held = Object.keys(await contents(phone.notes)).length;
      const [scope] = await rowsOf(phone, 'SELECT loaded, cursor FROM sync_scope');
      // A reconciliation may bring more than the feed has; less would be lost.
      expect(scope?.['loaded']).toBeLessThanOrEqual(held);
      expect(scope?.['cursor'] !== null && held === 0).toBe(false);
      if (outcome === 'complete') {
        break;
      }
    }
    line.plan = () => undefined;
    await synced(phone);
    expect(await contents(phone.notes)).toEqual(await contents(await line.world.remote()));
  },
);

test('row 27: a scheduled engine under a throttled remote reads every change in the end, in the time that it is given', async () => {
  await fill(95);
  const phone = await line.device({ pageItems: 10 });
  let requests = 0;
  line.plan = () => {
    requests += 1;
    return requests % 3 === 0 ? undefined : fault('THROTTLED', 'before', 100);
  };
  phone.engine.start({ intervalMs: 1000, minBackoffMs: 50, maxBackoffMs: 400, jitter: 0 });
  await line.world.pass(60_000);
  expect(await contents(phone.notes)).toEqual(await contents(await line.world.remote()));
});

test.each([0, 1, 2, 9, 10, 11, 35])('row 28: a first and a second sync keep their cursor with %i documents', async (count) => {
  await fill(count);
  const phone = await line.device({ pageItems: 10 });
  expect(await synced(phone)).toMatchObject({ pulled: count });
  const [first] = await rowsOf(phone, 'SELECT cursor FROM sync_scope');
  expect(first?.['cursor']).toEqual(expect.any(String));
  // The row of the cursor is there now, and is changed.
  expect(await synced(phone)).toMatchObject({ pulled: 0, requests: 1 });
  await (await line.world.remote()).bulk(notes(count).map((document) => ({ type: 'upsert', document: { ...document, text: 'again' } })));
  await (await line.world.remote()).create(note('one more', 'more'));
  expect(await synced(phone)).toMatchObject({ pulled: count + 1 });
  const again = await line.restarted(phone);
  expect(await synced(again)).toMatchObject({ pulled: 0, requests: 1 });
  expect(await contents(again.notes)).toEqual(await contents(await line.world.remote()));
  expect(await rowsOf(again, 'SELECT scope FROM sync_scope')).toHaveLength(1);
});
