import type { AccessPath } from '../../query/access/access-path.ts';
import { indexText, type IndexColumn } from '../../query/access/index-definition.ts';
import type { IndexTrial } from '../../store/query-explanation.ts';
import type { QueryRequest } from '../../store/store-hooks.ts';
import { arrayMethod, arrayText } from './indexes/array-index.ts';
import { indexForm } from './indexes/index-columns.ts';
import { SPATIAL } from './indexes/spatial-index.ts';
import { FULL_TEXT } from './indexes/text-index.ts';
import { mainStatement } from './main-statement.ts';
import { measureStatement, ownIndexLabels } from './measured-plan.ts';
import { quoteName } from './names.ts';
import type { PostgresContainer } from './postgres-container.ts';
import type { Session } from './postgres-database.ts';
import { stateOf } from './postgres-errors.ts';
import { planQuery, type PlannedQuery, type Run } from './postgres-query.ts';

/** Documents of a sample, and bytes of their table, at most. */
const MAX_DOCUMENTS = 20_000;
const MAX_BYTES = 32 * 1024 * 1024;

const TABLE = 'perigee_trial';
const INDEX = `${TABLE}_advised`;
const WHAT = 'try an index on a sample of a container';

/** SQL states of a server that lets nobody make tables of a connection: a right that is missing, and a copy that is only read. */
const NOT_ALLOWED: readonly (string | undefined)[] = ['42501', '25006'];

/** How large a part of a table a sample is, in per cent of its pages. */
async function sampleShare(session: Session, documents: string): Promise<number> {
  const [row] = await session.rows<{ rows: number; bytes: number }>({
    text: 'SELECT reltuples::float8 AS rows, pg_table_size(oid) AS bytes FROM pg_class WHERE oid = to_regclass($1)',
    values: [documents],
  });
  const { rows = 0, bytes = 0 } = row ?? {};
  return 100 * Math.min(1, MAX_DOCUMENTS / Math.max(rows, 1), MAX_BYTES / Math.max(bytes, 1));
}

/** An index of the policy that the query has now. */
interface ExistingIndex {
  /** What stands behind the name of the table. */
  readonly method: string;
  readonly text: string;
}

function existingIndexes(s: string, { access }: PlannedQuery): readonly ExistingIndex[] {
  const index = access?.path?.index;
  return [
    ...(index === undefined ? [] : [{ method: `(${indexForm(index.columns) as string})`, text: indexText(index) }]),
    ...(access?.arrays ?? []).map(({ path }) => ({ method: arrayMethod(path) as string, text: arrayText(path) })),
    ...(access?.texts ?? []).map(({ path }) => ({ method: FULL_TEXT.methodOf(s, path), text: FULL_TEXT.textOf(path) })),
    ...(access?.places ?? []).map(({ path }) => ({ method: SPATIAL.methodOf(s, path), text: SPATIAL.textOf(path) })),
  ];
}

/** Makes a table of a sample, with the indexes that each table has, and with those of the policy that the query has now. */
async function makeSample(session: Session, documents: string, existing: readonly ExistingIndex[]): Promise<number> {
  const share = await sampleShare(session, documents);
  const from = share >= 100 ? documents : `${documents} TABLESAMPLE SYSTEM (${share.toFixed(6)})`;
  await session.rows({ text: `CREATE TEMP TABLE ${TABLE} ON COMMIT DROP AS SELECT * FROM ${from}` });
  const indexes = [
    `${TABLE}_pkey ON pg_temp.${TABLE} (ordinal)`,
    `${TABLE}_pk ON pg_temp.${TABLE} (pk, ordinal)`,
    `${TABLE}_odd ON pg_temp.${TABLE} (ordinal) WHERE doc IS NULL`,
    ...existing.map(({ method }, at) => `${TABLE}_existing_${at} ON pg_temp.${TABLE} ${method}`),
  ];
  for (const index of indexes) {
    await session.rows({ text: `CREATE INDEX ${index}` });
  }
  await session.rows({ text: `ANALYZE pg_temp.${TABLE}` });
  const [row] = await session.rows<{ n: number }>({ text: `SELECT count(*) AS n FROM pg_temp.${TABLE}` });
  return row?.n ?? 0;
}

/** Whether the first row of a query needs every document that passes. */
function readsAll({ prepared: { root }, access }: PlannedQuery): boolean {
  return access?.walk === undefined && (root.orderBy.length > 0 || root.isAggregate || root.groupBy !== undefined || root.distinct);
}

async function tryOn(
  session: Session,
  container: PostgresContainer,
  request: QueryRequest,
  query: PlannedQuery,
  columns: readonly IndexColumn[],
): Promise<IndexTrial | 'unused'> {
  const run: Run = (statement) => session.rows(statement);
  const existing = existingIndexes(quoteName(container.database.prefix), query);
  const own = ownIndexLabels(TABLE);
  const labels = new Map([[INDEX, indexText({ columns })], ...existing.map(({ text }, at) => [`${TABLE}_existing_${at}`, text] as const)]);
  const labelOf = (name: string): string => labels.get(name) ?? own(name);
  const documents = await makeSample(session, container.names.documents, existing);
  const measure = (planned: PlannedQuery): ReturnType<typeof measureStatement> => {
    const maxItemCount = readsAll(planned) ? documents : request.maxItemCount;
    return measureStatement(mainStatement(container, { ...request, maxItemCount }, planned, `pg_temp.${TABLE}`), labelOf, run);
  };
  const { measured: before } = await measure(query);
  await session.rows({ text: `CREATE INDEX ${INDEX} ON pg_temp.${TABLE} (${indexForm(columns) as string})` });
  // So that PostgreSQL knows how the values of its expressions are spread.
  await session.rows({ text: `ANALYZE pg_temp.${TABLE}` });
  const planned = planQuery(container, request, query.prepared, [...container.indexes.ranges, { name: INDEX, columns }]);
  const { measured: after, taken } = await measure(planned);
  const isBetter = after.documentsRead * 2 <= before.documentsRead;
  return taken.has(INDEX) && isBetter ? { documents, before, after } : 'unused';
}

/**
 * Tries an index: makes it over a sample of the documents, in a table that only this transaction sees and that is gone when it ends, and has PostgreSQL run
 * the statement of the query without it and with it. `unused` where PostgreSQL then does not take it, or does not read half of the documents at most;
 * undefined where the server lets nobody make such tables.
 */
export async function tryIndex(
  container: PostgresContainer,
  request: QueryRequest,
  query: PlannedQuery,
  { index }: AccessPath,
): Promise<IndexTrial | 'unused' | undefined> {
  try {
    return await container.database.transaction(WHAT, (session) => tryOn(session, container, request, query, index.columns), {
      signal: request.signal,
    });
  } catch (error) {
    if (NOT_ALLOWED.includes(stateOf(error instanceof Error ? error.cause : undefined))) {
      return undefined;
    }
    throw error;
  }
}
