import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RawDatabase as Database } from '../../support/raw-database.ts';
import { describe, expect, test } from 'vitest';
import { isPerigeeError } from '../../../src/core/errors.ts';
import { drivers, newStore, openBackend, temporaryFolder } from './test-files.ts';

for (const { name, driver } of drivers) {
  describe(`SQLite store over ${name}`, () => {
    test('what was written is there after the file was closed and opened again', async () => {
      const path = join(temporaryFolder(), 'store.db');
      const first = await openBackend({ path, driver: driver() });
      const store = await newStore(first);
      const { etag } = await store.create({ id: 'a', pk: 'p', nested: { '10': 1, b: [true, null] } });
      await first.close();

      const second = await openBackend({ path, driver: driver() });
      const again = await second.container('test', 'items');
      const found = await again.read('a', 'p');
      expect(found?.etag).toBe(etag);
      expect(JSON.stringify(found?.document)).toMatch(/^\{"id":"a","pk":"p","nested":\{"10":1,"b":\[true,null\]\},"_rid":/u);
      const replaced = await again.replace({ id: 'a', pk: 'p' }, { ifMatch: etag });
      expect(replaced.position).toBe(2);
      expect(replaced.document._rid).toBe(found?.document._rid);
    });

    test('positions and etags are never given twice, also after deletes and a new start', async () => {
      const path = join(temporaryFolder(), 'store.db');
      const first = await openBackend({ path, driver: driver() });
      const store = await newStore(first);
      const created = await store.create({ id: 'a', pk: 'p' });
      await store.delete('a', 'p');
      await first.close();
      const second = await openBackend({ path, driver: driver() });
      const recreated = await (await second.container('test', 'items')).create({ id: 'a', pk: 'p' });
      expect(recreated.position).toBe(3);
      expect(recreated.etag).not.toBe(created.etag);
      expect(recreated.document._rid > created.document._rid).toBe(true);
    });

    test('a failed batch leaves nothing behind and later writes go on', async () => {
      const backend = await openBackend({ path: join(temporaryFolder(), 'store.db'), driver: driver() });
      const store = await newStore(backend);
      await store.create({ id: 'taken', pk: 'p' });
      const result = await store.batch('p', [
        { type: 'create', document: { id: 'new', pk: 'p' } },
        { type: 'create', document: { id: 'taken', pk: 'p' } },
      ]);
      expect(result.committed).toBe(false);
      expect(result.outcomes.map((outcome) => (outcome.ok ? 'ok' : outcome.error.code))).toEqual(['FAILED_DEPENDENCY', 'CONFLICT']);
      expect(await store.read('new', 'p')).toBeUndefined();
      expect((await store.create({ id: 'new', pk: 'p' })).position).toBe(2);
    });

    test('readers outside a transaction do not see it, readers inside do, and an abort undoes it', async () => {
      const backend = await openBackend({ path: join(temporaryFolder(), 'store.db'), driver: driver() });
      const store = await newStore(backend);
      await store.create({ id: 'a', pk: 'p', n: 1 });
      const abort = new AbortController();
      const transaction = store.transact(
        'p',
        async (inside) => {
          await inside.replace({ id: 'a', pk: 'p', n: 2 });
          expect((await inside.read('a'))?.document['n']).toBe(2);
          expect((await store.read('a', 'p'))?.document['n']).toBe(1);
          abort.abort(new Error('enough'));
          await new Promise(() => undefined);
        },
        { signal: abort.signal },
      );
      await expect(transaction).rejects.toThrow('enough');
      expect((await store.read('a', 'p'))?.document['n']).toBe(1);
      expect((await store.replace({ id: 'a', pk: 'p', n: 3 })).position).toBe(2);
    });

    test('a write that is under way when its transaction is aborted does not happen outside it', async () => {
      const backend = await openBackend({ path: join(temporaryFolder(), 'store.db'), driver: driver() });
      const store = await newStore(backend);
      await store.create({ id: 'a', pk: 'p' });
      const abort = new AbortController();
      const transaction = store.transact(
        'p',
        async (inside) => {
          const writes = Promise.all(['b', 'c', 'd'].map((id) => inside.create({ id, pk: 'p' })));
          abort.abort(new Error('enough'));
          await writes;
        },
        { signal: abort.signal },
      );
      await expect(transaction).rejects.toThrow('enough');
      await store.upsert({ id: 'a', pk: 'p' });
      expect(await store.query('SELECT VALUE c.id FROM c').toArray()).toEqual(['a']);
    });

    test('writes asked for during a transaction wait for its end', async () => {
      const backend = await openBackend({ path: join(temporaryFolder(), 'store.db'), driver: driver() });
      const store = await newStore(backend);
      const order: string[] = [];
      let write: Promise<unknown> = Promise.resolve();
      await store.transact('p', async (inside) => {
        await inside.create({ id: 'in', pk: 'p' });
        write = store.create({ id: 'out', pk: 'p' }).then(() => order.push('write'));
        await store.read('in', 'p');
        order.push('transaction');
      });
      await write;
      expect(order).toEqual(['transaction', 'write']);
    });

    test('a store of a deleted container says so', async () => {
      const backend = await openBackend({ path: join(temporaryFolder(), 'store.db'), driver: driver() });
      const store = await newStore(backend);
      await store.create({ id: 'a', pk: 'p' });
      await backend.deleteContainer('test', 'items');
      await backend.createContainer('test', { id: 'items', partitionKey: '/pk' });
      for (const call of [() => store.read('a', 'p'), () => store.create({ id: 'b', pk: 'p' }), () => store.changes().nextPage()]) {
        await expect(call()).rejects.toSatisfy((error) => isPerigeeError(error, 'NOT_FOUND'));
      }
      expect(await (await backend.container('test', 'items')).read('a', 'p')).toBeUndefined();
    });

    test('many writes at once all commit, each with a position of its own', async () => {
      const backend = await openBackend({ path: join(temporaryFolder(), 'store.db'), driver: driver() });
      const store = await newStore(backend);
      const results = await Promise.all(Array.from({ length: 100 }, (_, index) => store.create({ id: `d${index}`, pk: 'p' })));
      expect(new Set(results.map(({ position }) => position)).size).toBe(100);
    });

    test('a database in memory is of its own', async () => {
      const one = await openBackend({ path: ':memory:', driver: driver() });
      const other = await openBackend({ path: ':memory:', driver: driver() });
      const store = await newStore(one);
      await store.create({ id: 'a', pk: 'p' });
      expect(await other.listDatabases()).toEqual([]);
      expect(one.capabilities.durability).toBe('none');
      await one.flush();
    });
  });
}

describe('durability and drivers', () => {
  test('flush resolves also while a reader of another process holds the checkpoint back', async () => {
    const path = join(temporaryFolder(), 'store.db');
    const backend = await openBackend({ path });
    const store = await newStore(backend);
    await store.create({ id: 'a', pk: 'p' });
    const reader = new Database(path, { readonly: true });
    reader.exec('BEGIN');
    reader.prepare('SELECT count(*) FROM containers').get();
    await store.create({ id: 'b', pk: 'p' });
    await store.flush();
    reader.close();
    await backend.flush();
    expect(backend.capabilities.durability).toBe('process-kill');
    expect((await openBackend({ path, synchronous: 'full' })).capabilities.durability).toBe('power-loss');
  });

  test('the class of better-sqlite3 may be given, and without the package the error names it', async () => {
    const backend = await openBackend({ path: ':memory:', driver: Database });
    await newStore(backend);
    const hide = `export async function resolve(specifier, context, next) {
      if (specifier === 'better-sqlite3') { throw Object.assign(new Error('not installed'), { code: 'ERR_MODULE_NOT_FOUND' }); }
      return next(specifier, context);
    }`;
    const hook = `import { register } from 'node:module'; register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(hide)}`)});`;
    const source = fileURLToPath(new URL('../../../src/stores/sqlite/sqlite-backend.ts', import.meta.url));
    const program = `import { openSqliteBackend } from ${JSON.stringify(source)};
      await openSqliteBackend({ path: ':memory:' }).catch((error) => console.log(error.code, error.details.package));`;
    const child = spawnSync(
      process.execPath,
      ['--import', 'tsx', '--import', `data:text/javascript,${encodeURIComponent(hook)}`, '--input-type=module', '-e', program],
      { encoding: 'utf8' },
    );
    expect(child.stdout.trim(), child.stderr).toBe('DRIVER_MISSING better-sqlite3');
  });

  test('a driver built for another Node or machine says how to build it again', async () => {
    const path = join(temporaryFolder(), 'broken.node');
    writeFileSync(path, 'not a shared object');
    const broken = class {
      constructor() {
        process.dlopen({ exports: {} }, path);
      }
    };
    const opening = openBackend({ path: ':memory:', driver: broken as unknown as typeof Database });
    await expect(opening).rejects.toMatchObject({
      code: 'DRIVER_MISSING',
      message: expect.stringContaining('npm rebuild better-sqlite3') as string,
    });
  });

  test('options out of range are refused before anything is opened', async () => {
    for (const options of [{ path: '' }, { path: ':memory:', busyTimeoutMs: -1 }, { path: ':memory:', synchronous: 'off' as never }]) {
      await expect(openBackend(options)).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    }
  });
});
