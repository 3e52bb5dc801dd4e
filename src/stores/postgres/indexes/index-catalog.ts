import type { ContainerDefinition } from '../../../store/container-definition.ts';
import { indexText, readIndexKey } from '../../../query/access/index-definition.ts';
import { catalogChange, mayFollowUse, type CataloguedIndex, type CatalogChange } from '../../common/auto-index.ts';
import { indexedPlacesOf, indexedTextsOf, policyOf, wantedRangeIndexesOf, type WantedIndex } from '../../common/wanted-indexes.ts';
import type { ContainerRow } from '../container-row.ts';
import { containerNames, quoteName, type ContainerNames } from '../names.ts';
import type { PgRow, Session } from '../postgres-database.ts';
import { findVectorExtension, type VectorExtension } from '../vectors/vector-extension.ts';
import { readVectorKey, VECTOR, vectorText, wantedVectorIndexes } from '../vectors/vector-index.ts';
import { ARRAY, arrayText, wantedArrayIndexes } from './array-index.ts';
import { indexForm } from './index-columns.ts';
import { readPathKey } from './path-index.ts';
import { SPATIAL } from './spatial-index.ts';
import { FULL_TEXT } from './text-index.ts';

/** An index of a container as the catalogue has it. */
export interface IndexRow extends PgRow, CataloguedIndex {
  readonly number: number;
  readonly container: number;
  /** Whether queries may use it. */
  readonly ready: boolean;
  /** Whether nobody wants it any more, and it is about to be dropped. */
  readonly dropped: boolean;
  /** When a query of any server was last known to use it, in seconds since 1970; of one that use asks for. */
  readonly used_at: number;
}

/** A container whose indexes are looked after. */
export type IndexedContainer = Pick<ContainerRow, 'database' | 'number'>;

const COLUMNS = 'number, container, kind, key, form, ready, dropped, origin, used_at';

/** The name of an index, in the schema of its table. */
export function physicalName(container: number, index: number): string {
  return `c${container}_x${index}`;
}

const FUNCTION_KINDS = [FULL_TEXT, SPATIAL];

/** Kinds that are known here. Others are of a newer version, which runs beside this one, and left to it. */
export const KINDS: readonly string[] = ['range', ARRAY, ...FUNCTION_KINDS.map(({ kind }) => kind), VECTOR];

/** An index for people: `/type, /rank DESC`. */
export function indexName({ kind, key }: Pick<IndexRow, 'kind' | 'key'>): string {
  switch (kind) {
    case ARRAY:
      return arrayText(readPathKey(key));
    case VECTOR:
      return vectorText(readVectorKey(key));
    case 'range':
      return indexText({ columns: readIndexKey(key) });
    default:
      return FUNCTION_KINDS.find((one) => one.kind === kind)?.textOf(readPathKey(key)) ?? `${kind} ${key}`;
  }
}

/** What stands behind the name of the table in CREATE INDEX; `s` is the quoted schema of the catalogue. */
export function indexMethod(s: string, { kind, form }: Pick<IndexRow, 'kind' | 'form'>): string {
  const found = FUNCTION_KINDS.find((one) => one.kind === kind);
  return found !== undefined ? found.method(s, form) : kind === ARRAY || kind === VECTOR ? form : `(${form})`;
}

/** What indexes can be made of beside what PostgreSQL has by itself. */
export interface IndexMeans {
  /** The schema of the catalogue. */
  readonly prefix: string;
  readonly vectors: VectorExtension | undefined;
}

/** Looks up what there is to make indexes of. It is asked again for each change: somebody may have made an extension, or dropped it. */
export async function indexMeans(session: Session, prefix: string): Promise<IndexMeans> {
  return { prefix, vectors: await findVectorExtension((statement) => session.rows(statement)) };
}

function wantedIndexes(definition: ContainerDefinition, { prefix, vectors }: IndexMeans): readonly WantedIndex[] {
  const policy = policyOf(definition);
  return policy === undefined
    ? []
    : [
        ...wantedRangeIndexesOf(policy, definition, indexForm),
        ...wantedArrayIndexes(policy, definition),
        ...FULL_TEXT.wanted(indexedTextsOf(policy, definition)),
        ...SPATIAL.wanted(indexedPlacesOf(policy, definition)),
        ...wantedVectorIndexes(policy, definition, vectors, prefix),
      ];
}

/** Whether an index that use asked for may stay: it is made as it would be now, and the policy still indexes its paths. */
function mayStay({ kind, key, form }: IndexRow, definition: ContainerDefinition): boolean {
  const columns = kind === 'range' ? readIndexKey(key) : undefined;
  return columns !== undefined && indexForm(columns) === form && mayFollowUse(columns, definition, indexForm);
}

function changeOf(rows: readonly IndexRow[], definition: ContainerDefinition, means: IndexMeans): CatalogChange<IndexRow> {
  const kept = rows.filter(({ dropped, kind }) => !dropped && KINDS.includes(kind));
  return catalogChange(kept, wantedIndexes(definition, means), (row) => mayStay(row, definition));
}

/** Whether the catalogue agrees with a container's definition. */
export function agreesWith(rows: readonly IndexRow[], definition: ContainerDefinition, means: IndexMeans): boolean {
  const { dropped, adopted, added } = changeOf(rows, definition, means);
  return dropped.length + adopted.length + added.length === 0;
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
 * missing is made later, or at once where there are no documents; but those of an extension later even then, so that nobody is refused a container by it.
 */
export async function reconcileIndexes(
  session: Session,
  prefix: string,
  { database, number }: IndexedContainer,
  definition: ContainerDefinition,
  tables: IndexedTable = { session, names: containerNames(prefix, database, number) },
): Promise<void> {
  const s = quoteName(prefix);
  const { dropped, adopted, added } = changeOf(await indexRows(session, prefix, number), definition, await indexMeans(session, prefix));
  await dropRows(session, prefix, dropped);
  if (adopted.length > 0) {
    const values = [adopted.map((row) => row.number)];
    await session.rows({ text: `UPDATE ${s}.indexes SET origin = 'policy' WHERE number = ANY ($1::bigint[])`, values });
  }
  if (added.length === 0) {
    return;
  }
  const { documents } = tables.names;
  const [first] = await tables.session.rows({ text: `SELECT FROM ${documents} LIMIT 1` });
  for (const index of added) {
    const isMadeNow = first === undefined && index.kind !== VECTOR;
    const place = await addIndexRow(session, prefix, number, { ...index, origin: 'policy' }, { isReady: isMadeNow, nowSeconds: 0 });
    if (isMadeNow) {
      await tables.session.rows({ text: `CREATE INDEX ${physicalName(number, place)} ON ${documents} ${indexMethod(s, index)}` });
    }
  }
}

/** Adds an index to the catalogue, and gives its number. */
export async function addIndexRow(
  session: Session,
  prefix: string,
  container: number,
  { kind, key, form, origin }: CataloguedIndex,
  { isReady, nowSeconds }: { readonly isReady: boolean; readonly nowSeconds: number },
): Promise<number> {
  const [row] = await session.rows<{ number: number }>({
    text: `INSERT INTO ${quoteName(prefix)}.indexes (container, kind, key, form, ready, origin, used_at) VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING number`,
    values: [container, kind, key, form, isReady, origin, nowSeconds],
  });
  return (row as { readonly number: number }).number;
}

/** Gives indexes up, which are dropped later. */
export async function dropRows(session: Session, prefix: string, rows: readonly Pick<IndexRow, 'number'>[]): Promise<void> {
  if (rows.length > 0) {
    const text = `UPDATE ${quoteName(prefix)}.indexes SET dropped = true, ready = false WHERE number = ANY ($1::bigint[])`;
    await session.rows({ text, values: [rows.map(({ number }) => number)] });
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

/** The table of a container, and on what its indexes are made. */
export interface IndexedTable {
  readonly session: Session;
  readonly names: ContainerNames;
}

/** What has to be built or dropped, oldest first. */
export function pendingRows(session: Session, prefix: string): Promise<readonly (IndexRow & IndexPlace)[]> {
  const s = quoteName(prefix);
  return session.rows<IndexRow & IndexPlace>({
    text: `SELECT i.number, i.container, i.kind, i.key, i.form, i.ready, i.dropped, i.origin, i.used_at, c.database, d.id AS database_id, c.id AS container_id
      FROM ${s}.indexes i JOIN ${s}.containers c ON c.number = i.container LEFT JOIN ${s}.databases d ON d.number = c.database
      WHERE NOT i.ready AND i.kind = ANY ($1::text[]) ORDER BY i.number`,
    values: [KINDS],
  });
}

/** Where an index belongs; ids as the catalogue writes them. */
export interface IndexPlace extends PgRow {
  readonly database: number;
  readonly database_id: string | null;
  readonly container_id: string;
}
