import { beforeEach, describe, expect, test } from 'vitest';
import type { ScriptTarget } from '../../../src/server/scripts/script-target.ts';
import type { DocumentStore } from '../../../src/store/document-store.ts';
import { openMemoryBackend } from '../../../src/stores/memory/index.ts';
import { bare, contentOf, newStore, openEngine, procedures, targetOf } from './harness.ts';

const engine = openEngine();
const run = procedures(engine);
let store: DocumentStore;
let target: ScriptTarget;

beforeEach(async () => {
  store = await newStore();
  target = targetOf(store, 'p');
});

/** What the callback of a call got, an error as its number. */
interface Called {
  readonly error: number | undefined;
  readonly body: unknown;
  readonly options: Record<string, unknown> | undefined;
}

/**
 * Runs one call on the container and gives what its callback got. `call` may use `c` (the
 * container), `self`, `alt`, `args` and `done`.
 */
async function call(expression: string, ...parameters: readonly (string | number | object)[]): Promise<Called> {
  const source = `function () {
    var args = arguments, c = getContext().getCollection(), self = c.getSelfLink(), alt = c.getAltLink();
    var done = function (error, body, options) {
      __.response.setBody({ error: error && { number: error.number, message: error.message, body: error.body, isError: error instanceof Error }, body: body, options: options });
    };
    __.response.setBody({ accepted: ${expression} });
  }`;
  const { body } = await run(target, source, parameters as never);
  const { error, body: given, options } = body as { error?: { number: number }; body?: unknown; options?: Record<string, unknown> };
  if (error !== undefined) {
    expect(error).toMatchObject({ isError: true, message: expect.any(String), body: expect.any(String) });
  }
  return { error: error?.number, body: given, options };
}

describe('links', () => {
  test('the container has one by ids and one by names, and takes both with a slash at the end or none', async () => {
    const { body } = await run(target, 'function () { __.response.setBody([__.getSelfLink(), __.getAltLink()]); }');
    expect(body).toEqual([target.links.selfLink, `dbs/db/colls/${store.definition.id}`]);
    for (const link of ['self', 'alt', 'self.slice(0, -1)', 'alt + "/"']) {
      expect(await call(`c.readDocuments(${link}, done)`)).toMatchObject({ error: undefined, body: [] });
    }
  });

  test('a document is found by its id, by its _self, and by the _self of one never seen', async () => {
    const { document } = await store.create({ id: 'a/b'.replace('/', ' ü?%'), pk: 'p', n: 1 });
    for (const link of [document._self, document._self.slice(0, -1), `${target.links.altLink}/docs/${document.id}`]) {
      expect(await call('c.readDocument(args[0], done)', link)).toMatchObject({ error: undefined, body: { n: 1 } });
    }
    const other = await store.create({ id: 'other', pk: 'q' });
    expect(await call('c.readDocument(args[0], done)', other.document._self)).toMatchObject({ error: 404 });
  });

  test.each([
    'c.readDocuments("dbs/x/colls/y", done)',
    'c.readDocuments(1, done)',
    'c.readDocuments(alt + "x", done)',
    'c.queryDocuments("", "SELECT 1", done)',
    'c.createDocument(self + "docs/x", {}, done)',
    'c.readDocument(alt, done)',
    'c.readDocument(alt + "/docs/", done)',
    'c.readDocument(alt + "/docs/a/attachments/b", done)',
    'c.readDocument(alt + "x/docs/a", done)',
    'c.readDocument("dbs/x/colls/y/docs/z", done)',
    'c.readDocument(undefined, done)',
    'c.deleteDocument({}, done)',
    'c.replaceDocument(self, {}, done)',
    'c.patchDocument(null, [], done)',
  ])('a link to somewhere else is refused at once: %s', async (expression) => {
    await expect(call(expression)).rejects.toMatchObject({ code: 'SCRIPT_FAILED', subStatus: 400 });
  });

  test('a document of another container is out of reach, by any link', async () => {
    const elsewhere = await newStore();
    const { document } = await elsewhere.create({ id: 'x', pk: 'p' });
    const foreign = `${target.links.selfLink}docs/${document._rid}/`;
    expect(await call('c.readDocument(args[0], done)', foreign)).toMatchObject({ error: 404 });
  });
});

describe('reading', () => {
  test('readDocument gives the document as it is stored', async () => {
    const { document } = await store.create({ id: 'a', pk: 'p', deep: { n: [1, null] } });
    const { error, body, options } = await call('c.readDocument(alt + "/docs/a", {}, done)');
    expect([error, body]).toEqual([undefined, document]);
    expect(options).toMatchObject({
      statusCode: 200,
      currentCollectionSizeInMB: expect.any(String),
      maxCollectionSizeInMB: expect.any(String),
    });
    expect(await call('c.readDocument(alt + "/docs/b", {}, done)')).toMatchObject({ error: 404, body: undefined, options: undefined });
  });

  test('readDocument with ifNoneMatch tells that nothing has changed', async () => {
    const { etag } = await store.create({ id: 'a', pk: 'p' });
    const { error, body, options } = await call('c.readDocument(alt + "/docs/a", { ifNoneMatch: args[0] }, done)', etag);
    expect([error, body]).toEqual([undefined, undefined]);
    expect(options).toMatchObject({ notModified: true });
    expect(await call('c.readDocument(alt + "/docs/a", { ifNoneMatch: "other" }, done)')).toMatchObject({
      error: undefined,
      body: { id: 'a' },
    });
  });

  test('readDocuments gives the documents of the partition key in pages', async () => {
    for (let n = 0; n < 25; n += 1) {
      await store.create({ id: `d${n}`, pk: n % 5 === 0 ? 'q' : 'p', n });
    }
    const source = `function (pageSize, continuation, most) {
      var pages = [];
      var next = function (token) {
        __.readDocuments(__.getSelfLink(), { pageSize: pageSize, continuation: token }, function (error, documents, options) {
          if (error) throw error;
          pages.push(documents.map(function (one) { return one.n; }));
          if (options.continuation && pages.length < most) next(options.continuation);
          else __.response.setBody({ pages: pages, continuation: options.continuation });
        });
      };
      next(continuation);
    }`;
    const all = Array.from({ length: 25 }, (_, n) => n).filter((n) => n % 5 !== 0);
    const { pages, continuation } = (await run(target, source, [7, '', 2])).body as { pages: number[][]; continuation: string };
    expect(pages).toEqual([all.slice(0, 7), all.slice(7, 14)]);
    // The token goes to the client and comes back with another call.
    const rest = (await run(target, source, [100, continuation, 9])).body;
    expect(rest).toEqual({ pages: [all.slice(14)] });
    expect((await call('c.readDocuments(self, done)')).body).toHaveLength(20);
    expect((await call('c.readDocuments(self, { pageSize: -1 }, done)')).body).toHaveLength(20);
    expect((await call('c.readDocuments(self, { pageSize: "3" }, done)')).body).toHaveLength(3);
    expect(await call('c.readDocuments(self, { continuation: "made up" }, done)')).toMatchObject({ error: 400 });
  });

  test('queryDocuments takes a text or one with parameters, and a continuation', async () => {
    for (const n of [1, 2, 3, 4]) {
      await store.create({ id: `d${n}`, pk: 'p', n });
    }
    await store.create({ id: 'other', pk: 'q', n: 3 });
    expect((await call('c.queryDocuments(self, "SELECT VALUE r.n FROM root r WHERE r.n > 2", done)')).body).toEqual([3, 4]);
    expect(
      (
        await call(
          'c.queryDocuments(alt, { query: "SELECT VALUE c.n FROM c WHERE c.n > @n ORDER BY c.n DESC", parameters: [{ name: "@n", value: 1 }] }, {}, done)',
        )
      ).body,
    ).toEqual([4, 3, 2]);
    const { body: page, options } = await call(
      'c.queryDocuments(self, "SELECT VALUE c.n FROM c", { pageSize: 3, enableScan: true }, done)',
    );
    expect(page).toEqual([1, 2, 3]);
    const rest = await call(
      'c.queryDocuments(self, "SELECT VALUE c.n FROM c", { continuation: args[0] }, done)',
      options?.['continuation'] as string,
    );
    expect(rest).toMatchObject({ error: undefined, body: [4], options: { statusCode: 200 } });
    expect(rest.options?.['continuation']).toBeUndefined();
    expect((await call('c.queryDocuments(self, "SELECT VALUE COUNT(1) FROM c", done)')).body).toEqual([4]);
  });

  test.each(['"SELEKT"', '{}', '{ query: 1 }', '[]', '{ query: "SELECT VALUE @a", parameters: {} }', '"SELECT VALUE udf.none(1)"'])(
    'a query that is none is an error of the callback: %s',
    async (query) => {
      expect(await call(`c.queryDocuments(self, ${query}, done)`)).toMatchObject({ error: 400 });
    },
  );

  test('queries in scripts call the functions of the container', async () => {
    await store.create({ id: 'a', pk: 'p', n: 3 });
    target = targetOf(store, 'p', {
      functions: () => Promise.resolve([{ name: 'twice', source: 'function twice(n) { return 2 * n; }' }]),
    });
    expect((await call('c.queryDocuments(self, "SELECT VALUE udf.twice(c.n) FROM c", done)')).body).toEqual([6]);
  });
});

describe('writing', () => {
  test('createDocument creates and nothing else', async () => {
    const { error, body, options } = await call('c.createDocument(self, { id: "a", pk: "p", n: [1] }, {}, done)');
    expect(error).toBeUndefined();
    expect(options).toMatchObject({ statusCode: 201 });
    expect(body).toEqual((await store.read('a', 'p'))?.document);
    expect(await call('c.createDocument(self, { id: "a", pk: "p" }, done)')).toMatchObject({ error: 409 });
    expect(await call('c.createDocument(alt, \'{"id":"b","pk":"p"}\', done)')).toMatchObject({ error: undefined, body: { id: 'b' } });
    expect(await call('c.createDocument(self, "no JSON", { disableAutomaticIdGeneration: true }, done)')).toMatchObject({ error: 400 });
    expect(await call('c.createDocument(self, [1], { disableAutomaticIdGeneration: true }, done)')).toMatchObject({ error: 400 });
  });

  test('a document without an id gets one, unless that is turned off; the object of the script stays as it is', async () => {
    const guid = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/u;
    for (const form of ['var d = { pk: "p" }', 'var d = { id: "", pk: "p" }', 'var d = \'{"pk":"p"}\'']) {
      const source = `function () { ${form}; __.upsertDocument(__.getSelfLink(), d, function (e, made) { if (e) throw e; __.response.setBody([made.id, d.id || '']); }); }`;
      expect((await run(target, source)).body).toEqual([expect.stringMatching(guid), '']);
    }
    expect(await call('c.createDocument(self, { pk: "p" }, { disableAutomaticIdGeneration: true }, done)')).toMatchObject({ error: 400 });
  });

  test('upsertDocument creates or replaces, with an etag only what has it', async () => {
    expect(await call('c.upsertDocument(self, { id: "a", pk: "p", n: 1 }, done)')).toMatchObject({
      error: undefined,
      body: { n: 1 },
      options: { statusCode: 201 },
    });
    const { body } = await call('c.upsertDocument(self, { id: "a", pk: "p", n: 2 }, done)');
    expect(body).toMatchObject({ n: 2 });
    expect(await call('c.upsertDocument(self, { id: "a", pk: "p", n: 3 }, { etag: "stale" }, done)')).toMatchObject({ error: 412 });
    const etag = (body as { _etag: string })._etag;
    expect(await call('c.upsertDocument(self, { id: "a", pk: "p", n: 3 }, { etag: args[0] }, done)', etag)).toMatchObject({
      error: undefined,
      body: { n: 3 },
      options: { statusCode: 200 },
    });
  });

  test('replaceDocument replaces what is there, with an etag only what has it', async () => {
    const { document } = await store.create({ id: 'a', pk: 'p', n: 1 });
    expect(await call('c.replaceDocument(args[0], { id: "a", pk: "p", n: 2 }, { etag: "stale" }, done)', document._self)).toMatchObject({
      error: 412,
    });
    expect(
      await call('c.replaceDocument(args[0], { id: "a", pk: "p", n: 2 }, { etag: args[1] }, done)', document._self, document._etag),
    ).toMatchObject({ error: undefined, body: { n: 2 }, options: { statusCode: 200 } });
    expect(await call('c.replaceDocument(alt + "/docs/a", JSON.stringify({ id: "a", pk: "p", n: 3 }), done)')).toMatchObject({
      error: undefined,
      body: { n: 3 },
    });
    expect(await call('c.replaceDocument(alt + "/docs/none", { id: "none", pk: "p" }, done)')).toMatchObject({ error: 404 });
    expect(await call('c.replaceDocument(alt + "/docs/a", { id: "b", pk: "p" }, done)')).toMatchObject({ error: 400 });
    expect(await contentOf(store, 'p')).toEqual([{ id: 'a', pk: 'p', n: 3 }]);
  });

  test('patchDocument changes parts', async () => {
    await store.create({ id: 'a', pk: 'p', n: 1, gone: true });
    const operations = '[{ op: "incr", path: "/n", value: 10 }, { op: "remove", path: "/gone" }]';
    expect(await call(`c.patchDocument(alt + "/docs/a", ${operations}, {}, done)`)).toMatchObject({ error: undefined, body: { n: 11 } });
    expect(
      await call(
        'c.patchDocument(alt + "/docs/a", { condition: "from c where c.n = 1", operations: [{ op: "set", path: "/n", value: 0 }] }, done)',
      ),
    ).toMatchObject({ error: 412 });
    expect(await call('c.patchDocument(alt + "/docs/a", [{ op: "none" }], done)')).toMatchObject({ error: 400 });
    expect(await contentOf(store, 'p')).toEqual([{ id: 'a', pk: 'p', n: 11 }]);
  });

  test('deleteDocument deletes, and its callback gets no document', async () => {
    const { document } = await store.create({ id: 'a', pk: 'p' });
    expect(await call('c.deleteDocument(args[0], { etag: "stale" }, done)', document._self)).toMatchObject({ error: 412 });
    expect(await call('c.deleteDocument(args[0], { etag: args[1] }, done)', document._self, document._etag)).toMatchObject({
      error: undefined,
      body: { statusCode: 204 },
    });
    expect(await call('c.deleteDocument(args[0], done)', document._self)).toMatchObject({ error: 404 });
  });

  test('nothing outside the partition key of the request can be written', async () => {
    await store.create({ id: 'a', pk: 'q' });
    const { error: number } = await call('c.createDocument(self, { id: "b", pk: "q" }, done)');
    expect(number).toBe(400);
    await expect(run(target, 'function () { __.createDocument(__.getSelfLink(), { id: "b" }); }')).rejects.toThrow(
      'Requests originating from scripts cannot reference partition keys other than the one for which client request was submitted.',
    );
    expect(await call('c.deleteDocument(alt + "/docs/a", done)')).toMatchObject({ error: 404 });
    expect(await call('c.upsertDocument(self, { id: "a", pk: "q", n: 1 }, done)')).toMatchObject({ error: 400 });
    expect(await contentOf(store, 'q')).toEqual([{ id: 'a', pk: 'q' }]);
  });

  test.each<[string, unknown, string | readonly string[]]>([
    ['null', null, '/pk'],
    ['false', false, '/pk'],
    ['1', 1, '/pk'],
    ['a missing value', [undefined], '/pk'],
    ['two levels', [null, 'a'], ['/pk', '/sub']],
    ['a missing lower level', ['x', undefined], ['/pk', '/sub']],
  ])('a partition key that is %s', async (_name, key, paths) => {
    const own = await newStore(undefined, paths);
    const components = Array.isArray(key) ? (key as unknown[]) : [key];
    const document = Object.fromEntries([
      ['id', 'a'],
      ...['pk', 'sub'].flatMap((name, at) => (components[at] === undefined ? [] : [[name, components[at]]])),
    ]);
    const source = `function (document) {
      __.createDocument(__.getSelfLink(), document, function (error) {
        if (error) throw error;
        __.queryDocuments(__.getSelfLink(), 'SELECT VALUE c.id FROM c', function (e, ids) { __.response.setBody(ids); });
      });
    }`;
    await own.create({ id: 'elsewhere', pk: 'elsewhere', sub: 'b' });
    expect((await run(targetOf(own, key as never), source, [document])).body).toEqual(['a']);
    expect(bare((await own.read('a', key as never))?.document)).toEqual(document);
  });
});

describe('calls', () => {
  test('too few arguments, and arguments of another kind, are refused at once', async () => {
    const source = `function () {
      var c = getContext().getCollection(), self = c.getSelfLink(), doc = c.getAltLink() + '/docs/a';
      __.response.setBody([
        function () { c.readDocument(); }, function () { c.readDocuments(); }, function () { c.queryDocuments(self); },
        function () { c.createDocument(self); }, function () { c.upsertDocument(self); }, function () { c.replaceDocument(doc); },
        function () { c.patchDocument(doc); }, function () { c.deleteDocument(); },
        function () { c.createDocument(self, null); }, function () { c.createDocument(self, 1); }, function () { c.replaceDocument(doc, undefined); },
        function () { c.queryDocuments(self, null); }, function () { c.queryDocuments(self, 1); }, function () { c.patchDocument(doc, 'x'); },
        function () { c.readDocuments(self, 1); }, function () { c.readDocuments(self, {}, 1); }, function () { c.readDocuments(self, {}, null); },
      ].map(function (attempt) { try { attempt(); return 'taken'; } catch (error) { return error.number; } }));
    }`;
    const { body } = await run(target, source);
    expect(new Set(body as unknown[])).toEqual(new Set([400]));
  });

  test('attachments are refused by name, since none are stored', async () => {
    for (const name of [
      'readAttachment',
      'readAttachments',
      'queryAttachments',
      'createAttachment',
      'upsertAttachment',
      'replaceAttachment',
      'deleteAttachment',
    ]) {
      await expect(run(target, `function () { __.${name}('x', {}); }`)).rejects.toThrow('There are no attachments here');
    }
  });

  test('without a callback an error ends the script, and without an error nothing happens', async () => {
    await expect(run(target, 'function () { __.deleteDocument(__.getAltLink() + "/docs/none"); }')).rejects.toMatchObject({
      code: 'SCRIPT_FAILED',
      subStatus: 404,
    });
    await run(target, 'function () { __.createDocument(__.getSelfLink(), { id: "a", pk: "p" }); }');
    expect(await contentOf(store, 'p')).toEqual([{ id: 'a', pk: 'p' }]);
  });

  test('calls run in the order in which they were made, and each sees those before it', async () => {
    const source = `function () {
      var seen = [], self = __.getSelfLink();
      var count = function () { __.queryDocuments(self, 'SELECT VALUE COUNT(1) FROM c', function (e, counts) { seen.push(counts[0]); __.response.setBody(seen); }); };
      count();
      __.createDocument(self, { id: 'a', pk: 'p' }, count);
      count();
      __.createDocument(self, { id: 'b', pk: 'p' });
      count();
    }`;
    expect((await run(target, source)).body).toEqual([0, 1, 2, 2]);
  });

  test('an error that a callback takes does not undo what else was done', async () => {
    const source = `function () {
      var self = __.getSelfLink();
      __.createDocument(self, { id: 'a', pk: 'p' });
      __.createDocument(self, { id: 'a', pk: 'p' }, function (error) { __.response.setBody(error.number); });
      __.createDocument(self, { id: 'b', pk: 'p' });
    }`;
    expect((await run(target, source)).body).toBe(409);
    expect(await contentOf(store, 'p')).toHaveLength(2);
  });

  test('__ is the container with the request and the response', async () => {
    const source = `function () {
      var container = getContext().getCollection();
      __.response.setBody([Object.getPrototypeOf(__) === container, __.request === getContext().getRequest(), 'response' in container]);
    }`;
    expect((await run(target, source)).body).toEqual([true, true, false]);
  });

  test('the charge is that of the calls and 1 for the script, the same each time', async () => {
    await store.create({ id: 'a', pk: 'p', n: 1 });
    const read = 'function () { __.readDocument(__.getAltLink() + "/docs/a"); }';
    expect((await run(target, read)).requestUnits).toBe(2);
    expect((await run(target, read)).requestUnits).toBe(2);
    expect((await run(target, 'function () {}')).requestUnits).toBe(1);
    const direct = await store.create({ id: 'b', pk: 'p', n: 1 });
    const created = await run(target, 'function () { __.createDocument(__.getSelfLink(), { id: "c", pk: "p", n: 1 }); }');
    expect(created.requestUnits).toBeCloseTo(direct.requestUnits + 1);
    expect(Number(created.session)).toBeGreaterThan(Number(direct.session));
  });
});

test('unique keys of the container hold within a script', async () => {
  const backend = openMemoryBackend();
  await backend.createDatabase('db');
  await backend.createContainer('db', { id: 'unique', partitionKey: '/pk', uniqueKeys: [['/mail']] });
  const own = await backend.container('db', 'unique');
  const source = `function () {
    var seen = [], self = __.getSelfLink();
    ['a', 'b'].forEach(function (id) {
      __.createDocument(self, { id: id, pk: 'p', mail: 'same' }, function (error) { seen.push(error ? error.number : 0); __.response.setBody(seen); });
    });
  }`;
  expect((await run(targetOf(own, 'p'), source)).body).toEqual([0, 409]);
  await backend.close();
});
