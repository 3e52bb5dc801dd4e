import { describe, expect, test } from 'vitest';
import { openPromoted, refused } from './promoted.ts';

describe('promoted columns', () => {
  test('have the values of documents that were there and of those that come, and a plain client reads them', async () => {
    const { backend, store, client, table, valuesOf } = await openPromoted();
    await store.create({ id: 'a', pk: '1', email: 'a@x', address: { city: 'Graz' }, createdAt: '2026-01-31T12:00:00.1234567+02:00' });
    await store.create({ id: 'b', pk: '2', email: null, address: 'none' });
    expect(
      await backend.promoteColumns('d', 'c', [
        { path: '/email', type: 'text', unique: true },
        { path: '/address/city', type: 'text', name: 'home' },
        { path: '/createdAt', type: 'timestamptz' },
      ]),
    ).toEqual([
      { name: 'email', path: '/email', type: 'text', unique: true, notNull: false, isReady: true },
      { name: 'home', path: '/address/city', type: 'text', unique: false, notNull: false, isReady: true },
      { name: 'createdAt', path: '/createdAt', type: 'timestamptz', unique: false, notNull: false, isReady: true },
    ]);
    await store.create({ id: 'c', pk: '3', email: 'c@x' });
    await store.upsert({ id: 'b', pk: '2', email: 'b@x' });
    await store.patch('c', '3', [{ op: 'set', path: '/address', value: { city: 'Linz' } }]);
    await store.bulk([
      { type: 'create', document: { id: 'd', pk: '4', email: 'd@x' } },
      { type: 'create', document: { id: 'e', pk: '4' } },
    ]);
    await store.delete('a', '1');
    expect(await valuesOf('email')).toEqual({ b: 'b@x', c: 'c@x', d: 'd@x', e: null });
    expect(await valuesOf('home')).toEqual({ b: null, c: 'Linz', d: null, e: null });
    // A write past Perigee stays equal too.
    await client.query(`UPDATE ${table} SET body = '{"id":"e","pk":"4","email":"e@x"}', email = 'other' WHERE id = 'e'`);
    expect((await valuesOf('email'))['e']).toBe('e@x');
    const { rows } = await client.query(
      `SELECT data_type FROM information_schema.columns WHERE table_schema || '.' || table_name = $1 AND column_name = 'createdAt'`,
      [table],
    );
    expect(rows).toEqual([{ data_type: 'timestamp with time zone' }]);
  });

  test('a document that does not fit is refused with the path, never the value, and nothing is written of it', async () => {
    const { backend, store, valuesOf } = await openPromoted();
    await backend.promoteColumns('d', 'c', [
      { path: '/age', type: 'integer', notNull: true },
      { path: '/email', type: 'text', unique: true },
    ]);
    await store.create({ id: 'a', pk: '1', age: 5, email: 'a@x' });
    const wrong = { id: 'secret-free', pk: '1', age: 'top secret' };
    for (const call of [
      () => store.create(wrong),
      () => store.upsert(wrong),
      () => store.replace({ id: 'a', pk: '1', age: 2 ** 31, email: 'a@x' }),
      () => store.patch('a', '1', [{ op: 'incr', path: '/age', value: 0.5 }]),
      () => store.patch('a', '1', [{ op: 'remove', path: '/age' }]),
      () => store.transact('1', (transaction) => transaction.create(wrong)),
    ]) {
      const error = await refused(call());
      expect(error).toMatchObject({ code: 'INVALID_DOCUMENT', status: 400, details: { path: '/age', column: 'age', type: 'integer' } });
      expect(error.message).toContain('"/age"');
      expect(error.message).not.toContain('top secret');
      expect(JSON.stringify(error.details)).not.toContain('top secret');
    }
    expect(await refused(store.create({ id: 'b', pk: '2', age: 1, email: 'a@x' }))).toMatchObject({
      code: 'CONFLICT',
      status: 409,
      details: { path: '/email', column: 'email', type: 'text' },
    });
    expect((await store.read('a', '1'))?.document).toMatchObject({ age: 5, email: 'a@x' });
    expect(await valuesOf('age')).toEqual({ a: 5 });
  });

  test('of many creates, which are copied in, only those are refused that do not fit or have a value of another document', async () => {
    const { backend, store, valuesOf } = await openPromoted();
    await backend.promoteColumns('d', 'c', [{ path: '/v', type: 'integer', unique: true }]);
    await store.create({ id: 'first', pk: 'x', v: 7 });
    const documents = Array.from({ length: 300 }, (_, n) => ({ id: `d${n}`, pk: `p${n % 7}`, v: n === 50 ? 'seven' : n }));
    const { outcomes } = await store.bulk(documents.map((document) => ({ type: 'create', document }) as const));
    expect(outcomes.flatMap((one, n) => (one.ok ? [] : [[n, one.error.code]]))).toEqual([
      [7, 'CONFLICT'],
      [50, 'INVALID_DOCUMENT'],
    ]);
    expect(Object.values(await valuesOf('v')).toSorted((left, right) => Number(left) - Number(right))).toEqual(
      Array.from({ length: 300 }, (_, n) => n).filter((n) => n !== 50),
    );
  });

  test('one operation of a batch fails, and the others depend on it; of a bulk call only that one', async () => {
    const { backend, store, valuesOf } = await openPromoted();
    await backend.promoteColumns('d', 'c', [
      { path: '/n', type: 'bigint' },
      { path: '/email', type: 'text', unique: true },
    ]);
    await store.create({ id: 'x', pk: 'p', email: 'x@x' });
    const batch = await store.batch('p', [
      { type: 'create', document: { id: 'a', pk: 'p', n: 1 } },
      { type: 'create', document: { id: 'b', pk: 'p', n: 1.5 } },
      { type: 'create', document: { id: 'c', pk: 'p', n: 2 } },
    ]);
    expect(batch.committed).toBe(false);
    expect(batch.outcomes.map((one) => (one.ok ? 'ok' : one.error.code))).toEqual([
      'FAILED_DEPENDENCY',
      'INVALID_DOCUMENT',
      'FAILED_DEPENDENCY',
    ]);
    const bulk = await store.bulk([
      { type: 'create', document: { id: 'a', pk: 'p', n: 1, email: 'new@x' } },
      { type: 'create', document: { id: 'b', pk: 'q', n: 'no' } },
      { type: 'create', document: { id: 'c', pk: 'r', email: 'new@x' } },
      { type: 'upsert', document: { id: 'x', pk: 'p', email: 'y@x' } },
      { type: 'create', document: { id: 'd', pk: 'r', email: 'x@x' } },
      { type: 'delete', id: 'x', partitionKey: 'p' },
      { type: 'create', document: { id: 'e', pk: 'r', email: 'y@x' } },
    ]);
    expect(bulk.outcomes.map((one) => (one.ok ? 'ok' : one.error.code))).toEqual([
      'ok',
      'INVALID_DOCUMENT',
      'CONFLICT',
      'ok',
      'ok',
      'ok',
      'ok',
    ]);
    expect(await valuesOf('email')).toEqual({ a: 'new@x', d: 'x@x', e: 'y@x' });
    // In their order, so what a later operation mends is refused all the same.
    const early = await store.batch('r', [
      { type: 'create', document: { id: 'f', pk: 'r', email: 'y@x' } },
      { type: 'delete', id: 'e' },
    ]);
    expect(early.outcomes.map((one) => (one.ok ? 'ok' : one.error.code))).toEqual(['CONFLICT', 'FAILED_DEPENDENCY']);
    const late = await store.batch('r', [
      { type: 'delete', id: 'e' },
      { type: 'create', document: { id: 'f', pk: 'r', email: 'y@x' } },
    ]);
    expect(late.committed).toBe(true);
  });

  test('a promotion that documents do not fit says the path and how many, and changes nothing', async () => {
    const { backend, store, client, table } = await openPromoted({ defaultTtl: -1 });
    const columns = async (): Promise<unknown> =>
      (await client.query(`SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped`, [table]))
        .rows;
    const before = await columns();
    await store.bulk(
      [1, 2, 'x', null, 'y', 'y'].map(
        (v, index) => ({ type: 'create', document: { id: `i${index}`, pk: `p${index}`, v, w: index } }) as const,
      ),
    );
    expect(await refused(backend.promoteColumns('d', 'c', [{ path: '/v', type: 'text' }]))).toMatchObject({
      code: 'INVALID_DOCUMENT',
      message: expect.stringContaining('"/v"') as string,
      details: { path: '/v', documents: 2 },
    });
    expect(await refused(backend.promoteColumns('d', 'c', [{ path: '/v', type: 'jsonb', notNull: true }]))).toMatchObject({
      details: { documents: 1 },
    });
    expect(
      await refused(
        backend.promoteColumns('d', 'c', [
          { path: '/w', type: 'integer' },
          { path: '/v', type: 'jsonb', unique: true },
        ]),
      ),
    ).toMatchObject({ code: 'CONFLICT', details: { path: '/v', documents: 2 } });
    expect(await columns()).toEqual(before);
    expect(await backend.listColumns('d', 'c')).toEqual([]);
    await backend.promoteColumns('d', 'c', [{ path: '/w', type: 'integer', notNull: true, unique: true }]);
    expect(await refused(backend.promoteColumns('d', 'c', [{ path: '/w', type: 'bigint' }]))).toMatchObject({ code: 'CONFLICT' });
    // What is there as it is asked for stays.
    expect(await backend.promoteColumns('d', 'c', [{ path: '/w', type: 'integer', notNull: true, unique: true }])).toHaveLength(1);
    expect(await backend.dropColumns('d', 'c', ['w'])).toEqual([]);
    expect(await columns()).toEqual(before);
    expect(await refused(backend.dropColumns('d', 'c', ['w']))).toMatchObject({ code: 'NOT_FOUND' });
    await store.create({ id: 'new', pk: 'p', w: 'anything' });
  });

  test('a unique value of any length, and documents with U+0000, are no obstacle', async () => {
    const { backend, store, valuesOf } = await openPromoted();
    await store.create({ id: 'odd', pk: 'p', email: 'o\u0001\\u0000@x', note: 'a\u0000b', ['em\u0000ail']: 5 });
    await backend.promoteColumns('d', 'c', [
      { path: '/email', type: 'text', unique: true },
      { path: '/tree', type: 'jsonb', unique: true },
    ]);
    const long = 'ß'.repeat(400_000);
    await store.create({ id: 'a', pk: 'p', email: long, tree: [long] });
    expect((await refused(store.create({ id: 'b', pk: 'q', email: long }))).code).toBe('CONFLICT');
    expect((await refused(store.create({ id: 'b', pk: 'q', tree: [long] }))).code).toBe('CONFLICT');
    await store.create({ id: 'b', pk: 'q', email: `${long}.`, tree: { a: 1, b: [2] } });
    expect((await refused(store.create({ id: 'c', pk: 'q', tree: { b: [2.0], a: 1 } }))).code).toBe('CONFLICT');
    expect((await refused(store.create({ id: 'c', pk: 'q', email: 'o\u0001\\u0000@x' }))).code).toBe('CONFLICT');
    expect((await refused(store.create({ id: 'c', pk: 'q', email: 'a\u0000b' }))).code).toBe('INVALID_DOCUMENT');
    expect((await refused(store.create({ id: 'c', pk: 'q', tree: [{ 'a\u0000': 1 }] }))).code).toBe('INVALID_DOCUMENT');
    const values = await valuesOf('email');
    expect(values['odd']).toBe('o\u0001\\u0000@x');
    expect(values['a']).toBe(long);
  });
});
