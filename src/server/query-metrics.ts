import type { QueryPage } from '../store/queries.ts';

/** How long the parts of a page took, in milliseconds. */
export interface PageTimes {
  /** From the request being read to the answer being ready. */
  readonly totalMs: number;
  /** Of these reading, checking and resolving the text; next to nothing for one that was seen before. */
  readonly compileMs: number;
  /** Of these writing the items. */
  readonly writeMs: number;
}

function time(ms: number): string {
  return Math.max(0, ms).toFixed(2);
}

function bytesOf(items: readonly unknown[]): number {
  return items.length === 0 ? 0 : Buffer.byteLength(JSON.stringify(items)) - 1 - items.length;
}

/** What part of the documents that were looked at passed. An aggregate of nothing, and a page behind the last, used no document in vain. */
function utilization({ documentsScanned, rowsMatched, items }: QueryPage<unknown>): number {
  return documentsScanned === 0 ? 1 : Math.min(1, (rowsMatched ?? items.length) / documentsScanned);
}

/**
 * The header of query metrics, as the service writes it: clients add the counts and times of several pages and ranges up. Looking up, loading and
 * evaluating are one for the stores, and stand under `VMExecutionTimeInMs`.
 */
export function queryMetrics(page: QueryPage<unknown>, { totalMs, compileMs, writeMs }: PageTimes): string {
  const pairs = {
    totalExecutionTimeInMs: time(totalMs),
    queryCompileTimeInMs: time(compileMs),
    queryLogicalPlanBuildTimeInMs: time(0),
    queryPhysicalPlanBuildTimeInMs: time(0),
    queryOptimizationTimeInMs: time(0),
    VMExecutionTimeInMs: time(totalMs - compileMs - writeMs),
    indexLookupTimeInMs: time(0),
    instructionCount: '0',
    documentLoadTimeInMs: time(0),
    systemFunctionExecuteTimeInMs: time(0),
    userFunctionExecuteTimeInMs: time(0),
    retrievedDocumentCount: String(page.documentsScanned),
    retrievedDocumentSize: String(page.bytesRead ?? 0),
    outputDocumentCount: String(page.items.length),
    outputDocumentSize: String(bytesOf(page.items)),
    writeOutputTimeInMs: time(writeMs),
    indexUtilizationRatio: utilization(page).toFixed(2),
  };
  return Object.entries(pairs)
    .map(([name, value]) => `${name}=${value}`)
    .join(';');
}
