import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isPerigeeError } from '../../../../src/core/errors.ts';
import type { JsonObject, JsonValue } from '../../../../src/core/json.ts';
import type { Backend } from '../../../../src/store/backend.ts';
import type { DocumentStore } from '../../../../src/store/document-store.ts';
import { openMemoryBackend } from '../../../../src/stores/memory/memory-backend.ts';
import { SimulatedRuntime } from '../../../../src/testing/simulated-runtime.ts';
import { openForcedPostgres } from '../../../support/open-postgres.ts';
import { createAll } from '../../indexed-queries.ts';

const numRuns = Math.ceil(Number(process.env['PERIGEE_FUZZ_RUNS'] ?? 400) / 66);
const seed = Number(process.env['PERIGEE_FUZZ_SEED'] ?? 20261130);

const POLICY: JsonObject = {
  includedPaths: [{ path: '/*' }, { path: '/n/?' }],
  excludedPaths: [],
  fullTextIndexes: ['/en', '/de', '/fr', '/deep/"es it"', '/it', '/pt', '/lower'].map((path) => ({ path })),
};
const EXTRA: JsonObject = {
  fullTextPolicy: {
    defaultLanguage: 'en-US',
    fullTextPaths: [
      { path: '/en' },
      { path: '/de', language: 'de-DE' },
      { path: '/fr', language: 'fr-FR' },
      { path: '/deep/"es it"', language: 'es-ES' },
      { path: '/it', language: 'it-IT' },
      { path: '/pt', language: 'pt-BR' },
    ],
  },
};
/** It hides a text that some documents have under the same name. */
const COMPUTED = [{ name: 'lower', query: 'SELECT VALUE LOWER(c.en) FROM c' }];

/** Inflected words, which share stems, in several languages and writings. */
const WORDS = `
  river rivers River RIVERS running run runs the The don't DON\u2019T ability ably able happy happily happiness rational relate relational lake
  Stra\u00dfe STRASSE Stra\u1e9ee stra\u00dfen B\u00fccher Buch b\u00fcchern Haus H\u00e4user
  cheval chevaux l\u2019eau l'eau eaux \u00e9t\u00e9 e\u0301te\u0301 \u00c9T\u00c9 na\u00efvet\u00e9 patience patiemment publication publicit\u00e9 \u0153uvre \u0152UVRES yeux
  canci\u00f3n canciones paciencia paciente d\u00e1ndoselo l\u00f3gica logi\u0301a ni\u00f1o
  pazienza paziente parlarle parlare citta\u0300 citt\u00e0
  paci\u00eancia a\u00e7\u00f5es a\u00e7\u00e3o irm\u00e3 irma\u0303os ira queira
  \u039b\u03cc\u03b3\u03bf\u03c2 \u03bb\u03cc\u03b3\u03bf\u03c3 \u0395\u039b\u039b\u0391\u03a3 \u041c\u043e\u0441\u043a\u0432\u0430 \u041c\u041e\u0421\u041a\u0412\u042b \u0439\u043e\u0434 \u6771\u4eac \u6771\u4eac\u30bf\u30ef\u30fc \u4eac\u6771 \u304c\u3093 \u304b\u3099\u3093 \ud55c\uae00 \u0e20\u0e32\u0e29\u0e32
  U.S. 3,5 3.5 foo_bar foo o'clock \u212aelvin \u0130stanbul wi\u0323\u0307th \ud83d\ude00 \ud83d\ude00run - \u2014 \u2260lake x\u2013lake ${'w'.repeat(40)} ${'w'.repeat(70)} a b
`
  .trim()
  .split(/\s+/u);
const separator = fc.constantFrom(' ', ' ', ' ', '-', '\u2014', '\n', '\u00a0', '. ', '\u3002', ' "');

interface Case {
  readonly text: string;
  readonly values: Readonly<Record<string, JsonValue>>;
  readonly maxItemCount: number;
  readonly partitionKey: string | undefined;
}

/** Documents and queries of a few words, so that they meet. */
function meeting(words: readonly string[]): fc.Arbitrary<readonly [readonly JsonObject[], readonly Case[]]> {
  const word = fc.constantFrom(...words);
  const made = fc.oneof(
    { weight: 8, arbitrary: word },
    {
      weight: 1,
      arbitrary: fc
        .tuple(word, fc.constantFrom("'s", '\u2019s', '.', ',', '\u0301', '_', 's', '\u6771'), word)
        .map((parts) => parts.join('')),
    },
    { weight: 1, arbitrary: word.map((one) => one.toUpperCase()) },
    { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 4 }) },
  );
  const text = fc.array(fc.tuple(made, separator), { maxLength: 9 }).map((parts) => parts.flat().join(''));
  const value: fc.Arbitrary<JsonValue> = fc.oneof(
    { weight: 8, arbitrary: text },
    { weight: 1, arbitrary: fc.constantFrom<JsonValue>(null, 7, true, 'a\u0000 river', '') },
    { weight: 1, arbitrary: fc.array(text, { maxLength: 2 }) },
  );
  const body = fc.record(
    {
      en: value,
      de: value,
      fr: value,
      deep: fc.record({ 'es it': value }),
      it: value,
      pt: value,
      lower: value,
      n: fc.integer({ min: 0, max: 3 }),
    },
    { requiredKeys: [] },
  ) as fc.Arbitrary<JsonObject>;
  const path = fc.constantFrom('c.en', 'c.en', 'c.de', 'c.fr', 'c.deep["es it"]', 'c.it', 'c.pt', 'c.lower', 'c.other');
  const term = fc.oneof(
    { weight: 7, arbitrary: made.map((one) => JSON.stringify(one)) },
    { weight: 2, arbitrary: fc.tuple(made, separator, made).map((parts) => JSON.stringify(parts.join(''))) },
    { weight: 1, arbitrary: fc.constantFrom('@p', '{"term": "rivar", "distance": 1}', '7', 'c.n') },
  );
  const call = fc
    .tuple(
      fc.constantFrom('FULLTEXTCONTAINS', 'FULLTEXTCONTAINS', 'FullText_Contains_All', 'FULLTEXTCONTAINSANY'),
      path,
      fc.array(term, { minLength: 1, maxLength: 3 }),
    )
    .map(([name, at, terms]) => `${name}(${[at, ...(name === 'FULLTEXTCONTAINS' ? terms.slice(0, 1) : terms)].join(', ')})`);
  const condition = fc.letrec<{ node: string }>((tie) => ({
    node: fc.oneof(
      { weight: 5, arbitrary: call },
      { weight: 1, arbitrary: fc.constantFrom('c.n > 1', 'c.n = 2') },
      { weight: 2, arbitrary: fc.tuple(tie('node'), fc.constantFrom('AND', 'OR'), tie('node')).map((parts) => `(${parts.join(' ')})`) },
      { weight: 1, arbitrary: tie('node').map((node) => `(NOT ${node})`) },
    ),
  })).node;
  const query = fc
    .tuple(
      fc.constantFrom('SELECT *', 'SELECT *', 'SELECT TOP 3 *', 'SELECT c.id, c.n', 'SELECT VALUE COUNT(1)'),
      condition,
      fc.constantFrom('', '', ' ORDER BY c.n', ' ORDER BY c.n DESC', " ORDER BY RANK FullTextScore(c.en, 'river', 'run')"),
    )
    .filter(([select, , order]) => !select.includes('COUNT') || order === '')
    .map(([select, where, order]) => `${select} FROM c WHERE ${where}${order}`);
  const aCase: fc.Arbitrary<Case> = fc.record({
    text: query,
    values: fc.record({ '@p': fc.oneof(text, fc.constantFrom<JsonValue>(null, ['river'])) }),
    maxItemCount: fc.constantFrom(1, 3, 100),
    partitionKey: fc.constantFrom(undefined, undefined, undefined, 'p1'),
  });
  return fc.tuple(fc.array(body, { minLength: 1, maxLength: 30, size: 'max' }), fc.array(aCase, { minLength: 20, maxLength: 20 }));
}

/** All rows as text, with what they were charged where they are one page; or the code of the error. */
async function answerOf(store: DocumentStore, { text: query, values, maxItemCount, partitionKey }: Case): Promise<string> {
  const parameters = Object.entries(values).map(([name, one]) => ({ name, value: one }));
  try {
    const pages: unknown[] = [];
    for await (const { items, requestUnits } of store.query({ query, parameters }, { maxItemCount, partitionKey }).pages()) {
      // Who knows that nothing comes behind a full page charges for the rest with it; others with one more page, which is empty.
      pages.push(maxItemCount < 100 ? items : [items, requestUnits]);
    }
    const rows = maxItemCount < 100 ? pages.flat() : pages;
    return JSON.stringify(rows, (name, one: unknown) => (['_etag', '_rid', '_self'].includes(name) ? undefined : one));
  } catch (error) {
    if (isPerigeeError(error) && error.code.startsWith('QUERY_')) {
      return error.code;
    }
    throw error;
  }
}

describe(`queries over indexes of words (PERIGEE_FUZZ_SEED=${seed})`, () => {
  const backends: Backend[] = [];
  const counts = { words: 0, other: 0, rows: 0 };
  let containers = 0;

  beforeAll(async () => {
    const runtime = new SimulatedRuntime({ seed: 1 });
    backends.push(openMemoryBackend({ runtime }), await openForcedPostgres('-c enable_seqscan=off -c enable_indexscan=off', { runtime }));
    await Promise.all(backends.map((backend) => backend.createDatabase('test')));
  });
  afterAll(() => Promise.all(backends.map((backend) => backend.close())));

  async function storesWith(bodies: readonly JsonObject[]): Promise<readonly DocumentStore[]> {
    containers += 1;
    return Promise.all(
      backends.map(async (backend) => {
        const id = `c${containers}`;
        await backend.createContainer('test', {
          id,
          partitionKey: '/pk',
          indexingPolicy: POLICY,
          extra: EXTRA,
          computedProperties: COMPUTED,
        });
        const store = await backend.container('test', id);
        await createAll(store, bodies);
        // What was written by another way has the words of what it is now.
        const [first = {}, last = {}] = [bodies[0], bodies.at(-1)];
        await store.upsert({ ...last, id: 'd0', pk: 'p0' });
        await store.patch('d0', 'p0', [{ op: 'set', path: '/en', value: first['en'] ?? 'river' }]);
        return store;
      }),
    );
  }

  test(
    'give what the evaluator gives, in its order, whatever the size of the pages, for what it charges',
    { timeout: 900_000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.constantFrom(...WORDS), { minLength: 4, maxLength: 8 }).chain(meeting), async ([bodies, cases]) => {
          const [memory, postgres] = (await storesWith(bodies)) as readonly [DocumentStore, DocumentStore];
          for (const one of cases) {
            const expected = await answerOf(memory, one);
            counts.rows += /^\[(?:\[\[)?\{/u.test(expected) ? 1 : 0;
            const found = await answerOf(postgres, one);
            if (found !== expected) {
              expect(found, JSON.stringify(one)).toBe(expected);
            }
            if (!expected.startsWith('QUERY')) {
              const parameters = Object.entries(one.values).map(([name, given]) => ({ name, value: given }));
              const { indexes } = await postgres.explain({ query: one.text, parameters });
              counts[indexes.some((index) => index.startsWith('full text ')) ? 'words' : 'other'] += 1;
            }
          }
          await Promise.all(backends.map((backend) => backend.deleteContainer('test', `c${containers}`)));
        }),
        { seed, numRuns },
      );
      expect(counts.words / (counts.words + counts.other), JSON.stringify(counts)).toBeGreaterThan(0.3);
      expect(counts.rows, JSON.stringify(counts)).toBeGreaterThan(numRuns);
    },
  );
});
