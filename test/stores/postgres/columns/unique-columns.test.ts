import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ShiftableRuntime } from '../../../../src/core/shiftable-runtime.ts';
import { openPromoted, refused } from './promoted.ts';

const codes = (
  outcomes: readonly ({ readonly ok: true } | { readonly ok: false; readonly error: { readonly code: string } })[],
): string[] => outcomes.map((one) => (one.ok ? 'ok' : one.error.code));

describe('unique columns', () => {
  test('a value that only an expired document has is free, for every kind of write, and NULL is no value', async () => {
    const runtime = new ShiftableRuntime();
    const { backend, store, valuesOf } = await openPromoted({ defaultTtl: -1 }, { runtime, sweepIntervalMs: 0 });
    await store.bulk(['a', 'b', 'c', 'd', 'e'].map((id) => ({ type: 'create', document: { id, pk: id, v: id, ttl: 5 } }) as const));
    await backend.promoteColumns('d', 'c', [{ path: '/v', type: 'text', unique: true }]);
    expect((await refused(store.create({ id: 'x', pk: 'x', v: 'a' }))).code).toBe('CONFLICT');
    runtime.shift(10_000);
    await store.create({ id: 'x', pk: 'x', v: 'a' });
    await store.upsert({ id: 'x', pk: 'x', v: 'b' });
    await store.replace({ id: 'x', pk: 'x', v: 'c' });
    await store.patch('x', 'x', [{ op: 'set', path: '/v', value: 'd' }]);
    const { outcomes } = await store.bulk([
      { type: 'create', document: { id: 'y', pk: 'y', v: 'e' } },
      { type: 'create', document: { id: 'e', pk: 'e', v: 'a' } },
      { type: 'create', document: { id: 'z', pk: 'y', v: 'd' } },
      { type: 'create', document: { id: 'n1', pk: 'y', v: null } },
      { type: 'create', document: { id: 'n2', pk: 'y' } },
    ]);
    expect(codes(outcomes)).toEqual(['ok', 'ok', 'CONFLICT', 'ok', 'ok']);
    expect(await backend.sweep()).toBe(4);
    expect(await valuesOf('v')).toEqual({ e: 'a', n1: null, n2: null, x: 'd', y: 'e' });
  });

  test('expired documents with the same value, or one that does not fit, do not keep a path from being promoted', async () => {
    const runtime = new ShiftableRuntime();
    const { backend, store } = await openPromoted({ defaultTtl: -1 }, { runtime, sweepIntervalMs: 0 });
    await store.create({ id: 'a', pk: 'a', v: 1, ttl: 5 });
    await store.create({ id: 'b', pk: 'b', v: 1, ttl: 5 });
    await store.create({ id: 'c', pk: 'c', v: 'no number', ttl: 5 });
    runtime.shift(10_000);
    await store.create({ id: 'd', pk: 'd', v: 1 });
    await backend.promoteColumns('d', 'c', [{ path: '/v', type: 'bigint', unique: true, notNull: true }]);
    expect((await refused(store.create({ id: 'a', pk: 'a', v: 1 }))).code).toBe('CONFLICT');
    await store.create({ id: 'a', pk: 'a', v: 2 });
    await store.create({ id: 'c', pk: 'c', v: 3 });
    // Another definition touches rows that nobody writes to.
    await backend.replaceContainer('d', { id: 'c', partitionKey: '/pk', defaultTtl: 1000 });
    expect((await refused(store.create({ id: 'e', pk: 'e' }))).code).toBe('INVALID_DOCUMENT');
  });

  test('of writers of one value, in two servers and many partition keys, exactly one succeeds; the other server learns of the column by its next write', async () => {
    const { backend, store, another, valuesOf } = await openPromoted();
    const other = await (await another()).container('d', 'c');
    await other.create({ id: 'warm', pk: 'w' });
    await backend.promoteColumns('d', 'c', [{ path: '/v', type: 'text', unique: true }]);
    for (let round = 0; round < 8; round += 1) {
      const v = `v${round}`;
      const write = (of: typeof store, n: number): Promise<string> =>
        (n % 3 === 0
          ? of
              .batch(`p${n}`, [{ type: 'upsert', document: { id: `${round}`, pk: `p${n}`, v } }])
              .then(({ outcomes }) => codes(outcomes)[0] as string)
          : n % 3 === 1
            ? of.transact(`p${n}`, (transaction) => transaction.create({ id: `${round}`, pk: `p${n}`, v })).then(() => 'ok')
            : of.create({ id: `${round}`, pk: `p${n}`, v }).then(() => 'ok')
        ).catch((error: { code: string }) => error.code);
      const outcomes = await Promise.all([0, 1, 2, 3, 4, 5].map((n) => write(n % 2 === 0 ? store : other, n)));
      expect(outcomes.toSorted()).toEqual(['CONFLICT', 'CONFLICT', 'CONFLICT', 'CONFLICT', 'CONFLICT', 'ok']);
    }
    expect(Object.values(await valuesOf('v'))).toContain(null);
  });

  test('with unique keys, recorded versions and a time to live, operations in any order come to what they come to one by one', async () => {
    const runtime = new ShiftableRuntime();
    const definition = { uniqueKeys: [['/u']], defaultTtl: -1, changeFeedPolicy: { retentionDuration: 60 } };
    const together = await openPromoted(definition, { runtime });
    const alone = await openPromoted(definition, { runtime });
    for (const { backend } of [together, alone]) {
      await backend.promoteColumns('d', 'c', [
        { path: '/v', type: 'integer', unique: true },
        { path: '/t', type: 'text', notNull: true },
      ]);
    }
    const document = fc.record({
      id: fc.constantFrom('a', 'b', 'c'),
      pk: fc.constantFrom('p', 'q'),
      v: fc.constantFrom<number | null | string>(1, 2, 3, null, 'x'),
      u: fc.constantFrom(1, 2, 3, 4),
      t: fc.constantFrom<string | number>('t', 't', 't', 't', 5),
      ttl: fc.constantFrom(-1, -1, 2),
    });
    const operation = fc.oneof(
      {
        weight: 4,
        arbitrary: fc
          .tuple(fc.constantFrom('create', 'upsert', 'replace'), document)
          .map(([type, one]) => ({ type, document: one }) as never),
      },
      {
        weight: 1,
        arbitrary: fc
          .tuple(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('p', 'q'))
          .map(([id, partitionKey]) => ({ type: 'delete', id, partitionKey }) as never),
      },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { minLength: 1, maxLength: 8 }), fc.nat(3), async (operations, seconds) => {
        const { outcomes } = await together.store.bulk(operations);
        const single: string[] = [];
        for (const one of operations) {
          single.push(...codes((await alone.store.bulk([one])).outcomes));
        }
        expect(codes(outcomes)).toEqual(single);
        for (const column of ['v', 't']) {
          const living = async (of: typeof alone): Promise<unknown> =>
            (await of.client.query(`SELECT pk, id, ${column} FROM ${of.table} WHERE expires_at IS NULL ORDER BY pk, id`)).rows;
          expect(await living(together)).toEqual(await living(alone));
        }
        runtime.shift(seconds * 1000);
      }),
      { numRuns: 25 },
    );
  });
});
