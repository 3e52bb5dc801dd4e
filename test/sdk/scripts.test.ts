import { PartitionKeyKind, TriggerOperation, TriggerType, type Container, type RequestOptions } from '@azure/cosmos';
import { expect } from 'vitest';
import { codeOf, refusalOf, sdkSuite } from './support/sdk-suite.ts';

let scriptCount = 0;

/** Stores a procedure and runs it. */
async function run(container: Container, body: string, partitionKey: unknown, parameters: unknown[] = [], options: RequestOptions = {}) {
  scriptCount += 1;
  const { resource } = await container.scripts.storedProcedures.create({ id: `procedure${scriptCount}`, body });
  return container.scripts.storedProcedure(resource?.id as string).execute(partitionKey as string, parameters, options);
}

const trigger = (id: string, body: string, triggerType: TriggerType, triggerOperation = TriggerOperation.All) => ({
  id,
  body,
  triggerType,
  triggerOperation,
});

sdkSuite((feature) => {
  feature(
    'scripts.resources',
    'each kind of script is created, read, listed, queried, replaced, upserted and deleted',
    async ({ account }) => {
      const { scripts } = await account.container();
      const kinds = [
        { many: scripts.storedProcedures, one: (id: string) => scripts.storedProcedure(id), more: {}, feed: 'sprocs' },
        { many: scripts.userDefinedFunctions, one: (id: string) => scripts.userDefinedFunction(id), more: {}, feed: 'udfs' },
        {
          many: scripts.triggers,
          one: (id: string) => scripts.trigger(id),
          more: { triggerType: TriggerType.Pre, triggerOperation: TriggerOperation.Create },
          feed: 'triggers',
        },
      ] as unknown as readonly {
        many: typeof scripts.storedProcedures;
        one: (id: string) => ReturnType<typeof scripts.storedProcedure>;
        more: object;
        feed: string;
      }[];
      for (const { many, one, more, feed } of kinds) {
        const created = await many.create({ id: 'first', body: 'function () {}', ...more });
        expect(created).toMatchObject({ statusCode: 201, resource: { id: 'first', body: 'function () {}', ...more } });
        expect(created.resource?._self).toMatch(new RegExp(`^dbs/.+/colls/.+/${feed}/.+/$`, 'u'));
        expect((await one('first').read()).resource).toEqual(created.resource);
        expect(await codeOf(many.create({ id: 'first', body: 'function () {}', ...more }))).toBe(409);
        expect(await codeOf(many.create({ id: 'none', ...more } as never))).toBe(400);
        await many.create({ id: 'second', body: function named() {} as never, ...more });
        expect((await one('second').read()).resource?.body).toMatch(/^function named/u);
        expect((await many.readAll().fetchAll()).resources.map(({ id }) => id)).toEqual(['first', 'second']);
        const query = { query: 'SELECT * FROM root r WHERE r.id = @id', parameters: [{ name: '@id', value: 'second' }] };
        expect((await many.query(query).fetchAll()).resources).toMatchObject([{ id: 'second' }]);
        const replaced = await one('first').replace({ id: 'first', body: 'function () { return 2; }', ...more });
        expect(replaced).toMatchObject({ statusCode: 200, resource: { body: 'function () { return 2; }', _rid: created.resource?._rid } });
        const { url } = one('first');
        const upserted = await account.send('POST', `/${url.slice(0, url.lastIndexOf('/'))}`, {
          headers: { 'x-ms-documentdb-is-upsert': 'true' },
          body: { id: 'first', body: 'function () { return 3; }', ...more },
        });
        expect(upserted).toMatchObject({ status: 200, body: { body: 'function () { return 3; }' } });
        expect((await one('first').delete()).statusCode).toBe(204);
        expect(await codeOf(one('first').read())).toBe(404);
      }
    },
  );

  feature('scripts.procedures', 'a procedure works on its partition key with the whole object model', async ({ account }) => {
    const container = await account.container();
    await container.items.create({ id: '1', pk: 'a', n: 1 });
    await container.items.create({ id: '2', pk: 'a', n: 2 });
    await container.items.create({ id: '1', pk: 'b', n: 100 });
    const sum = `function (least) {
      var collection = getContext().getCollection();
      collection.queryDocuments(collection.getSelfLink(), 'SELECT VALUE c.n FROM c WHERE c.n >= ' + least, function (error, rows) {
        if (error) throw error;
        collection.createDocument(collection.getSelfLink(), { id: 'sum', pk: 'a', sum: rows.reduce(function (a, b) { return a + b; }, 0) }, function (e, made) {
          if (e) throw e;
          getContext().getResponse().setBody({ sum: made.sum, rows: rows.length });
        });
      });
    }`;
    const { resource, headers, statusCode } = await run(container, sum, 'a', [1]);
    expect([statusCode, resource]).toEqual([200, { sum: 3, rows: 2 }]);
    expect(Number(headers['x-ms-request-charge'])).toBeGreaterThan(5);
    expect(headers['x-ms-session-token']).toMatch(/^0:-1#\d+$/u);
    expect((await container.item('sum', 'a').read()).resource).toMatchObject({ sum: 3 });
    const digits = 'function () { for (var i = 0; i < 10; i++) getContext().getResponse().appendValue("Body", i); }';
    expect(Number((await run(container, digits, 'a')).resource)).toBe(123456789);
    const foreign = 'function () { getContext().getCollection().createDocument(__.getSelfLink(), { id: "x", pk: "b" }); }';
    expect(await codeOf(run(container, foreign, 'a'))).toBe(400);
    for (const key of [null, false, 1, '']) {
      const { resource: key2 } = await run(
        container,
        'function (a) { __.createDocument(__.getSelfLink(), { id: "k", pk: a }); __.response.setBody(a); }',
        key,
        [key],
      );
      expect(key2).toBe(key);
      expect((await container.item('k', key).read()).resource).toMatchObject({ pk: key });
    }
    const levels = await account.container({ partitionKey: { paths: ['/a', '/b'], kind: PartitionKeyKind.MultiHash, version: 2 } });
    const deep = 'function () { __.createDocument(__.getSelfLink(), { id: "1", a: "x", b: 2 }); }';
    await run(levels, deep, ['x', 2]);
    expect((await levels.item('1', ['x', 2]).read()).statusCode).toBe(200);
  });

  feature('scripts.transactions', 'what is thrown undoes everything', async ({ account }) => {
    const container = await account.container();
    await container.items.create({ id: 'old', pk: 'a', n: 1 });
    const body = `function (fail) {
      var link = __.getSelfLink();
      __.createDocument(link, { id: '1', pk: 'a' }, function (error) {
        if (error) throw error;
        __.readDocument(__.getAltLink() + '/docs/old', function (e, old) {
          if (e) throw e;
          old.n = 2;
          __.replaceDocument(old._self, old, function () { if (fail) throw new Error('undone'); });
        });
      });
    }`;
    expect(await codeOf(run(container, body, 'a', [true]))).toBe(400);
    expect((await container.item('1', 'a').read()).statusCode).toBe(404);
    expect((await container.item('old', 'a').read()).resource).toMatchObject({ n: 1 });
    await run(container, body, 'a', [false]);
    expect((await container.item('1', 'a').read()).statusCode).toBe(200);
    expect((await container.item('old', 'a').read()).resource).toMatchObject({ n: 2 });
  });

  feature('scripts.continuation', 'a script that is running out of time hears it, and says how far it got', async ({ own }) => {
    const account = await own({ scripts: { timeoutMs: 600 } });
    const container = await account.container();
    const body = `function (from) {
      var made = 0;
      function next() {
        var taken = __.createDocument(__.getSelfLink(), { id: String(from + made), pk: 'a' }, function (error) { if (error) throw error; made++; next(); });
        if (!taken) getContext().getResponse().setBody(made);
      }
      next();
    }`;
    const { resource: made } = await run(container, body, 'a', [0]);
    expect(made).toBeGreaterThan(0);
    const count = container.items.query('SELECT VALUE COUNT(1) FROM c', { partitionKey: 'a' });
    expect((await count.fetchAll()).resources).toEqual([made]);
    expect(await codeOf(run(container, 'function () { for (;;) {} }', 'a'))).toBe(408);
  });

  feature('scripts.logs', 'a log comes where it is asked for', async ({ account }) => {
    const container = await account.container();
    const body = 'function (name) { console.log("Grüße, " + name); }';
    const { headers } = await run(container, body, 'a', ['Ada'], { enableScriptLogging: true });
    expect(decodeURIComponent(headers['x-ms-documentdb-script-log-results'] as string)).toBe('Grüße, Ada');
    expect((await run(container, body, 'a')).headers['x-ms-documentdb-script-log-results']).toBeUndefined();
  });

  feature('scripts.triggers', 'triggers change what is written, see what was written, and can refuse it', async ({ account }) => {
    const container = await account.container();
    const { triggers } = container.scripts;
    const stamp =
      'function () { var r = getContext().getRequest(); var d = r.getBody(); d.id = d.id + "-stamped"; d.by = r.getOperationType(); r.setBody(d); }';
    const audit = `function () {
      var written = getContext().getResponse().getBody();
      __.upsertDocument(__.getSelfLink(), { id: 'audit', pk: 'a', last: written.id });
    }`;
    await triggers.create(trigger('stamp', stamp, TriggerType.Pre, TriggerOperation.Create));
    await triggers.create(trigger('audit', audit, TriggerType.Post));
    await triggers.create(trigger('refuse', 'function () { throw new Error("no"); }', TriggerType.Post));
    const created = await container.items.create({ id: '1', pk: 'a' }, { preTriggerInclude: 'stamp', postTriggerInclude: ['audit'] });
    expect(created.resource).toMatchObject({ id: '1-stamped', by: 'Create' });
    expect((await container.item('1-stamped', 'a').read()).statusCode).toBe(200);
    expect((await container.item('audit', 'a').read()).resource).toMatchObject({ last: '1-stamped' });
    const item = container.item('1-stamped', 'a');
    expect(await codeOf(item.replace({ id: '1-stamped', pk: 'a' }, { preTriggerInclude: 'stamp' }))).toBe(400);
    expect(await codeOf(container.items.create({ id: '2', pk: 'a' }, { postTriggerInclude: 'refuse' }))).toBe(400);
    expect((await container.item('2', 'a').read()).statusCode).toBe(404);
    expect(await codeOf(container.items.create({ id: '2', pk: 'a' }, { preTriggerInclude: 'none' }))).toBe(400);
    expect(await codeOf(item.delete({ postTriggerInclude: 'refuse' }))).toBe(400);
    expect((await item.read()).statusCode).toBe(200);
  });

  feature('scripts.functions', 'queries call the functions of their container', async ({ account }) => {
    const container = await account.container();
    const { userDefinedFunctions } = container.scripts;
    await userDefinedFunctions.create({ id: 'tax', body: 'function (income) { return income > 100 ? income * 0.4 : income * 0.1; }' });
    for (const [index, income] of [50, 200, undefined].entries()) {
      await container.items.create({ id: String(index), pk: `p${index}`, income });
    }
    const ask = async (query: string, options = {}): Promise<unknown[]> =>
      (await container.items.query(query, options).fetchAll()).resources;
    expect(await ask('SELECT VALUE udf.tax(c.income) FROM c WHERE IS_DEFINED(c.income)')).toEqual([5, 80]);
    expect(await ask('SELECT VALUE c.id FROM c WHERE udf.tax(c.income) > 10')).toEqual(['1']);
    expect(await ask('SELECT VALUE SUM(udf.tax(c.income)) FROM c WHERE c.income > 0')).toEqual([85]);
    expect(await ask('SELECT VALUE udf.tax(c.income) FROM c WHERE c.id = "1"', { partitionKey: 'p1' })).toEqual([80]);
    expect(await codeOf(ask('SELECT VALUE udf.none(c.income) FROM c'))).toBe(400);
  });

  feature(['scripts.errors', 'errors.form'], 'a script fails in the words of the service', async ({ account }) => {
    const container = await account.container();
    await expect(run(container, 'function () { throw new Error(1234, "boom"); }', 'a')).rejects.toMatchObject({
      code: 400,
      substatus: 1234,
      body: { code: 'BadRequest', message: expect.stringMatching(/Encountered exception while executing Javascript.*boom/u) as string },
    });
    expect(await refusalOf(run(container, 'function () { this is none }', 'a'))).toEqual({ code: 400, substatus: 65_535 });
    expect(await codeOf(container.scripts.storedProcedure('none').execute('a'))).toBe(404);
    const refused = 'function () { __.readDocument(__.getAltLink() + "/docs/none", function (e) { __.response.setBody(e.number); }); }';
    expect((await run(container, refused, 'a')).resource).toBe(404);
  });
});
