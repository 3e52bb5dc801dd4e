import { Emitter, type Unsubscribe } from '../../core/emitter.ts';
import { PerigeeError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { ContainerInfo } from '../../store/backend.ts';
import { containerGone } from '../../store/container-gone.ts';
import type { SystemProperties } from '../../store/document.ts';
import { parsePropertyPath } from '../../store/partition-key.ts';
import { prepareDocument, type PreparedDocument } from '../../store/prepared-document.ts';
import { isOddText } from '../../query/compile/sqlite/odd-documents.ts';
import { IndexedTerms } from '../../query/cost/indexed-terms.ts';
import { expiresAtSeconds, keyOf, type PreparedKey, type WriteOperation, type WriteRules } from '../../store/write-rules.ts';
import { containerStatements, type ContainerStatements } from './container-statements.ts';
import { containerInfoOf, erasOf } from '../common/stored-container.ts';
import type { ContainerRow, DocumentRow } from './container-row.ts';
import { get, run, type Program } from './driver.ts';
import { EpkCache } from '../common/epk-cache.ts';
import { ExpiredRows, type ExpiredRow } from './expired-rows.ts';
import { ContainerIndexes } from './indexes/container-indexes.ts';
import { PositionCounter } from './position-counter.ts';
import { decideOrRefuse, refusalOf } from './refusal.ts';
import type { SqliteDatabase } from './sqlite-database.ts';
import type { AppliedWrite } from '../common/applied-write.ts';
import { uniqueValues } from '../common/unique-values.ts';
import { VersionNames } from '../common/version-names.ts';
import { VersionRecorder, type RecordingColumns } from './versions/version-recorder.ts';
import { CHANGE_KINDS } from '../common/change-kinds.ts';
import { RECORDED_EXPIRY } from './versions/version-statements.ts';
import type { StoredRow, WriteJournal } from './write-journal.ts';

/** Expiries that a write records before itself; more of them are left to those who read the versions. */
const DUE_ROWS = 1000;

/**
 * One container of a file as all its stores in this process share it: definition, position counter, and the programs that read and write rows.
 *
 * A position is not written anywhere of its own: the counter is the highest position in the table, or the floor that a delete leaves behind.
 * What is remembered of the file is read again when {@link SqliteDatabase.epoch} has changed. Programs that write call {@link enter} first.
 */
export class SqliteContainer {
  readonly database: SqliteDatabase;
  readonly databaseId: string;
  readonly number: number;
  readonly statements: ContainerStatements;
  readonly uniquePaths: readonly (readonly (readonly string[])[])[];
  readonly indexes: ContainerIndexes;
  readonly recorder: VersionRecorder;
  readonly expired: ExpiredRows;
  readonly #incarnation: string;
  readonly #names: VersionNames;
  readonly #positions: PositionCounter;
  readonly #events = new Emitter<{ commit: undefined }>();
  readonly #notify = (): void => this.#events.emit('commit', undefined);
  readonly #saveFloor = (): Program<void> => this.#writeFloor();
  readonly #trim = (): Program<unknown> => this.recorder.trimSome(this.database.runtime.nowMs());
  readonly #epks = new EpkCache();
  #info: ContainerInfo;
  #terms: { readonly policy: JsonObject; readonly terms: IndexedTerms } | undefined;
  #journal: string | null;
  #epoch = 0;

  constructor(database: SqliteDatabase, databaseId: string, row: ContainerRow) {
    this.database = database;
    this.databaseId = databaseId;
    this.number = row.number;
    this.statements = containerStatements(row.number);
    this.indexes = new ContainerIndexes(database, row.number);
    this.recorder = new VersionRecorder(row.number);
    this.expired = new ExpiredRows(this);
    this.#incarnation = row.incarnation;
    this.#names = new VersionNames(row.rid, row.incarnation, erasOf(row));
    this.#journal = row.journal;
    this.#positions = new PositionCounter(database, row.head);
    this.#info = containerInfoOf(databaseId, row);
    this.uniquePaths = this.#info.definition.uniqueKeys.map((paths) => paths.map(parsePropertyPath));
  }

  /** As last read from the file. */
  get info(): ContainerInfo {
    return this.#info;
  }

  /** Counts index terms by the policy of now. */
  get terms(): IndexedTerms {
    const policy = this.#info.definition.indexingPolicy;
    if (this.#terms?.policy !== policy) {
      this.#terms = { policy, terms: new IndexedTerms(policy) };
    }
    return this.#terms.terms;
  }

  /** Names the data in cursors and etags; never the same for two containers. */
  get incarnation(): string {
    return this.#incarnation;
  }

  /** {@link PositionCounter.last} */
  get position(): number {
    return this.#positions.last;
  }

  /** {@link PositionCounter.committed} */
  get committedPosition(): number {
    return this.#positions.committed;
  }

  /** The next position, for a change that leaves no row; it stays used. Within a write, behind {@link refresh}. */
  takePosition(): number {
    this.#positions.advance(this.position + 1);
    this.database.beforeCommit(this.#saveFloor);
    return this.position;
  }

  /** Name of the journal that records the writes. */
  get journalName(): string | null {
    return this.#journal;
  }

  nowSeconds(): number {
    return Math.floor(this.database.runtime.nowMs() / 1000);
  }

  /** Calls `listener` after each commit to the container by this process. */
  onCommit(listener: () => void): Unsubscribe {
    return this.#events.on('commit', listener);
  }

  etagOf(position: number, ts: number): string {
    return this.#names.etagOf(position, ts);
  }

  systemProperties(ordinal: number, position: number, ts: number): SystemProperties {
    return this.#names.systemProperties(ordinal, position, ts);
  }

  /** The document of a stored text, with its system properties. */
  documentOf(body: string, ordinal: number, position: number, ts: number): JsonObject & SystemProperties {
    return this.#names.documentOf(body, ordinal, position, ts);
  }

  /** Takes over a definition as it was just read from the file. */
  notice(row: Pick<ContainerRow, 'rid' | 'etag' | 'ts' | 'definition'>): void {
    if (row.etag !== this.#info.etag) {
      this.#info = containerInfoOf(this.databaseId, row);
    }
  }

  /**
   * Readies the container for writes in the transaction that is open.
   *
   * @throws NOT_FOUND when it was deleted; SYNC_SCOPE when it is journaled and `journal` is not that journal
   */
  *enter(journal: WriteJournal | undefined): Program<void> {
    yield* this.refresh();
    if (this.#journal !== null && this.#journal !== journal?.name) {
      throw new PerigeeError(
        'SYNC_SCOPE',
        `Cannot write to the container ${JSON.stringify(this.#info.definition.id)}: its writes are recorded by ${JSON.stringify(this.#journal)}. Open it through the sync engine.`,
        { details: { journal: this.#journal } },
      );
    }
    this.expired.sweepWith(journal);
    if (this.recorder.isOn) {
      yield* this.expired.recordDue(DUE_ROWS, journal);
      if (this.recorder.isTrimDue(this.database.runtime.nowMs())) {
        this.database.beforeCommit(this.#trim);
      }
    }
    if (this.#events.has('commit')) {
      this.database.afterCommit(this.#notify);
    }
  }

  /** Reads again what is remembered of the file, where it may have changed. Run it within a write. @throws NOT_FOUND when the container was deleted */
  *refresh(): Program<void> {
    if (this.#epoch !== this.database.epoch) {
      yield* this.#load();
    }
  }

  /** Reads the head position from the file. @throws NOT_FOUND when the container was deleted */
  *head(): Program<number> {
    const row = yield* get<{ head: number }>(this.statements.head);
    if (row === undefined) {
      throw this.#deleted();
    }
    return row.head;
  }

  /** The living row of a key. */
  *find(key: PreparedKey, withText: boolean): Program<DocumentRow | undefined> {
    const row = yield* this.#row(key, withText);
    return row === undefined || this.isExpired(row) ? undefined : row;
  }

  /** The row of a key, be it expired. */
  *#row(key: PreparedKey, withText: boolean): Program<DocumentRow | undefined> {
    const { find, findText } = this.statements;
    return (yield { mode: 'get', sql: withText ? findText : find, parameters: [key.partitionKeyText, key.id] }) as DocumentRow | undefined;
  }

  isExpired(row: DocumentRow): boolean {
    return row.expires_at !== null && this.nowSeconds() >= row.expires_at;
  }

  /**
   * Carries out one checked write, or gives the error that refuses it; a refused write has changed nothing.
   *
   * What it throws, unlike what it gives, is a failure of the file or of the journal, after which the transaction has to be undone.
   */
  *apply(operation: WriteOperation, rules: WriteRules, journal: WriteJournal | undefined): Program<AppliedWrite | PerigeeError> {
    const refused = refusalOf(() => journal?.check?.(operation));
    if (refused !== undefined) {
      return refused;
    }
    if (operation.type === 'create' && this.uniquePaths.length === 0) {
      const created = yield* this.#insert(operation.type, operation.document, this.#expiryOf(operation.document), false);
      if (created !== undefined) {
        return yield* this.#record(created, journal);
      }
    }
    const key = keyOf(operation);
    const before = yield* this.#findForWrite(key, true, 'document' in operation && operation.type !== 'replace');
    const decision = decideOrRefuse(operation, before && this.#names.current(before), rules, journal, before?.body);
    if (decision instanceof PerigeeError) {
      return decision;
    }
    const applied =
      decision.action === 'delete'
        ? yield* this.#remove(key, before as DocumentRow)
        : yield* this.#put(operation.type, decision.document, before, this.#expiryOf(decision.document));
    return applied instanceof PerigeeError ? applied : yield* this.#record(applied, journal, operation);
  }

  /** The document of a key, with its text; an expired one where asked for. */
  *read(key: PreparedKey, expired: boolean): Program<StoredRow | undefined> {
    const row = yield* this.#row(key, true);
    return row === undefined || (!expired && this.isExpired(row))
      ? undefined
      : { ...this.#names.previous(row), text: row.body as string, expiresAtSeconds: row.expires_at ?? undefined };
  }

  /** Creates or replaces without conditions. `expiresAt`: `'rules'` for the container's own. @throws CONFLICT (unique key), having changed nothing */
  *put(
    document: PreparedDocument,
    expiresAt: number | undefined | 'rules',
    journal: WriteJournal | undefined,
    expectNew: boolean,
  ): Program<AppliedWrite> {
    const expiry = expiresAt === 'rules' ? this.#expiryOf(document) : (expiresAt ?? null);
    if (expectNew && this.uniquePaths.length === 0) {
      const created = yield* this.#insert('upsert', document, expiry, false);
      if (created !== undefined) {
        return yield* this.#record(created, journal);
      }
    }
    const before = yield* this.#findForWrite(document, journal?.needsPreviousText === true);
    const applied = yield* this.#put('upsert', document, before, expiry);
    if (applied instanceof PerigeeError) {
      throw applied;
    }
    return yield* this.#record(applied, journal);
  }

  /** Deletes without conditions; `undefined` where there is nothing. */
  *delete(key: PreparedKey, journal: WriteJournal | undefined): Program<AppliedWrite | undefined> {
    const before = yield* this.#findForWrite(key, journal?.needsPreviousText === true);
    return before === undefined ? undefined : yield* this.#record(yield* this.#remove(key, before), journal);
  }

  /** Sets when the row of a key expires. Gives whether there is one. */
  *expire(key: PreparedKey, expiresAt: number | undefined): Program<boolean> {
    const row = this.recorder.isOn ? yield* this.#row(key, true) : undefined;
    if (row?.expires_at === RECORDED_EXPIRY) {
      return expiresAt !== undefined && expiresAt <= this.nowSeconds() ? true : yield* this.#revive(row, expiresAt);
    }
    return (yield* run(this.statements.setExpiry, expiresAt ?? null, key.partitionKeyText, key.id)) > 0;
  }

  /** A document whose expiry was recorded, and which is there again by a clock that knows better, is a new one. */
  *#revive(row: DocumentRow, expiresAt: number | undefined): Program<boolean> {
    const { paths } = this.#info.definition.partitionKey;
    const document = prepareDocument(JSON.parse(row.body as string), paths.map(parsePropertyPath));
    yield* this.drop(row.ordinal);
    return !((yield* this.#put('upsert', document, undefined, expiresAt ?? null)) instanceof PerigeeError);
  }

  *#load(): Program<void> {
    const row = yield* get<ContainerRow & RecordingColumns>(this.statements.load);
    if (row === undefined) {
      throw this.#deleted();
    }
    this.notice(row);
    this.#journal = row.journal;
    this.#positions.reset(row.head);
    this.#epoch = this.database.epoch;
    yield* this.indexes.load();
    yield* this.recorder.load(this.#info.definition, row, this.database.runtime.nowMs());
  }

  #deleted(): PerigeeError {
    return containerGone(this.#info.definition.id);
  }

  #expiryOf(document: PreparedDocument): number | null {
    const { defaultTtl } = this.#info.definition;
    return defaultTtl === undefined ? null : (expiresAtSeconds(this.nowSeconds(), document.ttl, defaultTtl) ?? null);
  }

  /** The living row of a key. An expired one is removed where its key and its unique values are about to be taken; a refused write leaves it. */
  *#findForWrite(key: PreparedKey, withText: boolean, takesKey = true): Program<DocumentRow | undefined> {
    const row = yield* this.#row(key, withText);
    if (row === undefined || !this.isExpired(row)) {
      return row;
    }
    if (takesKey) {
      yield* this.expired.drop(row);
    }
    return undefined;
  }

  /** Adds a row unless the key is there. */
  *#insert(
    type: WriteOperation['type'],
    document: PreparedDocument,
    expiresAt: number | null,
    expectFree: boolean,
  ): Program<AppliedWrite | undefined> {
    const position = this.position + 1;
    const ts = this.nowSeconds();
    const changes = (yield {
      mode: 'run',
      sql: isOddText(document.text) ? this.statements.insertOdd : this.statements.insert,
      parameters: [
        position,
        document.partitionKeyText,
        document.id,
        position,
        this.#epks.of(document, this.#info.definition.partitionKey),
        ts,
        expiresAt,
        document.text,
      ],
    }) as number;
    if (changes !== 1) {
      if (expectFree) {
        throw new PerigeeError('STORE_CORRUPT', 'A document is in an index of the store and not in its table. Restore a copy.');
      }
      return undefined;
    }
    this.#positions.advance(position);
    if (this.indexes.isMaintained) {
      yield* this.indexes.put(position, document, true);
    }
    if (this.recorder.isOn) {
      yield* this.recorder.created(position, this.database.takeWriteMs());
    }
    return { type, key: document, document, previous: undefined, etag: this.etagOf(position, ts), position, ordinal: position, ts };
  }

  *#put(
    type: WriteOperation['type'],
    document: PreparedDocument,
    before: DocumentRow | undefined,
    expiresAt: number | null,
  ): Program<AppliedWrite | PerigeeError> {
    const claims = uniqueValues(this.uniquePaths, document);
    for (const value of claims) {
      if (yield* this.#isTaken(value, before?.ordinal)) {
        return new PerigeeError(
          'CONFLICT',
          `Cannot ${type} the document ${JSON.stringify(document.id)}: another one in the partition key has the same unique key value.`,
        );
      }
    }
    const applied =
      before === undefined
        ? ((yield* this.#insert(type, document, expiresAt, true)) as AppliedWrite)
        : yield* this.#replace(type, document, before, expiresAt);
    if (claims.length > 0) {
      yield* run(this.statements.dropClaims, applied.ordinal);
      for (const value of claims) {
        yield* run(this.statements.addClaim, value, applied.ordinal);
      }
    }
    return applied;
  }

  *#replace(
    type: WriteOperation['type'],
    document: PreparedDocument,
    before: DocumentRow,
    expiresAt: number | null,
  ): Program<AppliedWrite> {
    const position = this.position + 1;
    const ts = this.nowSeconds();
    if (this.recorder.isOn) {
      yield* this.recorder.changing(CHANGE_KINDS.replace, before.ordinal, position, this.database.takeWriteMs());
    }
    const sql = isOddText(document.text) ? this.statements.updateOdd : this.statements.update;
    yield { mode: 'run', sql, parameters: [position, ts, expiresAt, document.text, before.ordinal] };
    this.#positions.advance(position);
    const { ordinal } = before;
    if (this.indexes.isMaintained) {
      yield* this.indexes.put(ordinal, document, false);
    }
    return {
      type,
      key: document,
      document,
      previous: this.#names.previous(before),
      etag: this.etagOf(position, ts),
      position,
      ordinal,
      ts,
    };
  }

  *#remove(key: PreparedKey, before: DocumentRow): Program<AppliedWrite> {
    const position = this.takePosition();
    if (this.recorder.isOn) {
      yield* this.recorder.changing(CHANGE_KINDS.delete, before.ordinal, position, this.database.takeWriteMs());
    }
    yield* this.drop(before.ordinal);
    return {
      type: 'delete',
      key,
      document: undefined,
      previous: this.#names.previous(before),
      etag: undefined,
      position,
      ordinal: before.ordinal,
      ts: this.nowSeconds(),
    };
  }

  /** Deletes a row and what belongs to it; its position stays used. Within a write, behind {@link refresh}. */
  *drop(ordinal: number): Program<void> {
    yield* run(this.statements.deleteOne, ordinal);
    if (this.indexes.isMaintained) {
      yield* this.indexes.remove(ordinal);
    }
    if (this.uniquePaths.length > 0) {
      yield* run(this.statements.dropClaims, ordinal);
    }
    this.database.beforeCommit(this.#saveFloor);
  }

  /** Whether a living document other than that with `own` has a unique value; an expired one is removed. */
  *#isTaken(value: string, own: number | undefined): Program<boolean> {
    const holder = yield* get<ExpiredRow>(this.statements.findClaim, value);
    if (holder === undefined || holder.ordinal === own) {
      return false;
    }
    if (holder.expires_at === null || this.nowSeconds() < holder.expires_at) {
      return true;
    }
    yield* this.expired.drop(holder);
    return false;
  }

  *#record(applied: AppliedWrite, journal: WriteJournal | undefined, operation?: WriteOperation): Program<AppliedWrite> {
    if (journal !== undefined) {
      yield* journal.recorded(operation?.type === 'patch' ? { ...applied, patch: operation.operations } : applied);
    }
    return applied;
  }

  *#writeFloor(): Program<void> {
    yield* run(this.statements.saveFloor, this.position);
  }
}
