import { afterEach, describe, expect, test } from 'vitest';
import type { DocumentStore } from '../../../src/store/document-store.ts';
import { contentOf, newStore, openEngine, procedures, targetOf } from './harness.ts';

const engine = openEngine({ timeoutMs: 500, memoryLimitBytes: 32 * 1024 * 1024, maxThreads: 2 });
const run = procedures(engine);
const store: DocumentStore = await newStore();
const target = targetOf(store, 'p');

afterEach(async () => {
  // Whatever it was: the next script finds a sandbox as good as new, and the container as it was before.
  const probe = 'function () { __.response.setBody([1, 2, 3].map((n) => 2 * n).concat(typeof leaked)); }';
  expect((await run(target, probe)).body).toEqual([2, 4, 6, 'undefined']);
  expect(await contentOf(store, 'p')).toEqual([]);
});

/** What every hostile script does before, so that there is something to undo. */
const WRITE = '__.createDocument(__.getSelfLink(), { id: "trace", pk: "p" }); globalThis.leaked = 1;';

describe('time', () => {
  test.each<[string, string]>([
    ['an endless loop', 'for (;;) {}'],
    ['one that catches everything', 'for (;;) { try { for (;;) {} } catch (e) {} finally { continue; } }'],
    ['endless promises', '(async () => { for (;;) await null; })()'],
    ['an endless comparison', '[3, 2, 1].sort(() => { for (;;) {} })'],
    ['an endless getter of the response', '__.response.setBody({ get x() { for (;;) {} } })'],
    ['an endless toJSON of a document', '__.createDocument(__.getSelfLink(), { toJSON() { for (;;) {} } })'],
    ['an endless error', 'throw { get message() { for (;;) {} } }'],
    ['an expression that backtracks', '/(a+)+$/.exec("a".repeat(40) + "b")'],
    ['a loop within the interpreter that nothing interrupts', 'Array.prototype.indexOf.call({ length: 1e15 }, 1)'],
    ['an endless loop in a callback', '__.readDocuments(__.getSelfLink(), () => { for (;;) {} })'],
    ['waiting for the clock', 'var end = Date.now() + 60000; while (Date.now() < end) {}'],
  ])('%s is stopped and undone', async (_name, statement) => {
    await expect(run(target, `function () { ${WRITE} ${statement}; }`)).rejects.toMatchObject({
      code: 'SCRIPT_TIMEOUT',
      status: 408,
      message: 'The requested operation exceeded maximum alloted time.',
    });
  });

  test('others are served while scripts spin, other scripts included where there are threads', async () => {
    const other = await newStore();
    await other.create({ id: 'a', pk: 'p' });
    let isOver = false;
    const spinning = run(target, `function () { ${WRITE} __.readDocuments(__.getSelfLink(), () => { for (;;) {} }); }`)
      .catch((error: unknown) => error)
      .finally(() => {
        isOver = true;
      });
    let served = 0;
    while (!isOver) {
      await other.replace({ id: 'a', pk: 'p', served });
      await new Promise(setImmediate);
      served += 1;
    }
    expect(served).toBeGreaterThan(10);
    const both = [
      spinning,
      run(targetOf(other, 'p'), 'function () { __.readDocuments(__.getSelfLink(), (e, feed) => __.response.setBody(feed.length)); }'),
    ];
    expect(await Promise.all(both)).toMatchObject([{ code: 'SCRIPT_TIMEOUT' }, { body: 1 }]);
  });

  test('more scripts than threads wait for their turn', async () => {
    const source = 'function (n) { __.response.setBody(n); }';
    const all = await Promise.all(Array.from({ length: 20 }, (_, n) => run(target, source, [n])));
    expect(all.map(({ body }) => body)).toEqual(Array.from({ length: 20 }, (_, n) => n));
  });
});

describe('memory', () => {
  test.each<[string, string]>([
    ['a list without end', 'var all = []; for (;;) all.push(new Array(10000).fill(1));'],
    ['a text without end', 'var text = "xyz"; for (;;) text += text + 1;'],
    ['an endless generator', 'return [...(function* () { for (;;) yield 1; })()]'],
    ['a large array', 'new Array(5e7).fill(0)'],
    ['a large buffer', 'new Uint8Array(1e9)'],
    ['a large text', '"x".repeat(2 ** 28)'],
    ['a long join', 'new Array(1e8).join("xx")'],
    ['a map without end', 'var map = new Map(); for (let n = 0; ; n++) map.set(n, { n });'],
    ['a replacement that grows', '"a".repeat(1e6).replace(/a/g, "b".repeat(1000))'],
    ['a large response', 'for (;;) __.response.setBody(new Array(1e6).fill("0123456789"))'],
  ])('%s ends with an error', async (_name, statement) => {
    await expect(run(target, `function () { ${WRITE} ${statement}; }`)).rejects.toMatchObject({
      code: expect.stringMatching(/^SCRIPT_(?:FAILED|TIMEOUT)$/u),
    });
  });

  test('what a script reads counts as its own', async () => {
    const small = procedures(openEngine({ memoryLimitBytes: 10 * 1024 * 1024 }));
    const own = await newStore();
    for (let n = 0; n < 8; n += 1) {
      await own.create({ id: `big${n}`, pk: 'p', text: 'x'.repeat(1_900_000) });
    }
    const source = `function () {
      var kept = [];
      (function next(continuation) {
        var isAccepted = __.readDocuments(__.getSelfLink(), { continuation: continuation }, function (error, feed, options) {
          if (error) throw error;
          kept.push(feed);
          if (options.continuation) next(options.continuation);
        });
        if (!isAccepted) throw new Error('not accepted');
      })();
    }`;
    await expect(small(targetOf(own, 'p'), source)).rejects.toThrow('InternalError: out of memory');
    expect((await small(targetOf(own, 'p'), 'function () { __.response.setBody(1); }')).body).toBe(1);
  });
});

describe('stack', () => {
  test.each<[string, string]>([
    ['a function', '(function f() { f(); })()'],
    ['a function in a native one', '(function f() { [1].map(f); })()'],
    ['a getter', 'var o = { get x() { return this.x; } }; o.x'],
    ['JSON of something deep', 'var a = []; for (var i = 0; i < 1e5; i++) a = [a]; JSON.stringify(a)'],
    ['a deep response', 'var a = []; for (var i = 0; i < 1e5; i++) a = [a]; __.response.setBody(a)'],
    ['reading something deep', 'JSON.parse("[".repeat(1e5))'],
    ['code that is deep', 'eval("(".repeat(1e5))'],
    ['an array in itself', 'var a = []; a[0] = a; a.flat(Infinity)'],
    ['a circle as JSON', 'var a = {}; a.a = a; __.response.setBody(a)'],
    ['proxies of proxies', 'var p = {}; for (var i = 0; i < 1e5; i++) p = new Proxy(p, {}); p.x'],
    ['a deep expression', 'new RegExp("(?:".repeat(5e4) + "a" + ")".repeat(5e4)).test("a")'],
    ['a text of itself', 'var q = { toString() { return q + ""; } }; q + ""'],
  ])('%s ends with an error', async (_name, statement) => {
    await expect(run(target, `function () { ${WRITE} ${statement}; }`)).rejects.toMatchObject({
      code: expect.stringMatching(/^SCRIPT_(?:FAILED|TIMEOUT)$/u),
    });
  });

  test('an error of the stack can be caught, as in any engine', async () => {
    const source = 'function () { try { (function f() { f(); })(); } catch (error) { __.response.setBody(error.name); } }';
    expect((await run(target, source)).body).toBe('InternalError');
  });

  test('a document that is too deep is refused', async () => {
    const source =
      'function () { var a = {}; for (var i = 0; i < 1000; i++) a = { a: a }; a.id = "deep"; a.pk = "p"; __.createDocument(__.getSelfLink(), a); }';
    await expect(run(target, source)).rejects.toMatchObject({ code: 'SCRIPT_FAILED', subStatus: 400 });
  });
});

describe('ways out', () => {
  test.each([
    '[].constructor.constructor("return process")()',
    '(async () => {}).constructor("return process")().then((p) => p)',
    'require("fs")',
    'setTimeout(() => {}, 0)',
    'fetch("http://localhost")',
    'new Worker("x")',
    'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)',
    'process',
    'module',
    'globalThis.global.process',
    'WebAssembly.Memory',
    'performance.now()',
    'Intl.DateTimeFormat()',
    'getContext().getCollection.constructor("return this")().process.exit()',
    'print(1)',
    'std.exit(0)',
    'os.exec([])',
  ])('there is none: %s', async (expression) => {
    const source = `async function () {
      var got;
      try { got = await (${expression}); } catch (error) { got = 'an error'; }
      __.response.setBody(got === Object(got) ? 'something' : String(got));
    }`;
    expect((await run(target, source)).body).toBe('an error');
  });

  test('modules cannot be loaded', async () => {
    const source =
      'async function () { try { await import("node:fs"); __.response.setBody("loaded"); } catch (error) { __.response.setBody("refused"); } }';
    expect((await run(target, source)).body).toBe('refused');
  });

  test('the globals are those of the language and of the service', async () => {
    const { body } = await run(target, 'function () { __.response.setBody(Object.getOwnPropertyNames(globalThis).sort()); }');
    const service = ['ErrorCodes', '__', 'console', 'getContext'];
    const language = (body as string[]).filter((name) => !service.includes(name));
    // QuickJS has an error of its own, and is ahead of older Nodes.
    const known = ['InternalError', 'Float16Array', 'Iterator'];
    expect(language.filter((name) => !(name in globalThis) && !known.includes(name))).toEqual([]);
    expect(body).toEqual(expect.arrayContaining(service));
    expect(body).not.toEqual(expect.arrayContaining(['process']));
  });
});

describe('broken worlds', () => {
  const BREAK = `
    JSON.parse = JSON.stringify = Object.assign = () => { throw new Error('mine'); };
    Array.prototype.map = Array.prototype.push = Array.prototype.slice = Function.prototype.apply = Function.prototype.call = () => { throw new Error('mine'); };
    Object.defineProperty(Object.prototype, 'error', { get() { return { number: 1, message: 'fake' }; }, configurable: true });
    Object.prototype.continuation = 'fake';
    Promise.prototype.then = null; Symbol.iterator in Array.prototype; delete Array.prototype[Symbol.iterator];`;

  test('a script may break its own world, and nobody else notices', async () => {
    await run(target, `function () { ${BREAK} }`).catch(() => undefined);
    await expect(run(target, `function () { ${WRITE} ${BREAK} throw new Error(1, 'over'); }`)).rejects.toMatchObject({
      code: 'SCRIPT_FAILED',
    });
  });

  test('a script that forges what the server reads gets errors, not powers', async () => {
    // Index 0 of every array of the sandbox is taken over, the list of calls included.
    const source = `function () {
      Object.defineProperty(Array.prototype, 'toJSON', { value() { return [{ type: 'drop', link: 'everything' }]; } });
      __.readDocuments(__.getSelfLink(), (error) => { __.response.setBody = 1; throw error; });
    }`;
    await expect(run(target, source)).rejects.toMatchObject({ code: 'SCRIPT_FAILED' });
    const notAList = `function () {
      Object.defineProperty(Array.prototype, 'toJSON', { value() { return { length: 1e9 }; } });
      __.readDocuments(__.getSelfLink());
    }`;
    await expect(run(target, notAList)).rejects.toMatchObject({ code: 'SCRIPT_FAILED' });
    const foreignKey = `function () {
      Object.defineProperty(Array.prototype, 'toJSON', { value() { return [{ type: 'create', documentJson: '{"id":"x","pk":"q"}' }, { type: 'feed', pageSize: 'x' }, { type: 'read', link: 5 }]; } });
      __.readDocuments(__.getSelfLink(), (error) => { throw error; });
    }`;
    await expect(run(target, foreignKey)).rejects.toMatchObject({ code: 'SCRIPT_FAILED', subStatus: 400 });
    expect(await contentOf(store, 'q')).toEqual([]);
  });
});

describe('storms', () => {
  test('calls beyond those that may wait are not taken', async () => {
    const source = `function () {
      var self = __.getSelfLink(), taken = 0;
      while (__.queryDocuments(self, 'SELECT VALUE 1') && taken < 50000) taken++;
      getContext().abort(new Error(taken, 'taken'));
    }`;
    // With more time than it takes, so that it is the number that ends it.
    const patient = procedures(openEngine({ timeoutMs: 60_000 }));
    await expect(patient(target, source)).rejects.toMatchObject({ code: 'SCRIPT_FAILED', subStatus: 10_000 });
  });

  test('callbacks that never end come to an end when calls are no longer taken', async () => {
    const source = `function () {
      var output = 0;
      function callback(err, docFeed, responseOptions) {
        if (err) throw 'Error while reading document';
        output++;
        __.response.setBody(output);
        __.readDocuments(__.getSelfLink(), { pageSize: 1, continuation: responseOptions.continuation }, callback);
      }
      __.readDocuments(__.getSelfLink(), { pageSize: 1, continuation: '' }, callback);
    }`;
    expect((await run(target, source)).body).toBeGreaterThan(0);
  });

  test('a script learns from what its calls return how far it got', async () => {
    const own = await newStore();
    const source = `function () {
      var self = __.getSelfLink(), made = 0;
      (function next() {
        var isAccepted = __.createDocument(self, { id: 'd' + made, pk: 'p' }, function (error) { if (error) throw error; made++; next(); });
        if (!isAccepted) __.response.setBody({ made: made, end: Date.now() });
      })();
    }`;
    const { body } = await run(targetOf(own, 'p'), source);
    expect(await own.query('SELECT VALUE COUNT(1) FROM c').toArray()).toEqual([(body as { made: number }).made]);
  });

  test('calls that were taken in time but do not end in time are undone with all others', async () => {
    const own = await newStore();
    for (let n = 0; n < 200; n += 1) {
      await own.create({ id: `d${n}`, pk: 'p', text: 'x'.repeat(1000) });
    }
    const slow = "SELECT VALUE COUNT(1) FROM a IN (SELECT VALUE c FROM c) WHERE a.text LIKE '%y%y%'";
    const source = `function (text) {
      __.createDocument(__.getSelfLink(), { id: 'trace', pk: 'p' });
      for (var n = 0; n < 9000; n++) __.queryDocuments(__.getSelfLink(), text);
    }`;
    await expect(run(targetOf(own, 'p'), source, [slow])).rejects.toMatchObject({ code: 'SCRIPT_TIMEOUT' });
    expect(await own.read('trace', 'p')).toBeUndefined();
  });

  test('huge errors, names and logs do no harm', async () => {
    await expect(
      run(
        target,
        `function () { ${WRITE} var e = new Error("m"); e.name = "n".repeat(5e6); e.stack = "at x\\n".repeat(1e6); e.number = NaN; throw e; }`,
      ),
    ).rejects.toMatchObject({ code: 'SCRIPT_FAILED', subStatus: 0 });
    await expect(run(target, `function () { ${WRITE} for (;;) console.log("x"); }`, [], true)).rejects.toMatchObject({ subStatus: 413 });
  });
});

test('a client that goes away ends its script, and nothing of it is kept', async () => {
  const controller = new AbortController();
  const reason = new Error('gone');
  const running = run(
    { ...target, signal: controller.signal },
    `function () { ${WRITE} __.readDocuments(__.getSelfLink(), () => { for (;;) {} }); }`,
  );
  setTimeout(() => controller.abort(reason), 50);
  await expect(running).rejects.toBe(reason);
  await expect(run({ ...target, signal: AbortSignal.abort(reason) }, 'function () {}')).rejects.toBe(reason);
});

test('nothing of what a script had in its memory is found by the next', async () => {
  await run(target, 'function () { globalThis.kept = []; for (var i = 0; i < 40; i++) kept.push(new Uint8Array(500000).fill(171)); }');
  const { body } = await run(
    target,
    'function () { var all = [], dirty = 0; for (var i = 0; i < 40; i++) { var a = new Uint8Array(500000); all.push(a); if (a.indexOf(171) !== -1) dirty++; } __.response.setBody([dirty, typeof kept]); }',
  );
  expect(body).toEqual([0, 'undefined']);
});

test('an engine that was closed ends what runs and takes no more', async () => {
  const closing = openEngine();
  const running = procedures(closing)(target, `function () { ${WRITE} for (;;) {} }`).catch((error: unknown) => error);
  await new Promise((resolve) => setTimeout(resolve, 100));
  closing.close();
  expect(await running).toMatchObject({ code: 'CLOSED' });
  await expect(procedures(closing)(target, 'function () {}')).rejects.toMatchObject({ code: 'CLOSED' });
});
