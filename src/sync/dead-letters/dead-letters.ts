import type { ErrorCode } from '../../core/error-codes.ts';
import type { JsonObject, JsonValue } from '../../core/json.ts';
import type { CallTracker } from '../../store/call-tracker.ts';
import type { DocumentKey } from '../../store/operations.ts';
import type { PartitionKey, PartitionKeyInput } from '../../store/partition-key.ts';
import type { DeadLetterPlace } from './list-dead-letters.ts';
import type { DeadLetterWork } from './dead-letter-work.ts';
import { LATE } from '../late-parts.ts';
import { loadPart } from '../load-part.ts';
import type { Scope } from '../state/scope.ts';
import type { SyncContext } from '../sync-context.ts';

/** Names a document of an engine. */
export interface DeadLetterKey extends DocumentKey {
  readonly container: string;
}

/** What the remote held when it refused a write, or has held since. */
export type DeadLetterRemote =
  | { readonly state: 'present'; readonly document: JsonObject; readonly etag: string; /** Seconds. */ readonly ts: number }
  /** It was deleted there, and a tombstone is left. */
  | { readonly state: 'deleted'; readonly etag: string; /** Seconds. */ readonly ts: number }
  /** There is no such document. */
  | { readonly state: 'missing' }
  /** The remote could not be asked yet. */
  | { readonly state: 'unknown' };

/** A pending write that the remote refused for a reason of its own. It waits until it is edited, retried or discarded, and holds back nothing else. */
export interface DeadLetter {
  readonly container: string;
  readonly partitionKey: PartitionKey;
  readonly id: string;
  /** Why the remote refused it. */
  readonly code: ErrorCode;
  /** The reason as a sentence, without content of the document. */
  readonly message: string;
  /** How often the remote refused it since the document was last in step. */
  readonly attempts: number;
  /** Device time of the first refusal in milliseconds. */
  readonly firstAtMs: number;
  /** Device time of the last refusal in milliseconds. */
  readonly lastAtMs: number;
  /** What is pending: the document as it is on the device now, local fields included, without system properties; `undefined` for a deletion. */
  readonly local: JsonObject | undefined;
  readonly remote: DeadLetterRemote;
  /** Other documents of the same transaction: they wait with it, and what is done about it is done about all of them. */
  readonly group?: readonly DeadLetterMember[] | undefined;
}

/** A document that waits because another one of its transaction was refused. */
export interface DeadLetterMember {
  readonly id: string;
  /** As {@link DeadLetter.local}, by the transaction. */
  readonly local: JsonObject | undefined;
  readonly remote: DeadLetterRemote;
}

/** A dead letter that `JSON.stringify` keeps whole. */
export interface DeadLetterExport extends Omit<DeadLetter, 'partitionKey' | 'local' | 'group'> {
  /** A missing component is `{}`, as on the wire. */
  readonly partitionKey: readonly JsonValue[];
  /** Without local fields; `null` for a deletion. */
  readonly local: JsonObject | null;
  readonly group?: readonly (Omit<DeadLetterMember, 'local'> & { readonly local: JsonObject | null })[];
}

/** Which dead letters to list. */
export interface DeadLetterQuery {
  readonly container?: string | undefined;
  /** 100 unless said otherwise. */
  readonly limit?: number | undefined;
}

/** What dead letters need of their engine. */
export interface DeadLettersOptions {
  readonly context: SyncContext;
  readonly calls: CallTracker;
  /** Aborts when the engine closes. */
  readonly closing: AbortSignal;
  readonly scopes: readonly Scope[];
  /** @throws SYNC_SCOPE */
  readonly scopeOf: (container: string, partitionKey: PartitionKeyInput) => Scope;
  /** Called after something was left to send or to read. */
  readonly onChanged: () => void;
}

/**
 * Writes that the remote refused for a reason of their own: what they are, why, and what to do about each. All others go on meanwhile.
 *
 * A later write of the same document through the store takes the place of what is pending and waits behind the dead letter: it is not sent before the
 * dead letter was edited here, retried or discarded.
 *
 * Where the document was written in a transaction with others, all of them are one dead letter: none is sent without the others. Their later writes wait behind it.
 */
export class DeadLetters {
  readonly #options: DeadLettersOptions;

  /** @internal */
  constructor(options: DeadLettersOptions) {
    this.#options = options;
  }

  /** Dead letters of the partition keys in scope with both versions, those refused first at the front. */
  list(query: DeadLetterQuery = {}): Promise<readonly DeadLetter[]> {
    return this.#do((work) => work.list(query));
  }

  /** Every dead letter as JSON, read in pages: for a file, or for people who help. */
  async *export(): AsyncGenerator<DeadLetterExport, void, undefined> {
    for (let after: DeadLetterPlace | undefined; ;) {
      const behind: DeadLetterPlace | undefined = after;
      const { letters, last } = await this.#do((work) => work.exportPage(behind));
      yield* letters;
      if (last === undefined) {
        return;
      }
      after = last;
    }
  }

  /**
   * Puts a repaired document in the place of the refused one, or of another one of its transaction, and lets it be sent.
   *
   * @throws NOT_FOUND when there is no such dead letter; PARTITION_KEY_MISMATCH or INVALID_DOCUMENT when the document has another key; SYNC_SCOPE
   */
  edit(key: DeadLetterKey, document: object): Promise<void> {
    return this.#do((work) => work.edit(key, document));
  }

  /** Lets one dead letter be sent again, or all of them, as they are on the device now, transactions as they were written; gives how many. @throws SYNC_SCOPE */
  retry(only?: DeadLetterKey): Promise<number> {
    return this.#do((work) => work.retry(only));
  }

  /**
   * Gives up the local version of a dead letter, and of all documents of its transaction: it goes to the journal, from which `restore` brings it back, and the remote version takes its place at once,
   * also offline. Where the remote could not be asked, the document leaves the device until the next run, which then reconciles.
   *
   * @throws NOT_FOUND when there is no such dead letter; SYNC_SCOPE
   */
  discard(key: DeadLetterKey): Promise<void> {
    return this.#do((work) => work.discard(key));
  }

  #do<R>(call: (work: DeadLetterWork) => Promise<R>): Promise<R> {
    const { calls, closing } = this.#options;
    return calls.run(undefined, async () => {
      const { DeadLetterWork: Work } = await loadPart(LATE.deadLetters, closing);
      return call(new Work(this.#options));
    });
  }
}
