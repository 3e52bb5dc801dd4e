import type { ResidentContainer, ResidentRow } from './resident-container.ts';

/** One write of a draft: the row that it put, or the one that it removed. */
export type DraftChange = { readonly key: string; readonly position: number } & (
  | { readonly row: ResidentRow; readonly removed?: undefined }
  | { readonly row?: undefined; readonly removed: ResidentRow }
);

/**
 * The writes of one operation, batch or transaction, seen by itself and by nobody else until its container commits them. To undo them is to drop
 * the draft.
 */
export class ResidentDraft {
  /** In the order they were made. */
  readonly changes: DraftChange[] = [];
  readonly container: ResidentContainer;
  readonly #rows = new Map<string, ResidentRow | undefined>();
  readonly #uniqueOwners = new Map<string, string>();

  constructor(container: ResidentContainer) {
    this.container = container;
  }

  /** The row as this draft sees it; an expired one is missing. */
  get(key: string): ResidentRow | undefined {
    const row = this.#rows.has(key) ? this.#rows.get(key) : this.container.row(key);
    return row === undefined || this.container.isExpired(row, this.container.nowSeconds()) ? undefined : row;
  }

  put(row: ResidentRow): void {
    this.#rows.set(row.key, row);
    for (const text of row.uniqueTexts) {
      this.#uniqueOwners.set(text, row.key);
    }
    this.changes.push({ key: row.key, position: row.position, row });
  }

  /** Removes a row; does nothing where there is none. */
  remove(key: string, position: number): void {
    const removed = this.get(key);
    if (removed !== undefined) {
      this.#rows.set(key, undefined);
      this.changes.push({ key, position, removed });
    }
  }

  /** Whether a row other than that of `key` holds a unique text. */
  isTaken(text: string, key: string): boolean {
    const owner = this.#uniqueOwners.get(text) ?? this.container.uniqueOwner(text);
    return owner !== undefined && owner !== key && this.get(owner)?.uniqueTexts.includes(text) === true;
  }

  /** Rows of this draft that were created in it, in creation order. */
  createdRows(): ResidentRow[] {
    return Array.from(this.#rows.values())
      .filter((row) => row !== undefined && row.ordinal !== this.container.row(row.key)?.ordinal)
      .map((row) => row as ResidentRow)
      .sort((left, right) => left.ordinal - right.ordinal);
  }
}
