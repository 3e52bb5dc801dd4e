import { describe, expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../../../src/core/json.ts';
import { compareValues } from '../../../src/core/json-order.ts';
import { systemRuntime } from '../../../src/core/runtime.ts';
import { MAX_DISTINCT_CHARACTERS, ValueSet } from '../../../src/query/evaluator/value-set.ts';
import { arraySource, itemsOf, pageOf } from './array-source.ts';

const failed = (code: string): unknown => expect.objectContaining({ code });

describe('ORDER BY', () => {
  const documents: JsonObject[] = [
    { id: 'a', k: 2 },
    { id: 'b', k: 'text' },
    { id: 'c' },
    { id: 'd', k: null },
    { id: 'e', k: 2 },
    { id: 'f', k: [1] },
    { id: 'g', k: true },
    { id: 'h', k: { x: 1 } },
    { id: 'i' },
    { id: 'j', k: -1 },
  ];
  const ids = async (order: string): Promise<string> =>
    ((await itemsOf(`SELECT VALUE c.id FROM c ORDER BY ${order}`, arraySource(documents, 3))) as string[]).join('');

  test('sorts across types with undefined first, and turns that around for DESC', async () => {
    expect(await ids('c.k')).toBe('cidgjaebfh');
    expect(await ids('c.k ASC')).toBe('cidgjaebfh');
    expect(await ids('c.k DESC')).toBe('hfbaejgdci');
  });

  test('leaves ties in the order of creation, and takes several keys, each with its own direction', async () => {
    expect(await ids('c.missing')).toBe('abcdefghij');
    expect(await ids('c.missing DESC')).toBe('abcdefghij');
    expect(await ids('c.k, c.id DESC')).toBe('icdgjeabfh');
    expect(await ids('c.k DESC, c.id DESC')).toBe('hfbeajgdic');
  });

  test('with OFFSET and LIMIT cuts the sorted rows, far down too', async () => {
    const many = Array.from({ length: 3000 }, (_, index) => ({ n: (index * 7919) % 3000 }));
    const source = arraySource(many);
    expect(await itemsOf('SELECT VALUE c.n FROM c ORDER BY c.n OFFSET 5 LIMIT 3', source)).toEqual([5, 6, 7]);
    expect(await itemsOf('SELECT VALUE c.n FROM c ORDER BY c.n DESC OFFSET 2500 LIMIT 3', source)).toEqual([499, 498, 497]);
    expect(await itemsOf('SELECT VALUE c.n FROM c ORDER BY c.n OFFSET 2998 LIMIT 9', source, { maxItemCount: 1 })).toEqual([2998, 2999]);
    expect(await itemsOf('SELECT VALUE c.n FROM c ORDER BY c.n OFFSET 3000 LIMIT 9', source)).toEqual([]);
    expect(await itemsOf('SELECT VALUE c.n FROM c ORDER BY c.n OFFSET 900 LIMIT 2', source)).toEqual([900, 901]);
  });

  test('agrees with sorting everything in memory', async () => {
    const many = Array.from({ length: 500 }, (_, index) => ({ id: index, a: (index * 37) % 11, b: `s${(index * 91) % 23}` }));
    const sorted = many.toSorted((left, right) => compareValues(right.a, left.a) || compareValues(left.b, right.b) || left.id - right.id);
    expect(await itemsOf('SELECT * FROM c ORDER BY c.a DESC, c.b', arraySource(many), { maxItemCount: 17 })).toEqual(sorted);
  });

  test('rows without a projected value take no place', async () => {
    const rows = [{ k: 3 }, { k: 1, v: 'x' }, { k: 2 }, { k: 4, v: 'y' }];
    expect(await itemsOf('SELECT TOP 2 VALUE c.v FROM c ORDER BY c.k', arraySource(rows))).toEqual(['x', 'y']);
    expect(await itemsOf('SELECT VALUE c.v FROM c OFFSET 1 LIMIT 5', arraySource(rows))).toEqual(['y']);
  });

  test('with DISTINCT keeps the first of equal rows in the order', async () => {
    const rows = [
      { k: 3, v: 'x' },
      { k: 1, v: 'y' },
      { k: 2, v: 'x' },
      { k: 0, v: 'z' },
    ];
    expect(await itemsOf('SELECT DISTINCT VALUE c.v FROM c ORDER BY c.k', arraySource(rows), { maxItemCount: 1 })).toEqual(['z', 'y', 'x']);
    expect(await itemsOf('SELECT DISTINCT VALUE c.v FROM c ORDER BY c.k DESC', arraySource(rows))).toEqual(['x', 'y', 'z']);
  });
});

describe('TOP, OFFSET and LIMIT', () => {
  const source = arraySource([{ n: 1 }, { n: 2 }, { n: 3 }]);

  test('take parameters', async () => {
    expect(await itemsOf('SELECT TOP @n VALUE c.n FROM c', source, { values: { '@n': 2 } })).toEqual([1, 2]);
    expect(await itemsOf('SELECT VALUE c.n FROM c OFFSET @o LIMIT @l', source, { values: { '@o': 1, '@l': 1 } })).toEqual([2]);
  });

  test('refuse parameters that are no counts', async () => {
    for (const value of [-1, 1.5, '2', null, 2 ** 32]) {
      await expect(pageOf('SELECT TOP @n * FROM c', source, { values: { '@n': value } })).rejects.toThrow(failed('QUERY_INVALID'));
      await expect(pageOf('SELECT * FROM c OFFSET @n LIMIT 1', source, { values: { '@n': value } })).rejects.toThrow(
        failed('QUERY_INVALID'),
      );
      await expect(pageOf('SELECT * FROM c OFFSET 1 LIMIT @n', source, { values: { '@n': value } })).rejects.toThrow(
        failed('QUERY_INVALID'),
      );
    }
  });
});

describe('failures', () => {
  test('a number that is not finite cannot be returned, but may be compared', async () => {
    const source = arraySource([{ n: 0 }]);
    for (const text of [
      'SELECT VALUE 1 / c.n FROM c',
      'SELECT c.n / c.n AS x FROM c',
      'SELECT VALUE {"deep": [LOG(c.n)]} FROM c',
      'SELECT VALUE SUM(1 / c.n) FROM c',
      'SELECT 1 / c.n AS x FROM c ORDER BY c.n',
      'SELECT DISTINCT VALUE 1 / c.n FROM c ORDER BY c.n',
    ]) {
      await expect(pageOf(text, source), text).rejects.toThrow(failed('QUERY_FAILED'));
    }
    expect(await itemsOf('SELECT VALUE 1 FROM c WHERE 1 / c.n > 1', source)).toEqual([1]);
  });

  test('values too deep for the stack are a limit, not a crash', async () => {
    const deep = (): JsonValue => {
      let value: JsonValue = 1;
      for (let level = 0; level < 100_000; level += 1) {
        value = [value];
      }
      return value;
    };
    await expect(pageOf('SELECT VALUE 1 FROM c WHERE c.a = c.b', arraySource([{ a: deep(), b: deep() }]))).rejects.toThrow(
      failed('QUERY_LIMIT'),
    );
  });

  test('DISTINCT and GROUP BY hold a bounded amount', () => {
    const seen = new ValueSet();
    expect(() => seen.add('x'.repeat(MAX_DISTINCT_CHARACTERS))).toThrow(failed('QUERY_LIMIT'));
  });

  test('what the source throws is thrown', async () => {
    const broken = {
      // eslint-disable-next-line require-yield
      async *scan(): AsyncGenerator<never> {
        await Promise.resolve();
        throw new TypeError('the disk is gone');
      },
    };
    await expect(pageOf('SELECT * FROM c ORDER BY c.x', broken)).rejects.toThrow('the disk is gone');
  });
});

/** Documents that count how often one of them is read. */
function countedDocuments(count: number): { readonly documents: readonly JsonObject[]; readonly seen: () => number } {
  let seen = 0;
  const document: JsonObject = {
    get t() {
      seen += 1;
      return ['a', 'b'];
    },
  };
  return { documents: Array.from({ length: count }, () => document), seen: () => seen };
}

describe('running beside others', () => {
  const documents = Array.from({ length: 300_000 }, (_, index) => ({ n: index, t: ['a', 'b'] }));

  test.each([
    ['the clock stands still', 0, 16_384],
    ['the clock is slow', 0.5, 2000],
    ['the clock is fast', 8, 200],
  ])('a long query lets others run where %s, even when all documents come at once', async (_name, msByLook, mostDocuments) => {
    for (const [text, answer] of [
      ['SELECT VALUE COUNT(1) FROM c WHERE ARRAY_CONTAINS(c.t, "b")', 100_000],
      ['SELECT VALUE COUNT(1) FROM c JOIN t IN c.t', 200_000],
      ['SELECT TOP 1 VALUE 100000 FROM c WHERE ARRAY_CONTAINS(c.t, "b") ORDER BY c._ts', 100_000],
      ['SELECT VALUE 1 FROM c WHERE ARRAY_CONTAINS(c.t, "c")', undefined],
    ] as const) {
      const counted = countedDocuments(100_000);
      let nowMs = 0;
      const runtime = { ...systemRuntime, monotonicMs: () => (nowMs += msByLook) };
      // Turns of the event loop, each with what the query did since the one before.
      let before = 0;
      let most = 0;
      let turn = setImmediate(function look() {
        most = Math.max(most, counted.seen() - before);
        before = counted.seen();
        turn = setImmediate(look);
      });
      let firedAfter: number | undefined;
      const timer = setTimeout(() => {
        firedAfter = counted.seen();
      }, 0);
      const page = await pageOf(text, arraySource(counted.documents, counted.documents.length), { runtime });
      most = Math.max(most, counted.seen() - before);
      clearImmediate(turn);
      clearTimeout(timer);
      expect(page.items, text).toEqual(answer === undefined ? [] : [answer]);
      expect(counted.seen(), text).toBe(100_000);
      expect(most, text).toBeLessThanOrEqual(mostDocuments);
      expect(firedAfter, text).toBeLessThan(100_000);
    }
  });

  test('an abort ends it at once with the reason of the signal', async () => {
    const reason = new Error('enough');
    const controller = new AbortController();
    const source = arraySource(documents, documents.length);
    const running = pageOf('SELECT VALUE COUNT(1) FROM c JOIN t IN c.t JOIN u IN c.t', source, { signal: controller.signal });
    setTimeout(() => controller.abort(reason), 5);
    await expect(running).rejects.toBe(reason);
    await expect(pageOf('SELECT * FROM c', source, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  test('a source is closed when the page is full', async () => {
    let closed = false;
    const source = {
      async *scan(): AsyncGenerator<{ rows: { ordinal: number; document: JsonObject }[]; scannedTo: number; looked: number }> {
        try {
          for (let ordinal = 1; ; ordinal += 1) {
            yield await Promise.resolve({ rows: [{ ordinal, document: {} }], scannedTo: ordinal, looked: 1 });
          }
        } finally {
          closed = true;
        }
      },
    };
    expect((await pageOf('SELECT * FROM c', source, { maxItemCount: 3 })).items).toHaveLength(3);
    expect(closed).toBe(true);
  });
});

describe('what a store may say', () => {
  test('that WHERE is already applied', async () => {
    const page = await pageOf('SELECT VALUE c.n FROM c WHERE c.n > 1', arraySource([{ n: 1 }]), { whereIsExact: true });
    expect(page.items).toEqual([1]);
  });

  test('static clock functions answer the same for the whole query', async () => {
    let now = 1000;
    const runtime = { ...systemRuntime, nowMs: () => (now += 1) };
    const rows = await itemsOf(
      'SELECT VALUE GETCURRENTTIMESTAMP() - GETCURRENTTIMESTAMPSTATIC() FROM c WHERE GETCURRENTTIMESTAMPSTATIC() > 0',
      arraySource([{}, {}, {}]),
      { runtime },
    );
    expect(rows).toEqual([1, 2, 3]);
  });

  test('sizes and counts of a page', async () => {
    const page = await pageOf('SELECT VALUE c.s FROM c WHERE c.n > 1', arraySource([{ n: 1 }, { n: 2, s: 'abc' }, { n: 3 }], 2));
    expect(page).toEqual({
      items: ['abc'],
      continuation: undefined,
      bytesReturned: 5,
      documentsRead: 2,
      rowsLookedAt: 3,
      bytesRead: 0,
      rowsMatched: 2,
    });
  });
});
