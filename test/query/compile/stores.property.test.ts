import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isPerigeeError } from '../../../src/core/errors.ts';
import type { JsonObject, JsonValue } from '../../../src/core/json.ts';
import type { Backend } from '../../../src/store/backend.ts';
import { SYSTEM_PROPERTY_NAMES } from '../../../src/store/document.ts';
import type { DocumentStore } from '../../../src/store/document-store.ts';
import { openMemoryBackend } from '../../../src/stores/memory/memory-backend.ts';
import { openPostgresBackend } from '../../../src/stores/postgres/postgres-backend.ts';
import { openSqliteBackend } from '../../../src/stores/sqlite/sqlite-backend.ts';
import { SimulatedRuntime } from '../../../src/testing/simulated-runtime.ts';
import { postgresForTests } from '../../support/postgres.ts';
import { arbitraryBody, arbitraryValue } from './arbitrary-document.ts';
import { arbitraryQueryText } from './arbitrary-query-text.ts';
import { storeRegressions } from './store-regressions.ts';

const numRuns = Math.ceil(Number(process.env['PERIGEE_FUZZ_RUNS'] ?? 400) / 10);
const seed = Number(process.env['PERIGEE_FUZZ_SEED'] ?? 20261121);

interface Case {
  readonly text: string;
  readonly values: Readonly<Record<string, JsonValue>>;
  readonly maxItemCount: number;
}

function withoutSystem(item: JsonValue): JsonValue {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) {
    return item;
  }
  return Object.fromEntries(
    Object.entries(item).filter(([name]) => !(SYSTEM_PROPERTY_NAMES as readonly string[]).includes(name)),
  ) as JsonObject;
}

/** The pages of a query as text, or the code of the error. */
async function outcomeOf(store: DocumentStore, { text, values, maxItemCount }: Case): Promise<string> {
  const parameters = Object.entries(values).map(([name, value]) => ({ name, value }));
  try {
    const items: JsonValue[] = [];
    for await (const page of store.query<JsonValue>({ query: text, parameters }, { maxItemCount }).pages()) {
      expect(page.items.length).toBeLessThanOrEqual(maxItemCount);
      items.push(...page.items.map(withoutSystem));
    }
    return JSON.stringify(items);
  } catch (error) {
    if (isPerigeeError(error) && error.code.startsWith('QUERY_')) {
      return error.code;
    }
    throw error;
  }
}

const counts = { rows: 0, empty: 0, refused: 0 };
const backends: Backend[] = [];
let dropSchemas = (): Promise<void> => Promise.resolve();
let containers = 0;

/** Stores of all backends with the same documents. */
async function storesWith(bodies: readonly JsonObject[]): Promise<readonly DocumentStore[]> {
  containers += 1;
  const keys: readonly (JsonValue | undefined)[] = ['x', 1, null, true, undefined];
  return Promise.all(
    backends.map(async (backend) => {
      const info = await backend.createContainer('test', { id: `c${containers}`, partitionKey: '/pk' });
      const store = await backend.container('test', info.definition.id);
      for (const [index, body] of bodies.entries()) {
        const pk = keys[index % keys.length];
        await store.create({ ...body, id: `d${index}`, ...(pk === undefined ? {} : { pk }) });
      }
      return store;
    }),
  );
}

async function dispose(stores: readonly DocumentStore[]): Promise<void> {
  await Promise.all(stores.map((store) => store.close()));
  await Promise.all(backends.map((backend) => backend.deleteContainer('test', `c${containers}`)));
}

async function compare(stores: readonly DocumentStore[], query: Case): Promise<void> {
  const [memory, ...others] = await Promise.all(stores.map((store) => outcomeOf(store, query)));
  counts[memory === '[]' ? 'empty' : memory?.startsWith('QUERY_') === true ? 'refused' : 'rows'] += 1;
  for (const [index, other] of others.entries()) {
    expect(other, `${backends[index + 1]?.name}: ${query.text}`).toBe(memory);
  }
}

describe(`queries on memory, SQLite and PostgreSQL (PERIGEE_FUZZ_SEED=${seed})`, () => {
  beforeAll(async () => {
    const runtime = new SimulatedRuntime({ seed: 1 });
    const postgres = await postgresForTests();
    const schema = postgres.freshSchema();
    dropSchemas = () => postgres.dropSchemas(schema);
    backends.push(
      openMemoryBackend({ runtime }),
      await openSqliteBackend({ path: ':memory:', runtime }),
      await openPostgresBackend({ connectionString: postgres.url, schema, runtime }),
    );
    await Promise.all(backends.map((backend) => backend.createDatabase('test')));
  });
  afterAll(async () => {
    await Promise.all(backends.map((backend) => backend.close()));
    await dropSchemas();
  });

  test('give the same rows in the same order, whatever the size of the pages', async () => {
    const aQuery = fc.record({
      text: arbitraryQueryText,
      values: fc.record({ '@p0': arbitraryValue, '@p1': arbitraryValue, '@p2': arbitraryValue }),
      maxItemCount: fc.constantFrom(1, 2, 3, 7, 100),
    });
    const bodies = fc.array(arbitraryBody, { minLength: 1, maxLength: 40, size: 'max' });
    await fc.assert(
      fc.asyncProperty(bodies, fc.array(aQuery, { minLength: 10, maxLength: 10 }), async (documents, queries) => {
        const stores = await storesWith(documents);
        try {
          for (const query of queries) {
            await compare(stores, query);
          }
        } finally {
          await dispose(stores);
        }
      }),
      { seed, numRuns },
    );
    const total = counts.rows + counts.empty + counts.refused;
    expect(counts.rows / total, JSON.stringify(counts)).toBeGreaterThan(0.4);
    expect(counts.refused / total, JSON.stringify(counts)).toBeLessThan(0.3);
  }, 900_000);

  test.each(storeRegressions.map((regression) => [regression.what, regression] as const))('%s', async (_, regression) => {
    const stores = await storesWith(regression.documents);
    try {
      for (const maxItemCount of [1, 100]) {
        await compare(stores, { text: regression.text, values: regression.values ?? {}, maxItemCount });
      }
    } finally {
      await dispose(stores);
    }
  });
});
