import { isOutsideRetention, raiseFloor, type RetentionFloor } from '../../store/version-retention.ts';
import type { ResidentRow } from './resident-container.ts';

/** One recorded write: the version before it, the version after it, or both. */
export interface RecordedChange {
  readonly position: number;
  /** When it was committed; of a document that expired, when it did. Milliseconds since 1970. */
  readonly atMs: number;
  readonly row: ResidentRow | undefined;
  readonly previous: ResidentRow | undefined;
  /** Whether the time to live of the previous version had run out. */
  readonly expired: boolean;
}

/** How many entries may be gone before the list is cut. */
const MIN_DEAD = 1000;

/** Every write of a container in commit order, for as long as its change feed policy says. Rows are shared with the container, so an entry is small. */
export class VersionLog {
  #entries: (RecordedChange | undefined)[];
  /** Entries before it are gone. */
  #start = 0;
  #floor: RetentionFloor;

  constructor(floor: RetentionFloor, entries: readonly RecordedChange[] = []) {
    this.#floor = floor;
    this.#entries = [...entries];
  }

  get floor(): RetentionFloor {
    return this.#floor;
  }

  /** How many changes are kept. */
  get size(): number {
    return this.#entries.length - this.#start;
  }

  /** Appends a change; its position is higher than all before. */
  append(change: RecordedChange): void {
    this.#entries.push(change);
  }

  /** Drops up to `limit` changes from the front that are older than they are kept; gives whether more may be. */
  trim(nowMs: number, keptMs: number, limit: number): boolean {
    let left = limit;
    for (let first = this.#entries[this.#start]; first !== undefined; first = this.#entries[this.#start]) {
      if (!isOutsideRetention(first.atMs, nowMs, keptMs)) {
        return false;
      }
      if (left === 0) {
        return true;
      }
      left -= 1;
      this.#floor = raiseFloor(this.#floor, first.position, first.atMs, nowMs);
      this.#entries[this.#start] = undefined;
      this.#start += 1;
      if (this.#start > MIN_DEAD && this.#start * 2 > this.#entries.length) {
        this.#entries = this.#entries.slice(this.#start);
        this.#start = 0;
      }
    }
    return false;
  }

  /** All changes that are kept, as they are now. */
  toArray(): readonly RecordedChange[] {
    return this.#entries.slice(this.#start) as RecordedChange[];
  }

  /** The changes behind a position, in commit order. Nothing may be appended or dropped meanwhile. */
  *behind(position: number): Generator<RecordedChange> {
    for (let index = this.#indexBehind(position); index < this.#entries.length; index += 1) {
      yield this.#entries[index] as RecordedChange;
    }
  }

  /** The position behind which the changes of a time and later are; `undefined` where there are none. */
  positionBefore(atMs: number): number | undefined {
    for (let index = this.#start; index < this.#entries.length; index += 1) {
      const entry = this.#entries[index] as RecordedChange;
      if (entry.atMs >= atMs) {
        return entry.position - 1;
      }
    }
    return undefined;
  }

  #indexBehind(position: number): number {
    let low = this.#start;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#entries[middle] as RecordedChange).position > position) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low;
  }
}
