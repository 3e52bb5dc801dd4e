import { once } from 'node:events';
import pg from 'pg';
import type { JsonObject } from '../../src/core/json.ts';
import type { DocumentStore } from '../../src/store/document-store.ts';
import { startEmbeddedPostgres } from '../../src/stores/postgres/embedded/start-embedded-postgres.ts';
import { openPostgresBackend } from '../../src/stores/postgres/postgres-backend.ts';
import { compareAmounts, compareRates, sampleDocument, timed, type BenchResult } from '../harness.ts';

const SINGLE = 1000;
const HELD = 100_000;
const LOADED = 100_000;
const CHUNK = 5000;

/** The container's indexes are those that the statements written by hand have. */
const PLAIN_POLICY = { includedPaths: [{ path: '/*' }], excludedPaths: [] };
const POLICY = { includedPaths: [{ path: '/rank/?' }], excludedPaths: [{ path: '/*' }] };

type Sample = ReturnType<typeof sampleDocument>;

/** What a person would make for the same documents: the body as `jsonb`, keys in columns. */
async function handTable(client: pg.Client, name: string): Promise<void> {
  await client.query(
    `CREATE TABLE ${name} (pk text NOT NULL, id text NOT NULL, etag bigint NOT NULL, doc jsonb NOT NULL, PRIMARY KEY (pk, id))`,
  );
  await client.query(`CREATE SEQUENCE ${name}_etag`);
}

function copyLine({ owner, id, ...rest }: Sample): string {
  const text = JSON.stringify({ id, owner, ...rest }).replaceAll('\\', '\\\\');
  return `${owner}\t${id}\t1\t${text}\n`;
}

interface CopyConnection {
  query(text: string): void;
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
  on(event: string, listener: (...arguments_: unknown[]) => void): void;
  once(event: string, listener: (...arguments_: unknown[]) => void): void;
  stream: NodeJS.WritableStream & { writableNeedDrain: boolean };
}

/** `COPY … FROM STDIN` by the messages of the protocol, as the driver's own connection sends them. */
class CopyIn {
  readonly #client: pg.Client;
  constructor(client: pg.Client) {
    this.#client = client;
  }

  submit(): void {
    return undefined;
  }

  async run(table: string, documents: Iterable<Sample>): Promise<void> {
    const connection = (this.#client as unknown as { connection: CopyConnection }).connection;
    const ready = new Promise<void>((resolve) => connection.once('copyInResponse', () => resolve()));
    const query = { submit: (c: CopyConnection) => c.query(`COPY ${table} (pk, id, etag, doc) FROM STDIN`) };
    const done = new Promise<void>((resolve, reject) => {
      Object.assign(query, {
        handleCopyInResponse: () => undefined,
        handleCommandComplete: () => undefined,
        handleReadyForQuery: () => resolve(),
        handleError: (error: Error) => reject(error),
      });
    });
    (this.#client as unknown as { query(q: unknown): void }).query(query);
    await ready;
    let lines = '';
    for (const document of documents) {
      lines += copyLine(document);
      if (lines.length > 500_000) {
        connection.sendCopyFromChunk(Buffer.from(lines));
        lines = '';
        if (connection.stream.writableNeedDrain) {
          await once(connection.stream as never, 'drain');
        }
      }
    }
    connection.sendCopyFromChunk(Buffer.from(lines));
    connection.endCopyFrom();
    await done;
  }
}

function* samples(from: number, count: number, owners: number): Generator<Sample> {
  for (let index = from; index < from + count; index += 1) {
    yield sampleDocument(index, `owner-${index % owners}`);
  }
}

/** Writes documents as a program would that has them one after the other: some are made ready while others are on their way. */
async function load(store: DocumentStore, documents: Iterable<Sample>): Promise<void> {
  const send = async (some: readonly Sample[]): Promise<void> => {
    const { outcomes } = await store.bulk(some.map((document) => ({ type: 'create', document })));
    if (outcomes.some(({ ok }) => !ok)) {
      throw new Error('A document of the benchmark was refused.');
    }
  };
  let some: Sample[] = [];
  let before: Promise<void> = Promise.resolve();
  for (const document of documents) {
    some.push(document);
    if (some.length === CHUNK) {
      const next = send(some);
      some = [];
      await before;
      before = next;
    }
  }
  await before;
  await send(some);
}

/** Times of single runs, in milliseconds. */
async function times(count: number, work: (run: number) => Promise<unknown>): Promise<number[]> {
  const elapsed: number[] = [];
  for (let run = 0; run < count; run += 1) {
    elapsed.push((await timed(1, () => work(run))).elapsedMs);
  }
  return elapsed;
}

/** The PostgreSQL store against SQL written by hand on the same server, through the same driver. */
export async function* run(): AsyncGenerator<BenchResult> {
  const server = await startEmbeddedPostgres({ durable: true, settings: { shared_buffers: '512MB', max_wal_size: '4GB' } });
  const client = new pg.Client({ connectionString: server.connectionString });
  await client.connect();
  const backend = await openPostgresBackend({ connectionString: server.connectionString });
  await backend.createDatabase('bench');
  const open = async (id: string, indexingPolicy: JsonObject = POLICY): Promise<DocumentStore> => {
    await backend.createContainer('bench', { id, partitionKey: '/owner', indexingPolicy });
    return backend.container('bench', id);
  };
  try {
    const store = await open('single');
    await handTable(client, 'single');
    await client.query("CREATE INDEX ON single (((doc ->> 'rank')::float8))");
    // The files of a server that was just made are on their way to the disk, for which whoever commits would wait.
    await client.query('CHECKPOINT');
    const upsert =
      "INSERT INTO single (pk, id, etag, doc) VALUES ($1, $2, nextval('single_etag'), $3) ON CONFLICT (pk, id) DO UPDATE SET etag = excluded.etag, doc = excluded.doc RETURNING etag";
    let [written, writtenRaw] = [0, 0];
    yield await compareRates({
      name: 'postgres: single upsert',
      unit: 'writes/s',
      rounds: 9,
      atLeast: 0.6,
      measured: () =>
        timed(SINGLE, async () => {
          for (let count = 0; count < SINGLE; count += 1) {
            await store.upsert(sampleDocument(written++ % 5000, 'owner-1'));
          }
        }),
      baseline: () =>
        timed(SINGLE, async () => {
          for (let count = 0; count < SINGLE; count += 1) {
            const document = sampleDocument(writtenRaw++ % 5000, 'owner-1');
            await client.query({ name: 'upsert', text: upsert, values: [document.owner, document.id, JSON.stringify(document)] });
          }
        }),
    });
    yield await compareRates({
      name: 'postgres: point read',
      unit: 'reads/s',
      rounds: 9,
      atLeast: 0.6,
      measured: () =>
        timed(SINGLE, async () => {
          for (let count = 0; count < SINGLE; count += 1) {
            await store.read(`doc-${String((count * 7) % 5000).padStart(8, '0')}`, 'owner-1');
          }
        }),
      baseline: () =>
        timed(SINGLE, async () => {
          for (let count = 0; count < SINGLE; count += 1) {
            const id = `doc-${String((count * 7) % 5000).padStart(8, '0')}`;
            const values = ['owner-1', id];
            const { rows } = await client.query<{ doc: unknown; etag: string }>({
              name: 'read',
              text: 'SELECT doc, etag FROM single WHERE pk = $1 AND id = $2',
              values,
            });
            if (rows[0]?.doc === undefined) {
              throw new Error('A document of the benchmark is missing.');
            }
          }
        }),
    });
    let loads = 0;
    yield await compareRates({
      name: 'postgres: bulk load of 100,000',
      unit: 'docs/s',
      rounds: 3,
      atLeast: 0.5,
      measured: async () => {
        // Like the table that is copied into, it has no index but those of keys.
        const target = await open(`load-${(loads += 1)}`, PLAIN_POLICY);
        const result = await timed(LOADED, () => load(target, samples(0, LOADED, 500)));
        await backend.deleteContainer('bench', `load-${loads}`);
        return result;
      },
      baseline: async () => {
        await handTable(client, 'copied');
        const result = await timed(LOADED, () => new CopyIn(client).run('copied', samples(0, LOADED, 500)));
        await client.query('DROP TABLE copied; DROP SEQUENCE copied_etag');
        return result;
      },
    });
    const held = await open('held');
    await load(held, samples(0, HELD, 500));
    await handTable(client, 'held');
    await new CopyIn(client).run('held', samples(0, HELD, 500));
    await client.query("CREATE INDEX ON held (((doc ->> 'rank')::float8))");
    await client.query('VACUUM ANALYZE');
    await backend.indexesReady();
    const ask = (query: string, x: number): Promise<unknown[]> =>
      held.query({ query, parameters: [{ name: '@x', value: x }] }, { maxItemCount: 10_000 }).toArray();
    const cases = [
      {
        name: 'postgres: range, ORDER BY, TOP 20',
        atLeast: 0.6,
        query: 'SELECT TOP 20 * FROM c WHERE c.rank > @x ORDER BY c.rank',
        statement: "SELECT doc FROM held WHERE (doc ->> 'rank')::float8 > $1 ORDER BY (doc ->> 'rank')::float8 LIMIT 20",
        value: (n: number) => (n * 6007) % 10_007,
        runs: 100,
      },
      {
        name: 'postgres: equality',
        atLeast: 0.6,
        query: 'SELECT * FROM c WHERE c.rank = @x',
        statement: "SELECT doc FROM held WHERE (doc ->> 'rank')::float8 = $1",
        value: (n: number) => (n * 7717) % 10_007,
        runs: 100,
      },
      {
        name: 'postgres: GROUP BY with COUNT and AVG',
        atLeast: 0.5,
        query: 'SELECT c.type, COUNT(1) AS n, AVG(c.rank) AS mean FROM c WHERE c.rank >= @x GROUP BY c.type',
        statement:
          "SELECT doc ->> 'type' AS type, count(*) AS n, avg((doc ->> 'rank')::float8) AS mean FROM held WHERE (doc ->> 'rank')::float8 >= $1 GROUP BY doc ->> 'type'",
        value: () => 0,
        runs: 1,
      },
    ];
    for (const { name, atLeast, query, statement, value, runs } of cases) {
      let [n, nRaw] = [0, 0];
      yield await compareRates({
        name,
        unit: 'queries/s',
        rounds: 7,
        atLeast,
        measured: () =>
          timed(runs, async () => {
            for (let count = 0; count < runs; count += 1) {
              await ask(query, value((n += 1)));
            }
          }),
        baseline: () =>
          timed(runs, async () => {
            for (let count = 0; count < runs; count += 1) {
              await client.query({ text: statement, values: [value((nRaw += 1))] });
            }
          }),
      });
    }
    const small = await open('small');
    await load(small, samples(0, 10_000, 500));
    const large = await open('large');
    await load(large, samples(0, 1_000_000, 500));
    await client.query('VACUUM ANALYZE');
    // Ten rows of either: an equality would give ten of a million and one of ten thousand.
    const indexed = (target: DocumentStore, x: number): Promise<unknown[]> =>
      target
        .query({ query: 'SELECT TOP 10 * FROM c WHERE c.rank >= @x ORDER BY c.rank', parameters: [{ name: '@x', value: x }] })
        .toArray();
    await times(20, (n) => indexed(small, n));
    await times(20, (n) => indexed(large, n));
    // Side by side, since a machine's speed drifts.
    const [ofLarge, ofSmall]: [number[], number[]] = [[], []];
    for (let n = 0; n < 200; n += 1) {
      ofLarge.push(...(await times(1, () => indexed(large, (n * 7717) % 10_007))));
      ofSmall.push(...(await times(1, () => indexed(small, (n * 7717) % 10_007))));
    }
    yield compareAmounts('postgres: p50 of an indexed query, 1,000,000 to 10,000', 'ms', ofLarge, ofSmall, 1.5);
  } finally {
    await backend.close();
    await client.end();
    await server.stop();
  }
}
