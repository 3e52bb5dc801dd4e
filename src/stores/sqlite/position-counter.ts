import type { SqliteDatabase } from './sqlite-database.ts';

/** The highest position of a container, as the transaction under way sees it and as everybody else may. */
export class PositionCounter {
  readonly #database: SqliteDatabase;
  readonly #settle = (): void => {
    this.#committed = this.#last;
  };
  #last: number;
  #committed: number;

  constructor(database: SqliteDatabase, head: number) {
    this.#database = database;
    this.#last = head;
    this.#committed = head;
  }

  /** Highest position known, be it of a transaction that is still open; another process may be ahead. */
  get last(): number {
    return this.#last;
  }

  /** Highest position whose commit is known: what may be told to those outside the transaction under way. */
  get committed(): number {
    return this.#committed;
  }

  /** Uses a position in the transaction under way. */
  advance(position: number): void {
    this.#last = position;
    this.#database.afterCommit(this.#settle);
  }

  /** Takes over what the file says, at the beginning of a transaction; one before it may have been undone. */
  reset(head: number): void {
    this.#last = head;
  }
}
