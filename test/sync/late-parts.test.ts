import { expect, test } from 'vitest';
import { LazyModule } from '../../src/core/lazy-module.ts';
import { openMemoryBackend } from '../../src/stores/memory/memory-backend.ts';
import { openSqliteBackend } from '../../src/stores/sqlite/sqlite-backend.ts';
import { SyncEngine } from '../../src/sync/engine.ts';
import { loadPart } from '../../src/sync/load-part.ts';

test('a call whose part is still being loaded when the engine closes rejects with CLOSED', async () => {
  const cloud = openMemoryBackend();
  await cloud.createDatabase('app');
  await cloud.createContainer('app', { id: 'notes', partitionKey: '/owner', defaultTtl: -1 });
  const backend = await openSqliteBackend({ path: ':memory:' });
  const engine = await SyncEngine.open({
    backend,
    user: 'ada',
    scope: [{ container: 'notes', partitionKey: 'ada' }],
    remote: (container) => cloud.container('app', container),
  });
  const calls = [engine.verify(), engine.caughtUp(), engine.forcePushAll(), engine.deadLetters.list()];
  const settled = Promise.allSettled(calls);
  await engine.close();
  expect((await settled).map((one) => one.status === 'rejected' && (one.reason as { code: string }).code)).toEqual(
    calls.map(() => 'CLOSED'),
  );
  await backend.close();
  await cloud.close();
});

test('a part that cannot be loaded is UNREACHABLE, and the next call tries again', async () => {
  const cause = new TypeError('Failed to fetch dynamically imported module');
  const answers = [Promise.reject(cause), Promise.resolve({ one: 1 })];
  const part = new LazyModule(() => answers.shift() as Promise<{ one: number }>);
  await expect(loadPart(part)).rejects.toMatchObject({ code: 'UNREACHABLE', cause });
  await expect(loadPart(part)).resolves.toEqual({ one: 1 });
});
