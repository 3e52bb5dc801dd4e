import { PerigeeError } from '../../core/errors.ts';
import type { HlcStamp } from '../../core/hybrid-logical-clock.ts';
import type { JsonObject } from '../../core/json.ts';
import { parsePartitionKeyText, partitionKeyJson } from '../../store/partition-key.ts';
import { prepareDocument, type PreparedDocument } from '../../store/prepared-document.ts';
import type { Program } from '../../stores/sqlite/driver.ts';
import { readBase } from '../state/base-versions.ts';
import { listDeadLetterRows, type DeadLetterPlace, type DeadLetterRow } from './list-dead-letters.ts';
import type {
  DeadLetter,
  DeadLetterExport,
  DeadLetterMember,
  DeadLetterKey,
  DeadLetterQuery,
  DeadLetterRemote,
  DeadLettersOptions,
} from './dead-letters.ts';
import { countLetters, readRejected, retryUnit } from './dead-letter-rows.ts';
import { checkBody } from '../push/check-body.ts';
import { documentOf, readUnit, unitOf } from '../push/groups.ts';
import { retryRejectedRows, type OutboxRow } from '../push/outbox.ts';
import { replacePending } from '../push/replace-pending.ts';
import { readPendingBody, readPendingVersion } from '../push/pending-version.ts';
import { parseSnapshot } from '../remote/remote-snapshot.ts';
import { updateScope, type Scope } from '../state/scope.ts';
import { giveUp, journalLoser } from '../decide/settle.ts';
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
    const exported = letters.map(({ group, ...letter }) => ({
      ...letter,
      partitionKey: partitionKeyJson(letter.partitionKey),
      local: this.#sharedOf(letter, letter.local),
      ...(group === undefined ? {} : { group: group.map((member) => ({ ...member, local: this.#sharedOf(letter, member.local) })) }),
    }));
    return { letters: exported, last: rows.at(-1) };
  }

  async edit(key: DeadLetterKey, document: object): Promise<void> {
    const scope = this.#options.scopeOf(key.container, key.partitionKey);
    const { database, clock } = this.#options.context;
    const { group_id: group } = await database.read(() => this.#require(scope, key.id));
    const prepared = prepareDocument(document, scope.paths);
    if (prepared.id !== key.id || prepared.partitionKeyText !== scope.partitionKeyText) {
      throw new PerigeeError(
        prepared.id === key.id ? 'PARTITION_KEY_MISMATCH' : 'INVALID_DOCUMENT',
        `Cannot edit the dead letter ${JSON.stringify(key.id)}: the document has another id or partition key. Discard the dead letter and create the other document.`,
      );
    }
    if (group !== null) {
      checkBody(scope, prepared.value);
      await database.write(() => this.#editMember(scope, prepared, clock.next()));
      this.#options.onChanged();
      return;
    }
    // Should the process end between the two, the edited document waits as a dead letter.
    await scope.store.upsert(document as JsonObject & { readonly id: string });
    await this.#lift(scope, key.id);
  }

  async retry(only: DeadLetterKey | undefined): Promise<number> {
    const { scopes, scopeOf } = this.#options;
    if (only !== undefined) {
      return this.#lift(scopeOf(only.container, only.partitionKey), only.id);
    }
    let count = 0;
    for (const scope of scopes) {
      count += await this.#lift(scope, undefined);
    }
    return count;
  }

  async discard(key: DeadLetterKey): Promise<void> {
    const scope = this.#options.scopeOf(key.container, key.partitionKey);
    await this.#options.context.database.write(() => this.#discarded(scope, key.id));
    this.#options.onChanged();
  }

  /** The local version without what never leaves the device. */
  #sharedOf({ container, partitionKey }: Pick<DeadLetter, 'container' | 'partitionKey'>, local: JsonObject | undefined): JsonObject | null {
    return local === undefined ? null : this.#options.scopeOf(container, partitionKey).form.shared(local);
  }

  async #lift(scope: Scope, id: string | undefined): Promise<number> {
    const count = await this.#options.context.database.write(() => lifted(scope.number, id));
    if (count > 0) {
      this.#options.onChanged();
    }
    return count;
  }

  *#require(scope: Scope, id: string): Program<OutboxRow> {
    const row = yield* readRejected(scope.number, id);
    if (row === undefined) {
      throw new PerigeeError(
        'NOT_FOUND',
        `There is no dead letter of the document ${JSON.stringify(id)}: it is not pending, or the remote did not refuse it.`,
      );
    }
    return row;
  }

  *#editMember(scope: Scope, document: PreparedDocument, stamp: HlcStamp): Program<void> {
    const row = yield* this.#require(scope, document.id);
    yield* replacePending(scope, row, document, stamp);
    yield* retryUnit(scope.number, unitOf(row));
  }

  *#discarded(scope: Scope, id: string): Program<void> {
    const row = yield* this.#require(scope, id);
    for (const member of yield* readUnit(scope.number, unitOf(row))) {
      yield* this.#giveUp(scope, member);
    }
  }

  *#giveUp(scope: Scope, row: OutboxRow): Program<void> {
    const { context } = this.#options;
    const id = documentOf(row.id);
    const base = yield* readBase(scope.number, id);
    const local = yield* readPendingVersion(scope, row, base);
    const snapshot = parseSnapshot(row.rejected_remote);
    const remote = snapshot.state === 'known' ? inForm(scope.form, snapshot.version) : undefined;
    if (local !== undefined) {
      yield* journalLoser(context, scope, id, local, remote, 'discarded');
    }
    yield* giveUp(context, scope, row, base, remote);
    if (snapshot.state === 'unknown' || row.group_id !== null) {
      // A reconciliation finds what the remote holds and the device does not; nobody has looked at it while the group waited.
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

/** Lets one dead letter of a scope be sent again, or all of them; gives how many. */
function* lifted(scope: number, id: string | undefined): Program<number> {
  if (id !== undefined) {
    const row = yield* readRejected(scope, id);
    return row !== undefined && (yield* retryUnit(scope, unitOf(row))) ? 1 : 0;
  }
  const before = yield* countLetters(scope);
  yield* retryRejectedRows(scope, undefined);
  return before - (yield* countLetters(scope));
}

/** A row with both documents. */
function* letterOf(row: DeadLetterRow, scope: Scope): Program<DeadLetter> {
  const others: DeadLetterMember[] = [];
  const members = row.group_id === null ? [] : yield* readUnit(scope.number, unitOf(row));
  for (const member of members.filter(({ id }) => id !== row.id)) {
    others.push({
      id: documentOf(member.id),
      local: yield* readPendingBody(scope, member),
      remote: remoteOf(member.rejected_remote, scope),
    });
  }
  return {
    container: row.container,
    partitionKey: parsePartitionKeyText(row.pk),
    id: documentOf(row.id),
    code: row.code,
    message: row.message,
    attempts: row.attempts,
    firstAtMs: row.first_at_ms,
    lastAtMs: row.last_at_ms,
    local: yield* readPendingBody(scope, row),
    remote: remoteOf(row.remote, scope),
    ...(row.group_id === null ? {} : { group: others }),
  };
}

function remoteOf(text: string | null, { form }: Scope): DeadLetterRemote {
  const snapshot = parseSnapshot(text);
  if (snapshot.state !== 'known') {
    return snapshot;
  }
  const { deleted, etag, ts, body } = inForm(form, snapshot.version);
  return deleted ? { state: 'deleted', etag, ts } : { state: 'present', document: body, etag, ts };
}
