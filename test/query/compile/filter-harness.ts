import type { SqlFilter } from '../../../src/query/compile/common/compile-filter.ts';
import { RawDatabase as Database } from '../../support/raw-database.ts';
import type { JsonObject, JsonValue } from '../../../src/core/json.ts';
import { systemRuntime } from '../../../src/core/runtime.ts';
import { compileFilter } from '../../../src/query/compile/sqlite/compile-filter.ts';
import { isOddText } from '../../../src/query/compile/sqlite/odd-documents.ts';
import { NEVER } from '../../../src/query/compile/common/sql-value.ts';
import { compileCondition } from '../../../src/query/evaluator/condition.ts';
import { prepareQuery } from '../../../src/query/prepare-query.ts';

/** What a store adds when it reads. */
const SYSTEM = { _rid: 'AAA=', _self: 'dbs/x', _etag: '"1"', _attachments: 'attachments/' };

/** A filter run both ways over the same documents. */
export interface FilterOutcome {
  /** Places of documents that give a row, by the evaluator. */
  readonly expected: readonly number[];
  /** Places of documents that SQLite keeps; all of them where nothing was compiled. Odd ones that the evaluator drops again are left out. */
  readonly kept: readonly number[];
  /** Whether SQLite keeps every odd document, as it has to unless it keeps none at all. */
  readonly keepsOdd: boolean;
  readonly filter: SqlFilter | undefined;
}

/** A table of documents as the SQLite store has it, refilled for each run. */
export class FilterHarness {
  readonly #database = new Database(':memory:');
  readonly #insert;

  constructor() {
    this.#database.exec('CREATE TABLE c1 (ordinal INTEGER PRIMARY KEY, id TEXT NOT NULL, ts INTEGER NOT NULL, body BLOB NOT NULL)');
    this.#insert = this.#database.prepare('INSERT INTO c1 VALUES (@ordinal, @id, @ts, iif(@isText, @text, jsonb(@text)))');
  }

  close(): void {
    this.#database.close();
  }

  /** Documents without `id` get one from their place. */
  run(text: string, values: Readonly<Record<string, JsonValue>>, bodies: readonly JsonObject[]): FilterOutcome {
    const prepared = prepareQuery(text);
    const parameters = Object.entries(values).map(([name, value]) => ({ name, value }));
    const documents = bodies.map((body, index) => ({ ...body, id: typeof body['id'] === 'string' ? body['id'] : `d${index}` }));
    this.#database.exec('DELETE FROM c1');
    for (const [index, document] of documents.entries()) {
      const text = JSON.stringify(document);
      // Odd documents are text, others JSONB, or text in files of an early version.
      const isText = isOddText(text) || index % 3 === 0 ? 1 : 0;
      this.#insert.run({ ordinal: index, id: document.id, ts: 1_700_000_000 + index, text, isText });
    }
    const holds = compileCondition(prepared, { runtime: systemRuntime, parameters });
    const expected = documents.flatMap((document, index) => {
      const stored = Object.assign(JSON.parse(JSON.stringify(document)) as JsonObject, SYSTEM, { _ts: 1_700_000_000 + index });
      return holds(stored) ? [index] : [];
    });
    const filter = compileFilter(prepared, parameters, { columns: { body: 'body', id: 'id', ts: 'ts' } });
    const where = filter === undefined ? '1' : filter.sql;
    const kept = this.#database
      .prepare(`SELECT ordinal FROM c1 WHERE ${where} ORDER BY ordinal`)
      .pluck()
      .all(...(filter?.parameters ?? [])) as number[];
    const odd = documents.flatMap((document, index) => (isOddText(JSON.stringify(document)) ? [index] : []));
    return {
      expected,
      kept: kept.filter((index) => !odd.includes(index) || expected.includes(index)),
      keepsOdd: filter?.sql === NEVER.text || odd.every((index) => kept.includes(index)),
      filter,
    };
  }
}
