import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PerigeeError } from '../../src/core/errors.ts';
import { TokenCache } from '../../src/store/token-cache.ts';
import type { AccessToken, TokenAccess, TokenRequest } from '../../src/store/token-provider.ts';
import { SimulatedRuntime } from '../../src/testing/simulated-runtime.ts';

const ACCESS: TokenAccess = { databaseId: 'app', container: 'todos', partitionKey: ['ada'], mode: 'read' };

interface Stage {
  readonly runtime: SimulatedRuntime;
  readonly cache: TokenCache;
  readonly asked: TokenRequest[];
  /** What the next requests are answered with; the default gives the tokens 1, 2, 3 with the life given. */
  answer: (number: number) => AccessToken | Promise<AccessToken>;
  now(): Promise<string>;
}

function stage(lifetimeMs: number | undefined, refreshAtFraction?: number): Stage {
  const runtime = new SimulatedRuntime();
  const asked: TokenRequest[] = [];
  const it: Stage = {
    runtime,
    asked,
    answer: (number) => ({ token: String(number), lifetimeMs }),
    cache: new TokenCache(
      {
        getToken: async (request) => {
          asked.push(request);
          return it.answer(asked.length);
        },
      },
      { runtime, refreshAtFraction },
    ),
    now: async () => (await it.cache.token(ACCESS)).token,
  };
  return it;
}

describe('a token', () => {
  test.each([
    [undefined, 60_000, 45_000],
    [0.5, 60_000, 30_000],
    [0.9, 1000, 900],
    [undefined, 5000, 3750],
  ])('is renewed in the background at a fraction (%s) of its real life of %d ms', async (fraction, lifeMs, dueMs) => {
    const it = stage(lifeMs, fraction);
    expect(await it.now()).toBe('1');
    await it.runtime.advance(dueMs - 1);
    expect([await it.now(), it.asked.length]).toEqual(['1', 1]);
    await it.runtime.advance(1);
    expect([await it.now(), it.asked.length]).toEqual(['1', 2]);
    await it.runtime.settle();
    expect([await it.now(), it.asked.length]).toEqual(['2', 2]);
    expect(it.asked.map(({ refresh }) => refresh)).toEqual([false, false]);
  });

  test('S1-D21: of a short life is not fetched for every call', async () => {
    const it = stage(10_000);
    for (let call = 0; call < 600; call += 1) {
      await it.now();
      await it.runtime.advance(100);
    }
    expect(it.asked.length).toBeLessThanOrEqual(9);
  });

  test('is measured from when it was asked for: a slow answer does not lengthen its life', async () => {
    const it = stage(60_000);
    it.answer = async (number) => {
      await it.runtime.advance(number === 1 ? 50_000 : 0);
      return { token: String(number), lifetimeMs: 60_000 };
    };
    expect(await it.now()).toBe('1');
    await it.runtime.advance(6000);
    expect(await it.now()).toBe('2');
  });

  test('does not care for a device clock that is wrong, or is set meanwhile', async () => {
    for (const shiftMs of [-86_400_000, -60_000]) {
      const it = stage(60_000);
      expect(await it.now()).toBe('1');
      it.runtime.setNowMs(it.runtime.nowMs() + shiftMs);
      await it.runtime.advance(44_000);
      expect([await it.now(), it.asked.length]).toEqual(['1', 1]);
      await it.runtime.advance(12_000);
      expect(await it.now()).toBe('2');
    }
  });

  test('is told with an expiry by the clock of the device and with what is left of its life', async () => {
    const it = stage(60_000);
    await it.now();
    await it.runtime.advance(10_000);
    expect(await it.cache.token(ACCESS)).toEqual({ token: '1', expiresAtMs: it.runtime.nowMs() + 50_000, lifetimeMs: 50_000 });
  });

  test('counts as old after a sleep in which only the wall clock went on', async () => {
    const it = stage(60_000);
    await it.now();
    it.runtime.setNowMs(it.runtime.nowMs() + 60_000);
    expect(await it.now()).toBe('2');
  });

  test('that has expired when it comes is used until it is refused, and not fetched for every call', async () => {
    const it = stage(undefined);
    it.answer = (number) => ({ token: String(number), expiresAtMs: it.runtime.nowMs() - 1000 });
    expect([await it.now(), await it.now(), it.asked.length]).toEqual(['1', '1', 1]);
    it.cache.refuse(ACCESS, '1');
    expect(await it.now()).toBe('2');
    expect(it.asked[1]?.refresh).toBe(true);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, '60000' as never])('with a life of %s has none that counts', async (lifetimeMs) => {
    const it = stage(lifetimeMs);
    expect([await it.now(), await it.now(), it.asked.length]).toEqual(['1', '1', 1]);
  });
});

describe('a renewal', () => {
  const failing = (code: ConstructorParameters<typeof PerigeeError>[0], retryAfterMs?: number) => (): never => {
    throw new PerigeeError(code, 'no', { retryAfterMs });
  };

  test.each(['UNREACHABLE', 'TIMEOUT', 'THROTTLED', 'UNAVAILABLE'] as const)(
    'that fails with %s leaves the token in use, and is tried again later',
    async (code) => {
      const it = stage(60_000);
      await it.now();
      await it.runtime.advance(45_000);
      it.answer = failing(code, code === 'THROTTLED' ? 6000 : undefined);
      for (let call = 0; call < 5; call += 1) {
        expect(await it.now()).toBe('1');
        await it.runtime.settle();
      }
      expect(it.asked.length).toBe(2);
      await it.runtime.advance(code === 'THROTTLED' ? 5999 : 3749);
      await it.now();
      expect(it.asked.length).toBe(2);
      await it.runtime.advance(1);
      await it.now();
      expect(it.asked.length).toBe(3);
      await it.runtime.advance(20_000);
      await expect(it.now()).rejects.toMatchObject({ code });
    },
  );

  test.each(['UNAUTHORIZED', 'FORBIDDEN'] as const)('that is %s ends the token: the next call learns why', async (code) => {
    const it = stage(60_000);
    await it.now();
    await it.runtime.advance(45_000);
    it.answer = failing(code);
    expect(await it.now()).toBe('1');
    await it.runtime.settle();
    await expect(it.now()).rejects.toMatchObject({ code });
  });

  test('that brings nothing newer is not repeated with every call', async () => {
    const it = stage(60_000);
    const expiresAtMs = it.runtime.nowMs() + 60_000;
    it.answer = () => ({ token: 'same', expiresAtMs });
    for (let second = 0; second < 54; second += 1) {
      await it.now();
      await it.runtime.advance(1000);
    }
    expect(it.asked.length).toBeLessThanOrEqual(6);
  });

  test('under way when the token is refused is what the next call waits for', async () => {
    const it = stage(60_000);
    await it.now();
    await it.runtime.advance(45_000);
    let arrive: (token: AccessToken) => void = () => undefined;
    it.answer = () =>
      new Promise((resolve) => {
        arrive = resolve;
      });
    expect(await it.now()).toBe('1');
    it.cache.refuse(ACCESS, '1');
    const next = it.now();
    arrive({ token: '2', lifetimeMs: 60_000 });
    expect([await next, it.asked.length]).toEqual(['2', 2]);
  });

  test('under way that brings the refused token once more is followed by one that must not', async () => {
    const it = stage(60_000);
    await it.now();
    await it.runtime.advance(45_000);
    let arrive: (token: AccessToken) => void = () => undefined;
    it.answer = (number) =>
      number === 2
        ? new Promise((resolve) => {
            arrive = resolve;
          })
        : { token: String(number) };
    await it.now();
    it.cache.refuse(ACCESS, '1');
    const next = it.now();
    arrive({ token: '1', lifetimeMs: 60_000 });
    expect(await next).toBe('3');
    expect(it.asked.map(({ refresh }) => refresh)).toEqual([false, false, true]);
  });
});

test('one request is under way however many wait, for each database, container, key and mode', async () => {
  const it = stage(60_000);
  const accesses: TokenAccess[] = [
    ACCESS,
    { ...ACCESS, mode: 'all' },
    { ...ACCESS, partitionKey: ['bob'] },
    { ...ACCESS, partitionKey: undefined },
    { ...ACCESS, partitionKey: [undefined] },
    { ...ACCESS, partitionKey: [null] },
    { ...ACCESS, partitionKey: ['null'] },
    { ...ACCESS, container: 'other' },
    { ...ACCESS, databaseId: undefined },
  ];
  const tokens = await Promise.all(
    Array.from({ length: 100 }, (_, index) => it.cache.token(accesses[index % accesses.length] as TokenAccess)),
  );
  expect(it.asked.length).toBe(accesses.length);
  expect(new Set(tokens.map(({ token }) => token)).size).toBe(accesses.length);
});

test.each(['NOT_FOUND', 'TOO_LARGE', 'CONFLICT', 'BAD_REQUEST'] as const)(
  'a provider that fails with %s says nothing of any document',
  async (code) => {
    const it = stage(60_000);
    const cause = new PerigeeError(code, 'no');
    it.answer = () => {
      throw cause;
    };
    await expect(it.now()).rejects.toMatchObject({ code: 'UNAUTHORIZED', cause });
  },
);

test('a failure is told to all who wait, and the next call asks again', async () => {
  const it = stage(60_000);
  it.answer = () => {
    throw new PerigeeError('UNREACHABLE', 'no');
  };
  const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => it.now()));
  expect([outcomes.every(({ status }) => status === 'rejected'), it.asked.length]).toEqual([true, 1]);
  it.answer = (number) => ({ token: String(number) });
  expect(await it.now()).toBe('2');
});

test('a token that is given out is good for as long as its margin says, whatever happens before', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1000, max: 100_000 }),
      fc.double({ min: 0.1, max: 0.95, noNaN: true }),
      fc.array(fc.oneof(fc.nat(60_000), fc.constantFrom('refuse', 'invalidate', 'back', 'fail')), { minLength: 1, maxLength: 30 }),
      async (lifeMs, fraction, steps) => {
        const it = stage(lifeMs, fraction);
        const bornAtMs = new Map<string, number>();
        let failing = false;
        it.answer = (number) => {
          if (failing) {
            throw new PerigeeError('UNREACHABLE', 'no');
          }
          bornAtMs.set(String(number), it.runtime.monotonicMs());
          return { token: String(number), lifetimeMs: lifeMs };
        };
        let last = '';
        for (const step of steps) {
          failing = step === 'fail';
          if (step === 'refuse') {
            it.cache.refuse(ACCESS, last);
          } else if (step === 'invalidate') {
            it.cache.invalidate();
          } else if (step === 'back') {
            it.runtime.setNowMs(it.runtime.nowMs() - 3_600_000);
          } else if (typeof step === 'number') {
            await it.runtime.advance(step);
          }
          const before = last;
          const given = await it.now().catch(() => undefined);
          await it.runtime.settle();
          if (given !== undefined) {
            last = given;
            expect(it.runtime.monotonicMs() - (bornAtMs.get(given) as number)).toBeLessThan(lifeMs);
            expect(step === 'refuse' && given === before).toBe(false);
          } else {
            expect(step).toBe('fail');
          }
        }
      },
    ),
    { numRuns: 60 },
  );
});

test('a fraction that is none is refused', () => {
  for (const refreshAtFraction of [0, 1, -1, Number.NaN, '0.5' as never]) {
    expect(() => stage(1, refreshAtFraction)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }) as Error);
  }
});
