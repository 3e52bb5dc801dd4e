/** A plain model of one recorded container: what its documents are, and what its feed of all versions has to say. */

export interface ModelDocument {
  readonly id: string;
  readonly pk: string;
  readonly sub: number;
  readonly n: number;
  readonly ttl: number | undefined;
  readonly ts: number;
  readonly created: number;
}

/** What a change has to look like. */
export interface ModelChange {
  readonly operation: 'create' | 'replace' | 'delete';
  readonly id: string;
  readonly pk: string;
  readonly sub: number;
  readonly n: number | undefined;
  readonly before: number | undefined;
  readonly ts: number;
  readonly expired: boolean;
}

export type ModelStart = 'now' | 'beginning' | { readonly timeMs: number } | { readonly recording: number; readonly index: number };

export interface ModelScope {
  readonly accepts: (document: { readonly pk: string; readonly sub: number }) => boolean;
}

/** The key of a document. */
export function keyOf({ id, pk, sub }: { readonly id: string; readonly pk: string; readonly sub: number }): string {
  return JSON.stringify([pk, sub, id]);
}

export class VersionModel {
  nowMs: number;
  readonly documents: Map<string, ModelDocument> = new Map();
  defaultTtl: number | undefined;
  keptMinutes: number | undefined;
  /** Counts the recordings: each begins with a policy. */
  recording: number = 0;
  #definedTs: number;
  #log: { readonly atMs: number; readonly change: ModelChange }[] = [];
  #dropped = 0;
  #wholeFromMs = 0;
  #ordinal = 0;

  constructor(nowMs: number, defaultTtl: number | undefined, keptMinutes: number | undefined) {
    this.nowMs = nowMs;
    this.defaultTtl = defaultTtl;
    this.keptMinutes = keptMinutes;
    this.#wholeFromMs = nowMs;
    this.#definedTs = this.#seconds;
  }

  get #seconds(): number {
    return Math.floor(this.nowMs / 1000);
  }

  /** Documents that are there. */
  living(): ModelDocument[] {
    this.#expire();
    return [...this.documents.values()];
  }

  find(key: string): ModelDocument | undefined {
    this.#expire();
    return this.documents.get(key);
  }

  put(id: string, pk: string, sub: number, n: number, ttl: number | undefined): void {
    const before = this.find(keyOf({ id, pk, sub }));
    this.#ordinal += 1;
    const document = { id, pk, sub, n, ttl, ts: this.#seconds, created: before?.created ?? this.#ordinal };
    this.documents.set(keyOf(document), document);
    this.#record(before === undefined ? 'create' : 'replace', document, n, before?.n, this.nowMs, false);
  }

  remove(key: string): void {
    const document = this.find(key) as ModelDocument;
    this.documents.delete(key);
    this.#record('delete', document, undefined, document.n, this.nowMs, false);
  }

  redefine(defaultTtl: number | undefined, keptMinutes: number | undefined): void {
    this.#expire();
    this.#drop();
    if ((keptMinutes === undefined) !== (this.keptMinutes === undefined)) {
      this.recording += 1;
      this.#log = [];
      this.#dropped = 0;
      this.#wholeFromMs = this.nowMs;
    }
    this.defaultTtl = defaultTtl;
    this.keptMinutes = keptMinutes;
    this.#definedTs = this.#seconds;
  }

  /** What a reader gets, to the end, and where it stands then; `undefined` where it is refused. */
  read(from: ModelStart, scope: ModelScope): { readonly changes: ModelChange[]; readonly end: ModelStart } | undefined {
    this.#expire();
    this.#drop();
    const first = this.#startIndex(from);
    if (first === undefined) {
      return undefined;
    }
    const changes = this.#log.slice(first - this.#dropped).map(({ change }) => change);
    return { changes: changes.filter(scope.accepts), end: { recording: this.recording, index: this.#dropped + this.#log.length } };
  }

  #startIndex(from: ModelStart): number | undefined {
    const end = this.#dropped + this.#log.length;
    if (this.keptMinutes === undefined || from === 'beginning') {
      return undefined;
    }
    if (from === 'now') {
      return end;
    }
    if ('timeMs' in from) {
      const second = Math.floor(from.timeMs / 1000) * 1000;
      if (from.timeMs < this.nowMs - this.keptMinutes * 60_000 || second < Math.floor(this.#wholeFromMs / 1000) * 1000) {
        return undefined;
      }
      const found = this.#log.findIndex(({ atMs }) => atMs >= second);
      return found === -1 ? end : this.#dropped + found;
    }
    return from.recording !== this.recording || from.index < this.#dropped ? undefined : from.index;
  }

  /** Everything that has expired by now, in the order of its time. */
  #expire(): void {
    const due = [...this.documents.values()].flatMap((document) => {
      const ttl = this.defaultTtl === undefined ? -1 : (document.ttl ?? this.defaultTtl);
      const at = document.ts + ttl;
      return ttl !== -1 && at <= this.#seconds ? [{ document, at }] : [];
    });
    due.sort((left, right) => left.at - right.at || left.document.created - right.document.created);
    for (const { document, at } of due) {
      this.documents.delete(keyOf(document));
      this.#record('delete', document, undefined, document.n, Math.max(at, this.#definedTs) * 1000, true);
    }
  }

  #record(
    operation: ModelChange['operation'],
    { id, pk, sub }: ModelDocument,
    n: number | undefined,
    before: number | undefined,
    atMs: number,
    expired: boolean,
  ): void {
    if (this.keptMinutes !== undefined) {
      this.#log.push({ atMs, change: { operation, id, pk, sub, n, before, ts: Math.floor(atMs / 1000), expired } });
    }
  }

  #drop(): void {
    const keptMs = (this.keptMinutes ?? 0) * 60_000;
    for (let first = this.#log[0]; first !== undefined && first.atMs < this.nowMs - keptMs; first = this.#log[0]) {
      this.#log.shift();
      this.#dropped += 1;
      this.#wholeFromMs = Math.max(this.#wholeFromMs, (Math.floor(first.atMs / 1000) + 1) * 1000);
    }
  }
}
