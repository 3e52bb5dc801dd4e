/** What a device last wrote of its own into a document. */
export interface Draft {
  /** `undefined` where it has none. */
  readonly value: string | undefined;
  /** How many versions the document had at the remote by then. */
  readonly versions: number;
}

/** What each device has in documents that never leaves it, as far as that is known. */
export class Drafts {
  readonly #known = new Map<string, Draft>();
  #count = 0;

  /** A value that nobody wrote before. */
  next(device: string): string {
    this.#count += 1;
    return `${device} draft ${this.#count}`;
  }

  of(device: string, key: string): Draft | undefined {
    return this.#known.get(`${device} ${key}`);
  }

  set(device: string, key: string, draft: Draft): void {
    this.#known.set(`${device} ${key}`, draft);
  }

  /** What a device has may be anything, in one document or in all. */
  forget(device: string, key = ''): void {
    for (const name of this.#known.keys()) {
      if (key === '' ? name.startsWith(`${device} `) : name === `${device} ${key}`) {
        this.#known.delete(name);
      }
    }
  }
}
