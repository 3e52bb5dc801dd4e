/** What a run may cost: a budget of its own, and that of a server which enforces its throughput. */
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startServer, WELL_KNOWN_KEY } from '../../src/server/index.ts';
import { openCosmosBackend } from '../../src/stores/cosmos/index.ts';
import { openMemoryBackend } from '../../src/stores/memory/index.ts';
import { openSqliteBackend } from '../../src/stores/sqlite/index.ts';
import { SyncEngine } from '../../src/sync/index.ts';
import { note, notes, useLine } from './lessons/line.ts';
import { contents, NOTES } from './world.ts';

const line = useLine();

test('a run stays within its budget of request units, waits within the run, and says how long', async () => {
  await (await line.world.remote()).bulk(notes(200).map((document) => ({ type: 'create', document })));
  const free = await line.device({ pageItems: 10 });
  const { requestUnits } = await free.engine.sync();
  const requestUnitsPerMinute = requestUnits / 4;
  const thrifty = await line.device({ pageItems: 10, requestUnitsPerMinute, stallTimeoutMs: 100 });
  const fromMs = line.world.runtime.monotonicMs();
  const report = await line.world.runtime.runUntilSettled(thrifty.engine.sync());
  expect(report).toMatchObject({ outcome: 'complete', pulled: 200, durationMs: line.world.runtime.monotonicMs() - fromMs });
  expect(report.waitedMs).toBe(report.durationMs);
  // Ten seconds' worth at once, the last request on credit, and the rest as it comes.
  expect(report.waitedMs / 60_000).toBeGreaterThan(3);
  expect(report.waitedMs / 60_000).toBeLessThan(4);
  // The credit is waited for by the next run.
  const next = await line.world.runtime.runUntilSettled(thrifty.engine.sync());
  expect(next.waitedMs).toBeGreaterThan(0);
  // After a rest ten seconds' worth is there, and no more.
  await line.world.pass(3_600_000);
  expect((await line.world.runtime.runUntilSettled(thrifty.engine.sync())).waitedMs).toBe(0);
});

test('a run that waits for its budget ends with its signal, and with the engine', async () => {
  await (await line.world.remote()).bulk(notes(50).map((document) => ({ type: 'create', document })));
  const phone = await line.device({ pageItems: 10, requestUnitsPerMinute: 1 });
  const controller = new AbortController();
  const run = phone.engine.sync({ signal: controller.signal });
  await line.world.pass(1000);
  controller.abort(new Error('enough'));
  await expect(run).rejects.toThrow('enough');
  const other = phone.engine.sync();
  await line.world.pass(1000);
  await phone.engine.close();
  expect(await other).toMatchObject({ outcome: 'aborted' });
  await expect(line.device({ requestUnitsPerMinute: 0 })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
});

test('under a server that enforces its throughput everything arrives, by schedule and without attempts', { timeout: 60_000 }, async () => {
  const cloud = openMemoryBackend();
  await cloud.createDatabase('app');
  await cloud.createContainer('app', NOTES);
  const server = await startServer({ backend: cloud, port: 0, enforceThroughput: true });
  // Without patience of its own, so that the engine meets each refusal.
  const remote = await openCosmosBackend({ endpoint: server.url, key: WELL_KNOWN_KEY, maxThrottleWaitMs: 0 });
  const backend = await openSqliteBackend({ path: join(line.folder, 'throttled.db') });
  const engine = await SyncEngine.open({
    backend,
    user: 'ada',
    scope: [{ container: 'notes', partitionKey: 'ada' }],
    remote: (container) => remote.container('app', container),
    containers: [NOTES],
  });
  const written = Array.from({ length: 30 }, (_, index) => note('x'.repeat(100_000), `n${index}`));
  for (const document of written) {
    await engine.store<(typeof written)[number]>('notes').create(document);
  }
  const refusals: (number | undefined)[] = [];
  const attempts: number[] = [];
  engine.on('run', ({ error }) => {
    if (error !== undefined) {
      expect(error.code).toBe('THROTTLED');
      refusals.push(error.retryAfterMs);
    }
  });
  engine.start({ intervalMs: 50, minBackoffMs: 10 });
  while ((await engine.status()).pending > 0) {
    attempts.push(...(await engine.pending()).map((one) => one.attempts));
    await wait(20);
  }
  expect(refusals.length).toBeGreaterThan(0);
  expect(refusals.every((retryAfterMs) => retryAfterMs !== undefined && retryAfterMs > 0)).toBe(true);
  expect(attempts.every((count) => count === 0)).toBe(true);
  expect(Object.keys(await contents(await cloud.container('app', 'notes')))).toHaveLength(30);
  await engine.close();
  await backend.close();
  await remote.close();
  await server.close();
  await cloud.close();
});
