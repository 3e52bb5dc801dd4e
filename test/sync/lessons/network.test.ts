/** Many documents over bad lines, through crashes and at the limits of the database below: counted, and none missing. */
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../../src/core/seeded-random.ts';
import type { ErrorCode } from '../../../src/core/error-codes.ts';
import type { SyncPoint } from '../../../src/sync/index.ts';
import { fault } from '../faulty-store.ts';
import { contents, synced, type Device } from '../world.ts';
import { note, notes, rowsOf, useLine } from './line.ts';

const line = useLine();
const SCHEDULE = { intervalMs: 10_000, minBackoffMs: 500, maxBackoffMs: 4000, jitter: 0.5 };

const countOf = async (device: Device, sql: string): Promise<unknown> =>
  (await rowsOf(device, `SELECT count(*) AS count ${sql}`))[0]?.['count'];

test('row 10: bulk writes at once, beside single writes and a sync, overwrite nothing of each other', async () => {
  const phone = await line.device();
  const groups = Array.from({ length: 12 }, (_, group) => notes(50).map((one) => ({ ...one, id: `${group}-${one.id}` })));
  const work = groups.map((group) => phone.notes.bulk(group.map((document) => ({ type: 'create', document }))));
  const singles = notes(50).map((document) => phone.notes.create(document));
  const runs = [phone.engine.sync(), phone.engine.sync()];
  for (const { outcomes } of await Promise.all(work)) {
    expect(outcomes.filter(({ ok }) => ok)).toHaveLength(50);
  }
  await Promise.all([...singles, ...runs]);
  expect(Object.keys(await contents(phone.notes))).toHaveLength(650);
  await synced(phone);
  expect(await countOf(phone, 'FROM sync_outbox')).toBe(0);
  expect(await countOf(phone, "FROM sync_base WHERE id NOT LIKE '_perigee.%'")).toBe(650);
  expect(await contents(await line.world.remote())).toEqual(await contents(phone.notes));
});

// SQLite took 999 parameters of a statement once, and takes 32,766 now.
test.each([199, 200, 999, 1000, 32_767])(
  'row 11: %i documents in one bulk write, one page and one reconciliation are that many everywhere',
  { timeout: 120_000 },
  async (count) => {
    const [phone, laptop] = [await line.device(), await line.device({ pageItems: 40_000 })];
    const documents = notes(count);
    expect((await phone.notes.bulk(documents.map((document) => ({ type: 'create', document })))).outcomes).toHaveLength(count);
    expect(await countOf(phone, 'FROM sync_outbox')).toBe(count);
    expect((await phone.engine.status()).pending).toBe(count);
    expect(await synced(phone)).toMatchObject({ pushed: count });
    expect(await synced(laptop)).toMatchObject({ pulled: count });
    expect(await countOf(laptop, "FROM sync_base WHERE id NOT LIKE '_perigee.%'")).toBe(count);
    const remote = await line.world.remote();
    await remote.bulk(documents.map(({ id }) => ({ type: 'upsert', document: note('again', id) })));
    expect(await synced(laptop)).toMatchObject({ pulled: count, requests: 1 });
    expect(await countOf(laptop, "FROM sync_base WHERE id NOT LIKE '_perigee.%'")).toBe(count);
    const { outcomes } = await laptop.notes.bulk(documents.map(({ id }) => ({ type: 'upsert', document: note('changed', id) })));
    expect(outcomes.filter(({ ok }) => ok)).toHaveLength(count);
    expect(await countOf(laptop, 'FROM sync_outbox')).toBe(count);
    expect(await phone.engine.reconcile()).toMatchObject({ outcome: 'complete', pulled: count, deletedLocally: 0 });
    const keys = documents.map(({ id }) => ({ id, partitionKey: 'ada' }));
    const read = (await laptop.notes.readMany(keys)).documents;
    expect(read.filter((one) => one?.text === 'changed')).toHaveLength(count);
  },
);

test.each<SyncPoint>(['before-send', 'after-send', 'after-remote-applied', 'before-local-commit', 'after-local-commit', 'in-checkpoint'])(
  'row 13: a process that ends in a push, %s, leaves nothing that blocks the next run',
  async (at) => {
    const copies: string[] = [];
    const phone: Device = await line.device({ probe: (point) => void (point === at && copies.push(line.copied(phone))) });
    await phone.notes.bulk(notes(150).map((document) => ({ type: 'create', document })));
    await phone.notes.delete('n7', 'ada');
    await synced(phone);
    expect(copies.length).toBeGreaterThan(0);
    for (const copy of copies) {
      const again = await line.device({ path: copy });
      const status = await again.engine.status();
      // What is said of the queue is counted from its rows, not remembered beside them.
      expect(status.pending).toBe(await countOf(again, 'FROM sync_outbox'));
      expect(status.rejected).toBe(await countOf(again, 'FROM sync_outbox WHERE rejected_code IS NOT NULL'));
      expect(await synced(again)).toMatchObject({ conflictCount: 0, rejectedCount: 0 });
      expect(await again.engine.status()).toMatchObject({ pending: 0, oldestPendingAgeMs: undefined });
      expect(await contents(again.notes)).toEqual(await contents(await line.world.remote()));
      await again.notes.upsert(note('still takes writes', 'after'));
      expect(await synced(again)).toMatchObject({ pushed: 1 });
      await again.engine.close();
    }
  },
);

describe.each(['before', 'after'] as const)('a line that is cut %s the remote has worked', (when) => {
  test('row 15: a cut at any request of a run stalls neither sending nor receiving, and leaves both sides equal', async () => {
    const phone = await line.device({ pageItems: 7 });
    const remote = await line.world.remote();
    let cuts = 0;
    for (let at = 1, length = 1; at <= length; at += 1) {
      await phone.notes.bulk(notes(10).map(({ id }) => ({ type: 'upsert', document: note(`phone ${at}`, `${at} ${id}`) })));
      await remote.bulk(notes(10).map(({ id }) => ({ type: 'upsert', document: note(`remote ${at}`, `remote ${at} ${id}`) })));
      line.requests.length = 0;
      line.plan = () => {
        const isCut = line.requests.length === at;
        cuts += isCut ? 1 : 0;
        return isCut ? fault('CONNECTION_LOST', when) : undefined;
      };
      await phone.engine.reconcile();
      line.plan = () => undefined;
      line.requests.length = 0;
      expect(await phone.engine.reconcile()).toMatchObject({ outcome: 'complete', conflictCount: 0 });
      expect((await phone.engine.status()).progress).toBeUndefined();
      expect(await contents(phone.notes)).toEqual(await contents(remote));
      length = Math.min(12, at + line.requests.length);
    }
    expect(cuts).toBeGreaterThan(4);
  });
});

test.each(Array.from({ length: 6 }, (_, index) => index + 1))(
  'row 19: on a line that flaps, 100 documents arrive and an empty outbox never lies (seed %i)',
  async (seed) => {
    const words = seededRandom(`flapping-${seed}`);
    const [phone, laptop] = [await line.device(), await line.device()];
    const remote = await line.world.remote();
    const codes: ErrorCode[] = ['CONNECTION_LOST', 'TIMEOUT', 'UNREACHABLE', 'UNAVAILABLE', 'THROTTLED'];
    // Up and down by turns; while it is up it still loses every fourth request.
    let isUp = true;
    line.plan = () => {
      isUp = words() % 5 === 0 ? !isUp : isUp;
      if (isUp && words() % 4 !== 0) {
        return undefined;
      }
      return fault(codes[words() % codes.length] as ErrorCode, words() % 2 === 0 ? 'before' : 'after');
    };
    const missing = async (written: number): Promise<void> => {
      if ((await phone.engine.status()).pending === 0) {
        expect(Object.keys(await contents(remote))).toHaveLength(written);
      }
    };
    phone.engine.start(SCHEDULE);
    laptop.engine.start(SCHEDULE);
    for (let index = 0; index < 100; index += 1) {
      await phone.notes.create(note(`x ${index}`, `n${index}`));
      await line.world.pass(words() % 1500);
      await missing(index + 1);
    }
    line.plan = () => undefined;
    await line.world.pass(30_000);
    expect((await phone.engine.status()).pending).toBe(0);
    await missing(100);
    expect(await contents(remote)).toEqual(Object.fromEntries(notes(100).map((one) => [one.id, one])));
    expect(await contents(laptop.notes)).toEqual(await contents(remote));
  },
);
