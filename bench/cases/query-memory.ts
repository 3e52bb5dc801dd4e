import { isDeepStrictEqual } from 'node:util';
import type { JsonObject, JsonValue } from '../../src/core/json.ts';
import { systemRuntime } from '../../src/core/runtime.ts';
import { executeQuery } from '../../src/query/executor/execute-query.ts';
import type { QuerySource } from '../../src/query/executor/query-source.ts';
import { prepareQuery } from '../../src/query/prepare-query.ts';
import { compareRates, sampleDocument, timed, type BenchResult } from '../harness.ts';
import { loadPeer } from '../load-peer.ts';

/** Rows of one batch of the source: a few milliseconds of work. */
const BATCH = 1000;

/** A source over documents that are in memory already. */
function arraySource(documents: readonly JsonObject[]): QuerySource {
  const rows = documents.map((document, index) => ({ ordinal: index + 1, document }));
  const batches = Array.from({ length: Math.ceil(rows.length / BATCH) }, (_, index) => rows.slice(index * BATCH, (index + 1) * BATCH));
  return {
    async *scan({ afterOrdinal }) {
      for (const batch of batches) {
        const scannedTo = batch.at(-1)?.ordinal ?? 0;
        if (scannedTo > afterOrdinal) {
          yield await Promise.resolve({ rows: batch.filter(({ ordinal }) => ordinal > afterOrdinal), scannedTo, looked: batch.length });
        }
      }
    },
  };
}

type Parameters = readonly { readonly name: string; readonly value: JsonValue }[];

async function evaluate(source: QuerySource, text: string, parameters: Parameters): Promise<readonly JsonValue[]> {
  const items: JsonValue[] = [];
  let continuation: string | undefined;
  do {
    const page = await executeQuery({
      prepared: prepareQuery(text),
      parameters,
      source,
      maxItemCount: 1_000_000,
      continuation,
      signal: undefined,
      runtime: systemRuntime,
    });
    items.push(...page.items);
    ({ continuation } = page);
  } while (continuation !== undefined);
  return items;
}

const MILLION = 1_000_000;

/** The evaluator alone: how many documents a second it filters. The loop of a person over the same documents is the comparison. */
async function* filterRate(): AsyncGenerator<BenchResult> {
  const count = 200_000;
  const documents = Array.from({ length: count }, (_, index) => ({ id: String(index), a: index % 10, b: (index * 7919) % 1000, c: 'x' }));
  const source = arraySource(documents);
  const text = 'SELECT * FROM c WHERE c.a = @x AND c.b > @y';
  const parameters = [
    { name: '@x', value: 3 },
    { name: '@y', value: 900 },
  ];
  const byHand = (): number => documents.filter(({ a, b }) => a === 3 && b > 900).length;
  const expected = byHand();
  const compared = await compareRates({
    name: 'evaluator: WHERE c.a = @x AND c.b > @y',
    unit: 'documents/s',
    rounds: 9,
    measured: () =>
      timed(count, async () => {
        const found = await evaluate(source, text, parameters);
        if (found.length !== expected) {
          throw new Error(`The evaluator gave ${found.length} documents instead of ${expected}.`);
        }
      }),
    baseline: () => timed(count, byHand),
  });
  yield { ...compared, baseline: MILLION, ratio: compared.value / MILLION, bar: '>= 1', met: compared.value >= MILLION };
}

const OTHERS: readonly { readonly name: string; readonly query: string; readonly repeat: number }[] = [
  { name: 'filter', query: "SELECT * FROM c WHERE c.rank > 9000 AND c.type = 'task'", repeat: 5 },
  { name: 'sort with TOP', query: "SELECT TOP 20 * FROM c WHERE c.type = 'task' ORDER BY c.rank DESC", repeat: 5 },
  { name: 'aggregate', query: 'SELECT COUNT(1) AS n, SUM(c.rank) AS total, MAX(c.rank) AS most FROM c WHERE c.done = true', repeat: 5 },
];

/** What is used of the package compared with. */
interface QueryPeer {
  readonly default: (query: string) => { exec(documents: readonly object[]): { readonly result: readonly unknown[] } };
}

/** Against the query engine of another emulator, 10,000 documents in memory; the two must give the same rows. */
async function* againstOther(): AsyncGenerator<BenchResult> {
  const documents: readonly JsonObject[] = Array.from({ length: 10_000 }, (_, index) => ({
    ...sampleDocument(index, 'o'),
    // The other engine gives rows in the order of their `_rid` as text.
    _rid: `r${String(index).padStart(5, '0')}`,
  }));
  const plain = documents.map((document): object => document);
  const peer = loadPeer('@zeit/cosmosdb-query') as QueryPeer;
  const source = arraySource(documents);
  for (const { name, query, repeat } of OTHERS) {
    const theirs = (): readonly unknown[] => {
      const { result } = peer.default(query).exec(plain);
      return result;
    };
    const asJson = (rows: readonly unknown[]): unknown => JSON.parse(JSON.stringify(rows));
    if (!isDeepStrictEqual(asJson(await evaluate(source, query, [])), asJson(theirs()))) {
      throw new Error(`${name}: the two engines disagree.`);
    }
    yield await compareRates({
      name: `evaluator against cosmosdb-query: ${name}`,
      unit: 'queries/s',
      rounds: 7,
      atLeast: 20,
      measured: () =>
        timed(repeat * 10, async () => {
          for (let run = 0; run < repeat * 10; run += 1) {
            await evaluate(source, query, []);
          }
        }),
      baseline: () =>
        timed(repeat, () => {
          for (let run = 0; run < repeat; run += 1) {
            theirs();
          }
        }),
    });
  }
}

/** Queries over documents in memory. */
export async function* run(): AsyncGenerator<BenchResult> {
  yield* filterRate();
  yield* againstOther();
}
