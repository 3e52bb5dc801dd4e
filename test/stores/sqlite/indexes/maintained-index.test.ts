import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { run } from '../../../../src/stores/sqlite/driver.ts';
import type { MaintainedIndexKind } from '../../../../src/stores/sqlite/indexes/maintained-index.ts';
import { SimulatedRuntime } from '../../../../src/testing/simulated-runtime.ts';
import type { SqliteBackend } from '../../../../src/stores/sqlite/sqlite-backend.ts';
import { SqliteDocumentStore } from '../../../../src/stores/sqlite/sqlite-document-store.ts';
import { prepareDocument } from '../../../../src/store/prepared-document.ts';
import { openBackend, temporaryFolder } from '../test-files.ts';

/** An index that is a plain copy: one row for each document, with what stands at `name`. */
const copies: MaintainedIndexKind = vi.hoisted(() => {
  const step = function* (mode: 'run', sql: string, ...parameters: (string | number | null)[]) {
    yield { mode, sql, parameters };
  };
  return {
    kind: 'spatial',
    form: '1',
    wanted: (policy) => policy.spatial.map(({ path }) => JSON.stringify(path)),
    // oxlint-disable-next-line require-yield
    *isAvailable() {
      return true;
    },
    open: (table) => ({
      create: () => step('run', `CREATE TABLE ${table} (ordinal INTEGER PRIMARY KEY, name TEXT)`),
      drop: () => step('run', `DROP TABLE IF EXISTS ${table}`),
      *put({ ordinal, value }, isNew) {
        // A plain INSERT fails where something is there already, which `isNew` promises there is not.
        yield* step(
          'run',
          `INSERT ${isNew ? '' : 'OR REPLACE '}INTO ${table} VALUES (?, ?)`,
          ordinal,
          JSON.stringify(value['name'] ?? null),
        );
      },
      remove: (ordinal) => step('run', `DELETE FROM ${table} WHERE ordinal = ?`, ordinal),
    }),
  } satisfies MaintainedIndexKind;
});

vi.mock('../../../../src/stores/sqlite/indexes/maintained-kinds.ts', () => ({ MAINTAINED_KINDS: [copies] }));

const POLICY = { includedPaths: [{ path: '/*' }], excludedPaths: [], spatialIndexes: [{ path: '/name/*', types: ['Point'] }] };

function rows(backend: SqliteBackend, sql: string): Promise<unknown> {
  return backend.database.read(function* () {
    return yield { mode: 'all', sql, parameters: [] };
  });
}

async function expectAgreement(backend: SqliteBackend, count: number): Promise<void> {
  const documents = await rows(backend, "SELECT ordinal, ifnull(body -> '$.name', 'null') AS name FROM c1 ORDER BY ordinal");
  expect(documents).toHaveLength(count);
  expect(await rows(backend, 'SELECT ordinal, name FROM c1_x1 ORDER BY ordinal')).toEqual(documents);
}

describe('an index that a program keeps', () => {
  test('holds what the table holds after every kind of write', async () => {
    const runtime = new SimulatedRuntime({ seed: 1 });
    const backend = await openBackend({ path: ':memory:', runtime });
    await backend.createDatabase('app');
    await backend.createContainer('app', { id: 'c', partitionKey: '/pk', indexingPolicy: POLICY, defaultTtl: -1 });
    const store = await backend.container('app', 'c');
    const add = (id: string, more: object = {}) => store.create({ id, pk: 'p', name: `name of ${id}`, ...more });
    await add('a');
    await store.upsert({ id: 'a', pk: 'p', name: 'again' });
    await store.upsert({ id: 'b', pk: 'p' });
    await store.replace({ id: 'b', pk: 'p', name: 'replaced' });
    await store.patch('b', 'p', [{ op: 'set', path: '/name', value: 'patched' }]);
    await expectAgreement(backend, 2);
    await store.batch('p', [
      { type: 'create', document: { id: 'c', pk: 'p', name: 'batch' } },
      { type: 'delete', id: 'a' },
      { type: 'upsert', document: { id: 'b', pk: 'p', name: 'batch' } },
    ]);
    await expectAgreement(backend, 2);
    const undone = await store.batch('p', [
      { type: 'create', document: { id: 'd', pk: 'p', name: 'undone' } },
      { type: 'create', document: { id: 'c', pk: 'p', name: 'taken' } },
    ]);
    expect(undone.committed).toBe(false);
    await store.bulk([
      { type: 'create', document: { id: 'e', pk: 'q', name: 'bulk' } },
      { type: 'create', document: { id: 'c', pk: 'p', name: 'taken' } },
      { type: 'delete', id: 'b', partitionKey: 'p' },
    ]);
    await expectAgreement(backend, 2);
    await store.transact('q', async (transaction) => {
      await transaction.replace({ id: 'e', pk: 'q', name: 'transacted' });
    });
    await store.delete('c', 'p');
    await expectAgreement(backend, 1);
    await add('short', { ttl: 5 });
    await add('taken-again', { ttl: 5 });
    await runtime.advance(60_000);
    await add('taken-again');
    await add('sweeps');
    await expectAgreement(backend, 3);
    if (!(store instanceof SqliteDocumentStore)) {
      throw new TypeError('The store of a SQLite backend is a SqliteDocumentStore.');
    }
    const synced = prepareDocument(
      { id: 'synced', pk: 's', name: 'synced' },
      ['/pk'].map((path) => [path.slice(1)]),
    );
    await backend.database.write(() => store.putProgram(synced, { expectNew: true }));
    await expectAgreement(backend, 4);
    await backend.database.write(() => store.deleteProgram(synced));
    await expectAgreement(backend, 3);
    await backend.deleteContainer('app', 'c');
    expect(await rows(backend, "SELECT name FROM sqlite_master WHERE name LIKE 'c1%'")).toEqual([]);
  });

  test('is filled in the background while others write, and goes on where a process ended', async () => {
    const path = join(temporaryFolder(), 'store.db');
    const first = await openBackend({ path });
    await first.createDatabase('app');
    await first.createContainer('app', { id: 'c', partitionKey: '/pk' });
    const store = await first.container('app', 'c');
    await store.bulk(
      Array.from({ length: 1000 }, (_, index) => ({ type: 'create' as const, document: { id: `d${index}`, pk: 'p', name: `n${index}` } })),
    );
    await first.replaceContainer('app', { id: 'c', partitionKey: '/pk', indexingPolicy: POLICY });
    await store.upsert({ id: 'd3', pk: 'p', name: 'meanwhile' });
    await store.delete('d900', 'p');
    await store.create({ id: 'new', pk: 'p', name: 'new' });
    await first.close();
    const second = await openBackend({ path });
    await second.indexesReady();
    expect((await second.indexStatus()).map(({ kind, isReady }) => [kind, isReady])).toEqual([['spatial', true]]);
    await expectAgreement(second, 1000);
    await second.database.write(() => run('UPDATE indexes SET form = 0'));
    const reopened = await openBackend({ path });
    await reopened.container('app', 'c');
    await reopened.indexesReady();
    expect(await rows(reopened, 'SELECT count(*) AS n FROM c1_x2')).toEqual([{ n: 1000 }]);
  });
});
