import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import type { Backend } from '../../src/store/backend.ts';
import type { DocumentStore } from '../../src/store/document-store.ts';
import { asText, DocumentText, textOf } from '../../src/store/document-text.ts';
import type { ReadResult, WriteResult } from '../../src/store/operations.ts';
import { openMemoryBackend } from '../../src/stores/memory/index.ts';
import { openSqliteBackend } from '../../src/stores/sqlite/index.ts';
import { SimulatedRuntime } from '../../src/testing/simulated-runtime.ts';
import { openFreshPostgres } from '../support/open-postgres.ts';
import { arbitraryValue } from '../query/compile/arbitrary-document.ts';

const seed = Number(process.env['PERIGEE_FUZZ_SEED'] ?? 29);

/** Two stores of one kind, which are given the same: one gives documents, the other their texts. */
interface Twins {
  readonly plain: DocumentStore;
  readonly text: DocumentStore;
  readonly backends: readonly Backend[];
}

const open: Readonly<Record<string, () => Promise<Backend>>> = {
  memory: () => Promise.resolve(openMemoryBackend({ runtime: new SimulatedRuntime({ seed: 1 }) })),
  sqlite: () => openSqliteBackend({ path: ':memory:', runtime: new SimulatedRuntime({ seed: 1 }) }),
  postgres: () => openFreshPostgres({ runtime: new SimulatedRuntime({ seed: 1 }) }),
};

describe.each(Object.keys(open))('documents as text, on %s', (kind) => {
  let twins: Twins;

  beforeAll(async () => {
    const backends = await Promise.all([0, 1].map(async () => (open[kind] as () => Promise<Backend>)()));
    const stores = await Promise.all(
      backends.map(async (backend) => {
        await backend.createDatabase('test');
        await backend.createContainer('test', {
          id: 'items',
          partitionKey: '/pk',
          indexingPolicy: { includedPaths: [{ path: '/*' }], excludedPaths: [{ path: '/a/*' }] },
        });
        return backend.container('test', 'items');
      }),
    );
    twins = { plain: stores[0] as DocumentStore, text: stores[1] as DocumentStore, backends };
  });
  afterAll(() => Promise.all(twins.backends.map((backend) => backend.close())));

  /** What is told beside the document, which is compared by its text. */
  function facts(result: ReadResult | WriteResult | undefined): unknown {
    if (result === undefined) {
      return undefined;
    }
    const { document, ...rest } = result;
    return { ...rest, text: textOf(document) };
  }

  test('every operation gives the text of the document that it gives otherwise, at the same charge', async () => {
    const body = fc.record({ a: arbitraryValue, b: arbitraryValue, list: arbitraryValue }, { requiredKeys: [] });
    const operation = fc.record({
      type: fc.constantFrom('create', 'upsert', 'replace', 'patch', 'delete', 'read'),
      id: fc.constantFrom('1', '2', 'ü'),
      body: fc.oneof(body, fc.constant({})),
    });
    let given = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 12 }), async (operations) => {
        for (const { type, id, body: rest } of operations) {
          const document = { id, pk: 'p', ...(rest as JsonObject) };
          const run = async (store: DocumentStore, options: object): Promise<unknown> => {
            switch (type) {
              case 'read':
                return facts(await store.read(id, 'p', options));
              case 'delete':
                return store.delete(id, 'p', options);
              case 'patch':
                return facts(await store.patch(id, 'p', [{ op: 'set', path: '/b', value: (rest as JsonObject)['a'] ?? null }], options));
              default: {
                const result = await store[type as 'create' | 'upsert' | 'replace'](document, options);
                given += result.document instanceof DocumentText ? 1 : 0;
                return facts(result);
              }
            }
          };
          const outcome = (store: DocumentStore, options: object): Promise<unknown> =>
            run(store, options).catch((error: { code?: unknown }) => error.code);
          // Etags begin with what names the store, and both have the same.
          expect(await outcome(twins.text, asText({}))).toEqual(await outcome(twins.plain, {}));
        }
      }),
      { seed, numRuns: 150 },
    );
    expect(given).toBeGreaterThan(0);
  });

  test('a document that writes itself as something else is counted by what is stored', async () => {
    const document = { id: 'odd', pk: 'p', at: new Date(0), list: [{ toJSON: undefined, n: 1 }], own: new Named() } as never;
    const [plain, text] = [await twins.plain.upsert(document), await twins.text.upsert(document, asText({}))];
    expect(facts(text)).toEqual(facts(plain));
    const again = { id: 'odd', pk: 'p', at: 'now' } as never;
    expect(facts(await twins.text.upsert(again, asText({})))).toEqual(facts(await twins.plain.upsert(again)));
    const key = ['odd', 'p'] as const;
    expect((await twins.text.delete(...key)).requestUnits).toBe((await twins.plain.delete(...key)).requestUnits);
  });
});

class Named {
  readonly hidden = [1, 2, 3];

  toJSON(): string {
    return 'one';
  }
}
