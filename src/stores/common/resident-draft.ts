import type { CreationEntry } from './creation-entry.ts';
import type { ResidentContainer, ResidentRow } from './resident-container.ts';

/** One write of a draft: the row that it put, or the one that it removed, be it because it has expired. */
export type DraftChange = {
  readonly key: string;
  readonly position: number;
  /** When the draft began to write; of a row that expired before that, when it did. Milliseconds since 1970. */
  readonly atMs: number;
} & (
  | { readonly row: ResidentRow; readonly removed?: undefined; readonly expired?: undefined }
  | { readonly row?: undefined; readonly removed: ResidentRow; readonly expired: boolean }
);

/**
 * The writes of one operation, batch or transaction, seen by itself and by nobody else until its container commits them. To undo them is to drop
 * the draft.
 */
export class ResidentDraft {
  /** In the order they were made. */
  readonly changes: DraftChange[] = [];
  readonly container: ResidentContainer;
  /** Made at the first write: many drafts only read. */
  #rows: Map<string, ResidentRow | undefined> | undefined;
  #uniqueOwners: Map<string, string> | undefined;
  readonly #due: ResidentRow[] = [];
  #beganMs: number | undefined;

  constructor(container: ResidentContainer) {
    this.container = container;
  }

  /** The row as this draft sees it; an expired one is missing. */
  get(key: string, nowSeconds: number = this.container.nowSeconds()): ResidentRow | undefined {
    return this.#unlessExpired(this.#rows?.has(key) === true ? this.#rows.get(key) : this.container.row(key), nowSeconds);
  }

  /** The row of a document that was created and committed, as this draft sees it; an expired one is missing, where `nowSeconds` are given. */
  rowOf({ key, order, row }: CreationEntry, nowSeconds: number | undefined): ResidentRow | undefined {
    if (this.#rows?.has(key) === true) {
      const own = this.#rows.get(key);
      return own?.ordinal === order ? this.#unlessExpired(own, nowSeconds) : undefined;
    }
    return this.#unlessExpired(row, nowSeconds);
  }

  /** Rows that this draft took from those that have expired, to be given back when it is dropped. */
  get due(): readonly ResidentRow[] {
    return this.#due;
  }

  /**
   * Where versions are recorded, takes out what has expired (`limit` rows at most), so that it is recorded before whatever is written next. Gives the
   * second by which it decided, which is the one to write by.
   */
  expireDue(limit: number = Number.POSITIVE_INFINITY): number {
    const { versions } = this.container;
    const nowSeconds = this.container.nowSeconds();
    if (versions !== undefined) {
      const due = versions.takeDue(nowSeconds, limit);
      this.#due.push(...due);
      const expired = due.filter(({ key }) => this.#rows?.has(key) !== true);
      for (const row of this.#rows?.values() ?? []) {
        if (row !== undefined && this.container.isExpired(row, nowSeconds)) {
          expired.push(row);
        }
      }
      const at = (row: ResidentRow): number => this.container.expiryOf(row) ?? 0;
      expired.sort((left, right) => at(left) - at(right) || left.ordinal - right.ordinal);
      for (const row of expired) {
        this.expire(row, Math.min(versions.expiredAtMs(row), this.#beganMs ?? Number.POSITIVE_INFINITY));
      }
    }
    return nowSeconds;
  }

  /** Removes a row that has expired. */
  expire(row: ResidentRow, atMs: number): void {
    this.#place(row.key, undefined);
    this.changes.push({ key: row.key, position: this.container.takePosition(), atMs, removed: row, expired: true });
  }

  put(row: ResidentRow): void {
    this.#place(row.key, row);
    for (const text of row.uniqueTexts) {
      this.#uniqueOwners ??= new Map();
      this.#uniqueOwners.set(text, row.key);
    }
    this.changes.push({ key: row.key, position: row.position, atMs: this.#writeMs(), row });
  }

  /** Removes a living row. */
  remove(removed: ResidentRow, position: number): void {
    this.#place(removed.key, undefined);
    this.changes.push({ key: removed.key, position, atMs: this.#writeMs(), removed, expired: false });
  }

  /** Whether a row other than that of `key` holds a unique text. */
  isTaken(text: string, key: string, nowSeconds: number): boolean {
    const owner = this.#uniqueOwners?.get(text) ?? this.container.uniqueOwner(text);
    return owner !== undefined && owner !== key && this.get(owner, nowSeconds)?.uniqueTexts.includes(text) === true;
  }

  /** Rows of this draft that were created in it, in creation order. */
  createdRows(): ResidentRow[] {
    return Array.from(this.#rows?.values() ?? [])
      .filter((row) => row !== undefined && row.ordinal !== this.container.row(row.key)?.ordinal)
      .map((row) => row as ResidentRow)
      .sort((left, right) => left.ordinal - right.ordinal);
  }

  #place(key: string, row: ResidentRow | undefined): void {
    this.#rows ??= new Map();
    this.#rows.set(key, row);
  }

  #unlessExpired(row: ResidentRow | undefined, nowSeconds: number | undefined): ResidentRow | undefined {
    return row === undefined || nowSeconds === undefined || !this.container.isExpired(row, nowSeconds) ? row : undefined;
  }

  /** One time for all that the draft writes, since it is committed as one. */
  #writeMs(): number {
    this.#beganMs ??= this.container.nowMs();
    return this.#beganMs;
  }
}
