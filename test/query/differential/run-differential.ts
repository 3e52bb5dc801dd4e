import fc from 'fast-check';
import { isPerigeeError } from '../../../src/core/errors.ts';
import type { JsonObject, JsonValue } from '../../../src/core/json.ts';
import type { Backend } from '../../../src/store/backend.ts';
import { SYSTEM_PROPERTY_NAMES } from '../../../src/store/document.ts';
import type { DocumentStore } from '../../../src/store/document-store.ts';
import { openMemoryBackend } from '../../../src/stores/memory/memory-backend.ts';
import { openForcedPostgres, openFreshPostgres } from '../../support/open-postgres.ts';
import { PostgresBackend } from '../../../src/stores/postgres/postgres-backend.ts';
import { openSqliteBackend } from '../../../src/stores/sqlite/sqlite-backend.ts';
import { SimulatedRuntime } from '../../../src/testing/simulated-runtime.ts';
import { arbitraryBody, arbitraryValue } from '../compile/arbitrary-document.ts';
import { arbitraryLanguage, arbitrarySearchable } from './arbitrary-language.ts';

/** One query with its parameters, read in pages of a size. */
export interface DifferentialQuery {
  readonly text: string;
  readonly values: Readonly<Record<string, JsonValue>>;
  readonly maxItemCount: number;
}

/** Index policies that the same documents are kept under; the evaluator is the store without any. */
const POLICIES: Readonly<Record<string, JsonObject>> = {
  'without indexes': { indexingMode: 'none' },
  'with indexes': {
    includedPaths: [
      { path: '/*' },
      ...['a', 'n', 's', 'o/a', 'b', '"a b"', 'list/[]', 'pk', 'list/[]/a', 'lower', 'twice'].map((path) => ({ path: `/${path}/?` })),
    ],
    excludedPaths: [{ path: '/missing/*' }],
    spatialIndexes: [{ path: '/at/*' }],
    fullTextIndexes: [{ path: '/text' }, { path: '/s' }],
    compositeIndexes: [
      [{ path: '/a' }, { path: '/n' }],
      [{ path: '/n', order: 'descending' }, { path: '/s' }],
      [{ path: '/s' }, { path: '/a', order: 'descending' }, { path: '/n' }],
    ],
  },
};

/** Computed properties of every container; one hides a property that some documents have. */
const COMPUTED = [
  { name: 'lower', query: 'SELECT VALUE LOWER(c.s) FROM c' },
  { name: 'twice', query: 'SELECT VALUE c.n * 2 FROM c' },
  { name: 'both', query: 'SELECT VALUE ARRAY_CONCAT(c.list, [c.a, c.n]) FROM c' },
  { name: 'type', query: 'SELECT VALUE c.a FROM c' },
];

const SYSTEM: ReadonlySet<string> = new Set(SYSTEM_PROPERTY_NAMES);

/** Each store makes etags of its own. */
function withoutSystem(name: string, value: unknown): unknown {
  return SYSTEM.has(name) ? undefined : value;
}

/** All rows as text in their order, or the code of the error. Errors that are not the query's own are thrown. */
async function outcomeOf(store: DocumentStore, { text, values, maxItemCount }: DifferentialQuery): Promise<string> {
  const parameters = Object.entries(values).map(([name, value]) => ({ name, value }));
  try {
    const items: JsonValue[] = [];
    for await (const page of store.query<JsonValue>({ query: text, parameters }, { maxItemCount }).pages()) {
      if (page.items.length > maxItemCount) {
        throw new Error(`A page holds ${page.items.length} items instead of ${maxItemCount} at most: ${text}`);
      }
      items.push(...page.items);
    }
    return JSON.stringify(items, withoutSystem);
  } catch (error) {
    if (isPerigeeError(error) && error.code.startsWith('QUERY_')) {
      return error.code;
    }
    throw new Error(`${text} failed with an error that is none of a query.`, { cause: error });
  }
}

/** How the outcomes of a run are spread; a run that compares nothing but refusals proves nothing. */
export interface DifferentialCounts {
  pairs: number;
  rows: number;
  empty: number;
  refused: number;
}

/** The evaluator, SQLite and PostgreSQL, side by side. Open it once; it is refilled for each set of documents. */
export class Differential {
  readonly counts: DifferentialCounts = { pairs: 0, rows: 0, empty: 0, refused: 0 };
  readonly #backends: readonly Backend[];
  #containers = 0;

  private constructor(backends: readonly Backend[]) {
    this.#backends = backends;
  }

  static async open(): Promise<Differential> {
    const runtime = new SimulatedRuntime({ seed: 1 });
    const sqlite = await Promise.all(Object.keys(POLICIES).map(() => openSqliteBackend({ path: ':memory:', runtime })));
    const postgres = await Promise.all([
      openFreshPostgres({ runtime }),
      openForcedPostgres('-c enable_seqscan=off -c enable_sort=off', { runtime }),
    ]);
    const backends = [openMemoryBackend({ runtime }), ...sqlite, ...postgres];
    await Promise.all(backends.map((backend) => backend.createDatabase('test')));
    return new Differential(backends);
  }

  async close(): Promise<void> {
    await Promise.all(this.#backends.map((backend) => backend.close()));
  }

  /** Compares every query on every store over the same documents. @throws Error naming the query and both answers */
  async compare(bodies: readonly JsonObject[], queries: readonly DifferentialQuery[]): Promise<void> {
    const stores = await this.#fill(bodies);
    try {
      for (const query of queries) {
        await this.#compareOne(stores, query);
      }
    } finally {
      await Promise.all(stores.map((store) => store.close()));
      await Promise.all(this.#backends.map((backend) => backend.deleteContainer('test', `c${this.#containers}`)));
    }
  }

  async #compareOne([memory, ...others]: readonly DocumentStore[], query: DifferentialQuery): Promise<void> {
    const expected = await outcomeOf(memory as DocumentStore, query);
    this.counts[expected === '[]' ? 'empty' : expected.startsWith('QUERY_') ? 'refused' : 'rows'] += 1;
    for (const [index, store] of others.entries()) {
      this.counts.pairs += 1;
      const found = await outcomeOf(store, query);
      if (found !== expected) {
        const names = Object.keys(POLICIES);
        const which = `${index < names.length ? 'SQLite' : 'PostgreSQL'} ${names[index % names.length]}`;
        throw new Error(
          `${which} differs.\n  ${query.text}\n  ${JSON.stringify(query.values)}\n  evaluator ${expected}\n  found     ${found}`,
        );
      }
    }
  }

  #fill(bodies: readonly JsonObject[]): Promise<readonly DocumentStore[]> {
    this.#containers += 1;
    const id = `c${this.#containers}`;
    const keys: readonly (JsonValue | undefined)[] = ['x', 1, null, true, undefined];
    const documents = bodies.map((body, index) => {
      const pk = keys[index % keys.length];
      return { ...body, id: `d${index}`, ...(pk === undefined ? {} : { pk }) };
    });
    const policies = [undefined, ...Object.values(POLICIES), ...Object.values(POLICIES)];
    return Promise.all(
      this.#backends.map(async (backend, index) => {
        await backend.createContainer('test', { id, partitionKey: '/pk', indexingPolicy: policies[index], computedProperties: COMPUTED });
        if (backend instanceof PostgresBackend) {
          await backend.indexesReady();
        }
        const store = await backend.container('test', id);
        await store.bulk(documents.map((document) => ({ type: 'create' as const, document })));
        return store;
      }),
    );
  }
}

const QUERIES = 20;
/** Pairs that one set of documents gives. */
const PAIRS_PER_SET: number = QUERIES * Object.keys(POLICIES).length * 2;

const anyQuery: fc.Arbitrary<DifferentialQuery> = fc.record({
  text: arbitraryLanguage,
  values: fc.record({ '@p0': arbitraryValue, '@p1': arbitraryValue, '@p2': arbitraryValue }),
  maxItemCount: fc.constantFrom(1, 3, 7, 100, 1000),
});
const anyBody = fc.oneof(
  { weight: 3, arbitrary: arbitraryBody },
  { weight: 1, arbitrary: fc.tuple(arbitraryBody, arbitrarySearchable).map(([body, more]) => ({ ...body, ...more })) },
);
const anyDocuments = fc.array(anyBody, { minLength: 1, maxLength: 40, size: 'max' });

/** Compares at least `pairs` random pairs; a difference is shrunk, and thrown with its seed. */
export async function runDifferential(
  pairs: number,
  seed: number,
  onProgress: (counts: DifferentialCounts) => void = () => undefined,
): Promise<DifferentialCounts> {
  const differential = await Differential.open();
  try {
    await fc.assert(
      fc.asyncProperty(anyDocuments, fc.array(anyQuery, { minLength: QUERIES, maxLength: QUERIES }), async (documents, queries) => {
        await differential.compare(documents, queries);
        onProgress(differential.counts);
      }),
      { seed, numRuns: Math.ceil(pairs / PAIRS_PER_SET) },
    );
    return differential.counts;
  } finally {
    await differential.close();
  }
}
