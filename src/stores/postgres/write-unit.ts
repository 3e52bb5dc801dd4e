import { PerigeeError } from '../../core/errors.ts';
import type { ContainerInfo } from '../../store/backend.ts';
import type { PreparedDocument } from '../../store/prepared-document.ts';
import {
  decideWrite,
  expiresAtSeconds,
  keyOf,
  type PreparedKey,
  type StoreOperation,
  type WriteOperation,
  type WriteRules,
} from '../../store/write-rules.ts';
import type { AppliedWrite } from '../common/applied-write.ts';
import { documentKey } from '../common/document-key.ts';
import { applyCarefully } from './columns/apply-carefully.ts';
import { takePositions } from './take-positions.ts';
import { recordExpired } from './versions/record-expired.ts';
import { recordStatement, type NewChange } from './versions/version-table.ts';
import { refusalOr } from '../common/refusal-or.ts';
import { CHANGE_KINDS, type ChangeKind } from '../common/change-kinds.ts';
import type { DocumentRow } from './container-row.ts';
import { uniqueColumn } from './container-statements.ts';
import { bigintArray, textArray } from './pg-arrays.ts';
import type { PostgresContainer } from './postgres-container.ts';
import type { PgRow, PgValue, Session } from './postgres-database.ts';

/** A row as the unit sees it: as it was read, or as a write of the unit left it. */
interface UnitRow {
  readonly ordinal: number;
  readonly position: number;
  readonly ts: number;
  readonly expires_at: number | null;
  readonly body: string;
  /** Digests of its unique values, where they are known. */
  readonly digests: readonly string[] | undefined;
}

/** A row that is to be written. */
interface PendingPut {
  readonly key: PreparedKey;
  readonly row: UnitRow;
}

/** Who has a unique value. */
interface Holder {
  readonly ordinal: number;
  readonly expires_at: number | null;
}

/**
 * Writes to one container in one transaction that holds the locks of their partition keys: rows are read once, every operation is decided over
 * what was read and what the unit itself has done, and what comes of it is written at the end, in few statements.
 *
 * Nobody else writes to these partition keys until the transaction ends, so what was read stays true.
 */
export class WriteUnit {
  readonly #container: PostgresContainer;
  readonly #session: Session;
  readonly #rules: WriteRules;
  readonly #partitionKeys: readonly string[];
  readonly #rows = new Map<string, UnitRow | undefined>();
  readonly #holders = new Map<string, Holder | undefined>();
  readonly #puts = new Map<string, PendingPut>();
  readonly #dropped = new Set<number>();
  readonly #positions: number[] = [];
  readonly #changes: NewChange[] = [];
  readonly #nowMs: number;
  /** The definition by which the unit works: the store refuses it if it is not that of now, and nobody replaces it until the unit ends. */
  readonly #info: ContainerInfo;
  /** Whether each operation is written at once, so that what a column refuses is that operation alone. */
  readonly #isCareful: boolean;
  #lastPosition = 0;

  private constructor(
    container: PostgresContainer,
    session: Session,
    rules: WriteRules,
    partitionKeys: readonly string[],
    isCareful: boolean,
  ) {
    this.#isCareful = isCareful;
    this.#partitionKeys = partitionKeys;
    this.#container = container;
    this.#session = session;
    this.#rules = rules;
    this.#info = container.info;
    this.#nowMs = Math.floor(container.database.runtime.nowMs());
  }

  /**
   * Locks the partition keys of `keys`, and reads what is there.
   *
   * @param amount how many positions are taken in advance
   * @param isCareful whether an operation that a column refuses is refused by itself; otherwise the statement fails, and the unit with it
   */
  static async begin(
    container: PostgresContainer,
    session: Session,
    rules: WriteRules,
    keys: readonly PreparedKey[],
    partitionKeys: readonly string[],
    amount: number,
    isCareful: boolean,
  ): Promise<WriteUnit> {
    const unit = new WriteUnit(container, session, rules, partitionKeys, isCareful);
    await unit.#enter(partitionKeys, amount);
    await unit.recordDue();
    await unit.#load(keys);
    return unit;
  }

  /** The highest position that the unit has given to a write. */
  get lastPosition(): number {
    return this.#lastPosition;
  }

  /** Where versions are recorded, records what has expired by now, before what is written next. Nothing may be left to flush. */
  async recordDue(): Promise<void> {
    if (!this.#isRecording) {
      return;
    }
    const last = await recordExpired(this.#container, this.#session, this.#partitionKeys, this.#nowMs);
    if (last !== undefined) {
      // What was taken before lies below them.
      this.#positions.length = 0;
      this.#lastPosition = last;
    }
    this.#rows.clear();
    this.#holders.clear();
  }

  get #isRecording(): boolean {
    return this.#info.definition.changeFeedPolicy !== undefined;
  }

  /** The living row of a key. */
  async find(key: PreparedKey): Promise<DocumentRow | undefined> {
    const text = documentKey(key);
    if (!this.#rows.has(text)) {
      await this.#load([key]);
    }
    const row = this.#rows.get(text);
    return row === undefined || this.#isExpired(row) ? undefined : { ...row };
  }

  /** Decides one write, or gives the error that refuses it; a refused write has changed nothing. */
  apply(operation: WriteOperation): Promise<AppliedWrite | PerigeeError> {
    const decide = (): Promise<AppliedWrite | PerigeeError> => this.#decide(operation);
    return this.#isCareful
      ? applyCarefully(this.#container, this.#session, { decide, flush: () => this.flush(), mark: () => this.#mark() }, operation)
      : decide();
  }

  async #decide(operation: WriteOperation): Promise<AppliedWrite | PerigeeError> {
    const key = keyOf(operation);
    const before = await this.find(key);
    const decision = refusalOr(() => decideWrite(operation, before && this.#container.versions.current(before), this.#rules));
    if (decision instanceof PerigeeError) {
      return decision;
    }
    if (decision.action === 'put') {
      return this.#put(operation.type, decision.document, before);
    }
    const row = before as DocumentRow;
    const position = await this.#takePosition();
    this.#drop(key, row.ordinal);
    this.#record(CHANGE_KINDS.delete, key, row.ordinal, position, row);
    return {
      type: 'delete',
      key,
      document: undefined,
      previous: this.#container.versions.previous(row),
      etag: undefined,
      position,
      ordinal: row.ordinal,
      ts: this.#container.nowSeconds(),
    };
  }

  /** Writes what the operations so far have left. */
  async flush(): Promise<void> {
    const { statements } = this.#container;
    if (this.#dropped.size > 0) {
      await this.#session.rows({ text: statements.dropRows, values: [[...this.#dropped]] });
      this.#dropped.clear();
    }
    if (this.#puts.size > 0) {
      await this.#session.rows({ text: statements.putRows, values: this.#putValues() });
      this.#puts.clear();
    }
    if (this.#changes.length > 0) {
      await this.#session.rows(recordStatement(this.#container.names, this.#changes.splice(0)));
    }
  }

  /** Remembers what the unit knows, with nothing left to flush; calling what is given brings it back. */
  #mark(): () => void {
    const [rows, holders, lastPosition] = [new Map(this.#rows), new Map(this.#holders), this.#lastPosition];
    const put = <V>(into: Map<string, V>, from: ReadonlyMap<string, V>): void => {
      into.clear();
      from.forEach((value, key) => into.set(key, value));
    };
    return () => {
      put(this.#rows, rows);
      put(this.#holders, holders);
      this.#lastPosition = lastPosition;
      this.#puts.clear();
      this.#dropped.clear();
      this.#changes.length = 0;
    };
  }

  async #enter(partitionKeys: readonly string[], amount: number): Promise<void> {
    const [row] = await this.#session.rows<{ positions: number[] }>({
      text: this.#container.statements.enter,
      values: [this.#info.etag, textArray(partitionKeys), amount],
      name: this.#container.statementName('enter'),
    });
    this.#positions.push(...(row?.positions ?? []));
  }

  async #load(keys: readonly PreparedKey[]): Promise<void> {
    if (keys.length === 0) {
      return;
    }
    const rowKeys = keys.map((key) => this.#container.rowKey(key));
    const rows = await this.#session.rows<DocumentRow & { n: number }>({
      text: this.#container.statements.findMany,
      values: [textArray(rowKeys.map(({ pk }) => pk)), textArray(rowKeys.map(({ id }) => id))],
      name: this.#container.statementName('findMany'),
    });
    for (const key of keys) {
      this.#rows.set(documentKey(key), undefined);
    }
    for (const { n, ordinal, position, ts, expires_at, body } of rows) {
      this.#rows.set(documentKey(keys[n - 1] as PreparedKey), { ordinal, position, ts, expires_at, body, digests: undefined });
    }
  }

  async #put(
    type: WriteOperation['type'],
    document: PreparedDocument,
    before: DocumentRow | undefined,
  ): Promise<AppliedWrite | PerigeeError> {
    const text = documentKey(document);
    const digests = this.#container.uniquePaths.length === 0 ? undefined : this.#container.digestsOf(document);
    const known = this.#rows.get(text);
    if (digests !== undefined && (await this.#isTaken(digests, before?.ordinal))) {
      return new PerigeeError(
        'CONFLICT',
        `Cannot ${type} the document ${JSON.stringify(document.id)}: another one in the partition key has the same unique key value.`,
      );
    }
    if (known !== undefined && before === undefined) {
      // What takes its key is a new document, with a row of its own.
      await this.#expire(document, known);
    }
    const position = await this.#takePosition();
    const ordinal = before?.ordinal ?? position;
    for (const [index, digest] of digests?.entries() ?? []) {
      this.#holders.set(holderKey(index, digest), { ordinal, expires_at: null });
    }
    const ts = this.#container.nowSeconds();
    const row: UnitRow = {
      ordinal,
      position,
      ts,
      expires_at: expiresAtSeconds(ts, document.ttl, this.#info.definition.defaultTtl) ?? null,
      body: document.text,
      digests,
    };
    this.#releaseOthers(ordinal, digests);
    this.#record(before === undefined ? CHANGE_KINDS.create : CHANGE_KINDS.replace, document, ordinal, position, before);
    this.#rows.set(text, row);
    this.#puts.set(text, { key: document, row });
    return {
      type,
      key: document,
      document,
      previous: before === undefined ? undefined : this.#container.versions.previous(before),
      etag: this.#container.etagOf(position, ts),
      position,
      ordinal,
      ts,
    };
  }

  /** Whether a living document other than that with `own` has one of the digests; expired ones that do are removed. */
  async #isTaken(digests: readonly string[], own: number | undefined): Promise<boolean> {
    const unknown = digests.some((digest, index) => !this.#holders.has(holderKey(index, digest)));
    if (unknown) {
      await this.#loadHolders(digests);
    }
    const expired: number[] = [];
    for (const [index, digest] of digests.entries()) {
      const holder = this.#holders.get(holderKey(index, digest));
      if (holder === undefined || holder.ordinal === own || this.#dropped.has(holder.ordinal)) {
        continue;
      }
      if (!this.#isExpired(holder)) {
        return true;
      }
      expired.push(holder.ordinal);
    }
    for (const ordinal of expired) {
      this.#forget(ordinal);
    }
    return false;
  }

  async #loadHolders(digests: readonly string[]): Promise<void> {
    const rows = await this.#session.rows<PgRow & Holder>({
      text: this.#container.statements.findHolders,
      values: digests.map((digest) => [digest]),
      name: this.#container.statementName('findHolders'),
    });
    for (const [index, digest] of digests.entries()) {
      const key = holderKey(index, digest);
      if (!this.#holders.has(key)) {
        const holder = rows.find((row) => row[uniqueColumn(index)] === digest && !this.#isRewritten(row.ordinal));
        this.#holders.set(key, holder === undefined ? undefined : { ordinal: holder.ordinal, expires_at: holder.expires_at });
      }
    }
  }

  /** Whether the unit has given the document of a row other values, which it has told of itself. */
  #isRewritten(ordinal: number): boolean {
    for (const { row } of this.#puts.values()) {
      if (row.ordinal === ordinal) {
        return true;
      }
    }
    return this.#dropped.has(ordinal);
  }

  /** What a document had before it has no longer. */
  #releaseOthers(ordinal: number, digests: readonly string[] | undefined): void {
    for (const [key, holder] of this.#holders) {
      if (holder?.ordinal === ordinal && digests?.some((digest, index) => holderKey(index, digest) === key) !== true) {
        this.#holders.set(key, undefined);
      }
    }
  }

  #drop(key: PreparedKey, ordinal: number): void {
    this.#forget(ordinal);
    const text = documentKey(key);
    this.#puts.delete(text);
    this.#rows.set(text, undefined);
  }

  /** Lets a row go that has expired since the unit began. */
  async #expire(key: PreparedKey, row: UnitRow): Promise<void> {
    if (this.#isRecording) {
      const position = await this.#takePosition();
      const expiredMs = Math.max(row.expires_at ?? 0, this.#info.ts) * 1000;
      this.#record(CHANGE_KINDS.expire, key, row.ordinal, position, row, Math.min(expiredMs, this.#nowMs));
    }
    this.#forget(row.ordinal);
  }

  /** Lets a row go that was in the table before. */
  #forget(ordinal: number): void {
    this.#dropped.add(ordinal);
    this.#releaseOthers(ordinal, undefined);
  }

  #record(
    kind: ChangeKind,
    key: PreparedKey,
    ordinal: number,
    position: number,
    before: UnitRow | DocumentRow | undefined,
    atMs: number = this.#nowMs,
  ): void {
    if (this.#isRecording) {
      const epk = this.#container.epkOf(key);
      this.#changes.push({ position, ordinal, kind, atMs, ...this.#container.rowKey(key), epk, key: key.partitionKeyText, before });
    }
  }

  async #takePosition(): Promise<number> {
    if (this.#positions.length === 0) {
      this.#positions.push(...(await takePositions(this.#container, this.#session, 1)));
    }
    this.#lastPosition = this.#positions.shift() as number;
    return this.#lastPosition;
  }

  #isExpired(row: Holder): boolean {
    return this.#container.isExpired(row);
  }

  #putValues(): readonly PgValue[] {
    const puts = [...this.#puts.values()];
    const keys = puts.map(({ key }) => this.#container.rowKey(key));
    return [
      bigintArray(puts.map(({ row }) => row.ordinal)),
      textArray(keys.map(({ pk }) => pk)),
      textArray(keys.map(({ id }) => id)),
      bigintArray(puts.map(({ row }) => row.position)),
      textArray(puts.map(({ key }) => this.#container.epkOf(key))),
      bigintArray(puts.map(({ row }) => row.ts)),
      bigintArray(puts.map(({ row }) => row.expires_at)),
      textArray(puts.map(({ row }) => row.body)),
      ...this.#container.uniquePaths.map((_, index) => textArray(puts.map(({ row }) => row.digests?.[index] as string))),
    ];
  }
}

function holderKey(index: number, digest: string): string {
  return `${index}${digest}`;
}

/** The partition keys of operations, as rows have them. */
export function partitionKeysOf(container: PostgresContainer, operations: readonly StoreOperation[]): readonly string[] {
  return [...new Set(operations.map((operation) => container.rowKey(keyOf(operation)).pk))];
}
