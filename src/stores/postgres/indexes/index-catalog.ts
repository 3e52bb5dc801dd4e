import type { ContainerDefinition } from '../../../store/container-definition.ts';
import { indexText, readIndexKey } from '../../../query/access/index-definition.ts';
import { policyOf, wantedRangeIndexesOf, type WantedIndex } from '../../common/wanted-indexes.ts';
import type { ContainerRow } from '../container-row.ts';
import { containerNames, quoteName } from '../names.ts';
import type { PgRow, Session } from '../postgres-database.ts';
import { ARRAY, arrayText, readArrayKey, wantedArrayIndexes } from './array-index.ts';
import { indexForm } from './index-columns.ts';

/** An index of a container as the catalogue has it. */
export interface IndexRow extends PgRow {
  readonly number: number;
  readonly container: number;
  readonly kind: string;
  readonly key: string;
  readonly form: string;
  /** Whether queries may use it. */
  readonly ready: boolean;
  /** Whether nobody wants it any more, and it is about to be dropped. */
  readonly dropped: boolean;
}

/** A container whose indexes are looked after. */
export type IndexedContainer = Pick<ContainerRow, 'database' | 'number'>;

const COLUMNS = 'number, container, kind, key, form, ready, dropped';

/** The name of an index, in the schema of its table. */
export function physicalName(container: number, index: number): string {
  return `c${container}_x${index}`;
}

/** An index for people: `/type, /rank DESC`. */
export function indexName({ kind, key }: Pick<IndexRow, 'kind' | 'key'>): string {
  return kind === ARRAY ? arrayText({ path: readArrayKey(key) }) : indexText({ columns: readIndexKey(key) });
}

/** What stands behind the name of the table in CREATE INDEX. */
export function indexMethod({ kind, form }: Pick<IndexRow, 'kind' | 'form'>): string {
  return kind === ARRAY ? form : `(${form})`;
}

function wantedIndexes(definition: ContainerDefinition): readonly WantedIndex[] {
  const policy = policyOf(definition);
  return policy === undefined ? [] : [...wantedRangeIndexesOf(policy, definition, indexForm), ...wantedArrayIndexes(policy, definition)];
}

const isSame = (row: IndexRow, { kind, key, form }: WantedIndex): boolean => row.kind === kind && row.key === key && row.form === form;

/** What has to be done for the catalogue to agree with a definition. */
interface CatalogChange {
  readonly dropped: readonly IndexRow[];
  readonly added: readonly WantedIndex[];
}

function changeOf(rows: readonly IndexRow[], definition: ContainerDefinition): CatalogChange {
  const wanted = wantedIndexes(definition);
  const kept = rows.filter((row) => !row.dropped);
  return {
    dropped: kept.filter((row) => !wanted.some((index) => isSame(row, index))),
    added: wanted.filter((index) => !kept.some((row) => isSame(row, index))),
  };
}

/** Whether the catalogue agrees with a container's definition. */
export function agreesWith(rows: readonly IndexRow[], definition: ContainerDefinition): boolean {
  const { dropped, added } = changeOf(rows, definition);
  return dropped.length + added.length === 0;
}

/** The rows of a container, or of all. */
export function indexRows(session: Session, prefix: string, container?: number): Promise<readonly IndexRow[]> {
  const text = `SELECT ${COLUMNS} FROM ${quoteName(prefix)}.indexes`;
  return container === undefined
    ? session.rows<IndexRow>({ text: `${text} ORDER BY number` })
    : session.rows<IndexRow>({ text: `${text} WHERE container = $1 ORDER BY number`, values: [container] });
}

/**
 * Makes the catalogue agree with a container's definition, in the transaction that writes it. What is no longer wanted is dropped later; what is
 * missing is made later, or at once where there are no documents.
 */
export async function reconcileIndexes(
  session: Session,
  prefix: string,
  { database, number }: IndexedContainer,
  definition: ContainerDefinition,
): Promise<void> {
  const s = quoteName(prefix);
  const { dropped, added } = changeOf(await indexRows(session, prefix, number), definition);
  if (dropped.length > 0) {
    const values = [dropped.map((row) => row.number)];
    await session.rows({ text: `UPDATE ${s}.indexes SET dropped = true, ready = false WHERE number = ANY ($1::bigint[])`, values });
  }
  if (added.length === 0) {
    return;
  }
  const { documents } = containerNames(prefix, database, number);
  const [first] = await session.rows({ text: `SELECT FROM ${documents} LIMIT 1` });
  const isEmpty = first === undefined;
  for (const { kind, key, form } of added) {
    const [row] = await session.rows<{ number: number }>({
      text: `INSERT INTO ${s}.indexes (container, kind, key, form, ready) VALUES ($1, $2, $3, $4, $5) RETURNING number`,
      values: [number, kind, key, form, isEmpty],
    });
    if (isEmpty && row !== undefined) {
      await session.rows({ text: `CREATE INDEX ${physicalName(number, row.number)} ON ${documents} ${indexMethod({ kind, form })}` });
    }
  }
}

/**
 * Ends the building of indexes on a table, or on all of a schema, which would keep a definition from being replaced or dropped for as long as it takes.
 * The builder begins again.
 */
export async function stopBuilds(session: Session, schema: string, table?: string): Promise<void> {
  await session.rows({
    text: `SELECT pg_cancel_backend(p.pid) FROM pg_stat_progress_create_index p JOIN pg_class c ON c.oid = p.relid
      WHERE p.datname = current_database() AND c.relnamespace = to_regnamespace($1) AND ($2::text IS NULL OR c.oid = to_regclass($2))`,
    values: [schema, table ?? null],
  });
}

/** What has to be built or dropped, oldest first. */
export function pendingRows(session: Session, prefix: string): Promise<readonly (IndexRow & IndexPlace)[]> {
  const s = quoteName(prefix);
  return session.rows<IndexRow & IndexPlace>({
    text: `SELECT i.number, i.container, i.kind, i.key, i.form, i.ready, i.dropped, c.database, d.id AS database_id, c.id AS container_id
      FROM ${s}.indexes i JOIN ${s}.containers c ON c.number = i.container LEFT JOIN ${s}.databases d ON d.number = c.database
      WHERE NOT i.ready ORDER BY i.number`,
  });
}

/** Where an index belongs; ids as the catalogue writes them. */
export interface IndexPlace extends PgRow {
  readonly database: number;
  readonly database_id: string | null;
  readonly container_id: string;
}
