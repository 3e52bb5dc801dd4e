import { Emitter, type Unsubscribe } from '../../core/emitter.ts';
import { PerigeeError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Runtime } from '../../core/runtime.ts';
import { IndexedTerms } from '../../query/cost/indexed-terms.ts';
import type { ScalarFunction } from '../../query/functions/function-entry.ts';
import type { ContainerInfo } from '../../store/backend.ts';
import { parsePropertyPath, type PartitionKey, type PartitionKeyText } from '../../store/partition-key.ts';
import { containerSelf } from '../../store/resource-id.ts';
import { expiresAtSeconds } from '../../store/write-rules.ts';
import { ResidentDraft, type DraftChange } from './resident-draft.ts';
import { OrderLog, type OrderEntry } from './order-log.ts';

/** One version of a document; never changed, only replaced. */
export interface ResidentRow {
  /** Partition key text and id: {@link rowKey}. */
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
  /** JSON with system properties. A document is parsed anew for each reader, so nobody shares one. */
  readonly text: string;
  /** One text for each unique key of the container; a text that another row of the partition has is taken. */
  readonly uniqueTexts: readonly string[];
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
  /** The etag of a version with its quotes, never given twice in a container; made of incarnation and position unless said otherwise. */
  readonly etagOf?: ((version: VersionParts) => string) | undefined;
  /** Keeps the changes of a commit before anybody sees them. What it throws refuses the commit, which then has changed nothing. */
  readonly keep?: ((changes: readonly DraftChange[]) => void) | undefined;
  /** What queries call as `udf.name(…)`; none unless said otherwise. */
  readonly userFunctions?: ReadonlyMap<string, ScalarFunction> | undefined;
}

/** What is known of a container that was kept: its rows, in any order, and the highest numbers that were ever given. */
export interface ResidentContent {
  readonly rows: Iterable<ResidentRow>;
  readonly ordinal: number;
  readonly position: number;
}

/** The key of a row. A partition key text is an array in JSON, which shows its own end, so the two parts cannot run together. */
export function rowKey(partitionKeyText: PartitionKeyText, id: string): string {
  return partitionKeyText + id;
}

const EMPTY_LOG = new OrderLog();
/** Rows that are restored before others get a turn. */
const RESTORE_TURN = 5000;

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
  readonly created: OrderLog = new OrderLog();
  readonly committed: OrderLog = new OrderLog();
  readonly #runtime: Runtime;
  readonly userFunctions: ReadonlyMap<string, ScalarFunction>;
  readonly #options: ResidentContainerOptions;
  readonly #rows = new Map<string, ResidentRow>();
  readonly #uniqueOwners = new Map<string, string>();
  /** {@link created}, for each partition key by itself. */
  readonly #createdByPartition = new Map<PartitionKeyText, OrderLog>();
  readonly #events = new Emitter<{ commit: undefined }>();
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
  }

  /** Position of the newest committed write. */
  get position(): number {
    return this.#committedPosition;
  }

  /** Fills the container, which is empty and not in use yet, with what was kept; others get turns meanwhile. */
  async restore({ rows, ordinal, position }: ResidentContent): Promise<void> {
    await this.#inTurns(rows, (row) => {
      this.#rows.set(row.key, row);
      for (const text of row.uniqueTexts) {
        this.#uniqueOwners.set(text, row.key);
      }
    });
    const all = Array.from(this.#rows.values());
    await this.#inTurns(
      all.sort((left, right) => left.ordinal - right.ordinal),
      (row) => {
        this.created.append(row.ordinal, row.key);
        this.#partitionLog(row.partitionKeyText).append(row.ordinal, row.key);
      },
    );
    await this.#inTurns(
      all.sort((left, right) => left.position - right.position),
      (row) => this.committed.append(row.position, row.key),
    );
    this.#lastOrdinal = ordinal;
    this.#lastPosition = position;
    this.#committedPosition = position;
  }

  async #inTurns(rows: Iterable<ResidentRow>, work: (row: ResidentRow) => void): Promise<void> {
    let count = 0;
    for (const row of rows) {
      work(row);
      count += 1;
      if (count % RESTORE_TURN === 0) {
        await this.#runtime.yieldTask();
      }
    }
  }

  /** The committed rows, expired ones included, in the order of creation. Nothing may be committed meanwhile. */
  *rowsInOrder(): Generator<ResidentRow> {
    for (let index = 0; index < this.created.size; index += 1) {
      const entry = this.created.at(index);
      const row = entry === undefined ? undefined : this.#rows.get(entry.key);
      if (row !== undefined && row.ordinal === entry?.order) {
        yield row;
      }
    }
  }

  /** Whether somebody holds the container, so that writers wait. */
  get isHeld(): boolean {
    return this.#transaction !== undefined;
  }

  /** Number of committed rows, expired ones included. */
  get size(): number {
    return this.#rows.size;
  }

  /** The highest ordinal given so far. */
  get lastOrdinal(): number {
    return this.#lastOrdinal;
  }

  etagOf(version: VersionParts): string {
    return this.#options.etagOf?.(version) ?? `"${this.incarnation}-${version.position.toString(16).padStart(12, '0')}"`;
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

  /** Raises NOT_FOUND once the container, or its database, was deleted. */
  assertExists(): void {
    if (this.#deleted) {
      throw new PerigeeError('NOT_FOUND', `The container ${JSON.stringify(this.info.definition.id)} was deleted.`);
    }
  }

  get isDeleted(): boolean {
    return this.#deleted;
  }

  markDeleted(): void {
    this.#deleted = true;
    this.#rows.clear();
    this.#uniqueOwners.clear();
    this.#createdByPartition.clear();
  }

  /** Counts index terms by the policy of now. */
  get terms(): IndexedTerms {
    const policy = this.info.definition.indexingPolicy;
    if (this.#terms?.policy !== policy) {
      this.#terms = { policy, terms: new IndexedTerms(policy) };
    }
    return this.#terms.terms;
  }

  /** Whether a row is past its time to live, by the definition of now. */
  isExpired(row: ResidentRow, nowSeconds: number): boolean {
    const expiresAt = expiresAtSeconds(row.ts, row.ttl, this.info.definition.defaultTtl);
    return expiresAt !== undefined && nowSeconds >= expiresAt;
  }

  /** The committed row, expired or not. */
  row(key: string): ResidentRow | undefined {
    return this.#rows.get(key);
  }

  /** Key of the row that last took a unique text; it may have let go of it since. */
  uniqueOwner(text: string): string | undefined {
    return this.#uniqueOwners.get(text);
  }

  /** Keys in creation order: those of one partition key, or all. */
  createdIn(partitionKeyText: PartitionKeyText | undefined): OrderLog {
    return partitionKeyText === undefined ? this.created : (this.#createdByPartition.get(partitionKeyText) ?? EMPTY_LOG);
  }

  /** Runs `work` with no transaction under way; what it commits is seen at once. */
  async write<R>(signal: AbortSignal | undefined, work: (draft: ResidentDraft) => R): Promise<R> {
    // Nothing may be awaited between the end of the loop and the work: another writer would take the turn as well.
    while (this.#transaction !== undefined) {
      await this.#transaction;
    }
    signal?.throwIfAborted();
    this.assertExists();
    const draft = new ResidentDraft(this);
    const result = work(draft);
    this.#commit(draft);
    return result;
  }

  /** Runs `work` while everybody else who writes to the container waits; commits when it resolves. */
  transact<R>(signal: AbortSignal | undefined, work: (draft: ResidentDraft) => Promise<R>): Promise<R> {
    return this.exclusively(signal, async () => {
      this.assertExists();
      const draft = new ResidentDraft(this);
      const result = await work(draft);
      signal?.throwIfAborted();
      this.assertExists();
      this.#commit(draft);
      return result;
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

  #commit(draft: ResidentDraft): void {
    if (draft.changes.length === 0) {
      return;
    }
    this.#options.keep?.(draft.changes);
    for (const { key, row, position } of draft.changes) {
      if (row === undefined) {
        this.#rows.delete(key);
      } else {
        if (row.ordinal !== this.#rows.get(key)?.ordinal) {
          this.created.append(row.ordinal, key);
          this.#partitionLog(row.partitionKeyText).append(row.ordinal, key);
        }
        this.#rows.set(key, row);
        this.committed.append(position, key);
        for (const text of row.uniqueTexts) {
          this.#uniqueOwners.set(text, key);
        }
      }
      this.#committedPosition = position;
    }
    this.#sweep(draft.changes.length);
    this.#events.emit('commit', undefined);
  }

  #partitionLog(partitionKeyText: PartitionKeyText): OrderLog {
    let log = this.#createdByPartition.get(partitionKeyText);
    if (log === undefined) {
      log = new OrderLog();
      this.#createdByPartition.set(partitionKeyText, log);
    }
    return log;
  }

  /** Frees what expired or was replaced, at a cost that is spread over the writes. */
  #sweep(commits: number): void {
    this.#commitsUntilSweep -= commits;
    if (this.#commitsUntilSweep > 0) {
      return;
    }
    const nowSeconds = this.nowSeconds();
    for (const [key, row] of this.#rows) {
      if (this.isExpired(row, nowSeconds)) {
        this.#rows.delete(key);
      }
    }
    for (const [text, key] of this.#uniqueOwners) {
      if (this.#rows.get(key)?.uniqueTexts.includes(text) !== true) {
        this.#uniqueOwners.delete(text);
      }
    }
    const isCreation = (entry: OrderEntry): boolean => this.#rows.get(entry.key)?.ordinal === entry.order;
    this.created.rewrite(this.#rows.size, isCreation);
    for (const [text, log] of this.#createdByPartition) {
      if (log.compact(isCreation) === 0) {
        this.#createdByPartition.delete(text);
      }
    }
    this.committed.rewrite(this.#rows.size, (entry) => this.#rows.get(entry.key)?.position === entry.order);
    this.#commitsUntilSweep = Math.max(1000, this.#rows.size);
  }
}
