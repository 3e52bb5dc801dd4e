import { readSpatialCondition, type SpatialCondition } from '../../../query/spatial/spatial-condition.ts';
import { get, type Program } from '../driver.ts';
import { tableNames } from '../container-statements.ts';
import { scanStatements, type ScanStatements, type SqlPiece } from '../scan-statements.ts';
import type { Read } from '../scan-slices.ts';
import type { SqliteContainer } from '../sqlite-container.ts';
import { countUpTo, MAX_COLLECTED, MAX_COUNTED, type AccessQuery } from './index-access.ts';
import { boxesTable, SPATIAL, spatialKey, spatialKind } from './spatial-index.ts';
import { policyOf } from './wanted-indexes.ts';

/** Boxes that one statement seeks at most. */
const MAX_BOXES = 64;

/** How indexes of places serve a query. */
export interface SpatialAccess {
  /** Reads the documents that they lead to, in creation order. */
  readonly statements: ScanStatements;
  /** How many there are. */
  readonly documents: number;
  /** The indexes, for people. */
  readonly indexes: readonly string[];
}

function tableOf(container: SqliteContainer, path: readonly string[]): string | undefined {
  const key = spatialKey(path);
  return container.indexes.ready.find((index) => index.kind === SPATIAL && index.key === key)?.name;
}

/** The ordinals of the documents whose boxes meet those of a condition, as a SELECT. */
function ordinalsOf(container: SqliteContainer, condition: SpatialCondition): SqlPiece {
  if (condition.kind === 'box') {
    const { low, high } = condition.box;
    const sides = (['x', 'y', 'z'] as const).map((axis) => `high_${axis} >= ? AND low_${axis} <= ?`).join(' AND ');
    return {
      sql: `SELECT ordinal FROM ${boxesTable(tableOf(container, condition.path) as string)} WHERE ${sides}`,
      parameters: [low[0], high[0], low[1], high[1], low[2], high[2]],
    };
  }
  const pieces = condition.conditions.map((part) => ordinalsOf(container, part));
  return {
    sql: pieces.map(({ sql }) => `SELECT ordinal FROM (${sql})`).join(condition.every ? ' INTERSECT ' : ' UNION '),
    parameters: pieces.flatMap(({ parameters }) => parameters),
  };
}

type BoxCondition = Extract<SpatialCondition, { kind: 'box' }>;

function boxesOf(condition: SpatialCondition): readonly BoxCondition[] {
  return condition.kind === 'box' ? [condition] : condition.conditions.flatMap(boxesOf);
}

function* collect({ sql, parameters }: SqlPiece): Program<readonly number[] | undefined> {
  const from = `SELECT ordinal FROM (${sql}) LIMIT ${MAX_COLLECTED + 1}`;
  const row = yield* get<{ ordinals: string }>(`SELECT json_group_array(ordinal) AS ordinals FROM (${from})`, ...parameters);
  const ordinals = JSON.parse(row?.ordinals ?? '[]') as number[];
  return ordinals.length > MAX_COLLECTED ? undefined : ordinals.sort((left, right) => left - right);
}

/** Collects ordinals, if they are not more than the documents of the partition keys that are asked for. */
function* collectUnlessLonger(
  container: SqliteContainer,
  { statements }: AccessQuery,
  condition: SpatialCondition,
): Program<readonly number[] | undefined> {
  const ordinals = yield* collect(ordinalsOf(container, condition));
  if (ordinals === undefined || statements.access !== 'partition' || statements.lookup === undefined) {
    return ordinals;
  }
  const { documents } = tableNames(container.number);
  const otherwise = yield* countUpTo(`${documents} INDEXED BY ${documents}_pk`, statements.lookup);
  return otherwise < Math.min(ordinals.length, MAX_COUNTED) ? undefined : ordinals;
}

/**
 * Finds the documents that can pass the spatial conditions of WHERE by their boxes; undefined where there are none, or too many. What it leads
 * to is filtered by the evaluator as ever.
 */
export async function spatialAccess(container: SqliteContainer, query: AccessQuery, read: Read): Promise<SpatialAccess | undefined> {
  const { prepared, parameters, computedProperties, scope, filter } = query;
  if (container.indexes.isStale) {
    await read(() => container.indexes.load());
  }
  if (!container.indexes.ready.some(({ kind }) => kind === SPATIAL)) {
    return undefined;
  }
  const isIndexed = (path: readonly string[]): boolean => tableOf(container, path) !== undefined;
  const condition = readSpatialCondition(prepared, parameters, computedProperties, isIndexed);
  if (condition === undefined || boxesOf(condition).length > MAX_BOXES) {
    return undefined;
  }
  const ordinals = await read(() => collectUnlessLonger(container, query, condition));
  return ordinals === undefined
    ? undefined
    : {
        statements: scanStatements(container.number, { ...scope, filter, entries: { kind: 'collected', index: SPATIAL, ordinals } }),
        documents: ordinals.length,
        indexes: [...new Set(boxesOf(condition).map(({ path }) => `spatial /${path.join('/')}`))],
      };
}

/**
 * Sentences on indexes of the policy that would serve the spatial conditions of a query and cannot: SQLite has no R-tree, or the index is not
 * filled yet.
 */
export function missedSpatialIndexes(
  container: SqliteContainer,
  { prepared, parameters, computedProperties }: AccessQuery,
): readonly string[] {
  const { definition } = container.info;
  const policy = policyOf(definition);
  const wanted = new Set(policy === undefined ? [] : spatialKind.wanted(policy, definition));
  const isMissed = (path: readonly string[]): boolean => wanted.has(spatialKey(path)) && tableOf(container, path) === undefined;
  const condition = wanted.size === 0 ? undefined : readSpatialCondition(prepared, parameters, computedProperties, isMissed);
  const known = new Set(container.indexes.rows.map(({ kind, key }) => `${kind} ${key}`));
  return condition === undefined
    ? []
    : [...new Map(boxesOf(condition).map(({ path }) => [spatialKey(path), path])).entries()].map(([key, path]) =>
        known.has(`${SPATIAL} ${key}`)
          ? `the spatial index of /${path.join('/')} is not filled yet`
          : `the spatial index of /${path.join('/')} is not there, since this SQLite has no R-tree`,
      );
}
