import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { valueOf } from '../evaluator/run-query.ts';
import { openContainers } from './open-containers.ts';

const int64 = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.bigInt({ min: -100n, max: 100n }),
  fc.constantFrom(2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n, -(2n ** 53n) - 1n, 0n, -1n),
);

const wrap = (value: bigint): bigint => BigInt.asIntN(64, value);

const BINARY: Readonly<Record<string, (left: bigint, right: bigint) => bigint | undefined>> = {
  INTADD: (left, right) => wrap(left + right),
  INTSUB: (left, right) => wrap(left - right),
  INTMUL: (left, right) => wrap(left * right),
  INTDIV: (left, right) => (right === 0n ? undefined : wrap(left / right)),
  INTMOD: (left, right) => (right === 0n ? undefined : left % right),
  INTBITAND: (left, right) => left & right,
  INTBITOR: (left, right) => left | right,
  INTBITXOR: (left, right) => left ^ right,
  INTBITLEFTSHIFT: (left, right) => (right < 0n || right > 63n ? undefined : wrap(left << right)),
  INTBITRIGHTSHIFT: (left, right) => (right < 0n || right > 63n ? undefined : left >> right),
};

describe('64-bit integers', () => {
  test.each(Object.entries(BINARY))('%s is exact for literals over the whole range', (name, compute) => {
    fc.assert(
      fc.property(int64, int64, (left, right) => {
        const expected = compute(left, right);
        expect(valueOf(`TOSTRING(${name}(${left}, ${right}))`), `${left} ${right}`).toBe(expected?.toString());
        expect(valueOf(`${name}(${left}, ${right})`)).toBe(expected === undefined ? undefined : Number(expected));
      }),
      { numRuns: 100 },
    );
  });

  test.each([
    ['INTMOD(9223372036854775807, 10)', 7],
    ['INTMOD(-9223372036854775808, 10)', -8],
    ['INTADD(9223372036854775808, 0)', undefined],
    ['INTADD(-9223372036854775809, 0)', undefined],
    ['INTBITNOT(-9223372036854775808)', 2 ** 63],
    ['TOSTRING(INTBITNOT(-9223372036854775808))', '9223372036854775807'],
    ['INTSUB(INTADD(9007199254740992, 1), 9007199254740992)', 1],
    ['INTDIV(-9223372036854775808, -1)', -(2 ** 63)],
    ['INTMOD(0x7FFFFFFFFFFFFFFF, 10)', 7],
    ['INTADD(c.missing, 9223372036854775807)', undefined],
    ["INTADD('1', 9223372036854775807)", undefined],
    ['INTADD(INTADD(1.5, 1), 9223372036854775807)', undefined],
    ['INTMOD(IIF(true, 9223372036854775807, 1), 10)', 7],
    ['IS_INTEGER(9223372036854775807)', true],
    ['IS_INTEGER(9223372036854775808)', false],
    ['IS_INTEGER(-9223372036854775808)', true],
    ['IS_INTEGER(-9223372036854775809)', false],
    ['IS_INTEGER(INTADD(1, 0.5))', false],
    ['IS_INTEGER(INTADD(9223372036854775807, 1))', true],
    ['TOSTRING(-9007199254740993)', '-9007199254740993'],
    ['TOSTRING(1e3)', '1000'],
    ['DATETIMETOTICKS("2024-03-05T01:02:03.1234567Z") = 17096005231234567', true],
    ['INTMOD(DATETIMETOTICKS("2024-03-05T01:02:03.1234567Z"), 10)', 7],
    ['TICKSTODATETIME(17096005231234567)', '2024-03-05T01:02:03.1234567Z'],
    ['TICKSTODATETIME(INTADD(DATETIMETOTICKS("2024-03-05T01:02:03.1234567Z"), 1))', '2024-03-05T01:02:03.1234568Z'],
  ])('%s is %s', (expression, expected) => {
    expect(valueOf(expression)).toBe(expected);
  });
});

describe('in a filter', async () => {
  const containers = await openContainers([
    { id: 'a', n: 7 },
    { id: 'b', n: 8 },
  ]);
  afterAll(() => Promise.all(containers.map((container) => container.close())));

  test.each(containers.map((container) => [container.name, container] as const))('on %s they are as exact', async (_, container) => {
    for (const [where, ids] of [
      ['INTMOD(9223372036854775807, 10) = c.n', ['a']],
      ['IS_INTEGER(9223372036854775808) OR c.n = 8', ['b']],
      ["TOSTRING(9223372036854775807) = '9223372036854775807'", ['a', 'b']],
      ['c.n = INTMOD(INTADD(9223372036854775806, 1), 10)', ['a']],
    ] as const) {
      expect(await container.rows(`SELECT VALUE c.id FROM c WHERE ${where}`), where).toEqual(ids);
    }
  });
});
