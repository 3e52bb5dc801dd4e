import type { PoolClient, PoolConfig, QueryResult } from 'pg';
import type { PgModule } from './pg-driver.ts';

/** Time-outs that transactions bring along, because a pooler stands between that does not let connections have them. */
export interface OwnTimeouts {
  /** Follows `BEGIN` in one message. */
  readonly afterBegin: string;
  /** By name, for a statement that is a transaction by itself. */
  readonly settings: Readonly<Record<string, string>>;
}

/** The time-outs of a configuration, for transactions to bring along. */
export function ownTimeouts(config: PoolConfig): OwnTimeouts {
  const values = [
    ['statement_timeout', config.statement_timeout],
    ['lock_timeout', config.lock_timeout],
    ['idle_in_transaction_session_timeout', config.idle_in_transaction_session_timeout],
  ] as const;
  return {
    afterBegin: values.map(([name, ms]) => `; SET LOCAL ${name} = ${Number(ms)}`).join(''),
    settings: Object.fromEntries(values.map(([name, ms]) => [name, String(Number(ms))])),
  };
}

/** The statement that makes settings for a transaction; names and values are of this source. Undefined where there are none. */
export function beforeStatement(
  timeouts: OwnTimeouts | undefined,
  settings: Readonly<Record<string, string>> | undefined,
): string | undefined {
  const all = Object.entries({ ...timeouts?.settings, ...settings });
  // `SET LOCAL` would have the server warn that it is outside of a transaction.
  return all.length === 0 ? undefined : `SELECT ${all.map(([name, value]) => `set_config('${name}', '${value}', true)`).join(', ')}`;
}

/** What of the driver's own query is built upon, as others (`pg-cursor`) do. */
interface DriverQuery {
  name: string | undefined;
  submit(connection: DriverConnection): Error | null;
  handleDataRow(message: unknown): void;
  handleCommandComplete(message: unknown, connection: DriverConnection): void;
  handleError(error: unknown, connection: DriverConnection): void;
}

interface DriverConnection {
  readonly submittedNamedStatements: Record<string, string>;
  readonly stream: { cork?(): void; uncork?(): void };
  parse(query: { text: string; name: string }): void;
  bind(config: { portal: string; statement: string; values: readonly unknown[] }): void;
  execute(config: { portal: string; rows: number }): void;
}

type Answer = (error: Error | null | undefined, result: QueryResult) => void;
type DriverQueryClass = new (config: object, values: undefined, callback: Answer) => DriverQuery;

/**
 * Runs one statement behind one that makes settings for its transaction: both go out in one message, whose statements PostgreSQL carries out in one
 * transaction. The clock of the statement starts when the settings are made.
 */
export function queryAfter(
  { Query }: PgModule,
  client: PoolClient,
  before: string,
  config: { readonly text: string; readonly values?: unknown[]; readonly name?: string },
): Promise<QueryResult> {
  return new Promise((resolve, reject) => {
    const answer: Answer = (error, result) => (error ? reject(error) : resolve(result));
    client.query(new (boundedQuery(Query))(config, before, answer) as never);
  });
}

type BoundedQueryClass = new (config: object, before: string, answer: Answer) => DriverQuery;
const classes = new WeakMap<object, BoundedQueryClass>();

/** A query of the driver that sends another before itself; its class is that of the driver, which is not there until it is loaded. */
function boundedQuery(driverClass: unknown): BoundedQueryClass {
  const known = classes.get(driverClass as object);
  if (known !== undefined) {
    return known;
  }
  class BoundedQuery extends (driverClass as DriverQueryClass) {
    readonly #before: string;
    #statement: string | undefined;
    #isSet = false;

    constructor(config: object, before: string, answer: Answer) {
      super({ ...config, queryMode: 'extended' }, undefined, answer);
      this.#before = before;
    }

    override submit(connection: DriverConnection): Error | null {
      connection.stream.cork?.();
      try {
        connection.parse({ text: this.#before, name: '' });
        connection.bind({ portal: '', statement: '', values: [] });
        connection.execute({ portal: '', rows: 0 });
        const refused = super.submit(connection);
        // The driver takes the next "parsed" for an answer to the statement with this name.
        this.#statement = this.name;
        this.name = undefined;
        return refused;
      } finally {
        connection.stream.uncork?.();
      }
    }

    override handleDataRow(message: unknown): void {
      if (this.#isSet) {
        super.handleDataRow(message);
      }
    }

    override handleCommandComplete(message: unknown, connection: DriverConnection): void {
      if (this.#isSet) {
        super.handleCommandComplete(message, connection);
        return;
      }
      this.#isSet = true;
      this.name = this.#statement;
    }

    override handleError(error: unknown, connection: DriverConnection): void {
      if (!this.#isSet && this.#statement !== undefined) {
        delete connection.submittedNamedStatements[this.#statement];
      }
      super.handleError(error, connection);
    }
  }
  classes.set(driverClass as object, BoundedQuery);
  return BoundedQuery;
}
