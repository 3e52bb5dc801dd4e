/** One version of a document at the remote. */
export interface HistoryEntry {
  /** The text that the write put, unique to it; `undefined` for a deletion. */
  readonly text: string | undefined;
  /** Device that wrote it, or a stranger. */
  readonly by: string;
  /** When it expires at the remote, in milliseconds since 1970; absent for never. */
  readonly expiresAtMs?: number | undefined;
}

/** Takes away what has expired. */
export const TIME = 'time';

/** Every version that each document ever had at the remote, in the order in which the remote took them. */
export class RemoteHistory {
  readonly #versions = new Map<string, HistoryEntry[]>();
  #count = 0;

  /** All versions of a document, by `owner/id`. */
  of(key: string): readonly HistoryEntry[] {
    return this.#versions.get(key) ?? [];
  }

  /** The newest version; `undefined` where there never was any. */
  last(key: string): HistoryEntry | undefined {
    return this.#versions.get(key)?.at(-1);
  }

  /** Whether a document ever had a text. */
  has(key: string, text: string): boolean {
    return this.of(key).some((entry) => entry.text === text);
  }

  /** Versions that there have been of all documents. */
  get count(): number {
    return this.#count;
  }

  add(key: string, entry: HistoryEntry): void {
    this.#count += 1;
    const versions = this.#versions.get(key) ?? [];
    this.#versions.set(key, versions);
    versions.push(entry);
  }

  /** Takes note of what has expired by a time. */
  expire(nowMs: number): void {
    for (const [key, versions] of this.#versions) {
      if ((versions.at(-1)?.expiresAtMs ?? Number.POSITIVE_INFINITY) <= nowMs) {
        this.add(key, { text: undefined, by: TIME });
      }
    }
  }

  /** Keys of documents that ever were there. */
  keys(): readonly string[] {
    return Array.from(this.#versions.keys());
  }
}
