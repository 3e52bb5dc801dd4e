import { everyRowHasValue } from '../../../query/executor/every-row-has-value.ts';
import type { PreparedQuery } from '../../../query/prepared-query.ts';
import { queryCounts } from '../../../query/query-counts.ts';
import { nearestSearch, targetVector } from '../../../query/search/nearest-search.ts';
import type { QueryRequest } from '../../../store/store-hooks.ts';
import type { PostgresContainer } from '../postgres-container.ts';
import type { PgRow } from '../postgres-database.ts';
import { stateOf } from '../postgres-errors.ts';
import { piece, statementOf, value, type Reading, type SqlPiece } from '../scan-scope.ts';
import type { Run } from '../scan-slices.ts';
import { scansOn } from './vector-extension.ts';
import { vectorTerms, type VectorIndex, type VectorTerms } from './vector-index.ts';

/** How the documents nearest to a vector are read by an approximate index. */
export interface NearestRead {
  readonly index: VectorIndex;
  readonly terms: VectorTerms;
  readonly target: readonly number[];
  /** How many the query takes, with those that OFFSET leaves out. */
  readonly wanted: number;
  /** How many are asked for. */
  readonly candidates: number;
  /** For the statement that asks. */
  readonly settings: Readonly<Record<string, string>>;
  /** What came of it, once it was asked: `few` where it led to fewer documents than are wanted, so that all were read. */
  outcome: 'candidates' | 'few' | 'unavailable' | undefined;
}

/** Beyond the number wanted: the index compares in 4-byte floats or less, so the last places may be another's; and somebody may delete a few meanwhile. */
const MORE_CANDIDATES = 16;
/** What the list of a search in the graph may hold; more would have to be searched for another way. */
const MOST_LIST = 1000;
/** Its least length: a longer list finds more of the nearest, and takes longer. */
const LEAST_LIST = 200;

/**
 * Plans a query by an approximate index; undefined where it is to be answered exactly: for want of such an index or of TOP or LIMIT, for too many rows, for
 * another vector than the index can compare with, and where WHERE is not told exactly or rows may have no value, so that it is not known how many
 * documents the rows need.
 */
export function nearestRead(
  { indexes, info, database }: PostgresContainer,
  prepared: PreparedQuery,
  { parameters }: Pick<QueryRequest, 'parameters'>,
  whereIsExact: boolean,
): NearestRead | undefined {
  const { root } = prepared;
  const { vectors, vectorExtension } = indexes;
  if (vectorExtension === undefined || !everyRowHasValue(root) || (root.where !== undefined && !whereIsExact)) {
    return undefined;
  }
  const search = nearestSearch(prepared, info.definition);
  const index = vectors.find(({ path, distance }) => search?.distance === distance && JSON.stringify(path) === JSON.stringify(search.path));
  const terms = index === undefined ? undefined : vectorTerms(index, vectorExtension, database.prefix);
  const target = search === undefined ? undefined : targetVector(search, parameters);
  if (index === undefined || terms === undefined || target?.length !== index.dimensions) {
    return undefined;
  }
  const { top, limit, offset = 0 } = queryCounts(prepared, parameters);
  const wanted = (top ?? limit ?? Number.POSITIVE_INFINITY) + offset;
  const candidates = wanted + MORE_CANDIDATES;
  if (candidates > MOST_LIST || !target.every((one) => Math.abs(one) < terms.bound)) {
    return undefined;
  }
  const list = Math.min(MOST_LIST, Math.max(LEAST_LIST, 4 * candidates));
  const settings = {
    'hnsw.ef_search': String(list),
    // Without it a filter would be asked of the first few only. Strict, as places in the list decide which are kept.
    ...(scansOn(vectorExtension) ? { 'hnsw.iterative_scan': 'strict_order' } : {}),
  };
  return { index, terms, target, wanted, candidates, settings, outcome: undefined };
}

/** The statement that asks the index for the ordinals of the nearest. */
export function nearestStatement({ terms, target, candidates }: NearestRead, { documents, condition }: Reading): SqlPiece {
  const { vector, isWhole, type, operator } = terms;
  const distance = piece`${vector} ${operator} ${value(type, `[${target.join(',')}]`)}`;
  // PostgreSQL may find another way cheaper than the index: then documents without a vector come as well, and those without a distance.
  const found = piece`SELECT ordinal AS place, ${distance} AS distance FROM ${documents} WHERE ${condition} ORDER BY distance LIMIT ${String(candidates)}`;
  return piece`SELECT place, ${isWhole} AS whole FROM (${found}) AS nearest JOIN ${documents} ON ordinal = place WHERE distance < 'Infinity'::float8`;
}

/** What a server says of types, operators and schemas that are gone: somebody dropped the extension, or moved it. */
const GONE: readonly (string | undefined)[] = ['42704', '42883', '3F000'];

/** What is read in place of all documents: the candidates by the index, and all odd ones besides. Undefined where all have to be read. */
export async function nearestReading(
  { indexes }: PostgresContainer,
  nearest: NearestRead,
  reading: Reading,
  run: Run,
): Promise<Reading | undefined> {
  let places: readonly number[];
  let told: number;
  try {
    const statement = statementOf(nearestStatement(nearest, reading));
    const rows = await run<{ place: number; whole: boolean } & PgRow>({ ...statement, settings: nearest.settings });
    places = rows.map(({ place }) => place);
    // Of numbers beyond all bounds the evaluator may find no distance, and such documents come last.
    told = rows.filter(({ whole }) => whole).length;
  } catch (error) {
    if (!GONE.includes(stateOf(error instanceof Error ? error.cause : undefined))) {
      throw error;
    }
    indexes.forget();
    nearest.outcome = 'unavailable';
    return undefined;
  }
  if (told < nearest.wanted) {
    nearest.outcome = 'few';
    return undefined;
  }
  nearest.outcome = 'candidates';
  return { ...reading, condition: piece`ordinal = ANY (${value('bigint[]', places)}) AND ${reading.condition}`, nameOf: undefined };
}
