/** One engine at a time synchronises a file, whichever process it is in; reading and writing locally is free to all. */
import { mkdirSync, symlinkSync } from 'node:fs';
import { expect, test } from 'vitest';
import { note, useLine } from './lessons/line.ts';
import { contents, synced, type Device } from './world.ts';

const line = useLine();

/** Another engine on the file of a device, with a backend of its own, as another process has. */
function beside(device: Device, options: Parameters<typeof line.device>[0] = {}): Promise<Device> {
  return line.device({ device: device.name, path: line.pathOf(device), ...options });
}

/** Holds the next request until it is let go. */
function heldRequest(): { readonly reached: Promise<void>; letGo(): void } {
  let letGo = (): void => undefined;
  let reach = (): void => undefined;
  const reached = new Promise<void>((resolve) => {
    reach = resolve;
  });
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  line.plan = async () => {
    line.plan = () => undefined;
    reach();
    await held;
    return undefined;
  };
  return { reached, letGo };
}

test('while one runs, another waits for its turn and then says that it did not get it; both write meanwhile, and whoever runs sends it all', async () => {
  const one = await line.device();
  const other = await beside(one, { lockTimeoutMs: 5000 });
  expect((await one.engine.status()).runner).toBe('none');
  await one.notes.create(note('of one'));
  const request = heldRequest();
  const running = one.engine.sync();
  await request.reached;
  expect((await one.engine.status()).runner).toBe('this');
  expect((await other.engine.status()).runner).toBe('other');
  await other.notes.create(note('of the other', '2'));
  const refused = other.engine.sync();
  await line.world.pass(5000);
  expect(await refused).toMatchObject({ outcome: 'failed', durationMs: 5000, requests: 0, error: { code: 'SYNC_BUSY', retryable: true } });
  await expect(line.world.runtime.runUntilSettled(other.engine.verify())).rejects.toMatchObject({ code: 'SYNC_BUSY' });
  expect(await other.engine.status()).toMatchObject({ state: 'idle', pending: 2 });
  const patient = other.engine.sync();
  await line.world.pass(1000);
  request.letGo();
  expect(await running).toMatchObject({ outcome: 'complete' });
  await line.world.pass(1000);
  expect(await patient).toMatchObject({ outcome: 'complete' });
  expect((await one.engine.status()).runner).toBe('none');
  expect(await contents(await line.world.remote())).toEqual({ 1: note('of one'), 2: note('of the other', '2') });
  expect(await one.engine.pending()).toEqual([]);
});

test('a run that was asked for waits no longer than its signal', async () => {
  const one = await line.device();
  const other = await beside(one);
  const request = heldRequest();
  const running = one.engine.sync();
  await request.reached;
  const controller = new AbortController();
  const given = other.engine.sync({ signal: controller.signal });
  controller.abort(new Error('enough'));
  await expect(given).rejects.toThrow('enough');
  request.letGo();
  await running;
});

test('two engines on one backend in memory take turns as well', async () => {
  const one = await line.world.device();
  const other = await line.world.device({ device: one.name, backend: one.backend, lockTimeoutMs: 0 });
  let tried: Promise<unknown> | undefined;
  one.engine.on('state', (state) => {
    tried ??= state === 'running' ? Promise.resolve().then(() => other.engine.sync()) : undefined;
  });
  await one.engine.sync();
  expect(await tried).toMatchObject({ error: { code: 'SYNC_BUSY' } });
  expect(await other.engine.sync()).toMatchObject({ outcome: 'complete' });
});

test('a scheduled engine that finds another running is back soon, without its waits growing', async () => {
  const one = await line.device();
  const other = await beside(one);
  const request = heldRequest();
  const running = one.engine.sync();
  await request.reached;
  let tries = 0;
  other.engine.on('run', ({ error }) => {
    tries += error?.code === 'SYNC_BUSY' ? 1 : 0;
  });
  other.engine.start({ intervalMs: 3_600_000, minBackoffMs: 1000, jitter: 0 });
  await line.world.pass(60_000);
  expect(tries).toBeGreaterThan(55);
  request.letGo();
  await running;
  await one.notes.create(note('late'));
  await line.world.pass(1000);
  expect(await contents(await line.world.remote())).toEqual({ 1: note('late') });
});

test('a scheduled engine sends what another process writes, without one that is scheduled there', async () => {
  const one = await line.device();
  const other = await beside(one);
  one.engine.start({ intervalMs: 3_600_000, debounceMs: 100, jitter: 0, pollIntervalMs: 2000 });
  await line.world.pass(10_000);
  await other.notes.create(note('from elsewhere'));
  await line.world.pass(2200);
  expect(await contents(await line.world.remote())).toEqual({ 1: note('from elsewhere') });
  expect(await other.engine.pending()).toEqual([]);
  // What the file is told of the remote is no change to send.
  const before = line.requests.length;
  await (await line.world.remote()).create(note('of a stranger', '2'));
  await synced(other);
  const requests = line.requests.length - before;
  await line.world.pass(60_000);
  expect(line.requests.length - before).toBe(requests);
});

test('what one engine has learned of the clock holds for the other from its next write on', async () => {
  const fast = await line.device({ skewMs: 3_600_000 });
  const beforeMs = line.world.runtime.nowMs();
  const other = await beside(fast, { skewMs: 3_600_000 });
  await fast.notes.create(note('1'));
  await synced(fast);
  await other.notes.create(note('2', '2'));
  const [row] = await other.backend.database.read(function* () {
    return (yield { mode: 'all', sql: 'SELECT stamp FROM sync_outbox', parameters: [] }) as { stamp: string }[];
  });
  const stampMs = Number.parseInt((row?.stamp ?? '').slice(0, 12), 16);
  expect(Math.abs(stampMs - beforeMs)).toBeLessThan(10_000);
});

test('a file that is opened by a link has the same lock', async () => {
  const one = await line.device();
  const link = `${line.folder}/link.db`;
  symlinkSync(line.pathOf(one), link);
  const other = await line.device({ device: one.name, path: link, lockTimeoutMs: 0 });
  const request = heldRequest();
  const running = one.engine.sync();
  await request.reached;
  expect(await other.engine.sync()).toMatchObject({ error: { code: 'SYNC_BUSY' } });
  request.letGo();
  await running;
});

test('a lock whose file cannot be used fails the run, which says what is wrong', async () => {
  const one = await line.device();
  mkdirSync(`${line.pathOf(one)}-runner`);
  expect(await one.engine.sync()).toMatchObject({ outcome: 'failed', error: { code: 'STORE_READ_ONLY' } });
});
