import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { isPerigeeError } from '../../../src/core/errors.ts';
import type { JsonObject } from '../../../src/core/json.ts';
import type { DocumentStore } from '../../../src/store/document-store.ts';
import type { OperationOutcome } from '../../../src/store/operations.ts';
import { openMemoryBackend } from '../../../src/stores/memory/memory-backend.ts';
import { SimulatedRuntime } from '../../../src/testing/simulated-runtime.ts';
import { arbitraryBody } from '../../query/compile/arbitrary-document.ts';
import { openFreshPostgres } from '../../support/open-postgres.ts';
import { openTwoBackends, type Counted, type TwoBackends } from './two-backends.ts';

const DEFINITION = { id: 'c', partitionKey: '/pk', defaultTtl: -1 } as const;
const COPIED = 250;

function counted(amount: number, from = 0, partitions = 7): Counted[] {
  return Array.from({ length: amount }, (_, index) => ({ id: `d${from + index}`, pk: `p${index % partitions}`, n: index }));
}

const creates = <T>(documents: readonly T[]): { type: 'create'; document: T }[] =>
  documents.map((document) => ({ type: 'create', document }));

function said(outcomes: readonly OperationOutcome<JsonObject>[]): readonly unknown[] {
  return outcomes.map((outcome) =>
    outcome.ok
      ? { created: outcome.created, requestUnits: outcome.requestUnits, document: withoutNames(outcome.document) }
      : { code: outcome.error.code, message: outcome.error.message, requestUnits: outcome.requestUnits },
  );
}

/** Without what every store names in its own way. */
function withoutNames(document: object | undefined): unknown {
  return document && Object.fromEntries(Object.entries(document).filter(([name]) => !['_etag', '_rid', '_self'].includes(name)));
}

test('many creates at once say and leave what they do in memory: of documents that are new, there, expired, odd or refused', async () => {
  const runtime = new SimulatedRuntime({ seed: 1 });
  const memory = openMemoryBackend({ runtime });
  const postgres = await openFreshPostgres({ runtime });
  onTestFinished(() => Promise.all([memory.close(), postgres.close()]).then(() => undefined));
  const backends = [memory, postgres];
  await Promise.all(backends.map((backend) => backend.createDatabase('d')));
  const member = fc.record({
    body: arbitraryBody,
    ttl: fc.constantFrom(undefined, undefined, 1, -1, 0),
    id: fc.nat(300),
    pk: fc.constantFrom(undefined, null, 'a', 'a'.repeat(300), 'b', 3, true, 'q"\\\u0000'),
  });
  const load = fc.array(member, { minLength: COPIED, maxLength: COPIED, size: 'max' });
  let containers = 0;
  await fc.assert(
    fc.asyncProperty(fc.tuple(load, load, load), async (loads) => {
      const id = `c${(containers += 1)}`;
      const stores: DocumentStore[] = [];
      for (const backend of backends) {
        await backend.createContainer('d', { ...DEFINITION, id });
        stores.push(await backend.container('d', id));
      }
      for (const one of loads) {
        const documents = one.map(({ body, ttl, id: number, pk }): JsonObject => {
          const document: JsonObject = { ...body, id: `d${number}` };
          return { ...document, ...(pk === undefined ? {} : { pk }), ...(ttl === undefined ? {} : { ttl }) };
        });
        const unique = [...new Map(documents.map((document) => [JSON.stringify([document['id'], document['pk']]), document])).values()];
        const [expected, found] = [await stores[0]?.bulk(creates(unique as never)), await stores[1]?.bulk(creates(unique as never))];
        expect(said(found?.outcomes ?? [])).toEqual(said(expected?.outcomes ?? []));
        const [all, allFound] = await Promise.all(stores.map((store) => store.query('SELECT * FROM c').toArray()));
        expect(allFound?.map(withoutNames)).toEqual(all?.map(withoutNames));
        await runtime.advance(1500);
      }
      const [filtered, filteredFound] = await Promise.all(stores.map((store) => store.query('SELECT c.id FROM c WHERE c.n > 0').toArray()));
      expect(filteredFound).toEqual(filtered);
      await Promise.all(backends.map((backend) => backend.deleteContainer('d', id)));
    }),
    { numRuns: 4, seed: 15 },
  );
});

test('of two servers that create the same documents at once, one creates each, and the feed has each once, in the order of its partition key', async () => {
  const { stores } = await openTwoBackends();
  for (let round = 0; round < 4; round += 1) {
    const documents = counted(COPIED, round * COPIED);
    const results = await Promise.all(stores.map((store) => store.bulk(creates(documents))));
    for (const index of documents.keys()) {
      expect(results.filter(({ outcomes }) => outcomes[index]?.ok)).toHaveLength(1);
      expect(results.flatMap(({ outcomes }) => (outcomes[index]?.ok === false ? [outcomes[index].error.code] : []))).toEqual(['CONFLICT']);
    }
  }
  const changes = [];
  for await (const { document } of stores[1].changes()) {
    changes.push(document);
  }
  expect(changes).toHaveLength(4 * COPIED);
  for (const pk of new Set(changes.map((one) => one.pk))) {
    const ids = changes.filter((one) => one.pk === pk).map(({ id }) => Number(id.slice(1)));
    expect(ids).toEqual(ids.toSorted((left, right) => left - right));
  }
});

/** Somebody else writes a row with the key of one of the documents, in a transaction that stays open. */
async function takeKey({ foreign, schema }: TwoBackends, { id, pk }: Counted): Promise<void> {
  const { rows } = await foreign.query<{ number: string }>(`SELECT number FROM "${schema}".containers WHERE id = 'c'`);
  await foreign.query('BEGIN');
  await foreign.query(
    `INSERT INTO "${schema}_1".c${rows[0]?.number} (ordinal, pk, id, position, epk, ts, body) VALUES (-1, $1, $2, -1, '', 0, $3)`,
    [JSON.stringify([pk]), id, JSON.stringify({ id, pk, n: -1 })],
  );
}

test('a copy whose connection ends is carried out anew, and nothing of it is there twice', async () => {
  const two = await openTwoBackends();
  const [store] = two.stores;
  const documents = counted(COPIED);
  await takeKey(two, documents[20] as Counted);
  const bulk = store.bulk(creates(documents));
  await expect.poll(() => two.serverProcesses(true), { timeout: 10_000, interval: 10 }).toHaveLength(1);
  await two.foreign.query(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = 'Lock'",
    [two.schema],
  );
  await two.foreign.query('ROLLBACK');
  expect((await bulk).outcomes.every(({ ok }) => ok)).toBe(true);
  expect(await store.query('SELECT VALUE c.n FROM c').toArray()).toEqual(documents.map(({ n }) => n));
});

test('a copy that waits for too long is refused, leaves nothing, and the store goes on', async () => {
  const two = await openTwoBackends({ lockTimeoutMs: 100, maxConnections: 1 });
  const [store] = two.stores;
  const documents = counted(COPIED);
  await takeKey(two, documents[20] as Counted);
  const refused = await store.bulk(creates(documents)).catch((error: unknown) => error);
  expect(isPerigeeError(refused, 'STORE_BUSY')).toBe(true);
  await two.foreign.query('ROLLBACK');
  expect(await store.query('SELECT * FROM c').toArray()).toEqual([]);
  expect((await store.bulk(creates(documents))).outcomes.every(({ ok }) => ok)).toBe(true);
});

test('more partition keys than one transaction locks, and more operations than one has, take effect in their order', async () => {
  const { stores } = await openTwoBackends();
  const [store] = stores;
  const documents = counted(2600, 0, 2600);
  const operations = [
    ...creates(documents),
    ...documents.slice(0, 5).map((document) => ({ type: 'upsert', document: { ...document, n: -1 } }) as const),
    ...creates(counted(3, 2600)),
  ];
  const { outcomes } = await store.bulk(operations);
  expect(outcomes.map(({ ok }) => ok)).toEqual(operations.map(() => true));
  expect(outcomes.slice(2600, 2605).map((outcome) => outcome.ok && outcome.created)).toEqual([false, false, false, false, false]);
  const found = await store.query<number>('SELECT VALUE c.n FROM c').toArray();
  expect(found).toEqual([...documents.map(({ n }) => (n < 5 ? -1 : n)), 0, 1, 2]);
});
