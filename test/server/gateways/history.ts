/** What one version of a document held: the name of the write that made it, and a number. */
export interface Version {
  readonly w: string;
  readonly n: number;
}

/**
 * One call on one document, as a client knows it. A batch is a call for each of its documents.
 *
 * `start` and `end` are places on one line: a call that ended before another started happened before it.
 */
export interface Call {
  readonly container: string;
  readonly pk: string;
  readonly id: string;
  readonly kind: 'read' | 'create' | 'upsert' | 'replace' | 'patch' | 'delete';
  readonly start: number;
  /** Infinity where no answer came: what it does may take effect at any time after its start, or never. */
  readonly end: number;
  readonly outcome: 'ok' | 'refused' | 'unknown';
  /** 404, 409 or 412, where it was refused. */
  readonly status?: number;
  /** The version that the document has to have, where the call was guarded by an etag: the write that made it. */
  readonly ifWrite?: string;
  /** The name of this write; no two have one. */
  readonly w?: string;
  /** What a create, an upsert or a replace sets. */
  readonly n?: number;
  /** What a patch adds. */
  readonly by?: number;
  /** A patch that is only for even numbers. */
  readonly onlyEven?: boolean;
  /** What a read found; `undefined` for no document. */
  readonly found?: Version | undefined;
  /** The etag of what was read or written, where the answer told. */
  readonly etag?: string | undefined;
  /** The batch that it is part of. */
  readonly batch?: string;
}

/** One change that a reader of the latest-version feed was given. */
export interface SeenChange {
  readonly pk: string;
  readonly id: string;
  readonly w: string;
  readonly n: number;
  readonly etag: string;
  readonly lsn: number;
}

/** One change that a reader of the feed of all versions was given. */
export interface SeenVersion {
  readonly type: 'create' | 'replace' | 'delete';
  readonly pk: string;
  readonly id: string;
  readonly lsn: number;
  /** `undefined` for a delete. */
  readonly current: (Version & { readonly etag: string }) | undefined;
  /** `undefined` for a create. */
  readonly previous: Version | undefined;
  readonly previousLsn: number | undefined;
}

/** The document that a call is about. */
export function documentOf({ container, pk, id }: Pick<Call, 'container' | 'pk' | 'id'>): string {
  return `${container}/${pk}/${id}`;
}

/** All calls of a run, and the line on which they start and end. */
export class History {
  readonly calls: Call[] = [];
  #place = 0;

  /** The next place on the line. */
  tick(): number {
    this.#place += 1;
    return this.#place;
  }

  add(call: Call): void {
    this.calls.push(call);
  }
}
