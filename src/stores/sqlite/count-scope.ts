import type { QueryRequest } from '../../store/store-hooks.ts';
import { tableNames } from './container-statements.ts';
import { get } from './driver.ts';
import type { Read } from './scan-slices.ts';
import { scanStatements } from './scan-statements.ts';
import type { SqliteContainer } from './sqlite-container.ts';

/** Documents behind one ordinal, up to another. */
export interface OrdinalSpan {
  readonly behind: number;
  readonly upTo: number;
}

/** All documents. */
export const ALL_ORDINALS: OrdinalSpan = { behind: 0, upTo: Number.MAX_SAFE_INTEGER };

/** Rows that are counted in one go, before others have their turn. */
const STEP = 200_000;

/** Counts the living documents of the partition key or range that a request asked for, whatever its filter says of them. */
export async function countScope(
  container: SqliteContainer,
  { partitionKey, range, signal }: QueryRequest,
  { behind, upTo }: OrdinalSpan,
  read: Read,
): Promise<number> {
  const { documents } = tableNames(container.number);
  const { where, lookup, index } = scanStatements(container.number, {
    partitionKeys: partitionKey === undefined ? undefined : [partitionKey],
    pathCount: container.info.definition.partitionKey.paths.length,
    range,
  });
  const named = index === undefined ? ' NOT INDEXED' : ` INDEXED BY ${index}`;
  const keys = lookup === undefined ? '' : `${lookup.sql} AND `;
  const sql = `SELECT count(*) AS n, max(ordinal) AS last FROM (SELECT ordinal FROM ${documents}${named} WHERE ${keys}ordinal > ? AND ordinal <= ? AND (expires_at IS NULL OR expires_at > ?)${where.sql} ORDER BY ordinal LIMIT ${STEP})`;
  let count = 0;
  for (let from = behind; ;) {
    const bound = [...(lookup?.parameters ?? []), from, upTo, container.nowSeconds(), ...where.parameters];
    const found = await read(() => get<{ n: number; last: number | null }>(sql, ...bound));
    count += found?.n ?? 0;
    if (found === undefined || found.last === null || found.n < STEP) {
      return count;
    }
    from = found.last;
    await container.database.runtime.yieldTask();
    signal?.throwIfAborted();
  }
}
