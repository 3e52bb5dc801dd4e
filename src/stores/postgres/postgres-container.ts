import { Emitter, type Unsubscribe } from '../../core/emitter.ts';
import { isPerigeeError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import { IndexedTerms } from '../../query/cost/indexed-terms.ts';
import type { ScalarFunction } from '../../query/functions/function-entry.ts';
import type { PreparedQuery } from '../../query/prepared-query.ts';
import type { ContainerInfo } from '../../store/backend.ts';
import { containerGone } from '../../store/container-gone.ts';
import type { SystemProperties } from '../../store/document.ts';
import { parsePropertyPath } from '../../store/partition-key.ts';
import type { PreparedDocument } from '../../store/prepared-document.ts';
import { expiresAtSeconds, type PreparedKey } from '../../store/write-rules.ts';
import { EpkCache } from '../common/epk-cache.ts';
import { containerInfoOf, erasOf } from '../common/stored-container.ts';
import { uniqueValues } from '../common/unique-values.ts';
import { VersionNames } from '../common/version-names.ts';
import { CONTAINER_COLUMNS, type ContainerRow, type DocumentRow } from './container-row.ts';
import { containerStatements, type ContainerStatements } from './container-statements.ts';
import { escapeText } from '../../query/compile/postgres/nul-text.ts';
import { ContainerIndexes } from './indexes/container-indexes.ts';
import { keyText, uniqueDigest } from './key-text.ts';
import { containerNames, quoteName, type ContainerNames } from './names.ts';
import type { PostgresDatabase } from './postgres-database.ts';
import { CHANGED_STATE } from './postgres-errors.ts';
import type { ReplicaSet } from './replicas/replica-set.ts';
import type { StoreIdentity } from './schema.ts';

/** The key of a row. */
export interface RowKey {
  readonly pk: string;
  readonly id: string;
}

/** What all containers of one backend share. */
export interface PostgresHost {
  readonly database: PostgresDatabase;
  readonly identity: StoreIdentity;
  readonly userFunctions: ReadonlyMap<string, ScalarFunction>;
  readonly replicas?: ReplicaSet | undefined;
}

/** Partition keys remembered with the text that rows have. */
const MAX_PKS = 10_000;

/** How often a write reads a definition again that others replace meanwhile. */
const MAX_RELOADS = 20;

/** One container as all its stores in this process share it: its definition as last read, its names and statements, and who waits for commits. */
export class PostgresContainer {
  readonly database: PostgresDatabase;
  readonly databaseId: string;
  readonly number: number;
  readonly names: ContainerNames;
  readonly statements: ContainerStatements;
  readonly uniquePaths: readonly (readonly (readonly string[])[])[];
  /** Names the data in cursors and continuations; another for every container, and for a copy of the data elsewhere. */
  readonly source: string;
  readonly userFunctions: PostgresHost['userFunctions'];
  readonly replicas: ReplicaSet | undefined;
  readonly indexes: ContainerIndexes = new ContainerIndexes();
  /** Queries of which PostgreSQL's groups had to be made again by the evaluator. */
  readonly untoldGroups: WeakSet<PreparedQuery> = new WeakSet();
  /** Etags and system properties of its documents. */
  readonly versions: VersionNames;
  readonly #epks = new EpkCache();
  readonly #pks = new Map<string, string>();
  readonly #events = new Emitter<{ commit: undefined }>();
  #row: ContainerRow;
  #info: ContainerInfo;
  #terms: { readonly policy: JsonObject; readonly terms: IndexedTerms } | undefined;
  #position = 0;
  #head = 0;

  constructor({ database, identity, userFunctions, replicas }: PostgresHost, databaseId: string, row: ContainerRow) {
    this.replicas = replicas;
    this.userFunctions = userFunctions;
    this.database = database;
    this.databaseId = databaseId;
    this.number = row.number;
    this.names = containerNames(database.prefix, row.database, row.number);
    this.source = `${row.incarnation} ${identity.installation} ${identity.system}`;
    this.versions = new VersionNames(row.rid, row.incarnation, erasOf(row));
    this.#row = row;
    this.#info = containerInfoOf(databaseId, row);
    this.uniquePaths = this.#info.definition.uniqueKeys.map((paths) => paths.map(parsePropertyPath));
    this.statements = containerStatements(
      quoteName(database.prefix),
      this.names,
      row.number,
      this.uniquePaths.length,
      identity.serverVersion,
    );
  }

  /** As last read. */
  get info(): ContainerInfo {
    return this.#info;
  }

  /** As last read. */
  get row(): ContainerRow {
    return this.#row;
  }

  /** Whether every version of a document is recorded. */
  get isRecording(): boolean {
    return this.#info.definition.changeFeedPolicy !== undefined;
  }

  /** The highest position that this process has seen committed. */
  get position(): number {
    return this.#position;
  }

  /** Counts index terms by the policy of now. */
  get terms(): IndexedTerms {
    const policy = this.#info.definition.indexingPolicy;
    if (this.#terms?.policy !== policy) {
      this.#terms = { policy, terms: new IndexedTerms(policy) };
    }
    return this.#terms.terms;
  }

  /** A name for a statement that is kept prepared. */
  statementName(kind: keyof ContainerStatements): string {
    return `perigee ${this.number} ${kind}`;
  }

  nowSeconds(): number {
    return Math.floor(this.database.runtime.nowMs() / 1000);
  }

  rowKey(key: PreparedKey): RowKey {
    let pk = this.#pks.get(key.partitionKeyText);
    if (pk === undefined) {
      if (this.#pks.size >= MAX_PKS) {
        this.#pks.clear();
      }
      pk = keyText(key.partitionKey);
      this.#pks.set(key.partitionKeyText, pk);
    }
    return { pk, id: escapeText(key.id) };
  }

  epkOf(key: PreparedKey): string {
    return this.#epks.of(key, this.#info.definition.partitionKey);
  }

  /** Digests of the unique values of a document, one for each unique key. */
  digestsOf(document: PreparedDocument): readonly string[] {
    return uniqueValues(this.uniquePaths, document).map(uniqueDigest);
  }

  expiryOf(document: PreparedDocument, nowSeconds: number): number | null {
    return expiresAtSeconds(nowSeconds, document.ttl, this.#info.definition.defaultTtl) ?? null;
  }

  isExpired(row: Pick<DocumentRow, 'expires_at'>, nowSeconds: number = this.nowSeconds()): boolean {
    return row.expires_at !== null && nowSeconds >= row.expires_at;
  }

  etagOf(position: number, ts: number): string {
    return this.versions.etagOf(position, ts);
  }

  systemProperties(ordinal: number, position: number, ts: number): SystemProperties {
    return this.versions.systemProperties(ordinal, position, ts);
  }

  documentOf(body: string, ordinal: number, position: number, ts: number): JsonObject & SystemProperties {
    return this.versions.documentOf(body, ordinal, position, ts);
  }

  /** Takes over a row of the catalogue as it was just read. */
  notice(row: ContainerRow): void {
    if (row.etag !== this.#row.etag) {
      this.#info = containerInfoOf(this.databaseId, row);
    }
    this.#row = row;
  }

  /** Reads the definition again. @throws NOT_FOUND when the container was deleted */
  async reload(): Promise<void> {
    const [row] = await this.database.read<ContainerRow>('read a container of the PostgreSQL store', {
      text: `SELECT ${CONTAINER_COLUMNS} FROM ${quoteName(this.database.prefix)}.containers WHERE number = $1`,
      values: [this.number],
    });
    if (row === undefined) {
      throw containerGone(this.#info.definition.id);
    }
    this.notice(row);
  }

  /** Runs a write, again with the definition of now where another server has replaced the one known here. */
  async withDefinition<R>(write: () => Promise<R>): Promise<R> {
    for (let reloads = 0; ; reloads += 1) {
      try {
        return await write();
      } catch (error) {
        if (!isPerigeeError(error) || error.details['sqlState'] !== CHANGED_STATE || reloads >= MAX_RELOADS) {
          throw error;
        }
      }
      await this.reload();
    }
  }

  /** Takes note of a commit of this process. */
  committed(position: number): void {
    this.seen(position);
    this.#events.emit('commit', undefined);
  }

  /** Takes note of a position that is committed. */
  seen(position: number): void {
    this.#position = Math.max(this.#position, position);
  }

  /** Calls `listener` after each commit that is noticed at once. */
  onCommit(listener: () => void): Unsubscribe {
    return this.#events.on('commit', listener);
  }

  /** The highest position that any write has taken. */
  async head(): Promise<number> {
    const [row] = await this.database.read<{ head: number }>('read from the PostgreSQL store', { text: this.statements.head });
    this.#head = Math.max(this.#head, row?.head ?? 0);
    return row?.head ?? 0;
  }

  /** As {@link head}, and whether writes to the container are under way, which may have taken their positions before. */
  async progress(): Promise<{ readonly head: number; readonly isOpen: boolean }> {
    const [row] = await this.database.read<{ head: number; open: boolean }>('read from the PostgreSQL store', {
      text: this.statements.progress,
    });
    return { head: row?.head ?? 0, isOpen: row?.open === true };
  }

  /** Whether a position was taken by a write. Who was told of one was told that it is committed, and so it is seen by every statement. */
  async hasReached(position: number): Promise<boolean> {
    return position <= this.#position || position <= this.#head || position <= (await this.head());
  }
}
