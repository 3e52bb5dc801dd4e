import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PerigeeError } from '../../src/core/errors.ts';
import { SimulatedRuntime } from '../../src/testing/simulated-runtime.ts';
import { functionTokens, type AccessToken, type UserTokens } from '../../src/tokens/index.ts';
import { failureOf } from './scene.ts';

const QUERY = { container: 'todos', partitionKey: ['ada'], mode: 'all' } as const;

describe('users', () => {
  test('S1-D09, S1-D22: a change of the user while a token is under way gives it to nobody', async () => {
    const arrivals: ((token: AccessToken) => void)[] = [];
    const aborted: string[] = [];
    const source = functionTokens(({ user, signal }) => {
      signal.addEventListener('abort', () => aborted.push(user));
      return new Promise((resolve) => {
        arrivals.push(resolve);
      });
    });
    const ada = source.forUser('ada');
    const waiting = ada.getToken(QUERY);
    const bob = source.forUser('bob');
    const bobs = bob.getToken(QUERY);
    arrivals[0]?.({ token: "Ada's" });
    expect((await failureOf(waiting)).code).toBe('UNAUTHORIZED');
    arrivals[1]?.({ token: "Bob's" });
    expect((await bobs).token).toBe("Bob's");
    expect(aborted).toEqual(['ada']);
    expect((await failureOf(ada.getToken(QUERY))).code).toBe('UNAUTHORIZED');
    const again = source.forUser('ada').getToken(QUERY);
    arrivals[2]?.({ token: "Ada's second" });
    expect((await again).token).toBe("Ada's second");
    expect((await ada.getToken(QUERY)).token).toBe("Ada's second");
    source.signOut();
    expect((await failureOf(ada.keeper.token({ databaseId: 'app', container: 'todos', partitionKey: ['ada'], mode: 'all' }))).code).toBe(
      'UNAUTHORIZED',
    );
  });

  test('a change of the user at the very moment of a call gives it nothing that was kept', async () => {
    const source = functionTokens(({ user }) => ({ token: user }));
    const ada = source.forUser('ada');
    await ada.getToken(QUERY);
    const call = ada.getToken(QUERY);
    source.forUser('bob');
    expect((await failureOf(call)).code).toBe('UNAUTHORIZED');
  });

  test('never get a token of another, however users, calls and answers interleave', async () => {
    const user = fc.constantFrom('ada', 'bob', 'eve');
    const step = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          kind: fc.constant('ask' as const),
          user,
          key: fc.constantFrom('k1', 'k2'),
          refresh: fc.boolean(),
          waits: fc.boolean(),
        }),
      },
      { weight: 6, arbitrary: fc.record({ kind: fc.constant('answer' as const), which: fc.nat(5) }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('switch' as const), user }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(60_000) }) },
      { weight: 1, arbitrary: fc.constantFrom({ kind: 'signOut' as const }, { kind: 'invalidate' as const }) },
    );
    let given = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 80, size: 'max' }), async (steps) => {
        const runtime = new SimulatedRuntime();
        const open: (() => void)[] = [];
        let underWay = new Map<string, number>();
        const source = functionTokens(
          ({ user, partitionKey }) =>
            new Promise<AccessToken>((resolve) => {
              const key = `${user}/${String(partitionKey)}`;
              underWay.set(key, (underWay.get(key) ?? 0) + 1);
              const current = underWay;
              // One request of the current user is under way for a key.
              expect(underWay.get(key)).toBe(1);
              open.push(() => {
                current.set(key, (current.get(key) ?? 0) - 1);
                resolve({ token: `${user}/${String(partitionKey)}/${open.length}`, lifetimeMs: 60_000 });
              });
            }),
          { runtime },
        );
        const all = new Map(['ada', 'bob', 'eve'].map((user) => [user, source.forUser(user)]));
        let current: string | undefined = 'eve';
        const calls: Promise<void>[] = [];
        for (const one of steps) {
          if (one.kind === 'ask') {
            const tokens = all.get(one.user) as UserTokens;
            calls.push(
              tokens.getToken({ container: 'todos', partitionKey: [one.key], refresh: one.refresh }).then(
                ({ token }) => {
                  given += 1;
                  expect(token.startsWith(`${one.user}/${one.key}/`)).toBe(true);
                  expect(one.user).toBe(current);
                },
                (error: PerigeeError) => expect(error.code).toBe('UNAUTHORIZED'),
              ),
            );
          } else if (one.kind === 'switch') {
            if (one.user !== current) {
              underWay = new Map();
            }
            current = one.user;
            all.set(one.user, source.forUser(one.user));
          } else if (one.kind === 'answer') {
            open.splice(one.which, 1)[0]?.();
          } else if (one.kind === 'wait') {
            await runtime.advance(one.ms);
          } else if (one.kind === 'signOut') {
            source.signOut();
            underWay = new Map();
            current = undefined;
          } else if (one.kind === 'invalidate') {
            // What is under way is not waited for any more by those who come later.
            for (const tokens of all.values()) {
              tokens.keeper.invalidate();
            }
            underWay = new Map();
          }
          if (one.kind !== 'ask' || one.waits) {
            await runtime.settle();
          }
        }
        source.signOut();
        current = undefined;
        await Promise.all(calls);
      }),
      { numRuns: 150 },
    );
    expect(given).toBeGreaterThan(100);
  });
});
