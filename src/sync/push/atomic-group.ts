import { PerigeeError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { PartitionKeyText } from '../../store/partition-key.ts';
import { STORE_LIMITS, utf8Length } from '../../store/limits.ts';
import type { PreparedKey, WriteOperation } from '../../store/write-rules.ts';
import type { Program } from '../../stores/sqlite/driver.ts';
import type { AppliedWrite, GroupJournal, WriteJournal } from '../../stores/sqlite/write-journal.ts';
import { formGroup } from './groups.ts';

/** Kept free of a batch's bytes for each document: its stamp, which names other writes where a policy merges. */
const STAMP_BYTES = 512;

/** Records the writes of one transaction, and makes them an atomic group at its end: they go to the remote whole or not at all. */
export class AtomicGroup implements GroupJournal {
  readonly name: string;
  readonly needsPreviousText: boolean;
  readonly #journal: Required<Omit<WriteJournal, 'group'>>;
  readonly #scopeOf: (key: PreparedKey) => number;
  readonly #runtime: Runtime;
  /** Bytes of what was written last of each document. */
  readonly #bytes = new Map<string, number>();
  #first: AppliedWrite | undefined;

  constructor(journal: Required<WriteJournal>, scopeOf: (key: PreparedKey) => number, runtime: Runtime) {
    this.name = journal.name;
    this.needsPreviousText = journal.needsPreviousText;
    this.#journal = journal;
    this.#scopeOf = scopeOf;
    this.#runtime = runtime;
  }

  check(operation: WriteOperation): void {
    this.#journal.check(operation);
  }

  checkChange(previousText: string, document: JsonObject): void {
    this.#journal.checkChange(previousText, document);
  }

  keeps(partitionKeyText: PartitionKeyText, id: string): Program<boolean> {
    return this.#journal.keeps(partitionKeyText, id);
  }

  *recorded(write: AppliedWrite): Program<void> {
    yield* this.#journal.recorded(write);
    this.#first ??= write;
    this.#bytes.set(write.key.id, STAMP_BYTES + (write.document === undefined ? 0 : utf8Length(write.document.text)));
  }

  /** @throws TOO_LARGE where the remote could not take all of it in one batch */
  *end(): Program<void> {
    if (this.#first === undefined || this.#bytes.size < 2) {
      return;
    }
    const { key, position } = this.#first;
    const count = yield* formGroup(this.#scopeOf(key), position, [...this.#bytes.keys()], this.#runtime.nowMs());
    const bytes = [...this.#bytes.values()].reduce((sum, one) => sum + one, 0);
    const { batchOperations, documentBytes } = STORE_LIMITS;
    if (count > batchOperations || (count > 1 && bytes > documentBytes)) {
      throw new PerigeeError(
        'TOO_LARGE',
        `Cannot write ${count} documents of ${bytes} bytes in one transaction: it is sent as one batch, of ${batchOperations} operations and ${documentBytes} bytes at most. Nothing was written; divide it.`,
        { details: { documents: count, bytes } },
      );
    }
  }
}
