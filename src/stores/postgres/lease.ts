import { toHex } from '../../core/runtime.ts';
import { quoteName } from './names.ts';
import type { PostgresDatabase } from './postgres-database.ts';

/** Work that one of all servers on the same data does at a time. Of a server that was killed the lease ends by itself. */
export class Lease {
  readonly #database: PostgresDatabase;
  readonly #name: string;
  readonly #lifeMs: number;
  readonly #holder: string;

  /** @param lifeMs how long it lasts unless it is taken again */
  constructor(database: PostgresDatabase, name: string, lifeMs: number) {
    this.#database = database;
    this.#name = name;
    this.#lifeMs = lifeMs;
    this.#holder = toHex(database.runtime.randomBytes(8));
  }

  /** Takes the lease, or goes on having it; gives whether this server has it. */
  async take(): Promise<boolean> {
    const nowMs = Math.floor(this.#database.runtime.nowMs());
    const rows = await this.#database.rows(this.#attempt, {
      text: `INSERT INTO ${this.#table} AS l (name, holder, until_ms) VALUES ($1, $2, $3)
        ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until_ms = excluded.until_ms
        WHERE l.holder = excluded.holder OR l.until_ms < $4 RETURNING holder`,
      values: [this.#name, this.#holder, nowMs + this.#lifeMs, nowMs],
    });
    return rows.length > 0;
  }

  /** Gives the lease back, where this server has it. */
  async leave(): Promise<void> {
    const text = `DELETE FROM ${this.#table} WHERE name = $1 AND holder = $2`;
    await this.#database.rows(this.#attempt, { text, values: [this.#name, this.#holder] });
  }

  get #attempt(): string {
    return `take or leave the lease "${this.#name}" of the PostgreSQL store`;
  }

  get #table(): string {
    return `${quoteName(this.#database.prefix)}.leases`;
  }
}
