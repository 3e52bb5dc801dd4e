import type { PreparedQuery } from '../../../query/prepared-query.ts';
import { degreeBoxes, type DegreeBox } from '../../../query/spatial/degree-boxes.ts';
import { readSpatialCondition, type SpatialCondition } from '../../../query/spatial/spatial-condition.ts';
import type { QueryParameter } from '../../../query/syntax-nodes.ts';
import { allOf, anyOf, piece, value, type SqlPiece } from '../scan-scope.ts';
import { pathKey, type PathIndex } from './path-index.ts';
import { SPATIAL } from './spatial-index.ts';

/** Boxes that one statement seeks at most. */
const MAX_BOXES = 64;

/** How indexes over geometries serve a query. */
export interface SpatialAccess {
  readonly indexes: readonly PathIndex[];
  /** What holds for every document that passes and is not odd. */
  readonly condition: SqlPiece;
}

type BoxCondition = Extract<SpatialCondition, { kind: 'box' }>;

function boxesOf(condition: SpatialCondition): readonly BoxCondition[] {
  return condition.kind === 'box' ? [condition] : condition.conditions.flatMap(boxesOf);
}

function overlaps(expression: string, { west, south, east, north }: DegreeBox): SqlPiece {
  return piece`${expression} && ${value('box', `(${east},${north}),(${west},${south})`)}`;
}

function conditionOf(condition: SpatialCondition, s: string): SqlPiece {
  if (condition.kind === 'box') {
    const expression = SPATIAL.expression(s, condition.path);
    return anyOf(degreeBoxes(condition.box).map((box) => overlaps(expression, box)));
  }
  const pieces = condition.conditions.map((one) => conditionOf(one, s));
  return condition.every ? allOf(pieces) : anyOf(pieces);
}

/**
 * Finds what a query says of geometries that have an index; undefined where it says nothing.
 *
 * @param s the quoted schema of the catalogue
 */
export function spatialAccess(
  s: string,
  indexes: readonly PathIndex[],
  prepared: PreparedQuery,
  parameters: readonly QueryParameter[],
  computedProperties: ReadonlySet<string>,
): SpatialAccess | undefined {
  const byKey = new Map(indexes.map((index) => [pathKey(index.path), index] as const));
  const condition =
    indexes.length === 0 ? undefined : readSpatialCondition(prepared, parameters, computedProperties, (path) => byKey.has(pathKey(path)));
  const boxes = condition === undefined ? [] : boxesOf(condition);
  if (condition === undefined || boxes.length > MAX_BOXES) {
    return undefined;
  }
  const served = new Set(boxes.map(({ path }) => pathKey(path)));
  return {
    indexes: [...byKey].filter(([key]) => served.has(key)).map(([, index]) => index),
    condition: conditionOf(condition, s),
  };
}
