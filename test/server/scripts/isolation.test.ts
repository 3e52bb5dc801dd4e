import { expect, test } from 'vitest';
import fc from 'fast-check';
import { newStore, openEngine, procedures, targetOf } from './harness.ts';

const engine = openEngine({ maxThreads: 2 });
const run = procedures(engine);

test('what one script changes of its world is not there for the next, in the same thread', async () => {
  const store = await newStore();
  const pollute = `function () {
    leak = 'global'; globalThis.other = 1; Object.prototype.polluted = 1; Array.prototype.push = null; JSON.parse = null; Math.random = () => 4;
    __.createDocument = null; getContext = null; Error.prototype.name = 'Polluted'; ErrorCodes.NotFound = 1; Date.now = () => 0;
    Object.freeze(Array.prototype); Promise = null; undefinedFunction = 1;
  }`;
  const probe = `function () {
    var made; try { __.createDocument(__.getSelfLink(), { id: 'x', pk: 'p' }, (e, d) => { __.response.appendBody([made = d.id]); }); } catch (e) { made = String(e); }
    __.response.setBody([typeof leak, typeof other, {}.polluted === undefined, typeof [].push, typeof JSON.parse, Math.random() === 4, typeof getContext, new Error('m').name, ErrorCodes.NotFound, Date.now() > 0, Object.isFrozen(Array.prototype), typeof Promise]);
  }`;
  const expected = ['undefined', 'undefined', true, 'function', 'function', false, 'function', 'Error', 404, true, false, 'function'];
  for (let turn = 0; turn < 4; turn += 1) {
    await run(targetOf(store, `q${turn}`), pollute).catch(() => undefined);
    const own = await newStore();
    expect(
      ((await run(targetOf(own, 'p'), probe.replace('appendBody', 'getValue("Body").push'))).body as unknown[]).slice(0, expected.length),
    ).toEqual(expected);
  }
});

test('scripts at the same time on containers of the same shape keep to their own', async () => {
  const stores = await Promise.all(Array.from({ length: 6 }, () => newStore()));
  const source = `function (mine) {
    var self = __.getSelfLink(), n = 0;
    (function next() {
      if (n === 20) { __.queryDocuments(self, 'SELECT DISTINCT VALUE c.owner FROM c', (e, owners) => __.response.setBody([mine, owners, globalThis.secret])); return; }
      n++;
      globalThis.secret = mine;
      __.createDocument(self, { pk: 'p', owner: mine }, (e) => { if (e) throw e; next(); });
    })();
  }`;
  const all = await Promise.all(stores.map((store, index) => run(targetOf(store, 'p'), source, [index])));
  expect(all.map(({ body }) => body)).toEqual(stores.map((_, index) => [index, [index], index]));
});

test('any JSON goes in and comes out as it was', async () => {
  const store = await newStore();
  const echo = 'function (value) { __.response.setBody(value); }';
  await fc.assert(
    fc.asyncProperty(fc.jsonValue({ maxDepth: 5 }), async (value) => {
      const { bodyJson } = await run(targetOf(store, 'p'), echo, [value as never]);
      expect(JSON.parse(bodyJson as string)).toEqual(JSON.parse(JSON.stringify(value)));
    }),
    { numRuns: 200, seed: 7 },
  );
});

test('a document is stored as the script gave it: numbers to the last digit, names, order', async () => {
  const store = await newStore();
  const source =
    'function (text) { var d = JSON.parse(text); d.id = "n"; d.pk = "p"; __.upsertDocument(__.getSelfLink(), d, (e) => { if (e) throw e; }); }';
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(fc.string(), fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.string({ unit: 'grapheme' }))),
      async (members) => {
        const { id: _id, pk: _pk, ttl: _ttl, ...kept } = members;
        const text = JSON.stringify(Object.fromEntries(Object.entries(kept).filter(([name]) => !name.startsWith('_'))));
        await run(targetOf(store, 'p'), source, [text]);
        const stored = Object.entries((await store.read('n', 'p'))?.document ?? {}).filter(
          ([name]) => !name.startsWith('_') && name !== 'id' && name !== 'pk',
        );
        expect(JSON.stringify(Object.fromEntries(stored))).toBe(text);
      },
    ),
    { numRuns: 100, seed: 11 },
  );
});
