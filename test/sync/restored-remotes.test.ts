/** A restored remote is noticed before anything that it forgot is taken for deleted. Found by the simulator. */
import { expect, test } from 'vitest';
import type { SnapshotRecord } from '../../src/store/snapshot/snapshot-record.ts';
import { fault } from './faulty-store.ts';
import { emptied, note, useLine } from './lessons/line.ts';
import { contents, NOTES, synced } from './world.ts';

const line = useLine();

test('while a device cannot begin anew with a remote that was made again, its reconciliation takes nothing for deleted', async () => {
  const phone = await line.device();
  await phone.notes.create(note('acknowledged'));
  await synced(phone);
  await emptied(line.world.cloud, NOTES);
  // The device reads that its marker is gone, and is refused the place in the feed from which it would begin anew.
  line.plan = (request) => (request === 'changes' ? fault('UNAUTHORIZED') : undefined);
  const again = await line.restarted(phone);
  expect(await again.engine.reconcile()).toMatchObject({ outcome: 'failed', deletedLocally: 0 });
  expect(await contents(again.notes)).toEqual({ 1: note('acknowledged') });
  line.plan = () => undefined;
  await synced(again);
  expect(await contents(await line.world.remote())).toEqual({ 1: note('acknowledged') });
  expect(await contents(again.notes)).toEqual({ 1: note('acknowledged') });
});

test.each([
  ['as often as', 1],
  ['more often than', 3],
])(
  'a backup is told from a remote that was made again after it, where the device had lost its file in between and had marked the first %s the second',
  async (_, times) => {
    const { cloud } = line.world;
    const lost = await line.device({ device: 'phone', markerIntervalMs: 0 });
    for (let time = 1; time <= times; time += 1) {
      await lost.notes.upsert(note(`before ${time}`, 'first'));
      await synced(lost);
      await line.world.pass(61_000);
    }
    const backup: SnapshotRecord[] = [];
    for await (const record of cloud.snapshot()) {
      backup.push(record);
    }
    await lost.engine.close();
    await emptied(cloud, NOTES);
    const phone = await line.device({ device: 'phone', markerIntervalMs: 0 });
    await phone.notes.create(note('after', 'second'));
    await synced(phone);
    await line.world.pass(61_000);
    await cloud.restore(backup, { replace: true });
    const again = await line.restarted(phone, { markerIntervalMs: 0 });
    await again.engine.reconcile();
    await synced(again);
    const both = { first: note(`before ${times}`, 'first'), second: note('after', 'second') };
    expect(await contents(await line.world.remote())).toEqual(both);
    expect(await contents(again.notes)).toEqual(both);
  },
);

test.each([
  ['restored from a backup', false],
  ['made again', true],
])('a repair sends what a remote that was %s has forgotten, and gives none of it up', async (_, isEmptied) => {
  const { cloud } = line.world;
  const phone = await line.device({ markerIntervalMs: 0 });
  await phone.notes.create(note('before the backup', 'old'));
  await synced(phone);
  const backup: SnapshotRecord[] = [];
  for await (const record of cloud.snapshot()) {
    backup.push(record);
  }
  await line.world.pass(61_000);
  await phone.notes.create(note('after the backup', 'new'));
  await phone.notes.upsert(note('changed after the backup', 'old'));
  await synced(phone);
  await (isEmptied ? emptied(cloud, NOTES) : cloud.restore(backup, { replace: true }));
  const again = await line.restarted(phone, { markerIntervalMs: 0 });
  const { before, after, journaled, run } = await again.engine.repair();
  const all = { old: note('changed after the backup', 'old'), new: note('after the backup', 'new') };
  expect({ equal: after.equal, journaled, pending: before.counts.pending, pushed: run.pushed }).toEqual({
    equal: true,
    journaled: 0,
    pending: 2,
    pushed: 2,
  });
  expect(await contents(again.notes)).toEqual(all);
  expect(await contents(await line.world.remote())).toEqual(all);
  expect((await again.engine.journal()).filter(({ losingSide }) => losingSide === 'local')).toEqual([]);
});
