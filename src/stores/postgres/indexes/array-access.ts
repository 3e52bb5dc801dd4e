import { readArrayConditions, type ArrayCondition } from '../../../query/access/array-condition.ts';
import type { PreparedQuery } from '../../../query/prepared-query.ts';
import type { QueryParameter } from '../../../query/syntax-nodes.ts';
import type { JsonValue } from '../../../core/json.ts';
import { allOf, anyOf, piece, value, type SqlPiece } from '../scan-scope.ts';
import { arrayExpression } from './array-index.ts';
import { pathKey, type PathIndex } from './path-index.ts';

/** How indexes over arrays serve a query. */
export interface ArrayAccess {
  readonly indexes: readonly PathIndex[];
  /** What holds for every document that gives a row and is not odd, beside the filter of the query. */
  readonly conditions: readonly SqlPiece[];
}

/** The array at a path has an element that contains a needle. */
function contains(path: readonly string[], needles: readonly JsonValue[]): SqlPiece {
  return piece`${arrayExpression(path) as string} @> ${value('jsonb', JSON.stringify(needles))}`;
}

function conditionOf(condition: ArrayCondition): SqlPiece {
  if (condition.kind === 'group') {
    const pieces = condition.conditions.map(conditionOf);
    return condition.every ? allOf(pieces) : anyOf(pieces);
  }
  const { path, every, needles } = condition;
  return every ? contains(path, needles) : anyOf(needles.map((needle) => contains(path, [needle])));
}

function pathsOf(condition: ArrayCondition): readonly (readonly string[])[] {
  return condition.kind === 'group' ? condition.conditions.flatMap(pathsOf) : [condition.path];
}

/** Whether the filter of the query says the same: the compiler tells such calls by `@>` as well, and PostgreSQL would count a condition twice. */
function isTold(condition: ArrayCondition): boolean {
  return condition.kind === 'group' ? condition.conditions.every(isTold) : condition.isExact;
}

/** Finds what a query says of arrays that have an index; undefined where it says nothing. */
export function arrayAccess(
  indexes: readonly PathIndex[],
  prepared: PreparedQuery,
  parameters: readonly QueryParameter[],
  computedProperties: ReadonlySet<string>,
  hasFilter: boolean,
): ArrayAccess | undefined {
  const byPath = new Map(indexes.map((index) => [pathKey(index.path), index] as const));
  const conditions =
    indexes.length === 0
      ? []
      : readArrayConditions(prepared, parameters, { computedProperties, isIndexed: (path) => byPath.has(pathKey(path)) });
  const served = new Set(conditions.flatMap(pathsOf).map(pathKey));
  return conditions.length === 0
    ? undefined
    : {
        indexes: [...byPath.entries()].filter(([key]) => served.has(key)).map(([, index]) => index),
        conditions: conditions.filter((condition) => !(hasFilter && isTold(condition))).map(conditionOf),
      };
}
