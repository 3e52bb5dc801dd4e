import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isPerigeeError } from '../../src/core/errors.ts';
import { openSqliteBackend } from '../../src/stores/sqlite/index.ts';
import {
  atServer,
  OWNER,
  onDevice,
  openCloud,
  openDevice,
  outcomeOf,
  pendingOf,
  temporaryFolder,
  type Cloud,
  type Device,
} from './scene.ts';
import { mountSmallDisk } from './small-disk.ts';

const LONG = 'x'.repeat(3000);

/** Writes notes until the device says that it is full; gives the ids of those that were acknowledged. */
async function writeUntilFull(device: Device, prefix: string): Promise<string[]> {
  const acknowledged: string[] = [];
  for (let index = 0; index < 5000; index += 1) {
    const id = `${prefix}${String(index).padStart(4, '0')}`;
    try {
      await device.notes.create({ id, owner: OWNER, text: LONG });
    } catch (error) {
      expect(isPerigeeError(error, 'STORE_FULL') && error.retryable).toBe(true);
      return acknowledged;
    }
    acknowledged.push(id);
  }
  throw new Error('The device never became full.');
}

/** Puts notes at the server as somebody else would. */
async function writeAtServer({ backend }: Cloud, prefix: string, count: number): Promise<void> {
  const store = await backend.container('app', 'notes');
  await store.bulk(
    Array.from({ length: count }, (_, index) => ({
      type: 'create',
      document: { id: `${prefix}${String(index).padStart(4, '0')}`, owner: OWNER, text: LONG },
    })),
  );
}

/** Syncs until the device says that all is well, and checks that both sides hold the same and nothing waits. */
async function expectConverged(device: Device, cloud: Cloud, count: number): Promise<void> {
  expect(outcomeOf(await device.engine.sync())).toBe('complete');
  const local = await onDevice(device);
  expect(Object.keys(local).length).toBe(count);
  expect(await atServer(cloud)).toEqual(local);
  expect(await device.engine.status()).toMatchObject({ pending: 0, rejected: 0, conflicts: 0 });
}

describe('the file of a device at its largest size (maxPageCount)', () => {
  test('a write that does not fit leaves neither a document nor a pending row, and what was acknowledged syncs once there is room', async () => {
    const cloud = await openCloud();
    const path = join(temporaryFolder(), 'device.sqlite');
    const small = await openDevice({ endpoint: cloud.server.url, path, maxPageCount: 150 });
    const acknowledged = await writeUntilFull(small, 'a');
    expect(acknowledged.length).toBeGreaterThan(30);
    expect(Object.keys(await onDevice(small))).toEqual(acknowledged);
    expect(await pendingOf(small)).toEqual({ ids: acknowledged, burned: 0 });
    // Sending needs a little room as well; whether it finds it or not, nothing is lost.
    expect(['complete', 'STORE_FULL']).toContain(outcomeOf(await small.engine.sync()));
    await small.close();

    const large = await openDevice({ endpoint: cloud.server.url, path });
    expect(Object.keys(await onDevice(large))).toEqual(acknowledged);
    await large.notes.create({ id: 'later', owner: OWNER, text: LONG });
    await expectConverged(large, cloud, acknowledged.length + 1);
  });

  test('an engine that finds no room for its tables is refused as STORE_FULL, and opens once there is some', async () => {
    const cloud = await openCloud();
    const path = join(temporaryFolder(), 'device.sqlite');
    await (await openSqliteBackend({ path })).close();
    const pages = Math.ceil(statSync(path).size / 4096);
    await expect(openDevice({ endpoint: cloud.server.url, path, maxPageCount: pages + 2 })).rejects.toMatchObject({ code: 'STORE_FULL' });
    const device = await openDevice({ endpoint: cloud.server.url, path });
    await device.notes.create({ id: 'mine', owner: OWNER, text: 'written offline' });
    await expectConverged(device, cloud, 1);
  });

  test('a pull that does not fit ends as STORE_FULL, keeps the pages that did, and goes on from there', async () => {
    const cloud = await openCloud();
    await writeAtServer(cloud, 'r', 120);
    const path = join(temporaryFolder(), 'device.sqlite');
    const small = await openDevice({ endpoint: cloud.server.url, path, maxPageCount: 100, pageItems: 20 });
    await small.notes.create({ id: 'mine', owner: OWNER, text: 'written before' });
    const report = await small.engine.sync();
    expect(outcomeOf(report)).toBe('STORE_FULL');
    expect((await small.engine.status()).state).toBe('idle');
    const held = Object.keys(await onDevice(small)).length;
    expect(held % 20).toBe(1);
    expect(held).toBeGreaterThan(20);
    expect(outcomeOf(await small.engine.sync())).toBe('STORE_FULL');
    expect(Object.keys(await onDevice(small)).length).toBe(held);
    await small.close();

    const large = await openDevice({ endpoint: cloud.server.url, path, pageItems: 20 });
    const rest = await large.engine.sync();
    expect([outcomeOf(rest), rest.pulled]).toEqual(['complete', 121 - held]);
    await expectConverged(large, cloud, 121);
  });
});

describe('the disk of a device is full', () => {
  test('while writing, in the write-ahead log: nothing acknowledged is lost, and all of it syncs once there is room', async ({ skip }) => {
    const disk = mountSmallDisk(3072) ?? skip();
    const cloud = await openCloud();
    await writeAtServer(cloud, 'r', 5);
    const path = join(disk.folder, 'device.sqlite');
    const device = await openDevice({ endpoint: cloud.server.url, path });
    disk.fill(600_000);
    const acknowledged = await writeUntilFull(device, 'a');
    expect(acknowledged.length).toBeGreaterThan(15);
    expect(statSync(`${path}-wal`).size).toBeGreaterThan(statSync(path).size);
    expect(await pendingOf(device)).toEqual({ ids: acknowledged, burned: 0 });
    expect(outcomeOf(await device.engine.sync())).toBe('STORE_FULL');
    expect(await pendingOf(device)).toEqual({ ids: acknowledged, burned: 0 });
    expect(Object.keys(await onDevice(device))).toEqual(acknowledged);

    disk.empty();
    await expectConverged(device, cloud, acknowledged.length + 5);
    await device.close();
    const again = await openDevice({ endpoint: cloud.server.url, path });
    await expectConverged(again, cloud, acknowledged.length + 5);
  });

  test('after the server has applied a push: the answer cannot be noted, and the next run finds out without a conflict', async ({
    skip,
  }) => {
    const disk = mountSmallDisk(3072) ?? skip();
    const cloud = await openCloud();
    let armed = true;
    const device = await openDevice({
      endpoint: cloud.server.url,
      path: join(disk.folder, 'device.sqlite'),
      probe: (point) => {
        if (point === 'after-remote-applied' && armed) {
          disk.fill();
        }
      },
    });
    const ids = Array.from({ length: 90 }, (_, index) => `a${String(index).padStart(2, '0')}`);
    for (const id of ids) {
      await device.notes.create({ id, owner: OWNER, text: 'sent once' });
    }
    const report = await device.engine.sync();
    expect([outcomeOf(report), report.pushed]).toEqual(['STORE_FULL', 0]);
    expect(await pendingOf(device)).toEqual({ ids, burned: 0 });
    expect(Object.keys(await atServer(cloud))).toEqual(ids);
    const { resources: before } = await cloud.sdk.items.readAll().fetchAll();

    armed = false;
    disk.empty();
    await expectConverged(device, cloud, 90);
    // Nothing was written twice: the versions at the server are those of the first attempt.
    const { resources: after } = await cloud.sdk.items.readAll().fetchAll();
    expect(after.map(({ _etag }) => _etag)).toEqual(before.map(({ _etag }) => _etag));
  });

  test('while applying a pull: the run ends as STORE_FULL, keeps what is pending, and goes on from its cursor', async ({ skip }) => {
    const disk = mountSmallDisk(2048) ?? skip();
    const cloud = await openCloud();
    await writeAtServer(cloud, 'r', 100);
    const device = await openDevice({ endpoint: cloud.server.url, path: join(disk.folder, 'device.sqlite'), pageItems: 10 });
    disk.fill(350_000);
    await device.notes.create({ id: 'mine', owner: OWNER, text: 'written offline' });
    const report = await device.engine.sync();
    expect(outcomeOf(report)).toBe('STORE_FULL');
    const held = Object.keys(await onDevice(device));
    expect(held).toContain('mine');
    expect(held.length).toBeGreaterThan(1);
    expect(held.length).toBeLessThan(101);

    disk.empty();
    const rest = await device.engine.sync();
    expect([outcomeOf(rest), rest.pulled]).toEqual(['complete', 101 - held.length]);
    await expectConverged(device, cloud, 101);
  });

  test('in a checkpoint: the run says so, nothing is lost, and the next run makes up for it', async ({ skip }) => {
    const disk = mountSmallDisk(3072) ?? skip();
    const cloud = await openCloud();
    await writeAtServer(cloud, 'r', 60);
    let armed = true;
    const path = join(disk.folder, 'device.sqlite');
    const device = await openDevice({
      endpoint: cloud.server.url,
      path,
      probe: (point) => {
        if (point === 'in-checkpoint' && armed) {
          disk.fill();
        }
      },
    });
    await device.notes.create({ id: 'mine', owner: OWNER, text: LONG });
    const sizeBefore = statSync(path).size;
    const report = await device.engine.sync();
    expect([outcomeOf(report), report.pushed, report.pulled]).toEqual(['STORE_FULL', 1, 60]);
    expect(statSync(path).size - sizeBefore).toBeLessThan(60 * LONG.length);
    expect(Object.keys(await onDevice(device)).length).toBe(61);
    expect((await device.engine.status()).pending).toBe(0);
    // The device is closed while there is still no room: what it holds is in the log, and the next start reads it there.
    await device.close();
    const cramped = await openDevice({ endpoint: cloud.server.url, path });
    expect(Object.keys(await onDevice(cramped)).length).toBe(61);

    armed = false;
    disk.empty();
    await cramped.notes.create({ id: 'later', owner: OWNER, text: LONG });
    await expectConverged(cramped, cloud, 62);
    expect(statSync(path).size - sizeBefore).toBeGreaterThan(60 * LONG.length);
  });

  test('when the device is opened: STORE_FULL for a new file and for an old one, which opens with all it held once there is room', async ({
    skip,
  }) => {
    const disk = mountSmallDisk(2048) ?? skip();
    const cloud = await openCloud();
    const old = join(disk.folder, 'old.sqlite');
    const device = await openDevice({ endpoint: cloud.server.url, path: old });
    await device.notes.create({ id: 'kept', owner: OWNER, text: 'written before' });
    await device.close();
    disk.fill();
    const path = join(disk.folder, 'new.sqlite');
    await expect(openSqliteBackend({ path })).rejects.toMatchObject({ code: 'STORE_FULL' });
    await expect(openSqliteBackend({ path: old })).rejects.toMatchObject({ code: 'STORE_FULL' });

    disk.empty();
    const fresh = await openDevice({ endpoint: cloud.server.url, path, name: 'tablet' });
    const kept = await openDevice({ endpoint: cloud.server.url, path: old });
    await expectConverged(kept, cloud, 1);
    await expectConverged(fresh, cloud, 1);
  });
});
