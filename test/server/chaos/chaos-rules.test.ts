import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isPerigeeError } from '../../../src/core/errors.ts';
import type { ChaosRule, ChaosRules } from '../../../src/server/index.ts';
import { checkChaosRules } from '../../../src/server/chaos/check-chaos-rules.ts';
import { SimulatedRuntime } from '../../../src/testing/simulated-runtime.ts';
import { serve } from '../served.ts';
import { refusal, scene, type Scene } from './scene.ts';

const UNAVAILABLE = { kind: 'status', status: 503 } as const;

/** For each of `count` reads, whether it met with a fault. */
async function picks({ container }: Scene, count: number): Promise<string> {
  let text = '';
  for (let index = 0; index < count; index += 1) {
    const code = await container
      .item('a', 'a')
      .read()
      .then(
        ({ statusCode }) => statusCode,
        (error: { code: number }) => error.code,
      );
    text += code === 200 ? '.' : 'X';
  }
  return text;
}

/** A scene whose client gives up at once. */
const impatient = (server: Parameters<typeof serve>[0] = {}): Promise<Scene> =>
  scene({ server, client: { connectionPolicy: { enableEndpointDiscovery: false } } });

describe('chance', () => {
  test('picks the same requests for the same seed, other ones for another, and as many as the rate says', async () => {
    const target = await impatient();
    const rounds: string[] = [];
    for (const seed of ['first', 'first', 2]) {
      target.served.server.chaos.replace({ seed, rules: [{ operation: 'read-document', rate: 0.3, effect: UNAVAILABLE }] });
      rounds.push(await picks(target, 200));
      expect(target.served.server.chaos.report().seed).toBe(seed);
    }
    expect(rounds[1]).toBe(rounds[0]);
    expect(rounds[2]).not.toBe(rounds[0]);
    for (const round of rounds) {
      const picked = round.replaceAll('.', '').length;
      expect(picked).toBeGreaterThan(40);
      expect(picked).toBeLessThan(80);
    }
  });

  test('without a seed comes from the runtime of the server, and the report tells it', async () => {
    const rounds: string[] = [];
    const seeds: unknown[] = [];
    for (let round = 0; round < 2; round += 1) {
      const runtime = new SimulatedRuntime({ seed: 9, startMs: Date.now() });
      const target = await impatient({ runtime, chaos: { rules: [{ operation: 'read-document', rate: 0.5, effect: UNAVAILABLE }] } });
      seeds.push(target.served.server.chaos.report().seed);
      rounds.push(await picks(target, 40));
    }
    expect(rounds[1]).toBe(rounds[0]);
    expect(seeds[1]).toBe(seeds[0]);
  });

  test('of a rule does not depend on the other rules', async () => {
    const target = await impatient();
    const rule: ChaosRule = { operation: 'read-document', rate: 0.5, effect: UNAVAILABLE };
    const behind: ChaosRule = { operation: 'read-document', rate: 0.5, effect: { kind: 'delay', delayMs: 0 } };
    target.inject(rule);
    const alone = await picks(target, 60);
    target.inject(rule, behind);
    expect(await picks(target, 60)).toBe(alone);
  });
});

describe('a rule picks', () => {
  test('by count, after those that it skips; counters begin anew with new rules', async () => {
    const target = await impatient();
    const rule: ChaosRule = { operation: 'read-document', skip: 2, count: 3, effect: UNAVAILABLE };
    target.inject(rule);
    expect(await picks(target, 8)).toBe('..XXX...');
    expect(target.rules()).toEqual([{ seen: 8, fired: 3 }]);
    target.inject(rule);
    expect(await picks(target, 4)).toBe('..XX');
    target.served.server.chaos.clear();
    expect(await picks(target, 3)).toBe('...');
    expect(target.rules()).toEqual([]);
  });

  test('by operation, method, database, container and headers, and every condition must hold', async () => {
    const target = await impatient();
    const { database } = await target.served.client().databases.create({ id: 'other' });
    await database.containers.create({ id: 'items', partitionKey: '/key' });
    const elsewhere = database.container('items');
    await elsewhere.items.create({ id: 'a', key: 'a' });
    const { container } = target;
    const requests = {
      read: () => container.item('a', 'a').read(),
      elsewhere: () => elsewhere.item('a', 'a').read(),
      upsert: () => container.items.upsert({ id: 'x', key: 'x' }),
      patch: () => container.item('a', 'a').patch([{ op: 'set', path: '/n', value: 1 }]),
      query: () => container.items.query('SELECT * FROM c', { partitionKey: 'a' }).fetchAll(),
      definition: () => container.read(),
    };
    const hit = async (rule: Omit<ChaosRule, 'effect'>): Promise<readonly string[]> => {
      const found: string[] = [];
      for (const [name, request] of Object.entries(requests)) {
        target.inject({ ...rule, effect: UNAVAILABLE });
        await request().catch(() => found.push(name));
      }
      return found;
    };
    expect(await hit({})).toEqual(Object.keys(requests));
    expect(await hit({ operation: 'read-document' })).toEqual(['read', 'elsewhere']);
    expect(await hit({ operation: ['read-container', 'upsert-*'] })).toEqual(['upsert', 'definition']);
    expect(await hit({ operation: '*-document' })).toEqual(['read', 'elsewhere', 'upsert', 'patch']);
    expect(await hit({ operation: 'query-*' })).toEqual(['query']);
    expect(await hit({ method: ['PATCH', 'POST'] })).toEqual(['upsert', 'patch', 'query']);
    expect(await hit({ operation: 'read-*', container: 'items', database: 'other' })).toEqual(['elsewhere']);
    expect(await hit({ container: 'none' })).toEqual([]);
    expect(await hit({ headers: { 'X-MS-DocumentDB-PartitionKey': '["x"]' } })).toEqual(['upsert']);
    expect(await hit({ headers: { 'x-ms-documentdb-is-upsert': true } })).toEqual(['upsert']);
    expect(await hit({ headers: { constructor: true } as never })).toEqual([]);
  });

  test('behind delays, which add up, and the first other effect decides', async () => {
    const target = await impatient();
    target.inject(
      { operation: 'read-document', effect: { kind: 'delay', delayMs: 2, jitterMs: 2 } },
      { operation: 'read-document', count: 1, effect: { kind: 'status', status: 449 } },
      { operation: 'read-document', effect: { kind: 'status', status: 503, subStatus: 20 } },
    );
    expect(await refusal(target.container.item('a', 'a').read())).toMatchObject({ code: 449 });
    expect(await refusal(target.container.item('a', 'a').read())).toEqual({ code: 503, substatus: 20 });
    expect(target.rules()).toEqual([
      { seen: 2, fired: 2 },
      { seen: 2, fired: 1 },
      { seen: 1, fired: 1 },
    ]);
  });

  test('nothing that stands before the work: refused signatures, health and what is none of the protocol', async () => {
    const { server, send } = await serve({ chaos: { rules: [{ effect: UNAVAILABLE }] } });
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    expect((await send('GET', '/dbs', { authorization: null })).status).toBe(401);
    expect((await send('GET', '/nothing')).status).toBe(404);
    expect((await send('GET', '/dbs')).status).toBe(503);
    expect(server.chaos.report().rules).toMatchObject([{ id: 'rule-1', seen: 1, fired: 1 }]);
  });
});

describe('rules that cannot be used', () => {
  const rule = (more: object): unknown => ({ rules: [{ effect: UNAVAILABLE }, { effect: UNAVAILABLE, ...more }] });
  const effect = (value: unknown): unknown => ({ rules: [{ id: 'slow reads', effect: value }] });

  test.each<[string, unknown, string]>([
    ['no object', [], 'they is not an object'],
    ['no list', {}, 'rules is not a list of at most 100'],
    ['too many', { rules: Array.from({ length: 101 }, () => ({ effect: UNAVAILABLE })) }, 'rules is not a list of at most 100'],
    ['a member nobody knows', { rules: [], rulez: [] }, 'they has a member "rulez"; it takes seed, rules'],
    ['a seed of another kind', { seed: {}, rules: [] }, 'seed is neither'],
    ['a rule that is none', { rules: [null] }, 'rules[0] is not an object'],
    ['a condition nobody knows', rule({ path: '/dbs' }), 'rules[1] has a member "path"; it takes id, operation'],
    [
      'an operation that is none',
      rule({ operation: 'read-documents' }),
      'rules[1].operation is "read-documents", which is none. Operations: ',
    ],
    ['a star in the middle', rule({ operation: 'read-*-document' }), 'rules[1].operation is'],
    ['no operations', rule({ operation: [] }), 'rules[1].operation is neither'],
    ['a method that is none', rule({ method: 'get' }), 'rules[1].method is not one of GET, POST'],
    ['a rate beyond 1', rule({ rate: 20 }), 'rules[1].rate is not a number from 0 to 1'],
    ['a count below 0', rule({ count: -1 }), 'rules[1].count is not a whole number'],
    ['half a request', rule({ skip: 0.5 }), 'rules[1].skip is not a whole number'],
    ['a header of another kind', rule({ headers: { a: 1 } }), 'rules[1].headers is not'],
    [
      'an id twice',
      { rules: [{ id: 'rule-2', effect: UNAVAILABLE }, { effect: UNAVAILABLE }] },
      'rules[1].id is the id of an earlier rule',
    ],
    ['no effect', rule({ effect: undefined }), 'rules[1].effect has no kind; it is one of status, delay, drop, cut, slow, truncate'],
    ['an effect of no kind', effect({ kind: 'explode' }), 'rules[0] ("slow reads").effect has no kind'],
    ['an effect named like a member of every object', effect({ kind: 'constructor' }), 'rules[0] ("slow reads").effect has no kind'],
    ['no status', effect({ kind: 'status' }), 'rules[0] ("slow reads").effect has no status'],
    ['a status that is none', effect({ kind: 'status', status: 200 }), 'effect.status is not a whole number from 400 to 599'],
    ['a delay without end', effect({ kind: 'delay', delayMs: 1e12 }), 'effect.delayMs is not a number from 0 to 3600000'],
    ['a delay that is a text', effect({ kind: 'delay', delayMs: '5' }), 'effect.delayMs is not a number'],
    ['a member of another effect', effect({ kind: 'drop', delayMs: 5 }), 'effect has a member "delayMs"; it takes kind'],
    ['a cut nowhere', effect({ kind: 'cut', at: 'end' }), 'effect.at is neither "request" nor "answer"'],
    ['a body kept whole', effect({ kind: 'truncate', keep: 1 }), 'effect.keep is not a number from 0 to 0.999'],
  ])('%s: are refused, and the message says where', (_name, rules, message) => {
    expect(() => checkChaosRules(rules)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(message) }),
    );
  });

  test('leave those in force, counters and all', async () => {
    const target = await impatient();
    target.inject({ operation: 'read-document', count: 1, effect: UNAVAILABLE });
    expect(await picks(target, 2)).toBe('X.');
    const bad = { rules: [{ effect: { kind: 'status', status: 1 } }] } as unknown as ChaosRules;
    expect(() => target.served.server.chaos.replace(bad)).toThrow(/rules\[0\]\.effect\.status/u);
    expect(target.rules()).toEqual([{ seen: 2, fired: 1 }]);
    await expect(serve({ chaos: bad })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
  });

  test('whatever they are: never anything but a refusal, never a changed prototype, and short', () => {
    const name = fc.oneof(
      fc.constantFrom('kind', 'status', 'effect', 'operation', 'rules', '__proto__', 'constructor', 'headers'),
      fc.string(),
    );
    const value = fc.letrec<{ any: unknown }>((tie) => ({
      any: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom('status', 'drop', 'delay', '*', 'read-document'),
        fc.double(),
        fc.string(),
        fc.constant(null),
        fc.array(tie('any'), { maxLength: 4 }),
        fc.array(fc.tuple(name, tie('any')), { maxLength: 5 }).map((members) => {
          const object = Object.create(null) as Record<string, unknown>;
          for (const [key, member] of members) {
            Object.defineProperty(object, key, { value: member, enumerable: true, configurable: true });
          }
          return JSON.parse(JSON.stringify(object)) as unknown;
        }),
      ),
    })).any;
    const rules = fc.oneof(
      value,
      fc.record({ rules: fc.array(fc.record({ operation: value, rate: value, effect: value }, { requiredKeys: [] })) }),
    );
    fc.assert(
      fc.property(rules, (one) => {
        try {
          checkChaosRules(one);
        } catch (error) {
          expect(isPerigeeError(error, 'INVALID_OPTION')).toBe(true);
          expect((error as Error).message.length).toBeLessThan(3000);
        }
        expect(Object.keys(Object.prototype)).toEqual([]);
      }),
      { seed: 71, numRuns: 2000 },
    );
  });
});
