import { describe, expect, test } from 'vitest';
import { Draw } from '../hostile/draw.ts';
import { checkHistory, type RecordedRun } from './check-history.ts';
import type { HeldDocument } from './check-feed.ts';
import { checkPositions } from './check-positions.ts';
import { checkRegister } from './check-register.ts';
import type { Call, SeenChange, SeenVersion } from './history.ts';

const AT = { container: 'c', pk: 'p', id: 'x' } as const;
const NEVER = Number.POSITIVE_INFINITY;

function write(kind: Call['kind'], w: string, [start, end]: readonly [number, number], more: Partial<Call> = {}): Call {
  return {
    ...AT,
    kind,
    w,
    start,
    end,
    n: 0,
    outcome: end === NEVER ? 'unknown' : 'ok',
    ...(end === NEVER ? {} : { etag: `e-${w}` }),
    ...more,
  };
}

function read(w: string | undefined, n: number, [start, end]: readonly [number, number]): Call {
  return {
    ...AT,
    kind: 'read',
    start,
    end,
    outcome: 'ok',
    found: w === undefined ? undefined : { w, n },
    etag: w === undefined ? undefined : `e-${w}`,
  };
}

/** Three writers after each other, each guarded by the version before: what a right run looks like. */
const CALLS: readonly Call[] = [
  write('create', 'a', [1, 2]),
  read('a', 0, [3, 4]),
  write('replace', 'b', [5, 6], { n: 1, ifWrite: 'a' }),
  { ...AT, kind: 'replace', w: 'refused', n: 1, ifWrite: 'a', start: 5, end: 8, outcome: 'refused', status: 412 },
  write('patch', 'c', [9, 10], { by: 4, n: 0, found: { w: 'c', n: 5 } }),
  write('create', 'other', [9, 11], { id: 'y', n: 7 }),
];
const seen = (w: string, n: number, lsn: number, id = 'x'): SeenChange => ({ pk: 'p', id, w, n, lsn, etag: `e-${w}` });
const CHANGES: readonly SeenChange[] = [seen('a', 0, 1), seen('b', 1, 2), seen('other', 7, 3, 'y'), seen('c', 5, 4)];
const VERSIONS: readonly SeenVersion[] = CHANGES.map(({ pk, id, w, n, lsn, etag }) => {
  const before = { b: ['a', 0, 1], c: ['b', 1, 2] }[w] as readonly [string, number, number] | undefined;
  return {
    type: before === undefined ? 'create' : 'replace',
    pk,
    id,
    lsn,
    current: { w, n, etag },
    previous: before === undefined ? undefined : { w: before[0], n: before[1] },
    previousLsn: before?.[2],
  };
});
const HELD: readonly HeldDocument[] = [
  { ...AT, w: 'c', n: 5, etag: 'e-c' },
  { ...AT, id: 'y', w: 'other', n: 7, etag: 'e-other' },
];

function run(parts: {
  readonly calls?: readonly Call[];
  readonly changes?: readonly SeenChange[];
  readonly versions?: readonly SeenVersion[];
  readonly held?: readonly HeldDocument[];
}): RecordedRun {
  const { calls = CALLS, changes = CHANGES, versions = VERSIONS, held = HELD } = parts;
  return {
    calls,
    readings: [{ name: 'reader', container: 'c', pk: undefined, changes }],
    versions: new Map([['c', versions]]),
    held,
    endPlace: 100,
  };
}

const without = <T>(items: readonly T[], index: number): readonly T[] => items.filter((_, other) => other !== index);
const swapped = <T>(items: readonly T[], index: number): readonly T[] =>
  items.with(index, items[index + 1] as T).with(index + 1, items[index] as T);

test('a right run has nothing wrong', () => {
  expect(checkHistory(run({}))).toEqual([]);
});

test('a feed of latest versions may leave out what was replaced', () => {
  expect(checkHistory(run({ changes: CHANGES.slice(2) }))).toEqual([]);
});

describe('finds', () => {
  const broken: Readonly<Record<string, readonly [RecordedRun, RegExp]>> = {
    'an acknowledged write that is missing at the end': [run({ held: [HELD[0] as HeldDocument] }), /c\/p\/y: there is no order/u],
    'a version at the end that was replaced': [
      run({ held: [{ ...AT, w: 'b', n: 1, etag: 'e-b' }, HELD[1] as HeldDocument] }),
      /c\/p\/x: there is no order/u,
    ],
    'a lost update: two additions, and the number of one': [
      run({
        calls: [...CALLS, write('patch', 'd', [11, 14], { by: 1, n: 0 }), write('patch', 'e', [12, 15], { by: 1, n: 0 })],
        held: [{ ...AT, w: 'e', n: 6, etag: 'e-e' }, HELD[1] as HeldDocument],
      }),
      /c\/p\/x: there is no order/u,
    ],
    'two winners for one etag': [
      run({ calls: CALLS.with(3, write('replace', 'second', [5, 8], { n: 1, ifWrite: 'a' })) }),
      /two winners for the version of a: b and second/u,
    ],
    'one etag for two versions': [
      run({ calls: CALLS.with(5, { ...(CALLS[5] as Call), etag: 'e-a' }) }),
      /the etag e-a stands for the writes/u,
    ],
    'a read of a version that was replaced before': [run({ calls: [...CALLS, read('b', 1, [12, 13])] }), /c\/p\/x: there is no order/u],
    'a refusal without a reason': [
      run({
        calls: [...CALLS, { ...AT, kind: 'replace', w: 'no', n: 9, ifWrite: 'c', start: 12, end: 13, outcome: 'refused', status: 412 }],
      }),
      /c\/p\/x: there is no order/u,
    ],
    'a feed that skips the last version': [run({ changes: without(CHANGES, 3) }), /as c left it, and last seen was b/u],
    'a feed that skips a document': [run({ changes: without(CHANGES, 2) }), /as other left it, and last seen was nothing/u],
    'a feed whose places go back': [run({ changes: swapped(CHANGES, 2) }), /came after 4 of the same partition key/u],
    'a feed that gives an older version after a newer one': [
      run({ changes: [seen('b', 1, 1), seen('a', 0, 2), seen('other', 7, 3, 'y'), seen('c', 5, 4)] }),
      /written by a, at 2: came after the version of b, which was written later/u,
    ],
    'a feed with what nobody wrote': [run({ changes: [...CHANGES, seen('refused', 1, 5)] }), /nobody has written that/u],
    'a feed with another etag': [run({ changes: CHANGES.with(0, { ...seen('a', 0, 1), etag: 'e-other' }) }), /its writer was told e-a/u],
    'all versions without an acknowledged one': [run({ versions: without(VERSIONS, 1) }), /the acknowledged write b is missing/u],
    'all versions with one twice': [
      run({ versions: [...VERSIONS, { ...(VERSIONS[3] as SeenVersion), lsn: 5 }] }),
      /the write c is there twice/u,
    ],
    'all versions out of the order of etags': [
      run({ versions: VERSIONS.with(3, { ...(VERSIONS[3] as SeenVersion), previous: { w: 'a', n: 0 }, previousLsn: 1 }) }),
      /follows a of 1, and before it came b of 2/u,
    ],
    'all versions with one that its guard forbids': [
      run({ calls: CALLS.with(4, { ...(CALLS[4] as Call), ifWrite: 'a' }) }),
      /c was only for the version of a/u,
    ],
    'half a batch': [
      run({
        calls: [...CALLS.with(5, { ...(CALLS[5] as Call), batch: 't' }), write('create', 'lost', [9, NEVER], { id: 'z', batch: 't' })],
      }),
      /the batch t is there with 1 of 2 writes/u,
    ],
    'a delete that is not told': [
      run({ calls: [...CALLS, { ...AT, kind: 'delete', start: 12, end: 13, outcome: 'ok' }], held: [HELD[1] as HeldDocument] }),
      /0 deletes are told, and there were from 1 to 1/u,
    ],
  };
  test.for(Object.entries(broken))('%s', ([, [recorded, problem]]) => {
    expect(checkHistory(recorded).join('\n')).toMatch(problem);
  });
});

test('finds positions that go back in a document, and in a partition key', () => {
  const at = (call: Call, position: number): Call => ({ ...call, etag: `"ab-${position}-x"` });
  const first = at(write('create', 'a', [1, 2]), 7);
  expect(checkPositions([first, at(write('upsert', 'b', [3, 4]), 8), at(read('b', 0, [5, 6]), 8)])).toEqual([]);
  expect(checkPositions([first, at(read('b', 0, [3, 4]), 6)]).join()).toMatch(/seen of it went back from position 7 to 6/u);
  const other = at(write('create', 'b', [3, 4], { id: 'y' }), 6);
  expect(checkPositions([first, other]).join()).toMatch(/written to it went back from position 7 to 6/u);
  // At the same time, either may come first.
  expect(checkPositions([first, { ...other, start: 1 }])).toEqual([]);
});

describe('the search for an order', () => {
  test('puts a write without an answer where somebody saw it, or nowhere', () => {
    const lost = write('upsert', 'lost', [3, NEVER], { n: 9 });
    const first = write('create', 'a', [1, 2]);
    expect(checkRegister([first, lost, read('a', 0, [20, 21])])).toBeUndefined();
    expect(checkRegister([first, lost, read('a', 0, [20, 21]), read('lost', 9, [22, 23])])).toBeUndefined();
    expect(checkRegister([first, lost, read('lost', 9, [20, 21]), read('a', 0, [22, 23])])).toMatch(/no order/u);
    expect(checkRegister([first, lost, read('lost', 9, [1, 2])])).toMatch(/no order/u);
  });

  test('follows positions where they are known', () => {
    const calls = [write('create', 'a', [1, 2]), write('upsert', 'b', [3, 9]), write('upsert', 'c', [4, 8])];
    const positions = (b: number, c: number): ReadonlyMap<string, number> =>
      new Map([
        ['a', 1],
        ['b', b],
        ['c', c],
      ]);
    expect(checkRegister([...calls, read('b', 0, [10, 11])], positions(3, 2))).toBeUndefined();
    expect(checkRegister([...calls, read('b', 0, [10, 11])], positions(2, 3))).toMatch(/no order/u);
    expect(checkRegister([...calls, read('b', 0, [10, 11])])).toBeUndefined();
  });

  /** Calls of many clients at once on one document that is really there, and when each of them took effect. */
  function simulate(draw: Draw, count: number): readonly Call[] {
    let state: { w: string; n: number } | undefined;
    const calls: Call[] = [];
    for (let index = 0; index < count; index += 1) {
      const at = 10 * index + 5;
      const [start, end] = [Math.max(0, at - draw.below(40)), at + 1 + draw.below(40)];
      const w = `w${index}`;
      const kind = draw.pick(['read', 'create', 'upsert', 'replace', 'patch', 'delete'] as const);
      const before = state;
      const base = { ...AT, kind, start, end, w, n: draw.below(9), by: 2 };
      const lost = draw.chance(0.1);
      if (kind === 'read') {
        calls.push(read(before?.w, before?.n ?? 0, [start, end]));
      } else if (kind === 'create' ? before !== undefined : kind !== 'upsert' && before === undefined) {
        calls.push(
          lost ? { ...base, end: NEVER, outcome: 'unknown' } : { ...base, outcome: 'refused', status: kind === 'create' ? 409 : 404 },
        );
      } else {
        state = kind === 'delete' ? undefined : { w, n: kind === 'patch' ? (before?.n ?? 0) + 2 : base.n };
        calls.push(lost ? { ...base, end: NEVER, outcome: 'unknown' } : { ...base, outcome: 'ok' });
      }
    }
    return calls;
  }

  test('finds one for what a document did answer, and none once an answer is changed', () => {
    const draw = new Draw('an order');
    let found = 0;
    for (let round = 0; round < 60; round += 1) {
      const calls = simulate(draw, 60);
      expect(checkRegister(calls)).toBeUndefined();
      const reads = calls.flatMap((call, index) => (call.kind === 'read' && call.found !== undefined ? [index] : []));
      const index = reads.at(-1);
      if (index !== undefined) {
        const call = calls[index] as Call;
        const stale = calls.with(index, { ...call, found: { w: (call.found as { w: string }).w, n: 1000 } });
        found += checkRegister(stale) === undefined ? 0 : 1;
      }
    }
    expect(found).toBeGreaterThan(20);
  });
});
