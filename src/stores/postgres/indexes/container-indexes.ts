import { readIndexKey, type IndexDefinition } from '../../../query/access/index-definition.ts';
import type { IndexObserver } from '../../common/used-indexes.ts';
import { quoteName } from '../names.ts';
import type { PgRow } from '../postgres-database.ts';
import type { PostgresContainer } from '../postgres-container.ts';
import type { Run } from '../scan-slices.ts';
import { ARRAY } from './array-index.ts';
import { findVectorExtension, type VectorExtension } from '../vectors/vector-extension.ts';
import { readVectorKey, VECTOR, type VectorIndex } from '../vectors/vector-index.ts';
import { indexName, KINDS, physicalName } from './index-catalog.ts';
import { readPathKey, type PathIndex } from './path-index.ts';
import { SPATIAL } from './spatial-index.ts';
import { FULL_TEXT } from './text-index.ts';

/** How long it takes until an index that another server makes is noticed, and until one is that another server added because of use. */
const LOOK_AGAIN_MS = 1000;
const LOOK_AROUND_MS = 10_000;

/** Statements that each connection keeps prepared for the queries of one container. */
const MAX_PREPARED = 32;

interface LoadedRow extends PgRow {
  readonly number: number;
  readonly kind: string;
  readonly key: string;
  readonly ready: boolean;
  readonly origin: string;
  readonly documents: number;
}

/**
 * What a process knows of the indexes of a container.
 *
 * It may be behind: a query that knows an index that is gone runs without it, since statements name no index, and one that does not know of a new one
 * runs as before.
 */
export class ContainerIndexes {
  /** Those that queries may use. */
  ranges: readonly IndexDefinition[] = [];
  arrays: readonly PathIndex[] = [];
  texts: readonly PathIndex[] = [];
  places: readonly PathIndex[] = [];
  /** All of them for people, by name. */
  labels: ReadonlyMap<string, string> = new Map();
  /** The numbers of those that use asked for, by name. */
  automatic: ReadonlyMap<string, number> = new Map();
  /** Undefined where nobody wants to know. */
  observer: IndexObserver<PostgresContainer> | undefined;
  vectors: readonly VectorIndex[] = [];
  /** The extension that has them, where there are any. */
  vectorExtension: VectorExtension | undefined;
  /** About how many documents the container has, as the server estimates it. */
  documents = 0;
  readonly #names = new Map<string, string>();
  #etag: string | undefined;
  #lookAgainAt = 0;

  /** Reads the catalogue where it may have changed. */
  async refresh(container: PostgresContainer, run: Run): Promise<void> {
    const { etag } = container.row;
    const { runtime, prefix } = container.database;
    if (this.#etag === etag && runtime.monotonicMs() < this.#lookAgainAt) {
      return;
    }
    const rows = await run<LoadedRow>({
      text: `SELECT i.number, i.kind, i.key, i.ready, i.origin, c.reltuples::bigint AS documents FROM ${quoteName(prefix)}.indexes i, pg_class c
        WHERE i.container = $1 AND NOT i.dropped AND i.kind = ANY ($3::text[]) AND c.oid = to_regclass($2) ORDER BY i.number`,
      values: [container.number, container.names.documents, KINDS],
    });
    const extension = rows.some(({ kind, ready }) => kind === VECTOR && ready) ? await findVectorExtension(run) : undefined;
    this.#etag = etag;
    this.documents = rows[0]?.documents ?? 0;
    const ready = rows.filter((row) => row.ready).map((row) => ({ ...row, name: physicalName(container.number, row.number) }));
    this.labels = new Map(ready.map((row) => [row.name, indexName(row)]));
    this.vectorExtension = extension;
    this.vectors =
      extension === undefined ? [] : ready.filter(({ kind }) => kind === VECTOR).map(({ name, key }) => ({ name, ...readVectorKey(key) }));
    this.ranges = ready.filter(({ kind }) => kind === 'range').map(({ name, key }) => ({ name, columns: readIndexKey(key) }));
    const overPaths = (wanted: string): readonly PathIndex[] =>
      ready.filter(({ kind }) => kind === wanted).map(({ name, key }) => ({ name, path: readPathKey(key) }));
    this.arrays = overPaths(ARRAY);
    this.texts = overPaths(FULL_TEXT.kind);
    this.places = overPaths(SPATIAL.kind);
    this.automatic = new Map(ready.filter(({ origin }) => origin === 'auto').map(({ name, number }) => [name, number]));
    this.#lookAgainAt = runtime.monotonicMs() + (ready.length === rows.length ? LOOK_AROUND_MS : LOOK_AGAIN_MS);
  }

  /** The name under which a statement on the container is kept prepared; undefined for one more than are kept. */
  statementName(container: PostgresContainer, text: string): string | undefined {
    const known = this.#names.get(text);
    if (known !== undefined || this.#names.size >= MAX_PREPARED) {
      return known;
    }
    const name = `perigee ${container.number} index ${this.#names.size}`;
    this.#names.set(text, name);
    return name;
  }

  /** Has the catalogue read before the next query. */
  forget(): void {
    this.#etag = undefined;
  }
}
