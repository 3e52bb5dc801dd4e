import type { PartitionKeyText } from '../../store/partition-key.ts';
import type { CreationEntry } from './creation-entry.ts';
import { OrderLog } from './order-log.ts';
import { ParsedRows } from './parsed-rows.ts';
import type { ResidentRow } from './resident-container.ts';

const EMPTY_LOG = new OrderLog<CreationEntry>();

/** The committed rows of a container, by key and in the order of creation, of the whole and of each partition key by itself. */
export class ResidentRows {
  readonly created: OrderLog<CreationEntry> = new OrderLog();
  readonly parsed: ParsedRows = new ParsedRows();
  /** Whether a row ever had an expiry of its own, which holds whatever the container says. */
  hasOwnExpiries = false;
  /** The entries that have a row, by its key. */
  readonly #entries = new Map<string, CreationEntry>();
  readonly #createdByPartition = new Map<PartitionKeyText, OrderLog<CreationEntry>>();

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): ResidentRow | undefined {
    return this.#entries.get(key)?.row;
  }

  /** What was created, in that order: in one partition key, or in all. */
  createdIn(partitionKeyText: PartitionKeyText | undefined): OrderLog<CreationEntry> {
    return partitionKeyText === undefined ? this.created : (this.#createdByPartition.get(partitionKeyText) ?? EMPTY_LOG);
  }

  /** The rows in the order of creation. No document may be created meanwhile. */
  *inOrder(): Generator<ResidentRow> {
    for (let index = 0; index < this.created.size; index += 1) {
      const row = this.created.at(index)?.row;
      if (row !== undefined) {
        yield row;
      }
    }
  }

  /** Puts a row in the place of the version before it, or behind all others. Gives its entry. */
  place(row: ResidentRow): CreationEntry {
    const { key, ordinal } = row;
    this.hasOwnExpiries ||= row.expiresAt !== undefined;
    const known = this.#entries.get(key);
    if (known?.order === ordinal) {
      this.parsed.forget(known);
      known.row = row;
      known.bytes = row.text.length;
      return known;
    }
    if (known !== undefined) {
      this.#empty(known);
    }
    const entry: CreationEntry = { order: ordinal, key, row, bytes: row.text.length, parsed: undefined };
    this.#entries.set(key, entry);
    this.created.append(entry);
    this.#partitionLog(row.partitionKeyText).append(entry);
    return entry;
  }

  remove(key: string): void {
    const entry = this.#entries.get(key);
    if (entry !== undefined) {
      this.#empty(entry);
      this.#entries.delete(key);
    }
  }

  clear(): void {
    for (const entry of this.#entries.values()) {
      this.#empty(entry);
    }
    this.#entries.clear();
    this.#createdByPartition.clear();
  }

  /** Frees entries whose rows are gone. */
  sweep(): void {
    const isLiving = ({ row }: CreationEntry): boolean => row !== undefined;
    this.created.rewrite(this.size, isLiving);
    for (const [text, log] of this.#createdByPartition) {
      if (log.compact(isLiving) === 0) {
        this.#createdByPartition.delete(text);
      }
    }
  }

  #empty(entry: CreationEntry): void {
    this.parsed.forget(entry);
    entry.row = undefined;
  }

  #partitionLog(partitionKeyText: PartitionKeyText): OrderLog<CreationEntry> {
    let log = this.#createdByPartition.get(partitionKeyText);
    if (log === undefined) {
      log = new OrderLog<CreationEntry>();
      this.#createdByPartition.set(partitionKeyText, log);
    }
    return log;
  }
}
