import type { SqlFilter } from '../../../../src/query/compile/common/compile-filter.ts';
import pg from 'pg';
import type { JsonObject, JsonValue } from '../../../../src/core/json.ts';
import { systemRuntime } from '../../../../src/core/runtime.ts';
import { NEVER } from '../../../../src/query/compile/common/sql-value.ts';
import { compileFilter } from '../../../../src/query/compile/postgres/compile-filter.ts';
import { escapeText } from '../../../../src/query/compile/postgres/nul-text.ts';
import { docExpression, isOddText } from '../../../../src/query/compile/postgres/odd-documents.ts';
import { numberPlaceholders } from '../../../../src/query/compile/postgres/placeholders.ts';
import type { PostgresColumns } from '../../../../src/query/compile/postgres/postgres-dialect.ts';
import { compileCondition } from '../../../../src/query/evaluator/condition.ts';
import { prepareQuery } from '../../../../src/query/prepare-query.ts';
import { postgresForTests, type PostgresForTests } from '../../../support/postgres.ts';

/** What a store adds when it reads. */
const SYSTEM = { _rid: 'AAA=', _self: 'dbs/x', _etag: '"1"', _attachments: 'attachments/' };
const FIRST_TS = 1_700_000_000;

/** The columns of the harness's table. */
export const COLUMNS: PostgresColumns = { body: 'body', doc: 'doc', id: 'id', ts: 'ts' };

async function withClient<T>(url: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

/** A filter run both ways over the same documents. */
export interface FilterOutcome {
  /** Places of documents that give a row, by the evaluator. */
  readonly expected: readonly number[];
  /** Places of documents that PostgreSQL keeps; all of them where nothing was compiled. Odd ones that the evaluator drops again are left out. */
  readonly kept: readonly number[];
  /** Whether PostgreSQL keeps every odd document, as it has to unless it keeps none at all. */
  readonly keepsOdd: boolean;
  readonly filter: SqlFilter | undefined;
}

/** A table of documents as the PostgreSQL store has it, in a schema of its own. */
export class PostgresHarness {
  readonly #postgres: PostgresForTests;
  readonly #client: pg.Client;
  readonly #schema: string;
  #documents: readonly JsonObject[] = [];

  private constructor(postgres: PostgresForTests, client: pg.Client, schema: string) {
    this.#postgres = postgres;
    this.#client = client;
    this.#schema = schema;
  }

  /** @param database one of these settings, made for this harness, instead of the usual one. */
  static async open(database?: string): Promise<PostgresHarness> {
    const postgres = await postgresForTests();
    const schema = postgres.freshSchema();
    const url = new URL(postgres.url);
    if (database !== undefined) {
      await withClient(postgres.url, (client) => client.query(`CREATE DATABASE ${schema} TEMPLATE template0 ENCODING 'UTF8' ${database}`));
      url.pathname = `/${schema}`;
    }
    const harness = new PostgresHarness(postgres, new pg.Client({ connectionString: url.href }), schema);
    await harness.#client.connect();
    await harness.#client.query(`CREATE SCHEMA ${harness.#schema}`);
    await harness.#client.query(`SET search_path TO ${harness.#schema}`);
    await harness.#client.query(
      `CREATE UNLOGGED TABLE documents (
        ordinal bigint PRIMARY KEY, position bigint, id text COLLATE "C", ts bigint, body text COLLATE "C",
        doc jsonb GENERATED ALWAYS AS (${docExpression('body')}) STORED)`,
    );
    return harness;
  }

  async close(): Promise<void> {
    await this.#client.end();
    await this.#postgres.dropSchemas(this.#schema);
    await withClient(this.#postgres.url, (client) => client.query(`DROP DATABASE IF EXISTS ${this.#schema}`));
  }

  /** The documents of the table, without system properties. */
  get documents(): readonly JsonObject[] {
    return this.#documents;
  }

  /** Fills the table anew. Documents without `id` get one from their place. */
  async fill(bodies: readonly JsonObject[]): Promise<void> {
    this.#documents = bodies.map((body, index) => ({ ...body, id: typeof body['id'] === 'string' ? body['id'] : `d${index}` }));
    await this.#client.query('TRUNCATE documents');
    // Constants are folded into a plan for one run, and not into a plan for all.
    await this.#client.query(`SET plan_cache_mode = ${bodies.length % 3 === 0 ? 'force_generic_plan' : 'auto'}`);
    await this.#client.query(
      `INSERT INTO documents (ordinal, position, id, ts, body)
       SELECT n - 1, n, id, ${FIRST_TS} + n - 1, body FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS d(id, body, n)`,
      [this.#documents.map(({ id }) => escapeText(id as string)), this.#documents.map((document) => JSON.stringify(document))],
    );
  }

  /** The rows of a statement with `?` for its values. */
  async rows(text: string, parameters: readonly unknown[]): Promise<readonly (readonly unknown[])[]> {
    const result = await this.#client.query<unknown[]>({
      text: numberPlaceholders(text, 1),
      values: [...parameters],
      rowMode: 'array',
    });
    return result.rows;
  }

  /** Runs a query's filter over the documents of the table, by the evaluator and by PostgreSQL. */
  async filter(text: string, values: Readonly<Record<string, JsonValue>>): Promise<FilterOutcome> {
    const prepared = prepareQuery(text);
    const parameters = Object.entries(values).map(([name, value]) => ({ name, value }));
    const holds = compileCondition(prepared, { runtime: systemRuntime, parameters });
    const expected = this.#documents.flatMap((document, index) => {
      const stored = Object.assign(JSON.parse(JSON.stringify(document)) as JsonObject, SYSTEM, { _ts: FIRST_TS + index });
      return holds(stored) ? [index] : [];
    });
    const filter = compileFilter(prepared, parameters, { columns: COLUMNS });
    const rows = await this.rows(`SELECT ordinal FROM documents WHERE ${filter?.sql ?? 'TRUE'} ORDER BY ordinal`, filter?.parameters ?? []);
    const kept = rows.map(([ordinal]) => Number(ordinal));
    const odd = this.#documents.flatMap((document, index) => (isOddText(JSON.stringify(document)) ? [index] : []));
    return {
      expected,
      kept: kept.filter((index) => !odd.includes(index) || expected.includes(index)),
      keepsOdd: filter?.sql === NEVER.text || odd.every((index) => kept.includes(index)),
      filter,
    };
  }
}
