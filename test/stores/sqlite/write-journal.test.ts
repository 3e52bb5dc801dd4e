import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { PerigeeError } from '../../../src/core/errors.ts';
import { all, run, type Program } from '../../../src/stores/sqlite/driver.ts';
import type { SqliteBackend } from '../../../src/stores/sqlite/sqlite-backend.ts';
import type { AppliedWrite } from '../../../src/stores/common/applied-write.ts';
import type { WriteJournal } from '../../../src/stores/sqlite/write-journal.ts';
import { prepareDocument, type PreparedDocument } from '../../../src/store/prepared-document.ts';
import { drivers, newStore, openBackend, temporaryFolder } from './test-files.ts';

/** A journal that keeps a line for each write in a table of its own. */
function lineJournal(name = 'lines', fail?: (write: AppliedWrite) => void): WriteJournal {
  return {
    name,
    needsPreviousText: true,
    check: (operation) => {
      if ('document' in operation && 'forbidden' in operation.document.value) {
        throw new PerigeeError('BAD_REQUEST', 'The property "forbidden" is reserved.');
      }
    },
    *recorded(write): Program<void> {
      fail?.(write);
      yield* run(
        'INSERT INTO lines VALUES (?)',
        `${write.type} ${write.key.id} ${write.previous?.text ?? '-'} > ${write.document?.text ?? '-'}`,
      );
    },
  };
}

async function linesOf(backend: SqliteBackend): Promise<unknown[]> {
  return (await backend.database.read(() => all<{ line: string }>('SELECT line FROM lines ORDER BY rowid'))).map(({ line }) => line);
}

async function openWithLines(backend: SqliteBackend): Promise<void> {
  await newStore(backend);
  await backend.database.ensureTables('lines', [
    function* () {
      yield* run('CREATE TABLE lines (line TEXT)');
    },
  ]);
}

function prepared(document: { readonly id: string; readonly pk: string; readonly [key: string]: unknown }): PreparedDocument {
  return prepareDocument(document, [['pk']]);
}

for (const { name, driver } of drivers) {
  describe(`a write journal over ${name}`, () => {
    test('records every kind of write with what was there before', async () => {
      const backend = await openBackend({ path: join(temporaryFolder(), 'store.db'), driver: driver() });
      await openWithLines(backend);
      const store = await backend.openJournaled('test', 'items', { journal: lineJournal() });
      await store.create({ id: 'a', pk: 'p' });
      await store.upsert({ id: 'a', pk: 'p', n: 1 });
      await store.patch('a', 'p', [{ op: 'incr', path: '/n', value: 1 }]);
      await store.batch('p', [{ type: 'create', document: { id: 'b', pk: 'p' } }]);
      await store.bulk([{ type: 'delete', id: 'a', partitionKey: 'p' }]);
      await store.transact('p', async (inside) => {
        await inside.replace({ id: 'b', pk: 'p', n: 9 });
      });
      expect(await linesOf(backend)).toEqual([
        'create a - > {"id":"a","pk":"p"}',
        'upsert a {"id":"a","pk":"p"} > {"id":"a","pk":"p","n":1}',
        'patch a {"id":"a","pk":"p","n":1} > {"id":"a","pk":"p","n":2}',
        'create b - > {"id":"b","pk":"p"}',
        'delete a {"id":"a","pk":"p","n":2} > -',
        'replace b {"id":"b","pk":"p"} > {"id":"b","pk":"p","n":9}',
      ]);
    });

    test('a write and its record commit together or not at all', async () => {
      const backend = await openBackend({ path: join(temporaryFolder(), 'store.db'), driver: driver() });
      await openWithLines(backend);
      const journal = lineJournal('lines', ({ key }) => {
        if (key.id === 'bad') {
          throw new PerigeeError('STORE_FULL', 'No room for the record.');
        }
      });
      const store = await backend.openJournaled('test', 'items', { journal });
      await expect(store.create({ id: 'bad', pk: 'p' })).rejects.toMatchObject({ code: 'STORE_FULL' });
      await expect(store.bulk(['good', 'bad'].map((id) => ({ type: 'create', document: { id, pk: 'p' } })))).rejects.toMatchObject({
        code: 'STORE_FULL',
      });
      expect(await store.read('bad', 'p')).toBeUndefined();
      expect(await store.read('good', 'p')).toBeUndefined();
      expect(await linesOf(backend)).toEqual([]);
      expect((await store.create({ id: 'good', pk: 'p' })).position).toBe(1);
    });

    test('what the journal refuses leaves the other operations of a bulk alone', async () => {
      const backend = await openBackend({ path: join(temporaryFolder(), 'store.db'), driver: driver() });
      await openWithLines(backend);
      const store = await backend.openJournaled('test', 'items', { journal: lineJournal() });
      const { outcomes } = await store.bulk([
        { type: 'create', document: { id: 'a', pk: 'p', forbidden: 1 } },
        { type: 'create', document: { id: 'b', pk: 'p' } },
      ]);
      expect(outcomes.map((outcome) => (outcome.ok ? 'ok' : outcome.error.code))).toEqual(['BAD_REQUEST', 'ok']);
    });
  });
}

describe('a journaled container', () => {
  test('refuses writes from a store without its journal, in this process and in others, until it is released', async () => {
    const path = join(temporaryFolder(), 'store.db');
    const backend = await openBackend({ path });
    await openWithLines(backend);
    const openedBefore = await backend.container('test', 'items');
    const elsewhere = await (await openBackend({ path })).container('test', 'items');
    const journaled = await backend.openJournaled('test', 'items', { journal: lineJournal() });
    await journaled.create({ id: 'a', pk: 'p' });
    for (const store of [openedBefore, elsewhere, await backend.container('test', 'items')]) {
      expect((await store.read('a', 'p'))?.document.id).toBe('a');
      await expect(store.upsert({ id: 'a', pk: 'p' })).rejects.toMatchObject({ code: 'SYNC_SCOPE' });
      await expect(store.bulk([{ type: 'delete', id: 'a', partitionKey: 'p' }])).rejects.toMatchObject({ code: 'SYNC_SCOPE' });
      await expect(store.transact('p', (inside) => inside.delete('a'))).rejects.toMatchObject({ code: 'SYNC_SCOPE' });
    }
    await expect(backend.openJournaled('test', 'items', { journal: lineJournal('other') })).rejects.toMatchObject({ code: 'SYNC_SCOPE' });
    expect(await linesOf(backend)).toHaveLength(1);
    await backend.releaseJournal('test', 'items', 'lines');
    await openedBefore.upsert({ id: 'a', pk: 'p' });
    await elsewhere.upsert({ id: 'a', pk: 'p' });
  });

  test('is not deleted, nor its database, while writes may wait to be sent', async () => {
    const backend = await openBackend({ path: join(temporaryFolder(), 'store.db') });
    await openWithLines(backend);
    const journaled = await backend.openJournaled('test', 'items', { journal: lineJournal() });
    await journaled.create({ id: 'a', pk: 'p' });
    await expect(backend.deleteContainer('test', 'items')).rejects.toMatchObject({ code: 'SYNC_SCOPE' });
    await expect(backend.deleteDatabase('test')).rejects.toMatchObject({ code: 'SYNC_SCOPE' });
    expect((await journaled.read('a', 'p'))?.document.id).toBe('a');
    await backend.releaseJournal('test', 'items', 'lines');
    await backend.deleteContainer('test', 'items');
  });
});

describe('programs of the sync layer', () => {
  test('documents and tables of its own commit in one transaction, unrecorded where asked', async () => {
    const backend = await openBackend({ path: join(temporaryFolder(), 'store.db') });
    await openWithLines(backend);
    const store = await backend.openJournaled('test', 'items', { journal: lineJournal() });
    const document = prepared({ id: 'a', pk: 'p', n: 1 });
    const { database } = store;
    const applied = await database.write(function* () {
      const put = yield* store.putProgram(document, { journal: false });
      yield* run("INSERT INTO lines VALUES ('cursor')");
      expect((yield* store.readProgram(document))?.text).toBe(document.text);
      return put;
    });
    expect(applied.previous).toBeUndefined();
    expect((await store.read('a', 'p'))?.etag).toBe(applied.etag);
    await expect(
      database.write(function* () {
        yield* store.putProgram(prepared({ id: 'b', pk: 'p' }), { journal: false });
        yield* store.deleteProgram(document, { journal: false });
        throw new Error('killed here');
      }),
    ).rejects.toThrow('killed here');
    expect(await store.read('b', 'p')).toBeUndefined();
    expect((await store.read('a', 'p'))?.document['n']).toBe(1);
    expect(await linesOf(backend)).toEqual(['cursor']);
    const again = await database.write(() => store.putProgram(document));
    expect(again.position).toBe(2);
    expect(await database.write(() => store.deleteProgram(prepared({ id: 'none', pk: 'p' })))).toBeUndefined();
  });

  test('an expiry given by the caller counts, also where the container has none', async () => {
    const backend = await openBackend({ path: ':memory:' });
    const store = await backend.createDatabase('test').then(async () => {
      await backend.createContainer('test', { id: 'items', partitionKey: '/pk' });
      return backend.openJournaled('test', 'items', { journal: lineJournal() });
    });
    const now = Math.floor(Date.now() / 1000);
    await store.database.write(function* () {
      yield* store.putProgram(prepared({ id: 'past', pk: 'p' }), { journal: false, expiresAtSeconds: now - 1 });
      yield* store.putProgram(prepared({ id: 'future', pk: 'p' }), { journal: false, expiresAtSeconds: now + 1000 });
    });
    expect(await store.read('past', 'p')).toBeUndefined();
    expect((await store.read('future', 'p'))?.document.id).toBe('future');
  });

  test('a taken unique key is thrown before anything was changed, so that a program may go on', async () => {
    const backend = await openBackend({ path: ':memory:' });
    await backend.createDatabase('test');
    await backend.createContainer('test', { id: 'items', partitionKey: '/pk', uniqueKeys: [['/mail']] });
    const store = await backend.openJournaled('test', 'items', { journal: lineJournal() });
    const conflicts = await store.database.write(function* (): Program<number> {
      let count = 0;
      for (const id of ['a', 'b']) {
        try {
          yield* store.putProgram(prepared({ id, pk: 'p', mail: 'same' }), { journal: false });
        } catch (error) {
          expect(error).toMatchObject({ code: 'CONFLICT' });
          count += 1;
        }
      }
      yield* store.putProgram(prepared({ id: 'c', pk: 'p', mail: 'other' }), { journal: false });
      return count;
    });
    expect(conflicts).toBe(1);
    expect(await store.query('SELECT VALUE c.id FROM c').toArray()).toEqual(['a', 'c']);
  });
});
