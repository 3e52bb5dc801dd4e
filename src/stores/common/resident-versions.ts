import { retentionMs, type RetentionFloor } from '../../store/version-retention.ts';
import { ExpiryQueue } from './expiry-queue.ts';
import type { ResidentContainer, ResidentRow } from './resident-container.ts';
import type { DraftChange } from './resident-draft.ts';
import { VersionLog, type RecordedChange } from './version-log.ts';

/** Changes that a commit drops at most from the front of the log. */
const TRIM_LIMIT = 1000;
/** Entries of the queue of expiries beyond twice as many as there are documents. */
const MIN_STALE = 1000;

/**
 * The recorded versions of a container, and the times at which its documents expire: an expiry is a delete like others and is recorded before
 * anything that is written after it.
 */
export class ResidentVersions {
  readonly log: VersionLog;
  readonly #container: ResidentContainer;
  readonly #expiries = new ExpiryQueue();

  constructor(container: ResidentContainer, floor: RetentionFloor, entries: readonly RecordedChange[] = []) {
    this.#container = container;
    this.log = new VersionLog(floor, entries);
    this.watchAll();
  }

  /** Learns the expiries of all documents anew, as after a change of the container's time to live. */
  watchAll(): void {
    this.#expiries.clear();
    for (const row of this.#container.rows.inOrder()) {
      this.#watch(row);
    }
  }

  /** Whether a document has expired that is not recorded yet. */
  hasDue(nowSeconds: number): boolean {
    for (let first = this.#expiries.first; first !== undefined && first.atSeconds <= nowSeconds; first = this.#expiries.first) {
      if (this.#container.row(first.key)?.position === first.position) {
        return true;
      }
      this.#expiries.pop();
    }
    return false;
  }

  /** Takes up to `limit` documents that have expired, in the order of their time. What is not committed in the end is given back: {@link giveBack}. */
  takeDue(nowSeconds: number, limit: number): ResidentRow[] {
    const due: ResidentRow[] = [];
    while (due.length < limit && this.hasDue(nowSeconds)) {
      due.push(this.#container.row(this.#expiries.pop()?.key as string) as ResidentRow);
    }
    return due;
  }

  giveBack(rows: readonly ResidentRow[]): void {
    for (const row of rows) {
      this.#watch(row);
    }
  }

  /** When a document that has expired is said to be deleted: then, but not before the time to live was set by which it did. */
  expiredAtMs(row: ResidentRow): number {
    return Math.max(this.#container.expiryOf(row) ?? 0, this.#container.info.ts) * 1000;
  }

  /** Records a change as it is committed; `before` is the committed row of its key. */
  record(change: DraftChange, before: ResidentRow | undefined): void {
    const { position, atMs, row, removed, expired = false } = change;
    const previous = removed ?? (before?.ordinal === row?.ordinal ? before : undefined);
    this.log.append({ position, atMs, row, previous, expired });
    if (row !== undefined) {
      this.#watch(row);
      if (this.#expiries.size > 2 * this.#container.rows.size + MIN_STALE) {
        this.watchAll();
      }
    }
  }

  /** Drops what is older than it is kept, but not more than a little; gives whether more may be. */
  trim(): boolean {
    const keptMs = retentionMs(this.#container.info.definition);
    return keptMs !== undefined && this.log.trim(this.#container.nowMs(), keptMs, TRIM_LIMIT);
  }

  #watch(row: ResidentRow): void {
    const atSeconds = this.#container.expiryOf(row);
    if (atSeconds !== undefined) {
      this.#expiries.push({ atSeconds, ordinal: row.ordinal, key: row.key, position: row.position });
    }
  }
}
