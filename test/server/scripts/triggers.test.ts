import { beforeEach, describe, expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../../../src/core/json.ts';
import type { ScriptTarget } from '../../../src/server/scripts/script-target.ts';
import {
  usableTrigger,
  type TriggerDefinition,
  type TriggeredOperation,
  type TriggerTime,
} from '../../../src/server/scripts/trigger-rules.ts';
import type { PerformWrite, PerformedWrite } from '../../../src/server/scripts/triggered-write.ts';
import type { DocumentStore } from '../../../src/store/document-store.ts';
import { contentOf, newStore, openEngine, targetOf } from './harness.ts';

const engine = openEngine();
let store: DocumentStore;
let target: ScriptTarget;

beforeEach(async () => {
  store = await newStore();
  target = targetOf(store, 'p');
});

const trigger = (source: string, type: TriggerTime = 'Pre', id = 'trigger'): TriggerDefinition => ({ id, source, type, operation: 'All' });
const sources = (list: readonly string[], type: TriggerTime): TriggerDefinition[] =>
  list.map((source, n) => trigger(source, type, `t${n}`));

const create: PerformWrite<PerformedWrite> = async (transaction, body) => transaction.create(body as JsonObject & { id: string });

/** Writes a document with triggers before and behind; gives what the client gets. */
async function write(
  body: JsonValue | undefined,
  before: readonly string[],
  behind: readonly string[] = [],
  perform: PerformWrite<PerformedWrite> = create,
  operation: TriggeredOperation = 'Create',
): Promise<unknown> {
  const { bodyJson } = await engine.write(
    { operation, body, before: sources(before, 'Pre'), behind: sources(behind, 'Post') },
    target,
    perform,
  );
  return bodyJson === undefined ? undefined : JSON.parse(bodyJson);
}

const UPPER =
  'function () { var item = getContext().getRequest().getBody(); item.id = item.id.toUpperCase() + "t1"; getContext().getRequest().setBody(item); }';

describe('before the write', () => {
  test('a trigger may rewrite the body, its id included', async () => {
    expect(await write({ id: 'doc1', pk: 'p' }, [UPPER])).toMatchObject({ id: 'DOC1t1' });
    expect(await write({ id: 'doc2', pk: 'p' }, ['function () {}'])).toMatchObject({ id: 'doc2' });
    const each = 'function () { for (var i = 0; i < 200; i++) { var d = __.request.getBody(); d.id += "a"; __.request.setBody(d); } }';
    expect(((await write({ id: 'doc', pk: 'p' }, [each])) as { id: string }).id).toHaveLength(203);
    expect(
      await write({ id: 'x', pk: 'p' }, ['function () { __.request.setValue("Body", JSON.stringify({ id: "text", pk: "p" })); }']),
    ).toMatchObject({ id: 'text' });
  });

  test('several run in their order, each over what the one before has left', async () => {
    const lower = 'function () { var d = __.request.getBody(); d.id = d.id.toLowerCase() + "t3"; __.request.setBody(d); }';
    expect(await write({ id: 'Doc', pk: 'p' }, [UPPER, lower])).toMatchObject({ id: 'doct1t3' });
    expect(await write({ id: 'Doc', pk: 'p' }, [lower, UPPER])).toMatchObject({ id: 'DOCT3t1' });
  });

  test('there is no response, and of the request only the body can be set', async () => {
    const source = `function () {
      var seen = [typeof getContext().getResponse, 'response' in __, __.request.getOperationType()];
      try { __.request.setValue('OperationType', 'Delete'); } catch (error) { seen.push(error.number); }
      try { __.request.setValue('Test', '123'); } catch (error) { seen.push(error.number); }
      var d = __.request.getBody();
      d.seen = seen;
    }`;
    expect(await write({ id: 'a', pk: 'p' }, [source])).toMatchObject({ seen: ['undefined', false, 'Create', 403, 400] });
  });

  test('it may read and write other documents of the partition key', async () => {
    await store.create({ id: 'counter', pk: 'p', n: 41 });
    const numbered = `function () {
      var d = __.request.getBody();
      __.readDocument(__.getAltLink() + '/docs/counter', function (error, counter) {
        if (error) throw error;
        counter.n += 1;
        d.number = counter.n;
        __.request.setBody(d);
        __.replaceDocument(counter._self, counter, { etag: counter._etag });
      });
    }`;
    expect(await write({ id: 'a', pk: 'p' }, [numbered])).toMatchObject({ number: 42 });
    expect(await contentOf(store, 'p')).toMatchObject([{ id: 'a' }, { id: 'counter', n: 42 }]);
  });

  test.each<[string, string, object]>([
    ['it throws', 'throw new Error(409, "Error 409")', { code: 'SCRIPT_FAILED', status: 400, subStatus: 409 }],
    ['it leaves no body', '__.request.setBody(undefined)', { code: 'BAD_REQUEST' }],
    ['it leaves no JSON', '__.request.setBody("not JSON")', { code: 'BAD_REQUEST' }],
    ['it leaves another partition key', '__.request.setBody({ id: "a", pk: "q" })', { code: 'PARTITION_KEY_MISMATCH' }],
    ['it leaves no document', '__.request.setBody([])', { code: 'INVALID_DOCUMENT' }],
    ['it queries for the response that is not there', '__.filter(() => true)', { code: 'SCRIPT_FAILED', subStatus: 400 }],
  ])('nothing is written where %s', async (_name, statement, expected) => {
    const writing = `function () { __.createDocument(__.getSelfLink(), { id: 'side', pk: 'p' }); ${statement}; }`;
    await expect(write({ id: 'a', pk: 'p' }, [writing])).rejects.toMatchObject(expected);
    expect(await contentOf(store, 'p')).toEqual([]);
  });
});

describe('behind the write', () => {
  test('a trigger sees the request as it was carried out, and the document as it is stored', async () => {
    const source = `function () {
      var pre = __.request.getBody(), post = __.response.getBody();
      if (pre.id !== 'Xt1' || post.id !== 'Xt1' || !post._etag) throw 'mismatch';
      post.seen = [__.request.getOperationType(), typeof __.response.getResourceQuotaCurrentUsage(), __.response.getMaxResourceQuota().indexOf('collectionSize') > 0];
      __.response.setBody(post);
    }`;
    expect(await write({ id: 'x', pk: 'p' }, [UPPER], [source])).toMatchObject({ id: 'Xt1', seen: ['Create', 'string', true] });
    // What it does to the response is the client's alone.
    expect(await contentOf(store, 'p')).toEqual([{ id: 'Xt1', pk: 'p' }]);
  });

  test('it cannot set anything of the request, nor headers', async () => {
    const source = `function () {
      var attempts = [() => __.request.setBody('lol'), () => __.request.setValue('Body', 'lol'), () => __.request.setValue('Test', 'lol'), () => __.response.setValue('Test', 'lol'), () => __.response.setValue('MaxResourceQuota', 'lol')];
      __.response.setBody(attempts.map((attempt) => { try { attempt(); } catch (error) { return error.number; } }));
    }`;
    expect(await write({ id: 'a', pk: 'p' }, [], [source])).toEqual([403, 403, 400, 400, 403]);
  });

  test('it sees the new document, and may even delete it', async () => {
    const source = `function () {
      __.readDocuments(__.getSelfLink(), { pageSize: 10 }, function (error, feed) {
        if (error) throw error;
        feed.forEach((one) => { if (one.id === __.response.getBody().id) __.deleteDocument(one._self, (e) => { if (e) throw e; }); });
      });
    }`;
    expect(await write({ id: 'a', pk: 'p' }, [], [source])).toMatchObject({ id: 'a' });
    expect(await contentOf(store, 'p')).toEqual([]);
  });

  test('one that throws undoes the write and what came before it', async () => {
    const side = 'function () { __.createDocument(__.getSelfLink(), { id: "side", pk: "p" }); }';
    await expect(
      write({ id: 'a', pk: 'p' }, [side], [side.replace('side', 'other'), "function () { throw 'always throw'; }"]),
    ).rejects.toMatchObject({
      code: 'SCRIPT_FAILED',
      message: expect.stringContaining('Exception = always throw'),
    });
    expect(await contentOf(store, 'p')).toEqual([]);
  });
});

test('a write that is refused is the answer, and undoes what its triggers did', async () => {
  await store.create({ id: 'a', pk: 'p', n: 1 });
  const side = 'function () { __.createDocument(__.getSelfLink(), { id: "side", pk: "p" }); }';
  await expect(write({ id: 'a', pk: 'p' }, [side])).rejects.toMatchObject({ code: 'CONFLICT', status: 409 });
  expect(await contentOf(store, 'p')).toEqual([{ id: 'a', pk: 'p', n: 1 }]);
});

test('a delete has no body before it and none behind it', async () => {
  await store.create({ id: 'a', pk: 'p' });
  const noted = (name: string): string =>
    `function () { __.createDocument(__.getSelfLink(), { id: '${name}', pk: 'p', body: __.request.getBody(), type: __.request.getOperationType() }); }`;
  const remove: PerformWrite<PerformedWrite> = async (transaction) => ({ document: undefined, ...(await transaction.delete('a')) });
  expect(await write(undefined, [noted('before')], [noted('behind')], remove, 'Delete')).toBeUndefined();
  expect(await contentOf(store, 'p')).toEqual(['before', 'behind'].map((id) => ({ id, pk: 'p', body: '', type: 'Delete' })));
});

test('the charge is that of the write, of the calls, and 1 for each script', async () => {
  const direct = await store.create({ id: 'a', pk: 'p' });
  const call = {
    operation: 'Create' as const,
    body: { id: 'b', pk: 'p' },
    before: sources(['function () {}'], 'Pre'),
    behind: sources(['function () {}'], 'Post'),
  };
  const result = await engine.write(call, target, create);
  expect(result.requestUnits).toBeCloseTo(direct.requestUnits + 2);
  expect(result.written.document).toMatchObject({ id: 'b' });
  expect(Number(result.session)).toBeGreaterThan(Number(direct.session));
});

describe('which triggers may run', () => {
  const allowed = (operation: string): TriggeredOperation[] =>
    (['Create', 'Replace', 'Upsert', 'Patch', 'Delete'] as const).filter((one) => {
      try {
        return usableTrigger('t', { id: 't', source: '', type: 'Pre', operation }, 'Pre', one) !== undefined;
      } catch {
        return false;
      }
    });

  test.each<[string, readonly TriggeredOperation[]]>([
    ['All', ['Create', 'Replace', 'Upsert', 'Patch', 'Delete']],
    ['all', ['Create', 'Replace', 'Upsert', 'Patch', 'Delete']],
    ['Create', ['Create']],
    ['replace', ['Replace']],
    ['Update', ['Replace', 'Patch']],
    ['Upsert', ['Upsert']],
    ['Delete', ['Delete']],
  ])('one for %s', (operation, expected) => {
    expect(allowed(operation)).toEqual(expected);
  });

  test('others are refused by name', () => {
    const definition: TriggerDefinition = { id: 'triggerId', source: '', type: 'pre', operation: 'update' };
    expect(() => usableTrigger('triggerId', definition, 'Pre', 'Upsert')).toThrow(
      "Trigger 'triggerId' was defined with operation type 'Update', and therefore is invalid for 'Upsert'.",
    );
    expect(() => usableTrigger('triggerId', definition, 'Post', 'Replace')).toThrow("is invalid as 'Post'");
    expect(() => usableTrigger('none', undefined, 'Pre', 'Create')).toThrow(
      expect.objectContaining({ code: 'SCRIPT_INVALID', status: 400 }),
    );
  });
});
