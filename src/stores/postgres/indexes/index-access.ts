import type { SqlFilter } from '../../../query/compile/common/compile-filter.ts';
import type { AccessPath } from '../../../query/access/access-path.ts';
import { chooseAccess, type AccessOptions } from '../../../query/access/choose-access.ts';
import type { IndexDefinition } from '../../../query/access/index-definition.ts';
import type { KnownValue } from '../../../query/access/query-conditions.ts';
import type { PreparedQuery } from '../../../query/prepared-query.ts';
import { containerSettings } from '../../../query/container-settings.ts';
import { rewrittenOrder } from '../../../query/rewritten-order.ts';
import { parsePropertyPath } from '../../../store/partition-key.ts';
import type { QueryRequest } from '../../../store/store-hooks.ts';
import { quoteName } from '../names.ts';
import type { PostgresContainer } from '../postgres-container.ts';
import type { PgValue } from '../postgres-database.ts';
import { accessOf, piece, type ScanScope, type SqlPiece, type Told } from '../scan-scope.ts';
import { arrayAccess } from './array-access.ts';
import { indexColumns, type IndexColumns } from './index-columns.ts';
import { seekConditions, type Seek } from './index-seek.ts';
import { orderedWalk, type OrderedWalk } from './ordered-walk.ts';
import type { PathIndex } from './path-index.ts';
import { spatialAccess } from './spatial-access.ts';
import { textAccess } from './text-access.ts';

/** How an index serves a query. */
export interface IndexAccess extends Told {
  /** Its values or range in an index of columns. */
  readonly path: AccessPath | undefined;
  /** Indexes over arrays that lead to documents. */
  readonly arrays: readonly PathIndex[];
  /** Indexes over texts that do. */
  readonly texts: readonly PathIndex[];
  /** Indexes over geometries that do. */
  readonly places: readonly PathIndex[];
  /** The walk in the order of the query, where the index has it. */
  readonly walk: OrderedWalk | undefined;
}

/** A query whose access is to be chosen. */
export interface AccessQuery {
  readonly prepared: PreparedQuery;
  readonly request: QueryRequest;
  readonly scope: ScanScope;
  readonly filter: SqlFilter | undefined;
  /** The indexes to choose from. */
  readonly ranges: readonly IndexDefinition[];
}

/** What the partition key that is asked for says of the documents. */
function knownValues({ partitionKeys }: ScanScope, paths: readonly string[], computed: ReadonlySet<string>): readonly KnownValue[] {
  const [key] = partitionKeys ?? [];
  return partitionKeys?.length !== 1 || key === undefined
    ? []
    : key
        .map((value, at) => ({ path: parsePropertyPath(paths[at] as string), value }))
        .filter(({ path }) => !computed.has(path[0] as string));
}

/** Whether the entries of an access lie in creation order: all columns have one value. */
function isInCreationOrder({ equal, range, index }: AccessPath): boolean {
  return range === undefined && equal.length === index.columns.length && equal.every(({ length }) => length === 1);
}

/** What the planner of `query/access` is told of a query and its container. */
export function accessOptions(
  { indexes, info, position }: PostgresContainer,
  { request, scope }: Pick<AccessQuery, 'request' | 'scope'>,
): AccessOptions & { readonly computedProperties: ReadonlySet<string> } {
  const computedProperties = new Set(info.definition.computedProperties.map(({ name }) => name));
  const known = knownValues(scope, info.definition.partitionKey.paths, computedProperties);
  return { computedProperties, known, documents: Math.max(indexes.documents, position), pageRows: request.maxItemCount };
}

/** What an index of columns says of the documents. */
interface ColumnAccess {
  readonly path: AccessPath;
  readonly columns: IndexColumns;
  readonly seek: Seek;
}

function columnAccess(container: PostgresContainer, query: AccessQuery): ColumnAccess | undefined {
  const { prepared, request, ranges } = query;
  const path = ranges.length === 0 ? undefined : chooseAccess(prepared, request.parameters, ranges, accessOptions(container, query));
  const columns = path === undefined ? undefined : indexColumns(path.index.columns);
  const seek = path === undefined || columns === undefined ? undefined : seekConditions(path, columns);
  return path === undefined || columns === undefined || seek === undefined ? undefined : { path, columns, seek };
}

/**
 * Chooses the indexes that serve a query; undefined where none does.
 *
 * The statement gets conditions on the indexes' expressions, and PostgreSQL decides by what it knows of the values whether it takes an index for them.
 */
export function indexAccess(container: PostgresContainer, query: AccessQuery): IndexAccess | undefined {
  const { indexes, info } = container;
  const { prepared, request, scope, filter, ranges } = query;
  if (ranges.length + indexes.arrays.length + indexes.texts.length + indexes.places.length === 0 || accessOf(scope) === 'point') {
    return undefined;
  }
  const computedProperties = new Set(info.definition.computedProperties.map(({ name }) => name));
  const arrays = arrayAccess(indexes.arrays, prepared, request.parameters, computedProperties, filter !== undefined);
  const { parameters } = request;
  const { searchPolicy: policy } = containerSettings(info.definition);
  const s = quoteName(container.database.prefix);
  const texts = textAccess(s, indexes.texts, { prepared, parameters, policy, computedProperties });
  const places = spatialAccess(s, indexes.places, prepared, parameters, computedProperties);
  const found = columnAccess(container, query);
  const isColumnsAlone = arrays === undefined && texts === undefined && places === undefined;
  if (found === undefined && isColumnsAlone) {
    return undefined;
  }
  const isCovered = found?.seek.exact === true && found.path.coversFilter && filter?.exact === true;
  const left: SqlPiece | undefined =
    filter === undefined || isCovered ? undefined : { sql: filter.told.sql, parameters: filter.told.parameters as readonly PgValue[] };
  const conditions = [
    ...(found?.seek.conditions ?? []),
    ...(arrays?.conditions ?? []).map((one) => piece`(${one})`),
    ...(texts === undefined ? [] : [texts.condition]),
    ...(places === undefined ? [] : [places.condition]),
    ...(left === undefined ? [] : [piece`(${left})`]),
  ];
  const told = conditions.reduce((all, one) => piece`${all} AND ${one}`, piece`doc IS NOT NULL`);
  const walk =
    found?.path.order === undefined ? undefined : orderedWalk(found.path, found.columns, rewrittenOrder(prepared)?.tiesDescend === true);
  // One plan is right for all values where the entries that are read lie side by side, in the order in which they are wanted.
  const isWhole = found !== undefined && isColumnsAlone && (filter === undefined || isCovered) && scope.range === undefined;
  const isSteady = isWhole && (walk !== undefined || isInCreationOrder(found.path));
  const nameOf = isSteady ? (text: string): string | undefined => indexes.statementName(container, text) : undefined;
  return {
    path: found?.path,
    arrays: arrays?.indexes ?? [],
    texts: texts?.indexes ?? [],
    places: places?.indexes ?? [],
    told,
    walk,
    nameOf,
  };
}
