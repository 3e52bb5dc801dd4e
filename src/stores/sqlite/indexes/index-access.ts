import type { SqlFilter } from '../../../query/compile/common/compile-filter.ts';
import type { AccessPath } from '../../../query/access/access-path.ts';
import { chooseAccess, type AccessOptions } from '../../../query/access/choose-access.ts';
import { pathKey, type KnownValue } from '../../../query/access/query-conditions.ts';
import type { Sql } from '../../../query/compile/common/sql-fragment.ts';
import type { PreparedQuery } from '../../../query/prepared-query.ts';
import { rewrittenOrder } from '../../../query/rewritten-order.ts';
import type { QueryParameter } from '../../../query/syntax-nodes.ts';
import { parsePropertyPath } from '../../../store/partition-key.ts';
import { tableNames } from '../container-statements.ts';
import { all, get, type Program } from '../driver.ts';
import { scanStatements, type ScanScope, type ScanStatements, type SqlPiece } from '../scan-statements.ts';
import type { Read } from '../scan-slices.ts';
import type { SqliteContainer } from '../sqlite-container.ts';
import { indexExpressions, RANKS, type ColumnExpressions } from './index-expressions.ts';
import { isInCreationOrder, seekConditions } from './index-seek.ts';
import { orderedWalk, type OrderedWalk } from './ordered-walk.ts';

/** A query whose access is to be chosen. */
export interface AccessQuery {
  readonly prepared: PreparedQuery;
  readonly parameters: readonly QueryParameter[];
  readonly computedProperties: ReadonlySet<string>;
  readonly scope: ScanScope;
  readonly filter: SqlFilter | undefined;
  /** How documents are read without an index. */
  readonly statements: ScanStatements;
  readonly pageRows: number;
}

/** How an index serves a query. */
export interface IndexAccess {
  readonly access: AccessPath;
  /** Reads the documents that it leads to, in creation order; where there is a walk, all of them without the index. */
  readonly statements: ScanStatements;
  /** Reads them in the order of the query. */
  readonly walk: OrderedWalk | undefined;
}

/** More entries than these are not collected: then a scan is about as good. */
export const MAX_COLLECTED = 16_384;
/** Beyond so many, odd documents are no longer an exception, and no index is used. */
const MAX_ODD = 1000;
/** Partition keys with no more documents are read without an index. */
const FEW_DOCUMENTS = 32;
/** Up to so many entries are counted to tell which of two ways is shorter. */
export const MAX_COUNTED = 1024;

/** What the partition key that is asked for says of the documents. */
function knownValues({ scope, computedProperties }: AccessQuery, paths: readonly string[]): readonly KnownValue[] {
  const [key] = scope.partitionKeys ?? [];
  return scope.partitionKeys?.length !== 1 || key === undefined
    ? []
    : key
        .map((value, at) => ({ path: parsePropertyPath(paths[at] as string), value }))
        .filter(({ path }) => !computedProperties.has(path[0] as string));
}

/** What the planner is told of a query and its container. */
export function accessOptions(container: SqliteContainer, query: AccessQuery): AccessOptions {
  const { computedProperties, pageRows } = query;
  const known = knownValues(query, container.info.definition.partitionKey.paths);
  return { computedProperties, known, pageRows, documents: container.position };
}

/** How many entries a statement gives, counted up to a bound. */
export function* countUpTo(from: string, piece: SqlPiece): Program<number> {
  const row = yield* get<{ n: number }>(
    `SELECT count(*) AS n FROM (SELECT 1 FROM ${from} WHERE ${piece.sql} LIMIT ${MAX_COUNTED})`,
    ...piece.parameters,
  );
  return row?.n ?? 0;
}

function pieceOf({ text, values }: Sql): SqlPiece {
  return { sql: text, parameters: values };
}

/** Counts what there is to count where a partition key is given, and both it and an index may be the shorter way. */
function* countedAccess(container: SqliteContainer, query: AccessQuery): Program<AccessPath | undefined> {
  const { documents } = tableNames(container.number);
  const { statements, prepared, parameters } = query;
  const { ranges } = container.indexes;
  const options = accessOptions(container, query);
  if (statements.access !== 'partition' || statements.lookup === undefined) {
    return chooseAccess(prepared, parameters, ranges, options);
  }
  const otherwise = yield* countUpTo(`${documents} INDEXED BY ${documents}_pk`, statements.lookup);
  if (otherwise <= FEW_DOCUMENTS) {
    return undefined;
  }
  const access = chooseAccess(prepared, parameters, ranges, { ...options, otherwise: otherwise < MAX_COUNTED ? otherwise : undefined });
  // An index that says nothing of the partition key leads to documents of all of them.
  const isWithin = access?.index.columns
    .slice(0, access.equal.length)
    .some(({ path }) => options.known?.some((one) => pathKey(one.path) === pathKey(path)) === true);
  if (access === undefined || isWithin === true || otherwise >= MAX_COUNTED) {
    return access;
  }
  if (access.order !== undefined) {
    return undefined;
  }
  const conditions = seekConditions(access, columnsOf(access)) ?? [];
  let entries = 0;
  for (const condition of conditions) {
    entries += yield* countUpTo(`${documents} INDEXED BY ${access.index.name}`, pieceOf(condition));
  }
  return entries * 2 < otherwise ? access : undefined;
}

function columnsOf({ index }: AccessPath): readonly ColumnExpressions[] {
  return indexExpressions(index.columns) ?? [];
}

/** Ordinals of odd documents, as an index tells them; undefined where they are too many. */
function* oddOrdinals(
  container: SqliteContainer,
  { index }: AccessPath,
  columns: readonly ColumnExpressions[],
): Program<readonly number[] | undefined> {
  const rank = columns[0]?.rank;
  if (rank === undefined) {
    return [];
  }
  const { documents } = tableNames(container.number);
  const from = `${documents} INDEXED BY ${index.name} WHERE ${rank} = ${RANKS.odd}`;
  const rows = yield* all<{ ordinal: number }>(`SELECT ordinal FROM ${from} LIMIT ${MAX_ODD + 1}`);
  return rows.length > MAX_ODD ? undefined : rows.map(({ ordinal }) => ordinal);
}

/** The ordinals of the entries of some conditions, ascending; undefined where they are too many. */
function* collectOrdinals(
  container: SqliteContainer,
  { index }: AccessPath,
  conditions: readonly Sql[],
  odd: readonly number[],
): Program<readonly number[] | undefined> {
  const { documents } = tableNames(container.number);
  const ordinals = [...odd];
  for (const { text, values } of conditions) {
    const from = `SELECT ordinal FROM ${documents} INDEXED BY ${index.name} WHERE ${text} LIMIT ${MAX_COLLECTED + 1}`;
    const row = yield* get<{ ordinals: string }>(`SELECT json_group_array(ordinal) AS ordinals FROM (${from})`, ...values);
    for (const ordinal of JSON.parse(row?.ordinals ?? '[]') as readonly number[]) {
      ordinals.push(ordinal);
    }
    if (ordinals.length > MAX_COLLECTED) {
      return undefined;
    }
  }
  return ordinals.sort((left, right) => left - right);
}

/** What is left to test of documents that an access leads to. */
function remainingScope({ scope, filter }: AccessQuery, { coversFilter }: AccessPath): ScanScope {
  return { ...scope, filter: coversFilter && filter?.exact === true ? undefined : filter };
}

function* planProgram(container: SqliteContainer, query: AccessQuery): Program<IndexAccess | undefined> {
  const access = yield* countedAccess(container, query);
  if (access === undefined) {
    return undefined;
  }
  const columns = columnsOf(access);
  const scope = remainingScope(query, access);
  if (access.order !== undefined) {
    const { where } = scanStatements(container.number, {
      ...scope,
      entries: { kind: 'collected', index: access.index.name, ordinals: [] },
    });
    const walk = orderedWalk(access, columns, where, rewrittenOrder(query.prepared)?.tiesDescend === true);
    return walk === undefined ? undefined : { access, statements: query.statements, walk };
  }
  const conditions = seekConditions(access, columns);
  const odd = conditions === undefined ? undefined : yield* oddOrdinals(container, access, columns);
  if (conditions === undefined || odd === undefined) {
    return undefined;
  }
  const [condition] = conditions;
  const index = access.index.name;
  if (isInCreationOrder(access) && odd.length === 0 && condition !== undefined) {
    const statements = scanStatements(container.number, { ...scope, entries: { kind: 'seek', index, condition: pieceOf(condition) } });
    return { access, statements, walk: undefined };
  }
  const ordinals = yield* collectOrdinals(container, access, conditions, odd);
  return ordinals === undefined
    ? undefined
    : {
        access,
        statements: scanStatements(container.number, { ...scope, entries: { kind: 'collected', index, ordinals } }),
        walk: undefined,
      };
}

/** Finds out how an index serves a query; undefined where none does, or where a scan is no worse. */
export async function indexAccess(container: SqliteContainer, query: AccessQuery, read: Read): Promise<IndexAccess | undefined> {
  if (container.indexes.isStale) {
    await read(() => container.indexes.load());
  }
  if (container.indexes.ranges.length === 0 || query.statements.access === 'point') {
    return undefined;
  }
  return read(() => planProgram(container, query));
}
