import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RawDatabase as Database } from '../support/raw-database.ts';
import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../src/core/error-codes.ts';
import { atServer, onDevice, openCloud, openDevice, outcomeOf, OWNER, temporaryFolder, type Cloud } from './scene.ts';

/** The closed file of a device that is in step with the server but for one edit. */
async function deviceFile(cloud: Cloud, path: string): Promise<void> {
  const device = await openDevice({ endpoint: cloud.server.url, path });
  for (let index = 0; index < 150; index += 1) {
    await device.notes.create({ id: `n${String(index).padStart(3, '0')}`, owner: OWNER, text: 'x'.repeat(400) });
  }
  expect(outcomeOf(await device.engine.sync())).toBe('complete');
  await device.notes.create({ id: 'waiting', owner: OWNER, text: 'written offline' });
  await device.close();
}

function openRefused(cloud: Cloud, path: string): Promise<unknown> {
  return openDevice({ endpoint: cloud.server.url, path }).then(
    () => 'opened',
    ({ code }: { code?: unknown }) => code,
  );
}

/** Opens devices in a process of its own without privileges, lets them write and sync, and gives what it says of each. */
async function unprivileged(cloud: Cloud, ...paths: readonly string[]): Promise<readonly string[]> {
  const program = fileURLToPath(new URL('unprivileged-child.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', program, cloud.server.url, ...paths], {
    env: { ...process.env, HOME: '/tmp' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
  }
  await once(child, 'close');
  return said.trim().split('\n');
}

describe('a file that the user of the device may not write', () => {
  test('is STORE_READ_ONLY and stays as it is; with the right mode the same file opens and syncs', { timeout: 30_000 }, async () => {
    const cloud = await openCloud();
    const folder = join(temporaryFolder(), 'device');
    mkdirSync(folder);
    const path = join(folder, 'device.sqlite');
    await deviceFile(cloud, path);
    // The parent of the folder is closed to others as well.
    chmodSync(join(folder, '..'), 0o755);
    const before = readFileSync(path);

    chmodSync(path, 0o444);
    chmodSync(folder, 0o777);
    const otherFolder = join(folder, '..', 'closed');
    mkdirSync(otherFolder, { mode: 0o555 });
    const copy = join(otherFolder, 'device.sqlite');
    copyFileSync(path, copy);
    chmodSync(copy, 0o666);
    expect(await unprivileged(cloud, path, copy, join(otherFolder, 'new.sqlite'))).toEqual([
      'STORE_READ_ONLY',
      'STORE_READ_ONLY',
      'STORE_READ_ONLY',
    ]);
    expect(readFileSync(path).equals(before)).toBe(true);
    expect([readdirSync(folder), readdirSync(otherFolder)]).toEqual([['device.sqlite', 'device.sqlite-runner'], ['device.sqlite']]);
    expect(Object.keys(await atServer(cloud)).length).toBe(150);

    chmodSync(path, 0o666);
    if (process.getuid?.() === 0) {
      chownSync(path, 65534, 65534);
    }
    expect(await unprivileged(cloud, path)).toEqual(['complete']);
    expect(Object.keys(await atServer(cloud)).length).toBe(152);
  });
});

describe('a file that is not, or no longer, the file of a device', () => {
  async function expectLeftAlone(spoil: (path: string) => void, code: ErrorCode): Promise<void> {
    const cloud = await openCloud();
    const path = join(temporaryFolder(), 'device.sqlite');
    await deviceFile(cloud, path);
    spoil(path);
    const before = readFileSync(path);
    const remoteBefore = await atServer(cloud);
    expect(await openRefused(cloud, path)).toBe(code);
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0).toBe(0);
    expect(await atServer(cloud)).toEqual(remoteBefore);
  }

  test('cut off', () => expectLeftAlone((path) => truncateSync(path, 8192), 'STORE_CORRUPT'));

  test('overwritten with text', () => expectLeftAlone((path) => writeFileSync(path, 'These are notes. '.repeat(900)), 'STORE_CORRUPT'));

  test('a database of another program', () =>
    expectLeftAlone((path) => {
      truncateSync(path, 0);
      const other = new Database(path);
      other.exec('CREATE TABLE contacts (name TEXT)');
      other.close();
    }, 'STORE_CORRUPT'));

  test('written by a newer version', () =>
    expectLeftAlone((path) => {
      const raw = new Database(path);
      raw.pragma('user_version = 1000');
      raw.pragma('journal_mode = DELETE');
      raw.close();
    }, 'STORE_TOO_NEW'));

  test('with tables of a newer version of sync: refused, and no edit is lost', async () => {
    const cloud = await openCloud();
    const path = join(temporaryFolder(), 'device.sqlite');
    await deviceFile(cloud, path);
    const setVersion = (sql: string): void => {
      const raw = new Database(path);
      raw.exec(sql);
      raw.close();
    };
    setVersion("UPDATE components SET version = version + 1000 WHERE name = 'sync'");
    expect(await openRefused(cloud, path)).toBe('STORE_TOO_NEW');
    setVersion("UPDATE components SET version = version - 1000 WHERE name = 'sync'");
    const device = await openDevice({ endpoint: cloud.server.url, path });
    expect(outcomeOf(await device.engine.sync())).toBe('complete');
    expect((await atServer(cloud))['waiting']).toBe('written offline');
  });

  test('damaged in the middle: the run that meets it says STORE_CORRUPT, and nothing is deleted at the server because the device lost it', async () => {
    const cloud = await openCloud();
    const path = join(temporaryFolder(), 'device.sqlite');
    await deviceFile(cloud, path);
    const bytes = readFileSync(path);
    bytes.fill(0xa5, 16 * 4096, bytes.length - 4096);
    writeFileSync(path, bytes);
    const remoteBefore = await atServer(cloud);
    for (const { id } of (await cloud.sdk.items.readAll<{ id: string }>().fetchAll()).resources) {
      await cloud.sdk.item(id, OWNER).replace({ id, owner: OWNER, text: 'changed by another' });
    }
    const codes = new Set<unknown>();
    try {
      const device = await openDevice({ endpoint: cloud.server.url, path });
      codes.add((await device.engine.sync()).error?.code);
      codes.add((await device.engine.reconcile()).error?.code);
      await expect(onDevice(device)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    } catch (error) {
      codes.add((error as { code?: unknown }).code ?? error);
    }
    expect([...codes]).toEqual(['STORE_CORRUPT']);
    expect(Object.keys(await atServer(cloud))).toEqual(expect.arrayContaining(Object.keys(remoteBefore)));
  });
});
