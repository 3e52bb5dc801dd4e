/** A document of the kill test. */
export interface KillItem {
  readonly id: string;
  readonly pk: string;
  readonly n: number;
  readonly text: string;
}

/** One change of one document: what a feed of all versions must tell of it. */
export interface KillEvent {
  readonly type: 'create' | 'replace' | 'delete';
  readonly id: string;
  /** Etag of the version that the write left; `undefined` where nobody was told of it, and for a delete. */
  readonly etag: string | undefined;
  /** What the write left; `undefined` for a delete. */
  readonly item: KillItem | undefined;
}

/** A document as it must be now. */
export interface HeldKillItem {
  readonly item: KillItem;
  readonly etag: string;
}
