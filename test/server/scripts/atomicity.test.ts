import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isPerigeeError } from '../../../src/core/errors.ts';
import type { JsonObject } from '../../../src/core/json.ts';
import type { DocumentStore, StoreTransaction } from '../../../src/store/document-store.ts';
import { bare, contentOf, newStore, openEngine, OPENERS, procedures, targetOf } from './harness.ts';

const engine = openEngine();
const run = procedures(engine);

describe.each(Object.keys(OPENERS))('scripts on %s', (name) => {
  const open = async (): Promise<DocumentStore> => newStore(await (OPENERS[name] as (typeof OPENERS)[string])());

  test.each<[string, string]>([
    ['an exception', 'throw new Error("no");'],
    ['one in a callback', '__.readDocuments(__.getSelfLink(), function () { throw "no"; });'],
    ['an error without a callback', '__.deleteDocument(__.getAltLink() + "/docs/none");'],
    ['abort', 'try { getContext().abort(new Error("no")); } catch (error) {}'],
    ['abort in a callback', '__.readDocuments(__.getSelfLink(), function () { try { getContext().abort("no"); } catch (error) {} });'],
  ])('%s undoes everything, and nobody has seen any of it', async (_name, last) => {
    const store = await open();
    const { document } = await store.create({ id: 'old', pk: 'p', n: 1 });
    await store.create({ id: 'gone', pk: 'p', n: 2 });
    const { cursor } = await store.changes({ from: 'now' }).nextPage();
    const source = `function () {
      var self = __.getSelfLink(), alt = __.getAltLink();
      __.createDocument(self, { id: 'new', pk: 'p' });
      __.replaceDocument(alt + '/docs/old', { id: 'old', pk: 'p', n: 100 });
      __.deleteDocument(alt + '/docs/gone');
      __.readDocuments(self, function (error, feed) { if (feed.length !== 2) throw new Error('not seen'); ${last} });
    }`;
    await expect(run(targetOf(store, 'p'), source)).rejects.toMatchObject({ code: 'SCRIPT_FAILED' });
    expect((await store.read('old', 'p'))?.document).toEqual(document);
    expect(await contentOf(store, 'p')).toEqual([
      { id: 'gone', pk: 'p', n: 2 },
      { id: 'old', pk: 'p', n: 1 },
    ]);
    expect((await store.changes({ from: { cursor } }).nextPage()).changes).toEqual([]);
  });

  test('many scripts and writers on one document: every increment counts', async () => {
    const store = await open();
    await store.create({ id: 'x', pk: 'p', n: 0 });
    const increment = `function () {
      __.readDocument(__.getAltLink() + '/docs/x', function (error, x) {
        if (error) throw error;
        x.n += 1;
        __.replaceDocument(x._self, x, { etag: x._etag }, function (e) { if (e) throw e; });
      });
    }`;
    await Promise.all([
      ...Array.from({ length: 12 }, () => run(targetOf(store, 'p'), increment)),
      ...Array.from({ length: 12 }, () => store.patch('x', 'p', [{ op: 'incr', path: '/n', value: 1 }])),
    ]);
    expect((await store.read('x', 'p'))?.document['n']).toBe(24);
  });

  test('a reader never sees half of a script, on whatever store it was opened', async () => {
    const backend = await (OPENERS[name] as (typeof OPENERS)[string])();
    const store = await newStore(backend);
    const reader = await backend.container('db', store.definition.id);
    const move = `function (from, to, fail) {
      var alt = __.getAltLink();
      __.patchDocument(alt + '/docs/' + from, [{ op: 'incr', path: '/n', value: -1 }], function (error) {
        if (error) throw error;
        __.patchDocument(alt + '/docs/' + to, [{ op: 'incr', path: '/n', value: 1 }], function (e) { if (e || fail) throw new Error('undone'); });
      });
    }`;
    await store.create({ id: 'a', pk: 'p', n: 50 });
    await store.create({ id: 'b', pk: 'p', n: 50 });
    let isOver = false;
    const moving = (async () => {
      for (let turn = 0; turn < 25; turn += 1) {
        await run(targetOf(store, 'p'), move, turn % 2 === 0 ? ['a', 'b', turn % 3 === 0] : ['b', 'a', turn % 5 === 0]).catch(
          () => undefined,
        );
      }
      isOver = true;
    })();
    const sums = new Set<number>();
    while (!isOver) {
      const [sum] = await reader.query<number>('SELECT VALUE SUM(c.n) FROM c', { partitionKey: 'p' }).toArray();
      sums.add(sum as number);
      await new Promise(setImmediate);
    }
    await moving;
    expect([...sums]).toEqual([100]);
  });

  test('a script that only computes holds up no writer', async () => {
    const store = await open();
    const spinning = run(targetOf(store, 'p'), 'function () { var end = Date.now() + 300; while (Date.now() < end) {} }');
    let written = 0;
    let isOver = false;
    void spinning.finally(() => {
      isOver = true;
    });
    while (!isOver) {
      await store.upsert({ id: 'w', pk: 'p', written });
      written += 1;
      await new Promise(setImmediate);
    }
    await spinning;
    expect(written).toBeGreaterThan(3);
  });
});

/** One step of a program that a script and a transaction both carry out. */
type Step =
  | { readonly kind: 'create' | 'upsert' | 'replace'; readonly id: string; readonly n: number }
  | { readonly kind: 'delete' | 'read'; readonly id: string }
  | { readonly kind: 'incr'; readonly id: string; readonly n: number }
  | { readonly kind: 'sum' };

const ids = fc.constantFrom('a', 'b', 'c');
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constantFrom('create' as const, 'upsert' as const, 'replace' as const),
      id: ids,
      n: fc.integer({ min: -5, max: 5 }),
    }),
    fc.record({ kind: fc.constantFrom('delete' as const, 'read' as const), id: ids }),
    fc.record({ kind: fc.constant('incr' as const), id: ids, n: fc.integer({ min: -5, max: 5 }) }),
    fc.record({ kind: fc.constant('sum' as const) }),
  ),
  { maxLength: 14 },
);

/** Carries out the steps with callbacks; gives what each of them answered, a status where it was refused. */
const PROGRAM = `function (steps, fail) {
  var self = __.getSelfLink(), alt = __.getAltLink(), log = [];
  (function next(at) {
    if (at === steps.length) { if (fail) throw new Error('fail'); __.response.setBody(log); return; }
    var step = steps[at], link = alt + '/docs/' + step.id, document = { id: step.id, pk: 'p', n: step.n };
    var done = function (error, body) { log.push(error ? error.number : body === null || typeof body !== 'object' ? 0 : body.n === undefined ? 0 : body.n); next(at + 1); };
    var accepted =
      step.kind === 'create' ? __.createDocument(self, document, done) :
      step.kind === 'upsert' ? __.upsertDocument(self, document, done) :
      step.kind === 'replace' ? __.replaceDocument(link, document, done) :
      step.kind === 'delete' ? __.deleteDocument(link, function (error) { done(error, {}); }) :
      step.kind === 'read' ? __.readDocument(link, done) :
      step.kind === 'incr' ? __.patchDocument(link, [{ op: 'incr', path: '/n', value: step.n }], done) :
      __.queryDocuments(self, 'SELECT VALUE SUM(c.n) FROM c', function (error, sums) { done(error, { n: sums[0] }); });
    if (!accepted) throw new Error('not accepted');
  })(0);
}`;

async function carryOut(transaction: StoreTransaction, step: Step): Promise<unknown> {
  switch (step.kind) {
    case 'create':
    case 'upsert':
    case 'replace':
      return (await transaction[step.kind]({ id: step.id, pk: 'p', n: step.n })).document['n'];
    case 'delete':
      await transaction.delete(step.id);
      return 0;
    case 'read': {
      const found = await transaction.read(step.id);
      return found === undefined ? 404 : found.document['n'];
    }
    case 'incr':
      return (await transaction.patch(step.id, [{ op: 'incr', path: '/n', value: step.n }])).document['n'];
    default:
      return (await transaction.query<number>('SELECT VALUE SUM(c.n) FROM c'))[0];
  }
}

/** What the steps answer in a transaction of the store itself. */
async function inTransaction(store: DocumentStore, program: readonly Step[], fail: boolean): Promise<unknown[] | 'undone'> {
  try {
    return await store.transact('p', async (transaction) => {
      const log: unknown[] = [];
      for (const step of program) {
        log.push(
          await carryOut(transaction, step).catch((error: unknown) => {
            if (isPerigeeError(error)) {
              return error.status;
            }
            throw error;
          }),
        );
      }
      if (fail) {
        throw new Error('fail');
      }
      return log;
    });
  } catch {
    return 'undone';
  }
}

/** The documents of the partition key as a transaction leaves them, and the number of changes in the feed. */
async function stateOf(
  store: DocumentStore,
): Promise<{ readonly documents: readonly (JsonObject | undefined)[]; readonly feed: readonly (JsonObject | undefined)[] }> {
  const feed: (JsonObject | undefined)[] = [];
  for await (const change of store.changes()) {
    feed.push(bare(change.document));
  }
  return { documents: await contentOf(store, 'p'), feed };
}

test.each(Object.keys(OPENERS))('on %s a script does what the same calls do in a transaction', async (name) => {
  const backend = await (OPENERS[name] as (typeof OPENERS)[string])();
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(steps, fc.boolean()), { minLength: 1, maxLength: 3 }), async (programs) => {
      const [byScript, byTransaction] = [await newStore(backend), await newStore(backend)];
      for (const [program, fail] of programs) {
        const answered = await run(targetOf(byScript, 'p'), PROGRAM, [program as never, fail]).then(
          ({ body }) => body,
          () => 'undone',
        );
        expect(answered).toEqual(await inTransaction(byTransaction, program, fail));
        expect(await stateOf(byScript)).toEqual(await stateOf(byTransaction));
      }
    }),
    { numRuns: 40, seed: 20_261 },
  );
});
