import type { ErrorCode } from '../core/error-codes.ts';
import { PerigeeError } from '../core/errors.ts';
import type { JsonObject, JsonValue } from '../core/json.ts';
import type { CallTracker } from '../store/call-tracker.ts';
import type { DocumentKey } from '../store/operations.ts';
import { parsePartitionKeyText, partitionKeyJson, type PartitionKey, type PartitionKeyInput } from '../store/partition-key.ts';
import { prepareDocument } from '../store/prepared-document.ts';
import type { Program } from '../stores/sqlite/driver.ts';
import { readBase } from './base-versions.ts';
import { listDeadLetterRows, type DeadLetterPlace, type DeadLetterRow } from './dead-letter-rows.ts';
import { clearPending, readPending, retryRejectedRows, type OutboxRow } from './outbox.ts';
import { readPendingBody, readPendingVersion } from './pending-version.ts';
import { parseSnapshot } from './remote-snapshot.ts';
import { updateScope, type Scope } from './scope.ts';
import { journalLoser } from './settle.ts';
import type { SyncContext } from './sync-context.ts';
import { takeRemote } from './take-remote.ts';
import { inForm } from './wire-stamp.ts';

/** Dead letters read at once for an export. */
const EXPORT_PAGE = 50;

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
}

/** A dead letter that `JSON.stringify` keeps whole. */
export interface DeadLetterExport extends Omit<DeadLetter, 'partitionKey' | 'local'> {
  /** A missing component is `{}`, as on the wire. */
  readonly partitionKey: readonly JsonValue[];
  /** Without local fields; `null` for a deletion. */
  readonly local: JsonObject | null;
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
 */
export class DeadLetters {
  readonly #options: DeadLettersOptions;

  /** @internal */
  constructor(options: DeadLettersOptions) {
    this.#options = options;
  }

  /** Dead letters of the partition keys in scope with both versions, those refused first at the front. */
  list(query: DeadLetterQuery = {}): Promise<readonly DeadLetter[]> {
    return this.#options.calls.run(undefined, () =>
      this.#page(query.container, undefined, query.limit ?? 100).then(({ letters }) => letters),
    );
  }

  /** Every dead letter as JSON, read in pages: for a file, or for people who help. */
  async *export(): AsyncGenerator<DeadLetterExport, void, undefined> {
    for (let after: DeadLetterPlace | undefined; ;) {
      const { letters, rows } = await this.#options.calls.run(undefined, () => this.#page(undefined, after, EXPORT_PAGE));
      for (const letter of letters) {
        const partitionKey = partitionKeyJson(letter.partitionKey);
        yield { ...letter, partitionKey, local: this.#sharedOf(letter) };
      }
      after = rows.at(-1);
      if (after === undefined) {
        return;
      }
    }
  }

  /**
   * Puts a repaired document in the place of the refused one, and lets it be sent.
   *
   * @throws NOT_FOUND when there is no such dead letter; PARTITION_KEY_MISMATCH or INVALID_DOCUMENT when the document has another key; SYNC_SCOPE
   */
  edit(key: DeadLetterKey, document: object): Promise<void> {
    return this.#options.calls.run(undefined, async () => {
      const scope = this.#options.scopeOf(key.container, key.partitionKey);
      await this.#options.context.database.read(() => this.#require(scope, key.id));
      const prepared = prepareDocument(document, scope.paths);
      if (prepared.id !== key.id || prepared.partitionKeyText !== scope.partitionKeyText) {
        throw new PerigeeError(
          prepared.id === key.id ? 'PARTITION_KEY_MISMATCH' : 'INVALID_DOCUMENT',
          `Cannot edit the dead letter ${JSON.stringify(key.id)}: the document has another id or partition key. Discard the dead letter and create the other document.`,
        );
      }
      // Should the process end between the two, the edited document waits as a dead letter.
      await scope.store.upsert(document as JsonObject & { readonly id: string });
      await this.#lift(scope, key.id);
    });
  }

  /** Lets one dead letter be sent again, or all of them, as they are on the device now; gives how many. @throws SYNC_SCOPE */
  retry(only?: DeadLetterKey): Promise<number> {
    return this.#options.calls.run(undefined, async () => {
      const { scopes, scopeOf } = this.#options;
      let count = 0;
      for (const scope of only === undefined ? scopes : [scopeOf(only.container, only.partitionKey)]) {
        count += await this.#lift(scope, only?.id);
      }
      return count;
    });
  }

  /**
   * Gives up the local version of a dead letter: it goes to the journal, from which `restore` brings it back, and the remote version takes its place at once,
   * also offline. Where the remote could not be asked, the document leaves the device until the next run, which then reconciles.
   *
   * @throws NOT_FOUND when there is no such dead letter; SYNC_SCOPE
   */
  discard(key: DeadLetterKey): Promise<void> {
    return this.#options.calls.run(undefined, async () => {
      const scope = this.#options.scopeOf(key.container, key.partitionKey);
      await this.#options.context.database.write(() => this.#discarded(scope, key.id));
      this.#options.onChanged();
    });
  }

  /** The local version without what never leaves the device. */
  #sharedOf({ container, partitionKey, local }: DeadLetter): JsonObject | null {
    return local === undefined ? null : this.#options.scopeOf(container, partitionKey).form.shared(local);
  }

  async #lift(scope: Scope, id: string | undefined): Promise<number> {
    const count = await this.#options.context.database.write(() => retryRejectedRows(scope.number, id));
    if (count > 0) {
      this.#options.onChanged();
    }
    return count;
  }

  *#require(scope: Scope, id: string): Program<OutboxRow> {
    const row = yield* readPending(scope.number, id);
    if (row === undefined || row.rejected_code === null) {
      throw new PerigeeError(
        'NOT_FOUND',
        `There is no dead letter of the document ${JSON.stringify(id)}: it is not pending, or the remote did not refuse it.`,
      );
    }
    return row;
  }

  *#discarded(scope: Scope, id: string): Program<void> {
    const { context } = this.#options;
    const row = yield* this.#require(scope, id);
    const base = yield* readBase(scope.number, id);
    const local = yield* readPendingVersion(scope, row, base);
    const snapshot = parseSnapshot(row.rejected_remote);
    const remote = snapshot.state === 'known' ? inForm(scope.form, snapshot.version) : undefined;
    if (local !== undefined) {
      yield* journalLoser(context, scope, id, local, remote, 'discarded');
    }
    yield* clearPending(scope.number, id, row.generation);
    yield* takeRemote(context, scope, id, base, remote);
    if (snapshot.state === 'unknown') {
      // A reconciliation finds what the remote holds and the device does not.
      yield* updateScope(scope.number, { last_reconcile_ms: 0 });
    }
  }

  async #page(
    container: string | undefined,
    after: DeadLetterPlace | undefined,
    limit: number,
  ): Promise<{ readonly rows: readonly DeadLetterRow[]; readonly letters: readonly DeadLetter[] }> {
    const { context, scopes } = this.#options;
    const byNumber = new Map(scopes.map((scope) => [scope.number, scope]));
    return context.database.read(function* () {
      const rows = yield* listDeadLetterRows([...byNumber.keys()], container, after, limit);
      const letters: DeadLetter[] = [];
      for (const row of rows) {
        letters.push(yield* letterOf(row, byNumber.get(row.scope) as Scope));
      }
      return { rows, letters };
    });
  }
}

/** A row with both documents. */
function* letterOf(row: DeadLetterRow, scope: Scope): Program<DeadLetter> {
  return {
    container: row.container,
    partitionKey: parsePartitionKeyText(row.pk),
    id: row.id,
    code: row.code,
    message: row.message,
    attempts: row.attempts,
    firstAtMs: row.first_at_ms,
    lastAtMs: row.last_at_ms,
    local: yield* readPendingBody(scope, row),
    remote: remoteOf(row, scope),
  };
}

function remoteOf({ remote }: DeadLetterRow, { form }: Scope): DeadLetterRemote {
  const snapshot = parseSnapshot(remote);
  if (snapshot.state !== 'known') {
    return snapshot;
  }
  const { deleted, etag, ts, body } = inForm(form, snapshot.version);
  return deleted ? { state: 'deleted', etag, ts } : { state: 'present', document: body, etag, ts };
}
