import { cloneJson, type JsonObject, type JsonValue } from '../../core/json.ts';
import type { Runtime } from '../../core/runtime.ts';
import { containerSettings } from '../../query/container-settings.ts';
import { pageUnits } from '../../query/cost/page-units.ts';
import { accessByPolicy } from '../../query/cost/query-work.ts';
import { executeQuery } from '../../query/executor/execute-query.ts';
import type { QuerySource, SourceRow } from '../../query/executor/query-source.ts';
import { adviseOrderBy } from '../../query/explain/advise-order-by.ts';
import { createExplanation } from '../../query/explain/create-explanation.ts';
import { readingOnly } from '../../query/explain/engine-work.ts';
import { planTree } from '../../query/explain/plan-tree.ts';
import { runToEnd } from '../../query/explain/run-to-end.ts';
import { checkOrderByIndexes } from '../../query/index-policy/check-order-by.ts';
import { prepareQuery } from '../../query/prepare-query.ts';
import type { PreparedQuery } from '../../query/prepared-query.ts';
import { functionsOfQuery } from '../../query/user-functions.ts';
import type { QueryPage } from '../../store/queries.ts';
import type { QueryExplanation } from '../../store/query-explanation.ts';
import type { QueryRequest } from '../../store/store-hooks.ts';
import type { CreationEntry } from './creation-entry.ts';
import type { ResidentRow } from './resident-container.ts';
import type { ResidentDraft } from './resident-draft.ts';
import { scanRows, scopeFilter, type ScanStep } from './resident-scan.ts';
import { documentOf } from './resident-writes.ts';

/** Rows of one step of a scan: few enough that a step ends within a millisecond or two. */
const STEP_ROWS = 200;
/** Rows of one step where they are only counted. */
const COUNT_ROWS = 10_000;

/** Runs one page of a query over the rows that a draft sees; `between` is called between two pieces of it and may end it by throwing. */
export async function runQueryPage(
  draft: ResidentDraft,
  request: QueryRequest,
  runtime: Runtime,
  between: () => void = () => undefined,
): Promise<Omit<QueryPage<unknown>, 'session'>> {
  const prepared = prepareQuery(request.query);
  const { definition } = draft.container.info;
  checkOrderByIndexes(prepared, definition, request.orderBy);
  const { computedProperties, searchPolicy } = containerSettings(definition);
  const shared = isShared(prepared);
  const host: SourceHost = { shared, runtime, between };
  const page = await executeQuery({
    prepared,
    parameters: request.parameters,
    source: sourceOf(draft, request, host),
    wholeSource: sourceOf(draft, { ...request, partitionKey: undefined, range: undefined }, host),
    maxItemCount: request.maxItemCount,
    continuation: request.continuation,
    range: request.range,
    signal: request.signal,
    runtime,
    computedProperties,
    searchPolicy,
    udfs: functionsOfQuery(draft.container.userFunctions, request.userDefinedFunctions),
    access: accessByPolicy(prepared, definition),
  });
  return {
    // Callers may do with the items what they like, and those share structure with documents that later queries read.
    items: shared ? page.items.map((item) => cloneJson<JsonValue>(item)) : page.items,
    continuation: page.continuation,
    documentsScanned: page.rowsLookedAt,
    rowsMatched: page.rowsMatched,
    bytesRead: page.bytesRead,
    requestUnits: pageUnits(request, definition.partitionKey, { ...page, itemsReturned: page.items.length }),
  };
}

/** Runs a query to its end and tells how. */
export async function explainQuery(
  draft: ResidentDraft,
  request: QueryRequest,
  runtime: Runtime,
  between: () => void,
): Promise<QueryExplanation> {
  const run = await runToEnd(request.continuation, (continuation) => runQueryPage(draft, { ...request, continuation }, runtime, between));
  const prepared = prepareQuery(request.query);
  const work =
    request.partitionKey === undefined
      ? readingOnly('container', 'every document of the container, in creation order')
      : readingOnly('partition', 'documents of the partition key, in creation order');
  const before = { access: work.access, index: undefined, documentsScanned: run.documentsScanned };
  const advice = adviseOrderBy(prepared, draft.container.info.definition, before);
  return createExplanation({ prepared, plan: planTree(prepared, work, run), work, run, advice });
}

/** Whether a query may read documents that others read as well: functions of users could change what they are given. */
function isShared({ udfs }: PreparedQuery): boolean {
  return udfs.length === 0;
}

/** What a run gives its source. */
interface SourceHost {
  readonly shared: boolean;
  readonly runtime: Runtime;
  readonly between: () => void;
}

/** The rows of a scope as documents; where they are not `shared`, each is parsed for this run alone. */
function sourceOf(draft: ResidentDraft, request: QueryRequest, { shared, runtime, between }: SourceHost): QuerySource {
  const matches = scopeFilter(draft.container, request);
  const { parsed } = draft.container.rows;
  const read = (row: ResidentRow, entry: CreationEntry | undefined): SourceRow =>
    shared && entry !== undefined ? parsed.rowOf(entry, row) : { ordinal: row.ordinal, document: documentOf<JsonObject>(row) };
  return {
    async count(behind, upTo, signal) {
      let count = 0;
      let step: ScanStep = { ordinal: behind, done: false };
      const visit = (row: ResidentRow): void => {
        count += row.ordinal <= upTo && matches(row) ? 1 : 0;
      };
      while (!step.done && step.ordinal < upTo) {
        signal?.throwIfAborted();
        between();
        step = scanRows(draft, request, step.ordinal, COUNT_ROWS, visit);
        if (!step.done) {
          await runtime.yieldTask();
        }
      }
      return count;
    },
    async *scan({ afterOrdinal, signal }) {
      let step: ScanStep = { ordinal: afterOrdinal, done: false };
      while (!step.done) {
        signal?.throwIfAborted();
        between();
        const rows: SourceRow[] = [];
        let bytes = 0;
        step = scanRows(draft, request, step.ordinal, STEP_ROWS, (row, entry) => {
          if (matches(row)) {
            rows.push(read(row, entry));
            bytes += entry?.bytes ?? row.text.length;
          }
        });
        yield { rows, scannedTo: step.ordinal, looked: rows.length, bytes };
      }
    },
  };
}
