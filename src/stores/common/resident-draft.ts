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

/** How many changes are looked through one by one. */
const MAX_SEARCHED = 8;

/**
 * The writes of one operation, batch or transaction, seen by itself and by nobody else until its container commits them. To undo them is to drop
 * the draft.
 */
export class ResidentDraft {
  /** In the order they were made. */
  readonly changes: DraftChange[] = [];
  readonly container: ResidentContainer;
  /** The last change of each key, once there are many: most drafts are one write. */
  #lastOf: Map<string, DraftChange> | undefined;
  #uniqueOwners: Map<string, string> | undefined;
  readonly #due: ResidentRow[] = [];
  #beganMs: number | undefined;

  constructor(container: ResidentContainer) {
    this.container = container;
  }

  /** The row as this draft sees it; an expired one is missing. */
  get(key: string, nowSeconds: number = this.container.nowSeconds()): ResidentRow | undefined {
    const own = this.#changeOf(key);
    return this.#unlessExpired(own === undefined ? this.container.row(key) : own.row, nowSeconds);
  }

  /** The row of a document that was created and committed, as this draft sees it; an expired one is missing, where `nowSeconds` are given. */
  rowOf({ key, order, row }: CreationEntry, nowSeconds: number | undefined): ResidentRow | undefined {
    const own = this.#changeOf(key);
    if (own !== undefined) {
      return own.row?.ordinal === order ? this.#unlessExpired(own.row, nowSeconds) : undefined;
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
      const expired = due.filter(({ key }) => this.#changeOf(key) === undefined);
      expired.push(...this.#rows().filter((row) => this.container.isExpired(row, nowSeconds)));
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
    this.#add({ key: row.key, position: this.container.takePosition(), atMs, removed: row, expired: true });
  }

  put(row: ResidentRow): void {
    for (const text of row.uniqueTexts) {
      this.#uniqueOwners ??= new Map();
      this.#uniqueOwners.set(text, row.key);
    }
    this.#add({ key: row.key, position: row.position, atMs: this.#writeMs(), row });
  }

  /** Removes a living row. */
  remove(removed: ResidentRow, position: number): void {
    this.#add({ key: removed.key, position, atMs: this.#writeMs(), removed, expired: false });
  }

  /** Whether a row other than that of `key` holds a unique text. */
  isTaken(text: string, key: string, nowSeconds: number): boolean {
    const owner = this.#uniqueOwners?.get(text) ?? this.container.uniqueOwner(text);
    return owner !== undefined && owner !== key && this.get(owner, nowSeconds)?.uniqueTexts.includes(text) === true;
  }

  /** Rows of this draft that were created in it, in creation order. */
  createdRows(): ResidentRow[] {
    return this.#rows()
      .filter((row) => row.ordinal !== this.container.row(row.key)?.ordinal)
      .sort((left, right) => left.ordinal - right.ordinal);
  }

  #add(change: DraftChange): void {
    this.changes.push(change);
    if (this.#lastOf !== undefined) {
      this.#lastOf.set(change.key, change);
    } else if (this.changes.length > MAX_SEARCHED) {
      this.#lastOf = new Map(this.changes.map((one) => [one.key, one]));
    }
  }

  /** The last change of a key. */
  #changeOf(key: string): DraftChange | undefined {
    if (this.changes.length === 0) {
      return undefined;
    }
    return this.#lastOf === undefined ? this.changes.findLast((change) => change.key === key) : this.#lastOf.get(key);
  }

  /** The rows that this draft has put and not removed or put again. */
  #rows(): ResidentRow[] {
    return this.changes.flatMap((change) => (change.row !== undefined && this.#changeOf(change.key) === change ? [change.row] : []));
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
