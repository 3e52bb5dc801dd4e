import { join } from 'node:path';
import type { ErrorResponse } from '@azure/cosmos';
import { describe, expect, test } from 'vitest';
import { openSqliteBackend } from '../../src/stores/sqlite/index.ts';
import {
  atServer,
  onDevice,
  openCloud,
  openDevice,
  outcomeOf,
  OWNER,
  pendingOf,
  temporaryFolder,
  type Cloud,
  type Device,
} from './scene.ts';
import { mountSmallDisk } from './small-disk.ts';

const LONG = 'x'.repeat(3000);

/** Writes through the official SDK until the server says that it is full; gives the ids of those that were acknowledged, and the refusal. */
async function fillServer({ sdk }: Cloud): Promise<{ readonly acknowledged: string[]; readonly refusal: ErrorResponse }> {
  const acknowledged: string[] = [];
  for (let index = 0; index < 2000; index += 1) {
    const id = `s${String(index).padStart(4, '0')}`;
    try {
      await sdk.items.create({ id, owner: OWNER, text: LONG });
    } catch (error) {
      return { acknowledged, refusal: error as ErrorResponse };
    }
    acknowledged.push(id);
  }
  throw new Error('The server never became full.');
}

/** What the official SDK is told by a server without room, whatever the call. */
async function expectRefusals({ sdk }: Cloud, folder: string, refusal: ErrorResponse, acknowledged: readonly string[]): Promise<void> {
  expect(refusal.code).toBe(507);
  expect(refusal.message).not.toContain(folder);
  const document = { id: 'more', owner: OWNER, text: LONG.repeat(20) };
  await expect(sdk.items.upsert(document)).rejects.toMatchObject({ code: 507 });
  const [first = ''] = acknowledged;
  await expect(sdk.item(first, OWNER).replace({ ...document, id: first })).rejects.toMatchObject({ code: 507 });
  // The SDK gives the status of a batch that was refused as a whole to nobody; the words are the server's.
  await expect(sdk.items.batch([{ operationType: 'Create', resourceBody: document }], OWNER)).rejects.toThrow(/disk.* full/u);
  const [bulk] = await sdk.items.executeBulkOperations([{ operationType: 'Create', resourceBody: document, partitionKey: OWNER }]);
  expect(bulk?.error?.code).toBe(507);
  // Reading goes on.
  expect((await sdk.item(acknowledged.at(-1) as string, OWNER).read()).resource).toMatchObject({ text: LONG });
  const { resources } = await sdk.items.query<number>('SELECT VALUE COUNT(1) FROM c').fetchAll();
  expect(resources).toEqual([acknowledged.length]);
}

/** Two devices that wrote offline, one of them more than fits: each keeps everything. */
async function expectPushRefused(devices: readonly Device[]): Promise<void> {
  for (const [number, device] of devices.entries()) {
    for (let index = 0; index < 12; index += 1) {
      await device.notes.create({ id: `d${number}-${String(index).padStart(2, '0')}`, owner: OWNER, text: LONG });
    }
  }
  for (const device of devices) {
    const waiting = await pendingOf(device);
    const report = await device.engine.sync();
    expect([outcomeOf(report), report.error?.status, report.pushed]).toEqual(['UNAVAILABLE', 507, 0]);
    expect((await device.engine.status()).state).toBe('offline');
    expect(await pendingOf(device)).toEqual(waiting);
  }
}

async function expectConverged(cloud: Cloud, devices: readonly Device[], count: number): Promise<void> {
  for (const device of [...devices, ...devices]) {
    expect(outcomeOf(await device.engine.sync())).toBe('complete');
  }
  const held = await atServer(cloud);
  expect(Object.keys(held).length).toBe(count);
  for (const device of devices) {
    expect(await onDevice(device)).toEqual(held);
    expect(await device.engine.status()).toMatchObject({ pending: 0, rejected: 0, conflicts: 0 });
  }
}

describe('a server without room', () => {
  test('by the size allowed for its file: the SDK is told 507, devices keep everything, and converge with a server that has room', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'server.sqlite');
    const small = await openCloud(await openSqliteBackend({ path, maxPageCount: 120 }));
    const files = ['phone', 'tablet'].map((name) => ({ name, path: join(folder, `${name}.sqlite`) }));
    const devices: Device[] = [];
    for (const file of files) {
      devices.push(await openDevice({ endpoint: small.server.url, ...file }));
    }
    const { acknowledged, refusal } = await fillServer(small);
    await expectRefusals(small, folder, refusal, acknowledged);
    await expectPushRefused(devices);
    expect(Object.keys(await atServer(small))).toEqual(acknowledged);
    for (const device of devices) {
      await device.close();
    }
    await small.server.close();
    await small.backend.close();

    const large = await openCloud(await openSqliteBackend({ path }));
    const again: Device[] = [];
    for (const file of files) {
      again.push(await openDevice({ endpoint: large.server.url, ...file }));
    }
    await expectConverged(large, again, acknowledged.length + 24);
  });

  test('by its disk: the SDK is told 507, devices keep everything, and converge as soon as there is room', async ({ skip }) => {
    const disk = mountSmallDisk(4096) ?? skip();
    const path = join(disk.folder, 'server.sqlite');
    const cloud = await openCloud(await openSqliteBackend({ path }));
    const devices: Device[] = [];
    for (const name of ['phone', 'tablet']) {
      devices.push(await openDevice({ endpoint: cloud.server.url, name, path: join(temporaryFolder(), 'device.sqlite') }));
    }
    disk.fill(500_000);
    const { acknowledged, refusal } = await fillServer(cloud);
    expect(acknowledged.length).toBeGreaterThan(10);
    disk.fill();
    await expectRefusals(cloud, disk.folder, refusal, acknowledged);
    await expectPushRefused(devices);
    expect(Object.keys(await atServer(cloud))).toEqual(acknowledged);

    disk.empty();
    await expectConverged(cloud, devices, acknowledged.length + 24);
    await cloud.server.close();
    await cloud.backend.close();
    const again = await openCloud(await openSqliteBackend({ path }));
    expect(Object.keys(await atServer(again)).length).toBe(acknowledged.length + 24);
  });

  test('stopped while its disk is full: what it acknowledged is there after the restart', async ({ skip }) => {
    const disk = mountSmallDisk(3072) ?? skip();
    const path = join(disk.folder, 'server.sqlite');
    const cloud = await openCloud(await openSqliteBackend({ path }));
    disk.fill(500_000);
    const { acknowledged } = await fillServer(cloud);
    disk.fill();
    await cloud.server.close();
    await cloud.backend.close();
    disk.empty();
    const again = await openCloud(await openSqliteBackend({ path }));
    expect(Object.keys(await atServer(again))).toEqual(acknowledged);
  });
});
