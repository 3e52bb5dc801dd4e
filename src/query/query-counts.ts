import type { PreparedQuery } from './prepared-query.ts';
import { queryErrorEntry, queryInvalidError } from './query-errors.ts';
import { QUERY_LIMITS } from './query-limits.ts';
import type { CountNode, QueryParameter } from './syntax-nodes.ts';

/** The values of TOP, OFFSET and LIMIT; `undefined` for a clause that is not there. */
export interface QueryCounts {
  readonly top: number | undefined;
  readonly offset: number | undefined;
  readonly limit: number | undefined;
}

function countValue(
  text: string,
  node: CountNode | undefined,
  parameters: readonly QueryParameter[],
  code: string,
  message: string,
): number | undefined {
  if (node === undefined || node.kind === 'number') {
    return node?.value;
  }
  const value = parameters.findLast(({ name }) => name === node.name)?.value;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value >= QUERY_LIMITS.countBound) {
    throw queryInvalidError(text, [queryErrorEntry(code, node, message)]);
  }
  return value;
}

/**
 * The counts of a run.
 *
 * @throws QUERY_INVALID (SC2060, SC2061, SC2062) for a parameter that is missing or no integer from 0 to 4,294,967,295.
 */
export function queryCounts({ text, root }: PreparedQuery, parameters: readonly QueryParameter[]): QueryCounts {
  return {
    top: countValue(text, root.top, parameters, 'SC2060', 'The count value provided for a TOP clause must be an integer.'),
    offset: countValue(text, root.offset, parameters, 'SC2062', 'The count value provided for an OFFSET clause must be an integer.'),
    limit: countValue(text, root.limit, parameters, 'SC2061', 'The count value provided for a LIMIT clause must be an integer.'),
  };
}
