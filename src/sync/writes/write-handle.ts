/** Where a write can have arrived: in the file of the device, or at the remote. */
export type WriteTier = 'local' | 'remote';

/** How long {@link WriteHandle.reached} waits. */
export interface ReachedOptions {
  readonly signal?: AbortSignal | undefined;
  /** For ever unless said otherwise. */
  readonly timeoutMs?: number | undefined;
}

/** Beside the result of a write, and not enumerable, so that results compare and print as without it. */
export interface WriteHandle {
  /**
   * `local` resolves at once: the write is in the file, as durable as the options of the backend say. `remote` resolves when the remote has acknowledged the write or a later one of the document that
   * took its place on the device; at once where that is so already. Starts no run: a schedule does after each write, otherwise it waits for whoever calls `sync()`, here or in another process
   * on the file.
   *
   * The write counts as lost where it, or a later one of the document, lost a conflict or was discarded since it was made. A merge is no loss: the merged document is what is waited for.
   *
   * @throws the code of the refusal when the document is a dead letter; SYNC_LOST with `details.journalSeq`; TIMEOUT; CLOSED; the signal's reason; SYNC_SCOPE in a container without a remote
   */
  reached(tier: WriteTier, options?: ReachedOptions): Promise<void>;
}

/** A write whose way is followed. */
export interface FollowedWrite {
  readonly id: string;
  /** Number of its scope. */
  readonly scope: number;
  /** Newest entry of the journal when it was made. */
  readonly journalSeq: number;
}
