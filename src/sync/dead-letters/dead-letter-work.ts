import { PerigeeError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import { parsePartitionKeyText, partitionKeyJson } from '../../store/partition-key.ts';
import { prepareDocument } from '../../store/prepared-document.ts';
import type { Program } from '../../stores/sqlite/driver.ts';
import { readBase } from '../state/base-versions.ts';
import { listDeadLetterRows, type DeadLetterPlace, type DeadLetterRow } from './list-dead-letters.ts';
import type { DeadLetter, DeadLetterExport, DeadLetterKey, DeadLetterQuery, DeadLetterRemote, DeadLettersOptions } from './dead-letters.ts';
import { clearPending, readPending, retryRejectedRows, type OutboxRow } from '../push/outbox.ts';
import { readPendingBody, readPendingVersion } from '../push/pending-version.ts';
import { parseSnapshot } from '../remote/remote-snapshot.ts';
import { updateScope, type Scope } from '../state/scope.ts';
import { journalLoser } from '../decide/settle.ts';
import { takeRemote } from '../decide/take-remote.ts';
import { inForm } from '../remote/wire-stamp.ts';

/** Dead letters read at once for an export. */
const EXPORT_PAGE = 50;

/** What {@link DeadLetters} does. */
export class DeadLetterWork {
  readonly #options: DeadLettersOptions;

  constructor(options: DeadLettersOptions) {
    this.#options = options;
  }

  async list(query: DeadLetterQuery): Promise<readonly DeadLetter[]> {
    return (await this.#page(query.container, undefined, query.limit ?? 100)).letters;
  }

  /** Some of an export, and the place where it goes on. */
  async exportPage(
    after: DeadLetterPlace | undefined,
  ): Promise<{ readonly letters: readonly DeadLetterExport[]; readonly last: DeadLetterPlace | undefined }> {
    const { letters, rows } = await this.#page(undefined, after, EXPORT_PAGE);
    const exported = letters.map((letter) => ({
      ...letter,
      partitionKey: partitionKeyJson(letter.partitionKey),
      local: this.#sharedOf(letter),
    }));
    return { letters: exported, last: rows.at(-1) };
  }

  async edit(key: DeadLetterKey, document: object): Promise<void> {
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
  }

  async retry(only: DeadLetterKey | undefined): Promise<number> {
    const { scopes, scopeOf } = this.#options;
    let count = 0;
    for (const scope of only === undefined ? scopes : [scopeOf(only.container, only.partitionKey)]) {
      count += await this.#lift(scope, only?.id);
    }
    return count;
  }

  async discard(key: DeadLetterKey): Promise<void> {
    const scope = this.#options.scopeOf(key.container, key.partitionKey);
    await this.#options.context.database.write(() => this.#discarded(scope, key.id));
    this.#options.onChanged();
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
