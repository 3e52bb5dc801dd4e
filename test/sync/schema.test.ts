import { afterEach, beforeEach, expect, test } from 'vitest';
import { all, run } from '../../src/stores/sqlite/driver.ts';
import { mergeFields, SyncEngine } from '../../src/sync/index.ts';
import { contents, synced, World, type Note } from './world.ts';

let world: World;

beforeEach(async () => {
  world = await World.open();
});

afterEach(async () => {
  await world.close();
});

test('a file of the first version is brought up to date with all that is pending, and merges from then on', async () => {
  const phone = await world.device();
  const note = (more: object): Note => ({ id: '1', owner: 'ada', ...more });
  await phone.notes.create(note({ n: 1 }));
  await synced(phone);
  await phone.notes.replace(note({ n: 2 }));
  await phone.engine.close();
  await phone.backend.database.write(function* () {
    yield* run('DROP INDEX sync_outbox_group');
    for (const column of ['base', 'sent_bodies', 'first_rejected_at_ms', 'rejected_remote', 'touched', 'frozen']) {
      yield* run(`ALTER TABLE sync_outbox DROP COLUMN ${column}`);
    }
    yield* run('ALTER TABLE sync_base DROP COLUMN lineage');
    yield* run('ALTER TABLE sync_scope DROP COLUMN epoch');
    yield* run('ALTER TABLE sync_scope DROP COLUMN restored');
    yield* run('ALTER TABLE sync_scope DROP COLUMN unmarked');
    yield* run('DROP TABLE sync_marker');
    yield* run("UPDATE sync_outbox SET rejected_code = 'TOO_LARGE', rejected_message = 'Too large.', rejected_at_ms = 5");
    yield* run("UPDATE components SET version = 1 WHERE name = 'sync'");
  });
  const engine = await SyncEngine.open({
    backend: phone.backend,
    user: 'ada',
    policy: mergeFields({ counters: ['/n'] }),
    scope: [{ container: 'notes', partitionKey: 'ada' }],
    remote: (container) => world.cloud.container('app', container),
  });
  const versions = await phone.backend.database.read(() => all("SELECT version FROM components WHERE name = 'sync'"));
  expect(versions).toEqual([{ version: 5 }]);
  // What the remote had refused is a dead letter like any other.
  expect(await engine.deadLetters.list()).toMatchObject([{ code: 'TOO_LARGE', firstAtMs: 5, lastAtMs: 5, remote: { state: 'unknown' } }]);
  await engine.deadLetters.retry();
  expect(await engine.sync()).toMatchObject({ outcome: 'complete', pushed: 1 });
  await engine.store<Note>('notes').patch('1', 'ada', [{ op: 'incr', path: '/n', value: 1 }]);
  await (await world.remote()).patch('1', 'ada', [{ op: 'incr', path: '/n', value: 10 }]);
  expect(await engine.sync()).toMatchObject({ outcome: 'complete', conflicts: [{ outcome: 'merged' }] });
  expect(await contents(await world.remote())).toEqual({ 1: note({ n: 13 }) });
  await engine.close();
});
