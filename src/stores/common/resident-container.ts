import { Emitter, type Unsubscribe } from '../../core/emitter.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Runtime } from '../../core/runtime.ts';
import { IndexedTerms } from '../../query/cost/indexed-terms.ts';
import type { ScalarFunction } from '../../query/functions/function-entry.ts';
import type { ContainerInfo } from '../../store/backend.ts';
import { containerGone } from '../../store/container-gone.ts';
import { parsePropertyPath, type PartitionKey, type PartitionKeyText } from '../../store/partition-key.ts';
import { containerSelf } from '../../store/resource-id.ts';
import { erasUpTo, versionEtag, type EtagEra } from '../../store/version-etag.ts';
import type { RetentionFloor } from '../../store/version-retention.ts';
import { expiresAtSeconds } from '../../store/write-rules.ts';
import { ResidentDraft, type DraftChange } from './resident-draft.ts';
import { rowOfCommit, type CommitEntry, type CreationEntry } from './creation-entry.ts';
import { EpkCache } from './epk-cache.ts';
import { OrderLog } from './order-log.ts';
import { ResidentRows } from './resident-rows.ts';
import { ResidentVersions } from './resident-versions.ts';
import type { RecordedChange } from './version-log.ts';

/** One version of a document; never changed, only replaced. */
export interface ResidentRow {
  /** Partition key text and id: `documentKey`. */
  readonly key: string;
  readonly id: string;
  readonly partitionKey: PartitionKey;
  readonly partitionKeyText: PartitionKeyText;
  /** Effective partition key. */
  readonly epk: string;
  /** Creation order; kept by later versions. */
  readonly ordinal: number;
  /** Commit order; every write takes the next number of the container. */
  readonly position: number;
  readonly etag: string;
  readonly ts: number;
  readonly ttl: number | undefined;
  /** When a restored version expires, in seconds, or `null` for never, where that is not what follows from {@link ts} and {@link ttl}. */
  readonly expiresAt?: number | null | undefined;
  /** JSON with system properties. A document is parsed anew for each reader, so nobody shares one; only queries share theirs among themselves. */
  readonly text: string;
  /** One text for each unique key of the container; a text that another row of the partition has is taken. */
  readonly uniqueTexts: readonly string[];
  /** How many index terms the document has, once it was counted, and by which policy. */
  counted?: { readonly by: IndexedTerms; readonly terms: number } | undefined;
}

/** What an etag may be made of; `body` is the text of the document without system properties. */
export interface VersionParts {
  readonly ordinal: number;
  readonly position: number;
  readonly ts: number;
  readonly body: string;
}

/** What a backend adds to a container whose rows are all in memory. */
export interface ResidentContainerOptions {
  /** Names the data in which a position has a meaning; never the same for two containers, nor for two runs of a backend that keeps nothing. */
  readonly incarnation: string;
  /** Which etags the versions have that it is restored with; later ones have its own. */
  readonly eras?: readonly EtagEra[] | undefined;
  /** The etag of a version with its quotes, never given twice in a container; {@link versionEtag} unless said otherwise. */
  readonly etagOf?: ((version: VersionParts) => string) | undefined;
  /** Keeps the changes of a commit before anybody sees them. What it throws refuses the commit, which then has changed nothing. */
  readonly keep?: ((changes: readonly DraftChange[]) => void) | undefined;
  /** Whether every version is kept for as long as the change feed policy says; not unless said otherwise. */
  readonly recordsVersions?: boolean | undefined;
  /** What queries call as `udf.name(…)`; none unless said otherwise. */
  readonly userFunctions?: ReadonlyMap<string, ScalarFunction> | undefined;
}

/** What is known of a container that was kept: its rows, in any order, and the highest numbers that were ever given. */
export interface ResidentContent {
  readonly rows: Iterable<ResidentRow>;
  readonly ordinal: number;
  readonly position: number;
  /** What is recorded of its versions, where it has a change feed policy. */
  readonly recorded?: { readonly floor: RetentionFloor; readonly changes: readonly RecordedChange[] } | undefined;
}

function commitOf({ position, key }: ResidentRow, of: CreationEntry): CommitEntry {
  return { order: position, key, of };
}

/** Rows that are restored before others get a turn. */
const RESTORE_TURN = 5000;
/** Expired rows that are removed in one commit. */
const EXPIRE_ROWS = 1000;

/**
 * The committed documents of one container, in creation order and in commit order.
 *
 * Readers see committed rows only. A writer works on a {@link ResidentDraft} and commits it at one go; {@link write} and {@link transact} see to it
 * that nobody else commits in between.
 */
export class ResidentContainer {
  info: ContainerInfo;
  /** Paths of the unique keys, parsed. */
  readonly uniquePaths: readonly (readonly (readonly string[])[])[];
  /** `_self` of the container. */
  readonly self: string;
  readonly incarnation: string;
  readonly rows: ResidentRows = new ResidentRows();
  readonly epks: EpkCache = new EpkCache();
  readonly committed: OrderLog<CommitEntry> = new OrderLog();
  readonly #runtime: Runtime;
  readonly userFunctions: ReadonlyMap<string, ScalarFunction>;
  readonly #options: ResidentContainerOptions;
  readonly #uniqueOwners = new Map<string, string>();
  readonly #events = new Emitter<{ commit: undefined }>();
  #versions: ResidentVersions | undefined;
  #terms: { readonly policy: JsonObject; readonly terms: IndexedTerms } | undefined;
  #lastOrdinal = 0;
  #lastPosition = 0;
  #committedPosition = 0;
  #commitsUntilSweep = 0;
  #transaction: Promise<void> | undefined;
  #deleted = false;

  constructor(info: ContainerInfo, runtime: Runtime, options: ResidentContainerOptions) {
    this.info = info;
    this.#runtime = runtime;
    this.#options = options;
    this.userFunctions = options.userFunctions ?? new Map();
    this.incarnation = options.incarnation;
    this.self = containerSelf(info.rid);
    this.uniquePaths = info.definition.uniqueKeys.map((paths) => paths.map(parsePropertyPath));
    this.#startOrStopRecording(true);
  }

  /** The versions recorded, where the container has a change feed policy and its backend keeps them. */
  get versions(): ResidentVersions | undefined {
    return this.#versions;
  }

  /** Which etags its versions have. */
  get eras(): readonly EtagEra[] {
    return erasUpTo(this.#options.eras ?? [], this.incarnation, this.#committedPosition);
  }

  /** Position of the newest committed write. */
  get position(): number {
    return this.#committedPosition;
  }

  /** Fills the container, which is empty and not in use yet, with what was kept; others get turns meanwhile. */
  async restore({ rows, ordinal, position, recorded }: ResidentContent): Promise<void> {
    const all: ResidentRow[] = [];
    await this.#inTurns(rows, (row) => {
      all.push(row);
      for (const text of row.uniqueTexts) {
        this.#uniqueOwners.set(text, row.key);
      }
    });
    const placed: CommitEntry[] = [];
    await this.#inTurns(
      all.sort((left, right) => left.ordinal - right.ordinal),
      (row) => placed.push(commitOf(row, this.rows.place(row))),
    );
    await this.#inTurns(
      placed.sort((left, right) => left.order - right.order),
      (entry) => this.committed.append(entry),
    );
    this.#lastOrdinal = ordinal;
    this.#lastPosition = position;
    this.#committedPosition = position;
    if (this.#versions !== undefined) {
      const { floor, changes } = recorded ?? { floor: { position, atMs: this.#runtime.nowMs() }, changes: [] };
      this.#versions = new ResidentVersions(this, floor, changes);
    }
  }

  async #inTurns<E>(all: Iterable<E>, work: (one: E) => void): Promise<void> {
    let count = 0;
    for (const one of all) {
      work(one);
      count += 1;
      if (count % RESTORE_TURN === 0) {
        await this.#runtime.yieldTask();
      }
    }
  }

  /** Whether somebody holds the container, so that writers wait. */
  get isHeld(): boolean {
    return this.#transaction !== undefined;
  }

  /** The highest ordinal given so far. */
  get lastOrdinal(): number {
    return this.#lastOrdinal;
  }

  etagOf(version: VersionParts): string {
    return this.#options.etagOf?.(version) ?? versionEtag(this.incarnation, version.position, version.ts);
  }

  nowMs(): number {
    return this.#runtime.nowMs();
  }

  nowSeconds(): number {
    return Math.floor(this.#runtime.nowMs() / 1000);
  }

  takeOrdinal(): number {
    this.#lastOrdinal += 1;
    return this.#lastOrdinal;
  }

  /** The next position. One that is not committed in the end stays unused, so no etag comes twice. */
  takePosition(): number {
    this.#lastPosition += 1;
    return this.#lastPosition;
  }

  /** Lets positions and ordinals go on above a number that was given elsewhere. Nobody may write meanwhile. */
  goOnAbove(position: number): void {
    this.#lastPosition = Math.max(this.#lastPosition, position);
    this.#lastOrdinal = Math.max(this.#lastOrdinal, position);
    this.#committedPosition = Math.max(this.#committedPosition, position);
  }

  /** Raises NOT_FOUND once the container, or its database, was deleted. */
  assertExists(): void {
    if (this.#deleted) {
      throw containerGone(this.info.definition.id);
    }
  }

  get isDeleted(): boolean {
    return this.#deleted;
  }

  markDeleted(): void {
    this.#deleted = true;
    this.rows.clear();
    this.#uniqueOwners.clear();
    this.#versions = undefined;
  }

  /** Counts index terms by the policy of now. */
  get terms(): IndexedTerms {
    const policy = this.info.definition.indexingPolicy;
    if (this.#terms?.policy !== policy) {
      this.#terms = { policy, terms: new IndexedTerms(policy) };
    }
    return this.#terms.terms;
  }

  /** The second at and after which a row is past its time to live, by the definition of now; `undefined` for never. */
  expiryOf(row: ResidentRow): number | undefined {
    if (row.expiresAt !== undefined) {
      return row.expiresAt ?? undefined;
    }
    return expiresAtSeconds(row.ts, row.ttl, this.info.definition.defaultTtl);
  }

  /** Whether any row may ever be past its time to live, by the definition of now. */
  get mayExpire(): boolean {
    return this.info.definition.defaultTtl !== undefined || this.rows.hasOwnExpiries;
  }

  /** Whether a row is past its time to live, by the definition of now. */
  isExpired(row: ResidentRow, nowSeconds: number): boolean {
    const expiresAt = this.expiryOf(row);
    return expiresAt !== undefined && nowSeconds >= expiresAt;
  }

  /** The committed row, expired or not. */
  row(key: string): ResidentRow | undefined {
    return this.rows.get(key);
  }

  /** Key of the row that last took a unique text; it may have let go of it since. */
  uniqueOwner(text: string): string | undefined {
    return this.#uniqueOwners.get(text);
  }

  /** Runs `work` with no transaction under way; what it commits is seen at once. */
  async write<R>(signal: AbortSignal | undefined, work: (draft: ResidentDraft) => R): Promise<R> {
    // Nothing may be awaited between the end of the loop and the work: another writer would take the turn as well.
    while (this.#transaction !== undefined || this.#expireSome()) {
      await (this.#transaction ?? this.#runtime.yieldTask());
    }
    signal?.throwIfAborted();
    this.assertExists();
    const draft = new ResidentDraft(this);
    try {
      const result = work(draft);
      this.#commit(draft);
      return result;
    } catch (error) {
      this.#versions?.giveBack(draft.due);
      throw error;
    }
  }

  /** Runs `work` while everybody else who writes to the container waits; commits when it resolves. */
  transact<R>(signal: AbortSignal | undefined, work: (draft: ResidentDraft) => Promise<R>): Promise<R> {
    return this.exclusively(signal, async () => {
      this.assertExists();
      const draft = new ResidentDraft(this);
      try {
        const result = await work(draft);
        signal?.throwIfAborted();
        this.assertExists();
        this.#commit(draft);
        return result;
      } catch (error) {
        this.#versions?.giveBack(draft.due);
        throw error;
      }
    });
  }

  /** Where versions are recorded, records what has expired, and drops what is older than it is kept; waits for a transaction under way. */
  async tidyVersions(signal: AbortSignal | undefined): Promise<void> {
    while (this.#transaction !== undefined || this.#expireSome() || this.#versions?.trim() === true) {
      await (this.#transaction ?? this.#runtime.yieldTask());
      signal?.throwIfAborted();
    }
  }

  /**
   * Gives the container another definition when nobody writes to it. What has expired by the one before is removed first, so that another default
   * time to live does not bring it back.
   *
   * @param change makes the new definition known wherever it is kept, and gives it; what it throws leaves the container with the old one
   */
  redefine(defaultTtl: number | undefined, change: () => ContainerInfo): Promise<void> {
    return this.exclusively(undefined, async () => {
      while (this.#expireSome() || this.#versions?.trim() === true) {
        await this.#runtime.yieldTask();
      }
      const isAnotherLife = this.info.definition.defaultTtl !== defaultTtl;
      if (isAnotherLife) {
        await this.#removeExpired();
      }
      this.assertExists();
      this.info = change();
      if (isAnotherLife) {
        this.#forgetExpiries();
        this.#versions?.watchAll();
      }
      this.#startOrStopRecording(false);
    });
  }

  /** Runs `work` while everybody who writes to the container waits. */
  async exclusively<R>(signal: AbortSignal | undefined, work: () => Promise<R>): Promise<R> {
    // Nothing may be awaited between the end of the loop and the work: another writer would take the turn as well.
    while (this.#transaction !== undefined) {
      await this.#transaction;
    }
    signal?.throwIfAborted();
    let end = (): void => undefined;
    this.#transaction = new Promise((resolve) => {
      end = resolve;
    });
    try {
      return await work();
    } finally {
      this.#transaction = undefined;
      end();
    }
  }

  onCommit(listener: () => void): Unsubscribe {
    return this.#events.on('commit', listener);
  }

  #startOrStopRecording(isNew: boolean): void {
    if (this.#options.recordsVersions !== true || this.info.definition.changeFeedPolicy === undefined) {
      this.#versions = undefined;
    } else if (this.#versions === undefined) {
      // A position of its own, so that cursors of an earlier recording lie before it.
      this.#committedPosition = isNew ? 0 : this.takePosition();
      this.#versions = new ResidentVersions(this, { position: this.#committedPosition, atMs: this.#runtime.nowMs() });
    }
  }

  /** Where versions are recorded, commits some of what has expired; gives whether there is more. */
  #expireSome(): boolean {
    if (this.#versions === undefined || this.#deleted || !this.#versions.hasDue(this.nowSeconds())) {
      return false;
    }
    const draft = new ResidentDraft(this);
    const nowSeconds = draft.expireDue(EXPIRE_ROWS);
    this.#commit(draft);
    return this.#versions.hasDue(nowSeconds);
  }

  /** Behind another time to live, all documents count from their last write. */
  #forgetExpiries(): void {
    for (const row of this.rows.inOrder()) {
      if (row.expiresAt !== undefined) {
        this.rows.place({ ...row, expiresAt: undefined });
      }
    }
  }

  async #removeExpired(): Promise<void> {
    const nowSeconds = this.nowSeconds();
    const expired = Array.from(this.rows.inOrder()).filter((row) => this.isExpired(row, nowSeconds));
    for (let start = 0; start < expired.length && !this.#deleted; start += EXPIRE_ROWS) {
      const draft = new ResidentDraft(this);
      for (const row of expired.slice(start, start + EXPIRE_ROWS)) {
        draft.expire(row, this.#runtime.nowMs());
      }
      this.#commit(draft);
      await this.#runtime.yieldTask();
    }
  }

  #commit(draft: ResidentDraft): void {
    if (draft.changes.length === 0) {
      return;
    }
    this.#options.keep?.(draft.changes);
    for (const change of draft.changes) {
      const { key, row, position } = change;
      const before = this.#versions === undefined ? undefined : this.row(key);
      if (row === undefined) {
        this.rows.remove(key);
      } else {
        this.committed.append(commitOf(row, this.rows.place(row)));
        for (const text of row.uniqueTexts) {
          this.#uniqueOwners.set(text, key);
        }
      }
      this.#committedPosition = position;
      this.#versions?.record(change, before);
    }
    this.#versions?.trim();
    this.#sweep(draft.changes.length);
    this.#events.emit('commit', undefined);
  }

  /** Frees what expired or was replaced, at a cost that is spread over the writes. */
  #sweep(commits: number): void {
    this.#commitsUntilSweep -= commits;
    if (this.#commitsUntilSweep > 0) {
      return;
    }
    // Where versions are recorded, an expiry is one of them.
    if (this.#versions === undefined && this.mayExpire) {
      const nowSeconds = this.nowSeconds();
      for (const row of this.rows.inOrder()) {
        if (this.isExpired(row, nowSeconds)) {
          this.rows.remove(row.key);
        }
      }
    }
    for (const [text, key] of this.#uniqueOwners) {
      if (this.row(key)?.uniqueTexts.includes(text) !== true) {
        this.#uniqueOwners.delete(text);
      }
    }
    this.rows.sweep();
    this.committed.rewrite(this.rows.size, (entry) => rowOfCommit(entry) !== undefined);
    this.#commitsUntilSweep = Math.max(1000, this.rows.size);
  }
}
