import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PerigeeError } from '../../src/core/errors.ts';
import type { DocumentStore } from '../../src/store/document-store.ts';
import { openMemoryBackend, type MemoryBackend } from '../../src/stores/memory/index.ts';
import { sqliteFolder } from '../../src/stores/sqlite/index.ts';
import { UserSessions } from '../../src/sync/index.ts';
import { NOTES, type Note } from './world.ts';

let folder = '';
let cloud: MemoryBackend;
let isOnline = true;
const signedOut: string[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'perigee-users-'));
  cloud = openMemoryBackend();
  await cloud.createDatabase('app');
  await cloud.createContainer('app', NOTES);
  isOnline = true;
  signedOut.length = 0;
});

afterEach(async () => {
  await cloud.close();
  rmSync(folder, { recursive: true, force: true });
});

function open(): UserSessions {
  return new UserSessions({
    storage: sqliteFolder(join(folder, 'users')),
    engine: (user) => ({
      containers: [NOTES],
      scope: [{ container: 'notes', partitionKey: user }],
      remote: (container) => {
        if (!isOnline) {
          throw new PerigeeError('UNREACHABLE', 'There is no line.');
        }
        return cloud.container('app', container);
      },
    }),
    onSignedOut: (user) => void signedOut.push(user),
  });
}

async function remoteNotes(owner: string): Promise<readonly string[]> {
  const store: DocumentStore<Note> = await cloud.container('app', 'notes');
  return store.query<string>('SELECT VALUE c.text FROM c ORDER BY c.id', { partitionKey: owner }).toArray();
}

const files = (): readonly string[] => (existsSync(join(folder, 'users')) ? readdirSync(join(folder, 'users')) : []);

test("work that one user has not sent is never sent as another's, and waits for its user", async () => {
  const users = open();
  isOnline = false;
  const ada = await users.signIn('ada');
  await ada.store<Note>('notes').create({ id: '1', owner: 'ada', text: 'of ada' });
  expect((await ada.sync()).outcome).toBe('failed');

  isOnline = true;
  const bob = await users.switchUser('bob');
  await bob.store<Note>('notes').create({ id: '1', owner: 'bob', text: 'of bob' });
  expect(await bob.sync()).toMatchObject({ outcome: 'complete', pushed: 1 });
  expect(await remoteNotes('ada')).toEqual([]);

  const again = await users.switchUser('ada');
  expect(await again.sync()).toMatchObject({ outcome: 'complete', pushed: 1 });
  expect([await remoteNotes('ada'), await remoteNotes('bob')]).toEqual([['of ada'], ['of bob']]);
  await users.logout();
  expect(signedOut).toEqual(['ada', 'bob', 'ada']);
});

test("a user reads nothing of another's, and the stores of a user who left are closed", async () => {
  const users = open();
  const ada = await users.signIn('ada');
  const notes = ada.store<Note>('notes');
  await notes.create({ id: '1', owner: 'ada', text: 'of ada' });
  const bob = await users.switchUser('bob');
  expect(await bob.store<Note>('notes').query('SELECT * FROM c').toArray()).toEqual([]);
  await expect(bob.store<Note>('notes').create({ id: '2', owner: 'ada', text: 'forged' })).rejects.toMatchObject({ code: 'SYNC_SCOPE' });
  await expect(notes.read('1', 'ada')).rejects.toMatchObject({ code: 'CLOSED' });
  await users.logout();
});

test('a user with unsent work stays signed in unless it is said what becomes of it', async () => {
  const users = open();
  const ada = await users.signIn('ada');
  await ada.store<Note>('notes').create({ id: '1', owner: 'ada', text: 'unsent' });
  await expect(users.logout()).rejects.toMatchObject({ code: 'SYNC_UNSENT' });
  expect(users.current).toMatchObject({ user: 'ada' });
  expect(await ada.store<Note>('notes').read('1', 'ada')).toBeDefined();
  expect(() => users.logout({ unsent: 'keep', removeData: true })).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }));

  await users.logout({ unsent: 'keep' });
  expect(users.current).toBeUndefined();
  expect(files()).toHaveLength(1);
  await expect(users.removeData('ada')).rejects.toMatchObject({ code: 'SYNC_UNSENT' });
  expect((await (await users.signIn('ada')).status()).pending).toBe(1);

  await users.logout({ unsent: 'discard' });
  expect(files()).toEqual([]);
  expect((await (await users.signIn('ada')).status()).pending).toBe(0);
  await users.logout();
});

test('a user who has sent everything can leave nothing behind', async () => {
  const users = open();
  const ada = await users.signIn('ada');
  await ada.store<Note>('notes').create({ id: '1', owner: 'ada', text: 'sent' });
  await ada.sync();
  await expect(users.removeData('ada')).rejects.toMatchObject({ code: 'SYNC_SCOPE' });
  await users.logout({ removeData: true });
  expect(files()).toEqual([]);
  expect(await remoteNotes('ada')).toEqual(['sent']);
  await users.removeData('nobody');
  await users.removeData('bob', { unsent: 'discard' });
  await users.logout();
});

test('calls that come at once run one after the other, whoever signs in last is there', async () => {
  const users = open();
  const names = ['ada', 'bob', 'ada', 'carl', '../../etc/passwd', 'ada'];
  const engines = await Promise.all(names.map((name) => users.switchUser(name)));
  expect(users.current?.user).toBe('ada');
  expect(users.current?.engine).toBe(engines.at(-1));
  expect(files().every((file) => /^user-[0-9A-F]+\.db(?:-\w+)?$/u.test(file))).toBe(true);
  expect(readdirSync(folder)).toEqual(['users']);
  await expect(users.signIn('bob')).rejects.toMatchObject({ code: 'SYNC_SCOPE' });
  await users.logout();
});

test('a user who leaves during a run leaves nothing half done', async () => {
  const users = open();
  const ada = await users.signIn('ada');
  for (let index = 0; index < 30; index += 1) {
    await ada.store<Note>('notes').create({ id: `n${index}`, owner: 'ada', text: `text ${index}` });
  }
  const run = ada.sync().catch((error: unknown) => error);
  await users.switchUser('bob');
  await run;
  const again = await users.switchUser('ada');
  expect((await again.sync()).outcome).toBe('complete');
  expect(await remoteNotes('ada')).toHaveLength(30);
  expect((await again.status()).pending).toBe(0);
  await users.logout();
});

test('where the engine of the other user cannot be opened, nobody is signed in and nothing is lost', async () => {
  const users = new UserSessions({
    storage: sqliteFolder(join(folder, 'users')),
    engine: (user) => ({
      containers: [NOTES],
      scope: user === 'bob' ? [] : [{ container: 'notes', partitionKey: user }],
      remote: (container) => cloud.container('app', container),
    }),
  });
  const ada = await users.signIn('ada');
  await ada.store<Note>('notes').create({ id: '1', owner: 'ada', text: 'unsent' });
  await expect(users.switchUser('bob')).rejects.toMatchObject({ code: 'INVALID_OPTION' });
  expect(users.current).toBeUndefined();
  expect((await (await users.signIn('ada')).status()).pending).toBe(1);
  await users.logout({ unsent: 'keep' });
});
