import { readIndexKey } from '../../../query/access/index-definition.ts';
import type { ContainerDefinition } from '../../../store/container-definition.ts';
import { catalogChange, mayFollowUse, type CataloguedIndex, type CatalogChange } from '../../common/auto-index.ts';
import { tableNames } from '../container-statements.ts';
import { all, get, run, type Program } from '../driver.ts';
import { indexTerms } from './index-expressions.ts';
import type { MaintainedIndex } from './maintained-index.ts';
import { MAINTAINED_KINDS } from './maintained-kinds.ts';
import { policyOf, wantedRangeIndexes, type WantedIndex } from './wanted-indexes.ts';

/** An index of a container as the file's catalogue has it; its kind is `range`, or that of a maintained index. */
export interface IndexRow extends CataloguedIndex {
  readonly number: number;
  readonly container: number;
  /** 1 when queries may use it. */
  readonly ready: 0 | 1;
  /** Up to which ordinal a maintained index was filled. */
  readonly place: number;
  /** When a query was last seen to use it, in seconds since 1970. */
  readonly used_at: number;
}

/** The statements that make the catalogue. */
export const CREATE_CATALOG: readonly string[] = [
  `CREATE TABLE IF NOT EXISTS indexes (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    container INTEGER NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    form TEXT NOT NULL,
    origin TEXT NOT NULL,
    ready INTEGER NOT NULL,
    place INTEGER NOT NULL,
    used_at INTEGER NOT NULL,
    UNIQUE (container, kind, key)
  )`,
];

const COLUMNS = 'number, container, kind, key, form, origin, ready, place, used_at';

/** Name of an index, or of the tables of one. */
export function physicalName({ container, number }: Pick<IndexRow, 'container' | 'number'>): string {
  return `${tableNames(container).documents}_x${number}`;
}

/** The program that keeps an index; undefined for one that SQLite keeps, and for a kind that this version does not know. */
export function maintainedIndex(row: IndexRow): MaintainedIndex | undefined {
  return MAINTAINED_KINDS.find(({ kind }) => kind === row.kind)?.open(physicalName(row), row.key);
}

/** All indexes of a container. */
export function* indexesOf(container: number): Program<readonly IndexRow[]> {
  return yield* all<IndexRow>(`SELECT ${COLUMNS} FROM indexes WHERE container = ? ORDER BY number`, container);
}

/** One index; undefined when it was dropped. */
export function* findIndex(number: number): Program<IndexRow | undefined> {
  return yield* get<IndexRow>(`SELECT ${COLUMNS} FROM indexes WHERE number = ?`, number);
}

/** All indexes that are not ready, oldest first. */
export function* pendingIndexes(): Program<readonly IndexRow[]> {
  return yield* all<IndexRow>(`SELECT ${COLUMNS} FROM indexes WHERE ready = 0 ORDER BY number`);
}

/** Removes an index and its row. */
export function* dropIndex(row: IndexRow): Program<void> {
  const maintained = maintainedIndex(row);
  if (row.kind === 'range') {
    yield* run(`DROP INDEX IF EXISTS ${physicalName(row)}`);
  } else if (maintained !== undefined) {
    yield* maintained.drop();
  }
  yield* run('DELETE FROM indexes WHERE number = ?', row.number);
}

/** Removes all indexes of a container that is deleted. */
export function* dropIndexes(container: number): Program<void> {
  for (const row of yield* indexesOf(container)) {
    yield* dropIndex(row);
  }
}

/** Adds an index that is not ready; a maintained one is kept from now on, and filled with older documents later. */
export function* addIndex(container: number, { kind, key, form }: WantedIndex, origin: IndexRow['origin'], now: number): Program<IndexRow> {
  yield* run(
    'INSERT INTO indexes (container, kind, key, form, origin, ready, place, used_at) VALUES (?, ?, ?, ?, ?, 0, 0, ?)',
    container,
    kind,
    key,
    form,
    origin,
    now,
  );
  const row = (yield* get<IndexRow>(
    `SELECT ${COLUMNS} FROM indexes WHERE container = ? AND kind = ? AND key = ?`,
    container,
    kind,
    key,
  )) as IndexRow;
  const maintained = maintainedIndex(row);
  if (maintained !== undefined) {
    yield* maintained.create();
  }
  return row;
}

/** Makes a range index of all documents and marks it ready. It takes as long as the container is large. */
export function* buildRangeIndex(row: IndexRow): Program<void> {
  const { documents } = tableNames(row.container);
  const terms = indexTerms(readIndexKey(row.key));
  if (terms !== undefined) {
    yield* run(`CREATE INDEX IF NOT EXISTS ${physicalName(row)} ON ${documents} (${terms})`);
  }
  yield* markReady(row.number);
}

export function* markReady(number: number): Program<void> {
  yield* run('UPDATE indexes SET ready = 1 WHERE number = ?', number);
}

function* wantedIndexes(definition: ContainerDefinition): Program<readonly WantedIndex[]> {
  const policy = policyOf(definition);
  if (policy === undefined) {
    return [];
  }
  const wanted = [...wantedRangeIndexes(policy, definition)];
  for (const maintained of MAINTAINED_KINDS) {
    const keys = maintained.wanted(policy, definition);
    if (keys.length > 0 && (yield* maintained.isAvailable())) {
      wanted.push(...keys.map((key): WantedIndex => ({ kind: maintained.kind, key, form: maintained.form })));
    }
  }
  return wanted;
}

/** Whether an index that use asked for may stay: its columns are as they were, and the policy still indexes its paths. */
function mayStay(row: IndexRow, definition: ContainerDefinition): boolean {
  const columns = readIndexKey(row.key);
  return indexTerms(columns) === row.form && mayFollowUse(columns, definition, indexTerms);
}

function* changeOf(container: number, definition: ContainerDefinition): Program<CatalogChange<IndexRow>> {
  const wanted = yield* wantedIndexes(definition);
  return catalogChange(yield* indexesOf(container), wanted, (row) => mayStay(row, definition));
}

/** Whether the catalogue agrees with a container's definition. */
export function* agreesWith(container: number, definition: ContainerDefinition): Program<boolean> {
  const { dropped, adopted, added } = yield* changeOf(container, definition);
  return dropped.length + adopted.length + added.length === 0;
}

/**
 * Makes the catalogue agree with a container's definition: drops what is no longer wanted, adds what is missing. Gives the rows that were added,
 * none of which is ready. Does nothing where they agree.
 */
export function* reconcileIndexes(container: number, definition: ContainerDefinition, now: number): Program<readonly IndexRow[]> {
  const { dropped, adopted, added } = yield* changeOf(container, definition);
  for (const row of dropped) {
    yield* dropIndex(row);
  }
  for (const { number } of adopted) {
    yield* run("UPDATE indexes SET origin = 'policy' WHERE number = ?", number);
  }
  const rows: IndexRow[] = [];
  for (const index of added) {
    rows.push(yield* addIndex(container, index, 'policy', now));
  }
  return rows;
}

/** The indexes of a container that was made just now and is empty: all of them at once. */
export function* createIndexes(container: number, definition: ContainerDefinition, now: number): Program<void> {
  for (const row of yield* reconcileIndexes(container, definition, now)) {
    if (row.kind === 'range') {
      yield* buildRangeIndex(row);
    } else {
      yield* markReady(row.number);
    }
  }
}
