import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { Change, ChangesFrom } from '../../../src/store/changes.ts';
import type { DocumentStore } from '../../../src/store/document-store.ts';
import { prepareDocument } from '../../../src/store/prepared-document.ts';
import { get, type Program } from '../../../src/stores/sqlite/driver.ts';
import type { WriteJournal } from '../../../src/stores/sqlite/write-journal.ts';
import { SimulatedRuntime } from '../../../src/testing/simulated-runtime.ts';
import { RawDatabase } from '../../support/raw-database.ts';
import { afterTest, BACK_TO_VERSION_3, drivers, openBackend, temporaryFolder } from './test-files.ts';

const POLICY = { retentionDuration: 10 };

async function now(store: DocumentStore): Promise<ChangesFrom> {
  return { cursor: (await store.changes({ mode: 'all', from: 'now' }).nextPage()).cursor };
}

async function changesSince(store: DocumentStore, from: ChangesFrom): Promise<Change[]> {
  const changes: Change[] = [];
  for await (const change of store.changes({ mode: 'all', from, maxItemCount: 50 })) {
    changes.push(change);
  }
  return changes;
}

function told({ operation, document, timeToLiveExpired }: Change): string {
  return `${timeToLiveExpired === true ? 'expire' : operation} ${document.id}`;
}

/** Names of the tables of recorded versions, and how many rows they have together. */
function recordedTables(path: string): { readonly names: readonly string[]; readonly rows: number } {
  const raw = new RawDatabase(path, { readonly: true });
  try {
    const names = raw.prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB 'v[0-9]*'").pluck().all() as string[];
    const rows = names.reduce((sum, name) => sum + (raw.prepare(`SELECT count(*) FROM ${name}`).pluck().get() as number), 0);
    return { names, rows };
  } finally {
    raw.close();
  }
}

describe('recorded versions in a file', () => {
  test('cost nothing where there is no policy, and go with the policy, the container and the database', async () => {
    const path = join(temporaryFolder(), 'store.db');
    const backend = await openBackend({ path });
    await backend.createDatabase('test');
    await backend.createContainer('test', { id: 'plain', partitionKey: '/pk' });
    await (await backend.container('test', 'plain')).create({ id: 'x', pk: 'p' });
    expect(recordedTables(path).names).toEqual([]);
    for (const id of ['a', 'b', 'c']) {
      await backend.createContainer('test', { id, partitionKey: '/pk', changeFeedPolicy: POLICY });
      await (await backend.container('test', id)).create({ id: 'x', pk: 'p' });
    }
    expect(recordedTables(path)).toMatchObject({ names: { length: 3 }, rows: 3 });
    await backend.replaceContainer('test', { id: 'a', partitionKey: '/pk' });
    await backend.deleteContainer('test', 'b');
    expect(recordedTables(path).names).toHaveLength(1);
    await backend.deleteDatabase('test');
    expect(recordedTables(path).names).toEqual([]);
  });

  test('are dropped with the writes that follow, and by reading', async () => {
    const path = join(temporaryFolder(), 'store.db');
    const runtime = new SimulatedRuntime();
    const backend = await openBackend({ path, runtime });
    await backend.createDatabase('test');
    await backend.createContainer('test', {
      id: 'items',
      partitionKey: '/pk',
      defaultTtl: 200,
      changeFeedPolicy: { retentionDuration: 1 },
    });
    const store = await backend.container('test', 'items');
    for (let n = 0; n < 500; n += 1) {
      await store.upsert({ id: `${n % 20}`, pk: 'p', n });
      await runtime.advance(3000);
    }
    // Twenty writes a minute; what is dropped waits for the next write.
    expect(recordedTables(path).rows).toBeLessThanOrEqual(42);
    await store.bulk(Array.from({ length: 3000 }, (_, n) => ({ type: 'upsert' as const, document: { id: `${n}`, pk: 'q' } })));
    await runtime.advance(3_600_000);
    await now(store);
    expect(recordedTables(path).rows).toBe(0);
  });

  test('begin with the first look in a file of an earlier version whose container had a policy', async () => {
    const path = join(temporaryFolder(), 'store.db');
    const first = await openBackend({ path });
    await first.createDatabase('test');
    for (const id of ['recorded', 'odd', 'plain']) {
      await first.createContainer('test', { id, partitionKey: '/pk', extra: { kept: id } });
      await (await first.container('test', id)).create({ id: 'x', pk: 'p', n: 1 });
    }
    await first.close();
    const raw = new RawDatabase(path);
    raw.exec(`${BACK_TO_VERSION_3}
      UPDATE containers SET definition = json_set(definition, '$.extra.changeFeedPolicy', json('{"retentionDuration":10}')) WHERE id = 'recorded';
      UPDATE containers SET definition = json_set(definition, '$.extra.changeFeedPolicy', 'nonsense') WHERE id = 'odd'`);
    raw.close();
    const backend = await openBackend({ path });
    const store = await backend.container('test', 'recorded');
    expect(store.definition.changeFeedPolicy).toEqual(POLICY);
    expect(store.definition.extra).toEqual({ kept: 'recorded' });
    const start = await now(store);
    await store.replace({ id: 'x', pk: 'p', n: 2 });
    expect((await changesSince(store, start)).map(({ document, previous }) => [document['n'], previous?.['n']])).toEqual([[2, 1]]);
    for (const id of ['odd', 'plain']) {
      const other = await backend.container('test', id);
      expect(other.definition.changeFeedPolicy).toBeUndefined();
      await other.replace({ id: 'x', pk: 'p', n: 2 });
      await expect(now(other)).rejects.toMatchObject({ code: 'OUTSIDE_RETENTION' });
    }
  });

  for (const { name, driver } of drivers) {
    test(`hold odd and large documents as they were (${name})`, async () => {
      const backend = await openBackend({ path: join(temporaryFolder(), 'store.db'), driver: driver() });
      await backend.createDatabase('test');
      await backend.createContainer('test', { id: 'items', partitionKey: '/pk', changeFeedPolicy: POLICY });
      const store = await backend.container('test', 'items');
      const start = await now(store);
      const versions = [{ a: 'x\u0000y' }, { a: '\u0000' }, { a: 'plain' }, { a: 'z'.repeat(200_000) }, { ['__proto__']: 1, a: [1e21] }];
      const written = [];
      for (const version of versions) {
        written.push((await store.upsert({ id: 'x', pk: 'p', ...version })).document);
      }
      await store.delete('x', 'p');
      const changes = await changesSince(store, start);
      expect(changes.slice(0, -1).map(({ document }) => document)).toEqual(written);
      expect(changes.slice(1).map(({ previous }) => previous)).toEqual(written);
    });
  }
});

describe('recorded versions of a journaled container', () => {
  /** Keeps what has expired while its id is held. */
  function holdingJournal(held: ReadonlySet<string>): WriteJournal {
    return {
      name: 'holding',
      needsPreviousText: false,
      *keeps(_key, id): Program<boolean> {
        return (yield* get('SELECT 1')) !== undefined && held.has(id);
      },
      *recorded(): Program<void> {
        yield* get('SELECT 1');
      },
    };
  }

  test('tell an expiry once, whether or not the journal keeps the document, and its return as a new document', async () => {
    const runtime = new SimulatedRuntime();
    const backend = await openBackend({ path: join(temporaryFolder(), 'store.db'), runtime });
    await backend.createDatabase('test');
    await backend.createContainer('test', { id: 'items', partitionKey: '/pk', defaultTtl: 5, changeFeedPolicy: { retentionDuration: 60 } });
    const held = new Set(['kept', 'back']);
    const journaled = await backend.openJournaled('test', 'items', { journal: holdingJournal(held) });
    const reader = await backend.container('test', 'items');
    const start = await now(reader);
    for (const id of ['kept', 'back', 'free']) {
      await journaled.create({ id, pk: 'p', n: 1 });
    }
    await runtime.advance(10_000);
    const expired = ['expire kept', 'expire back', 'expire free'];
    expect((await changesSince(reader, start)).map(told).slice(3)).toEqual(expired);
    const keyOf = (id: string) => prepareDocument({ id, pk: 'p' }, [['pk']]);
    const { database } = journaled;
    const textOf = (id: string) => database.read(() => journaled.readProgram(keyOf(id), { expired: true })).then((row) => row?.text);
    expect([await textOf('kept'), await textOf('free')]).toEqual(['{"id":"kept","pk":"p","n":1}', '{"id":"free","pk":"p","n":1}']);
    await journaled.create({ id: 'other', pk: 'p', ttl: -1 });
    await runtime.advance(60_000);
    await journaled.create({ id: 'another', pk: 'p', ttl: -1 });
    // The store with the journal may remove what that does not need; the reader, who does not know it, may not.
    expect([await textOf('kept'), await textOf('free')]).toEqual(['{"id":"kept","pk":"p","n":1}', undefined]);
    await database.write(() => journaled.expireProgram(keyOf('back'), undefined));
    expect((await reader.read('back', 'p'))?.document['n']).toBe(1);
    held.clear();
    await runtime.advance(60_000);
    await journaled.create({ id: 'last', pk: 'p', ttl: -1 });
    expect(await textOf('kept')).toBeUndefined();
    expect((await changesSince(reader, start)).map(told).slice(3)).toEqual([
      ...expired,
      'create other',
      'create another',
      'create back',
      'create last',
    ]);
  });

  test('tell of what programs put and delete', async () => {
    const backend = await openBackend({ path: ':memory:' });
    await backend.createDatabase('test');
    await backend.createContainer('test', { id: 'items', partitionKey: '/pk', changeFeedPolicy: POLICY });
    const journaled = await backend.openJournaled('test', 'items', { journal: holdingJournal(new Set()) });
    const start = await now(journaled);
    const document = prepareDocument({ id: 'x', pk: 'p' }, [['pk']]);
    await journaled.database.write(function* () {
      yield* journaled.putProgram(document, { journal: false, expectNew: true });
      yield* journaled.putProgram(document, { journal: false });
      yield* journaled.deleteProgram(document);
    });
    expect((await changesSince(journaled, start)).map(told)).toEqual(['create x', 'replace x', 'delete x']);
  });
});

describe('processes that are killed', () => {
  const program = fileURLToPath(new URL('programs/write-versions.ts', import.meta.url));

  test(
    'leave a feed from which the documents can be made again, with every acknowledged write in it once',
    { timeout: 60_000 },
    async () => {
      const path = join(temporaryFolder(), 'store.db');
      const backend = await openBackend({ path });
      await backend.createDatabase('test');
      await backend.createContainer('test', { id: 'items', partitionKey: '/pk', defaultTtl: -1, changeFeedPolicy: POLICY });
      const store = await backend.container('test', 'items');
      const start = await now(store);
      let acknowledged = '';
      const children = ['a', 'b'].map((prefix) => {
        const child = spawn(process.execPath, ['--import', 'tsx', program, path, prefix], { stdio: ['ignore', 'pipe', 'inherit'] });
        afterTest(() => void child.kill('SIGKILL'));
        child.stdout.setEncoding('utf8').on('data', (text: string) => {
          acknowledged += text;
        });
        return { child, ended: new Promise((resolve) => child.on('close', resolve)) };
      });
      let expiries = 0;
      while (acknowledged.split('\n').length < 800 || expiries < 50) {
        // Reading records expiries, at the same time as the writers do.
        expiries = (await changesSince(store, start)).filter(({ timeToLiveExpired }) => timeToLiveExpired === true).length;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      for (const { child, ended } of children) {
        child.kill('SIGKILL');
        await ended;
      }
      const changes = await changesSince(store, start);
      const replayed = new Map<string, number>();
      const times = new Map<string, number>();
      for (const { operation, document, previous, timeToLiveExpired } of changes) {
        const { id } = document;
        expect(replayed.has(id), `${operation} ${id}`).toBe(operation !== 'create');
        expect(previous?.['n']).toBe(replayed.get(id));
        if (operation === 'delete') {
          replayed.delete(id);
        } else {
          replayed.set(id, document['n'] as number);
        }
        const line = `${operation === 'delete' ? 'delete' : 'put'} ${id} ${operation === 'delete' ? -1 : (document['n'] as number)}`;
        times.set(line, (times.get(line) ?? 0) + (timeToLiveExpired === true ? 0 : 1));
      }
      const expected = new Map<string, number>();
      for (const line of acknowledged.trimEnd().split('\n')) {
        expected.set(line, (expected.get(line) ?? 0) + 1);
      }
      for (const [line, count] of expected) {
        // The last write of a writer may have been committed and not acknowledged.
        const found = times.get(line) ?? 0;
        expect(found === count || (line.startsWith('delete') && found === count + 1), line).toBe(true);
      }
      const living = await store.query<{ id: string; n: number }>('SELECT c.id, c.n FROM c').toArray();
      const later = await changesSince(store, start);
      const gone = new Set(later.slice(changes.length).map(({ document }) => document.id));
      const left = Object.fromEntries([...replayed].filter(([id]) => !gone.has(id)));
      expect(Object.fromEntries(living.filter(({ id }) => !gone.has(id)).map(({ id, n }) => [id, n]))).toEqual(left);
    },
  );
});
