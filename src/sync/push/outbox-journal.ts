import { PerigeeError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import { equalValues } from '../../core/json-order.ts';
import type { PartitionKeyText } from '../../store/partition-key.ts';
import { parsePatchPath } from '../../store/patch.ts';
import { keyOf, type PreparedKey, type WriteOperation } from '../../store/write-rules.ts';
import { get, run, type Program } from '../../stores/sqlite/driver.ts';
import type { SqliteDatabase } from '../../stores/sqlite/sqlite-database.ts';
import type { AppliedWrite } from '../../stores/common/applied-write.ts';
import type { WriteJournal } from '../../stores/sqlite/write-journal.ts';
import { readBase } from '../state/base-versions.ts';
import { checkBody, reserved, RESERVED } from './check-body.ts';
import { recordGroup } from './record-group.ts';
import { freeze, readFirst } from './groups.ts';
import { NO_BASE, readPending, recordPending } from './outbox.ts';
import type { DocumentForm } from '../form/document-form.ts';
import { isMarker } from '../pull/markers.ts';
import { joinPaths, touchedBy } from './partial-update.ts';
import { noteLife } from '../state/meta.ts';
import type { Scope } from '../state/scope.ts';
import type { SyncClock } from '../state/sync-clock.ts';
import { expireWith } from '../decide/take-remote.ts';
import { MARKER_ID, RESERVED_PROPERTY } from '../remote/wire-stamp.ts';

/** What the journal of a container needs. */
export interface OutboxJournalOptions {
  readonly database: SqliteDatabase;
  readonly clock: SyncClock;
  /** Whether the policy of the container asks for the version that both sides of a conflict come from. */
  readonly needsBase: boolean;
  readonly form: DocumentForm;
  /** Called after each commit that left something to send. */
  readonly onRecorded: () => void;
}

/** Makes each local write of one container pending, in the transaction of the write itself. */
export class OutboxJournal implements WriteJournal {
  readonly name = 'sync';
  readonly needsPreviousText = true;
  readonly #scopes = new Map<PartitionKeyText, Scope>();
  readonly #options: OutboxJournalOptions;
  /** Newest entry of the journal of conflicts, from a position of the container on. */
  readonly #journaled: { readonly from: number; readonly seq: number }[] = [];
  #epoch: number;

  constructor(options: OutboxJournalOptions) {
    this.#options = options;
    this.#epoch = options.database.epoch;
  }

  /** Lets a partition key be written. */
  add(scope: Scope): void {
    this.#scopes.set(scope.partitionKeyText, scope);
  }

  /** @throws SYNC_SCOPE, INVALID_DOCUMENT */
  check(operation: WriteOperation): void {
    const key = keyOf(operation);
    const scope = this.#scopeOf(key);
    if (isMarker(key.id)) {
      throw reserved(`an id that begins with ${JSON.stringify(MARKER_ID)}`);
    }
    if ('document' in operation) {
      checkBody(scope, operation.document.value);
      this.#checkVersion(operation.document.value);
    } else if (operation.type === 'patch' && operation.operations.some(({ path }) => parsePatchPath(path)[0] === RESERVED_PROPERTY)) {
      throw reserved(RESERVED);
    }
  }

  /** @throws SCHEMA_TOO_NEW, INVALID_DOCUMENT */
  checkChange(previousText: string, document: JsonObject): void {
    const { schema } = this.#options.form;
    if (schema === undefined) {
      return;
    }
    const previous = schema.versionOf(JSON.parse(previousText) as JsonObject);
    const written = schema.versionOf(document);
    if (previous !== undefined && previous > schema.version && written !== previous) {
      throw new PerigeeError(
        'SCHEMA_TOO_NEW',
        `Cannot write the document: it has version ${previous} of its schema and this program knows version ${schema.version}, so it would be cut. Update the program; deleting it is allowed.`,
        { details: { version: previous, known: schema.version } },
      );
    }
    this.#checkVersion(document);
  }

  #checkVersion(document: JsonObject): void {
    const { schema } = this.#options.form;
    const version = schema?.versionOf(document);
    if (schema !== undefined && (version === undefined || version < schema.version)) {
      throw new PerigeeError(
        'INVALID_DOCUMENT',
        `Cannot write a document of ${version === undefined ? 'no version that can be read' : `version ${version}`} of its schema: this program writes version ${schema.version}. Set it at /${schema.path.join('/')}.`,
      );
    }
  }

  /** Newest entry of the journal of conflicts when a write of this engine was made. */
  journalSeqAt(position: number): number {
    return this.#journaled.findLast(({ from }) => from <= position)?.seq ?? 0;
  }

  *recorded(write: AppliedWrite): Program<void> {
    const scope = this.#scopeOf(write.key);
    const { id } = write.key;
    const isGrouped = yield* this.#look(scope, write);
    if (write.document === undefined) {
      if (!isGrouped && (yield* this.#vanished(scope, id))) {
        return;
      }
    } else if (write.type === 'patch') {
      checkBody(scope, write.document.value);
    }
    if (this.#changesOnlyLocal(write)) {
      yield* keepExpiry(scope, write);
      return;
    }
    const { clock, database, needsBase, onRecorded } = this.#options;
    // Stamps follow on those of other processes that have written to the file.
    if (database.epoch !== this.#epoch) {
      this.#epoch = database.epoch;
      yield* clock.refresh();
    }
    const kind = write.document === undefined ? 'delete' : write.previous === undefined ? 'create' : 'put';
    const follows = isGrouped && (yield* freeze(scope.number, id, write.previous?.text)) ? 'pending' : 'remote';
    if (needsBase) {
      // Whether the remote can have this write in a version that a loss of power took back is told by what life it is from.
      yield* noteLife(scope.life);
    }
    const base = needsBase ? yield* followedBy(scope, write, follows) : null;
    const touched = follows === 'pending' ? null : yield* touchedSince(scope, write);
    yield* recordPending(scope.number, id, kind, write.position, clock.next(), database.runtime.nowMs(), base, touched);
    database.afterCommit(onRecorded);
  }

  *recordedTogether(writes: readonly AppliedWrite[]): Program<void> {
    const [first] = writes;
    if (first !== undefined) {
      yield* recordGroup(this.#scopeOf(first.key).number, writes, this.#options.database.runtime.nowMs());
    }
  }

  /** A pending write is sent however late, and however far ahead the device's clock has been meanwhile: also that of a user whose scope is not open, or not yet. */
  *keeps(partitionKeyText: PartitionKeyText, id: string): Program<boolean> {
    const row = yield* get('SELECT 1 FROM sync_outbox JOIN sync_scope USING (scope) WHERE pk = ? AND id = ?', partitionKeyText, id);
    return row !== undefined;
  }

  /**
   * Looks whether the document is pending in a group, and takes note of the newest entry of the journal: afterwards nobody could tell a conflict that the write
   * lost from one that was lost before.
   */
  *#look({ number }: Scope, { key, position }: AppliedWrite): Program<boolean> {
    const found = yield* get<{ seq: number | null; held: string | null }>(
      'SELECT (SELECT max(seq) FROM sync_journal) AS seq, (SELECT group_id FROM sync_outbox WHERE scope = ? AND id = ?) AS held',
      number,
      key.id,
    );
    const seq = found?.seq ?? 0;
    if (seq !== (this.#journaled.at(-1)?.seq ?? 0)) {
      this.#journaled.push({ from: position, seq });
    }
    return typeof found?.held === 'string';
  }

  /** A deleted document that the remote never heard of leaves nothing to send. */
  *#vanished(scope: Scope, id: string): Program<boolean> {
    const base = yield* readBase(scope.number, id);
    if (base?.deleted === 0) {
      return false;
    }
    const first = yield* readFirst(scope.number, id);
    if (first !== undefined && (first.sent !== null || first.frozen !== null)) {
      return false;
    }
    yield* run('DELETE FROM sync_outbox WHERE scope = ? AND id = ?', scope.number, id);
    return true;
  }

  /** Whether a write leaves a document with local fields as others see it. */
  #changesOnlyLocal({ document, previous }: AppliedWrite): boolean {
    const { form } = this.#options;
    if (!form.hasLocalFields || document === undefined || previous?.text === undefined) {
      return false;
    }
    const [before, after] = [previous.text, document.text].map((text) => form.shared(JSON.parse(text) as JsonObject));
    return equalValues(before, after);
  }

  #scopeOf(key: PreparedKey): Scope {
    const scope = this.#scopes.get(key.partitionKeyText);
    if (scope === undefined) {
      throw new PerigeeError(
        'SYNC_SCOPE',
        `Cannot write the document ${JSON.stringify(key.id)}: its partition key is not in the scope of the sync engine. Add it to the scope.`,
      );
    }
    return scope;
  }
}

/**
 * Content of the version that a document's first pending write follows: what the device held, where that is what the remote was last known to hold, or what is sent
 * before.
 */
function* followedBy(scope: Scope, { key, previous }: AppliedWrite, follows: 'remote' | 'pending'): Program<string | null> {
  if (previous === undefined) {
    return NO_BASE;
  }
  if (follows === 'pending') {
    return scope.form.sharedText(previous.text as string);
  }
  const base = yield* readBase(scope.number, key.id);
  if (base === undefined || previous.text === undefined) {
    return null;
  }
  return base.deleted === 1 ? NO_BASE : scope.form.sharedText(previous.text);
}

/** Where a document may differ from the remote version that it follows, once a write has been made; `null`: anywhere. */
function* touchedSince(scope: Scope, { key, patch, previous }: AppliedWrite): Program<string | null> {
  const { form } = scope;
  const text = previous?.text;
  if (patch === undefined || text === undefined || form.schema !== undefined) {
    return null;
  }
  const row = yield* readPending(scope.number, key.id);
  if (row === undefined ? (yield* readBase(scope.number, key.id))?.deleted !== 0 : row.touched === null) {
    return null;
  }
  const touched = touchedBy(patch, () => form.shared(JSON.parse(text) as JsonObject), form);
  const paths = touched && joinPaths(JSON.parse(row?.touched ?? '[]') as readonly string[], touched);
  return paths === undefined ? null : JSON.stringify(paths);
}

/** A write that stays on the device does not start the time to live anew: at the remote it goes on. */
function* keepExpiry(scope: Scope, { key, document }: AppliedWrite): Program<void> {
  const base = yield* readBase(scope.number, key.id);
  if (document !== undefined && base?.deleted === 0 && (yield* readPending(scope.number, key.id)) === undefined) {
    yield* expireWith(scope, document, base.ts);
  }
}
