import type { DocumentStore, StoreTransaction } from '../../store/document-store.ts';
import type { CallOptions } from '../../store/operations.ts';
import type { PartitionKeyInput } from '../../store/partition-key.ts';

/**
 * A transaction that begins when it is first needed and is ended by calls: {@link DocumentStore.transact} turned inside out.
 *
 * Scripts that only compute thus hold up nobody who writes.
 */
export class OpenTransaction {
  readonly #store: DocumentStore;
  readonly #partitionKey: PartitionKeyInput;
  readonly #options: CallOptions;
  #begun: Promise<StoreTransaction> | undefined;
  /** Settles with the transaction itself. */
  #whole: Promise<void> | undefined;
  #finish: { readonly commit: () => void; readonly undo: (reason: unknown) => void } | undefined;

  /** @param options of the transaction; the signal undoes it, and ends the waiting for its turn. */
  constructor(store: DocumentStore, partitionKey: PartitionKeyInput, options: CallOptions) {
    this.#store = store;
    this.#partitionKey = partitionKey;
    this.#options = options;
  }

  /** The transaction, begun now if it was not: then others may be waited for. Call it again only after it has resolved. */
  begin(): Promise<StoreTransaction> {
    this.#begun ??= new Promise((resolve, reject) => {
      this.#whole = this.#store.transact(
        this.#partitionKey,
        (transaction) => {
          const finished = new Promise<void>((commit, undo) => {
            this.#finish = { commit, undo };
          });
          resolve(transaction);
          return finished;
        },
        this.#options,
      );
      this.#whole.catch(reject);
    });
    return this.#begun;
  }

  /** Makes what was written take effect; resolves when it has. @throws what the store's commit throws */
  async commit(): Promise<void> {
    this.#finish?.commit();
    await this.#whole;
  }

  /** Undoes everything; resolves when it has. */
  async undo(): Promise<void> {
    // One that is still waiting for its turn begins and ends then.
    await this.#begun?.catch(() => undefined);
    this.#finish?.undo(new Error('The script failed.'));
    await this.#whole?.catch(() => undefined);
  }
}
