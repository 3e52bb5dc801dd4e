import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../../src/core/json.ts';
import { clientWins, mergeFields, serverWins, type Conflict, type MergedDocument } from '../../src/sync/index.ts';

type Body = JsonObject | undefined;

/** The conflict of two versions; `at` are the times of the two writes. */
function conflictOf(base: JsonObject | null | undefined, local: Body, remote: Body, at: readonly [number, number] = [2, 1]): Conflict {
  const side = (document: Body, timeMs: number): Conflict['local'] => ({
    deleted: document === undefined,
    document,
    stamp: { timeMs, counter: 0, device: `d${timeMs}` },
    write: `w${timeMs}`,
  });
  return { container: 'notes', partitionKey: ['ada'], id: '1', base, local: side(local, at[0]), remote: side(remote, at[1]) };
}

const policy = mergeFields({ counters: ['/n', '/stats/views'], sets: ['/tags', '/stats/likes'] });

/** What the device ends with, by `policy`. */
function outcome(conflict: Conflict, by = policy): Body {
  const decided = by(conflict);
  return typeof decided === 'string' ? conflict[decided].document : decided.merged;
}

const doc = (more: JsonObject = {}): JsonObject => ({ id: '1', owner: 'ada', ...more });

describe('one property', () => {
  const absent = undefined;
  const table: readonly (readonly [
    string,
    base: JsonValue | undefined,
    local: JsonValue | undefined,
    remote: JsonValue | undefined,
    expected: JsonValue | undefined,
  ])[] = [
    ['changed here', 1, 2, 1, 2],
    ['changed there', 1, 1, 2, 2],
    ['changed to the same', 1, 2, 2, 2],
    ['changed on both sides: the later write', 1, 2, 3, 2],
    ['added here', absent, 2, absent, 2],
    ['added there', absent, absent, 2, 2],
    ['removed here, untouched there', 1, absent, 1, absent],
    ['removed there, untouched here', 1, 1, absent, absent],
    ['removed on both sides', 1, absent, absent, absent],
    ['removed here, changed there: the later write', 1, absent, 2, absent],
    ['null is a value', 1, null, 1, null],
    ['members of an object', { a: 1, b: 1 }, { a: 2, b: 1 }, { a: 1, b: 2, c: 3 }, { a: 2, b: 2, c: 3 }],
    ['an object that both sides added', absent, { a: 1 }, { b: 2 }, { a: 1, b: 2 }],
    ['an object in the place of a value, on both sides', 7, { a: 1 }, { b: 2 }, { a: 1, b: 2 }],
    ['an object removed here, a member changed there: the later write', { a: 1 }, absent, { a: 2 }, absent],
    ['an array is a value', [1], [1, 2], [1, 3], [1, 2]],
    ['a value against an object: the later write', 1, 'x', { a: 1 }, 'x'],
    ['an empty object stays one', { a: 1 }, {}, { a: 1 }, {}],
  ];

  test.each(table)('%s', (_name, base, local, remote, expected) => {
    const at = (value: JsonValue | undefined): JsonObject => doc(value === undefined ? {} : { p: value });
    expect(outcome(conflictOf(at(base), at(local), at(remote)))).toEqual(at(expected));
  });

  test('keys such as __proto__ are merged like any other', () => {
    const parse = (text: string): JsonObject => JSON.parse(`{"id":"1","owner":"ada",${text}}`) as JsonObject;
    const merged = outcome(
      conflictOf(parse('"__proto__":{"a":1}'), parse('"__proto__":{"a":2}'), parse('"__proto__":{"a":1,"b":1},"constructor":1')),
    );
    expect(JSON.stringify(merged)).toBe(JSON.stringify(parse('"__proto__":{"a":2,"b":1},"constructor":1')));
  });
});

describe('counters', () => {
  const table: readonly (readonly [string, number | undefined, JsonValue | undefined, JsonValue | undefined, JsonValue | undefined])[] = [
    ['both sides added', 10, 12, 11, 13],
    ['both sides added the same', 0, 1, 1, 2],
    ['one side added, the other took away', 10, 15, 8, 13],
    ['one side only', 10, 10, 11, 11],
    ['both sides began to count', undefined, 3, 4, 7],
    ['removed here, untouched there', 1, undefined, 1, undefined],
    ['removed here, added there: the later write', 1, undefined, 5, undefined],
    ['made a text by one side: the later write', 1, 'many', 2, 'many'],
    ['a sum that no number holds: the later write', 0, 1e308, 1.7e308, 1e308],
  ];

  test.each(table)('%s', (_name, base, local, remote, expected) => {
    const at = (value: JsonValue | undefined): JsonObject => doc(value === undefined ? {} : { n: value });
    expect(outcome(conflictOf(at(base), at(local), at(remote)))).toEqual(at(expected));
  });

  test('within an object that both sides changed alike', () => {
    const stats = (views: number): JsonObject => doc({ stats: { views } });
    expect(outcome(conflictOf(stats(1), stats(2), stats(2)))).toEqual(stats(3));
    expect(outcome(conflictOf(null, stats(2), stats(2)))).toEqual(stats(4));
  });
});

describe('sets', () => {
  const table: readonly (readonly [
    string,
    readonly JsonValue[] | undefined,
    JsonValue | undefined,
    JsonValue | undefined,
    JsonValue | undefined,
  ])[] = [
    ['both sides added', ['a'], ['a', 'c'], ['a', 'b'], ['a', 'b', 'c']],
    ['both sides added the same', ['a'], ['a', 'b'], ['a', 'b'], ['a', 'b']],
    ['one side added, the other removed', ['a', 'b'], ['a'], ['a', 'b', 'c'], ['a', 'c']],
    ['both sides removed', ['a', 'b'], ['a'], ['b'], []],
    ['removed and added again elsewhere: it was there before', ['a', 'b'], ['a'], ['b', 'a', 'c'], ['a', 'c']],
    ['the property removed here, an element added there', ['a'], undefined, ['a', 'b'], ['b']],
    ['the property removed here, an element removed there', ['a', 'b'], undefined, ['a'], undefined],
    ['both sides began one', undefined, [2, 1], [3], [1, 2, 3]],
    ['objects as elements', [{ k: 1, v: 1 }], [{ v: 1, k: 1 }, { k: 2 }], [{ k: 3 }], [{ k: 2 }, { k: 3 }]],
    ['repetitions mean nothing', ['a'], ['a', 'a', 'b'], ['a', 'c'], ['a', 'b', 'c']],
    ['made a text by one side: the later write', ['a'], 'x', ['b'], 'x'],
  ];

  test.each(table)('%s', (_name, base, local, remote, expected) => {
    const at = (value: JsonValue | undefined): JsonObject => doc(value === undefined ? {} : { tags: value });
    expect(outcome(conflictOf(at(base), at(local), at(remote)))).toEqual(at(expected));
  });
});

describe('what decides otherwise', () => {
  const [base, local, remote] = [doc({ a: 1, b: 1 }), doc({ a: 2, b: 1 }), doc({ a: 3, b: 2 })];

  test('the order of the writes, for the field alone; and the loser is named', () => {
    expect(policy(conflictOf(base, local, remote, [2, 1]))).toEqual({ merged: doc({ a: 2, b: 2 }), lost: ['remote'] });
    expect(policy(conflictOf(base, local, remote, [1, 2]))).toEqual({ merged: doc({ a: 3, b: 2 }), lost: ['local'] });
  });

  test('another policy where one is given', () => {
    expect(outcome(conflictOf(base, local, remote, [2, 1]), mergeFields({ otherwise: serverWins }))).toEqual(doc({ a: 3, b: 2 }));
    expect(outcome(conflictOf(base, local, remote, [1, 2]), mergeFields({ otherwise: clientWins }))).toEqual(doc({ a: 2, b: 2 }));
  });

  test('nobody loses where nothing is in dispute', () => {
    expect((policy(conflictOf(doc({ a: 1 }), doc({ a: 2 }), doc({ a: 1, b: 1 }))) as MergedDocument).lost).toEqual([]);
  });

  test('an edit against a deletion, as a whole', () => {
    expect(policy(conflictOf(base, undefined, remote, [2, 1]))).toBe('local');
    expect(policy(conflictOf(base, local, undefined, [1, 2]))).toBe('remote');
  });

  test('a document whose common version is not known, as a whole; one that both sides made is merged', () => {
    expect(policy(conflictOf(undefined, doc({ n: 1 }), doc({ n: 1 })))).toBe('local');
    expect(policy(conflictOf(null, doc({ n: 1, a: 1 }), doc({ n: 1, b: 1 })))).toEqual({ merged: doc({ n: 2, a: 1, b: 1 }), lost: [] });
  });
});

test('paths that cannot be read, that are within one another or that are the id are refused', () => {
  for (const options of [
    { counters: ['n'] },
    { counters: ['/n'], sets: ['/n'] },
    { counters: ['/n', '/n'] },
    { counters: ['/a'], sets: ['/a/b'] },
    { counters: ['/a/b'], sets: ['/a'] },
    { sets: ['/id'] },
  ]) {
    expect(() => mergeFields(options)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }));
  }
});

describe('whatever the documents', () => {
  const leaf = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constantFrom(null, true, 'x', 'y'), fc.array(fc.nat(2), { maxLength: 3 }));
  const tags = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 4 });
  const bodies = fc
    .record(
      {
        a: leaf,
        b: leaf,
        __proto__: leaf,
        n: fc.oneof({ weight: 4, arbitrary: fc.integer({ min: -5, max: 5 }) }, { weight: 1, arbitrary: fc.constant('none') }),
        tags: fc.oneof({ weight: 4, arbitrary: tags }, { weight: 1, arbitrary: leaf }),
        stats: fc.oneof(fc.record({ views: fc.nat(9), likes: tags, note: leaf }, { requiredKeys: [] }), leaf as fc.Arbitrary<JsonValue>),
      },
      { requiredKeys: [] },
    )
    .map((body) => ({ id: '1', owner: 'ada', ...(JSON.parse(JSON.stringify(body)) as JsonObject) }));
  const maybe = fc.option(bodies, { nil: undefined, freq: 8 });

  test('the two sides exchanged give the same document', () => {
    fc.assert(
      fc.property(fc.option(bodies, { freq: 8 }), maybe, maybe, fc.boolean(), (base, one, other, first) => {
        fc.pre(one !== undefined || other !== undefined);
        const at: readonly [number, number] = first ? [1, 2] : [2, 1];
        const here = outcome(conflictOf(base, one, other, at));
        const there = outcome(conflictOf(base, other, one, [at[1], at[0]]));
        expect(here).toEqual(there);
        expect(JSON.stringify(here)).toBe(JSON.stringify(there));
      }),
      { numRuns: 1000 },
    );
  });

  test('merging with a side that changed nothing changes nothing', () => {
    fc.assert(
      fc.property(bodies, bodies, (base, one) => {
        expect(outcome(conflictOf(base, one, base))).toEqual(one);
        expect(outcome(conflictOf(base, base, one))).toEqual(one);
      }),
    );
  });

  test('what one side alone changed is in the merged document, as that side has it', () => {
    fc.assert(
      fc.property(bodies, bodies, bodies, (base, local, remote) => {
        const merged = outcome(conflictOf(base, local, remote)) as JsonObject;
        const text = (body: JsonObject, key: string): string => JSON.stringify(body[key]) ?? 'absent';
        for (const key of new Set([...Object.keys(base), ...Object.keys(local), ...Object.keys(remote)])) {
          if (text(remote, key) === text(base, key)) {
            expect(text(merged, key)).toBe(text(local, key));
          } else if (text(local, key) === text(base, key)) {
            expect(text(merged, key)).toBe(text(remote, key));
          }
        }
      }),
      { numRuns: 1000 },
    );
  });

  test('who lost is named exactly where a value of theirs is gone', () => {
    const plainBodies = fc.record({ a: leaf, b: leaf, c: leaf }, { requiredKeys: [] }).map((body) => doc(body as JsonObject));
    fc.assert(
      fc.property(plainBodies, plainBodies, plainBodies, (base, local, remote) => {
        const { merged, lost } = mergeFields()(conflictOf(base, local, remote, [1, 2])) as MergedDocument;
        const text = (body: JsonObject, key: string): string => JSON.stringify(body[key]) ?? 'absent';
        const keys = ['a', 'b', 'c'];
        const gone = keys.some((key) => text(local, key) !== text(base, key) && text(merged, key) !== text(local, key));
        expect(lost).toEqual(gone ? ['local'] : []);
      }),
    );
  });
});
