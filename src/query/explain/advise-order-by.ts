import { isPerigeeError } from '../../core/errors.ts';
import type { JsonObject, JsonValue } from '../../core/json.ts';
import type { ContainerDefinition } from '../../store/container-definition.ts';
import type { IndexAdvice, PlannedAccess } from '../../store/query-explanation.ts';
import { indexText, type IndexColumn } from '../access/index-definition.ts';
import { checkOrderByIndexes } from '../index-policy/check-order-by.ts';
import type { PreparedQuery } from '../prepared-query.ts';
import { pathOf } from '../walk.ts';
import { policyPiece } from './policy-piece.ts';

function isRefused(prepared: PreparedQuery, definition: ContainerDefinition): boolean {
  try {
    checkOrderByIndexes(prepared, definition, 'strict');
    return false;
  } catch (error) {
    if (isPerigeeError(error)) {
      return true;
    }
    throw error;
  }
}

/** The terms of ORDER BY, where all of them are paths of names. */
function orderColumns({ root }: PreparedQuery): readonly IndexColumn[] | undefined {
  const columns: IndexColumn[] = [];
  for (const { expression, descending } of root.orderBy) {
    const steps = pathOf(expression)?.steps ?? [];
    const path = steps.filter((step) => typeof step === 'string');
    if (path.length === 0 || path.length < steps.length) {
      return undefined;
    }
    columns.push({ path, descending });
  }
  return columns;
}

function appended(policy: JsonObject, piece: JsonObject): JsonObject {
  const merged: Record<string, JsonValue | undefined> = { ...policy };
  for (const [member, added] of Object.entries(piece)) {
    const before = merged[member];
    merged[member] = [...(Array.isArray(before) ? (before as readonly JsonValue[]) : []), ...(added as readonly JsonValue[])];
  }
  return merged;
}

/**
 * The index without which Cosmos DB, and any store in strict mode, refuses the ORDER BY of a query; proved by checking again with it in the
 * container's index policy. None where the query is not refused, or where no index helps.
 */
export function adviseOrderBy(prepared: PreparedQuery, definition: ContainerDefinition, before: PlannedAccess): readonly IndexAdvice[] {
  const columns = isRefused(prepared, definition) ? orderColumns(prepared) : undefined;
  if (columns === undefined || columns.length === 0) {
    return [];
  }
  const policy = policyPiece(columns);
  if (isRefused(prepared, { ...definition, indexingPolicy: appended(definition.indexingPolicy, policy) })) {
    return [];
  }
  const text = indexText({ columns });
  return [
    {
      kind: columns.length === 1 ? 'single' : 'composite',
      policy,
      reason: `Cosmos DB needs ${columns.length === 1 ? 'an index' : 'a composite index'} on ${text} for this ORDER BY.`,
      provenBy: 'policy',
      before,
      after: { ...before, index: text },
    },
  ];
}
