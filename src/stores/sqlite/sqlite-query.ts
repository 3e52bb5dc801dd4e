import type { JsonObject } from '../../core/json.ts';
import type { Runtime } from '../../core/runtime.ts';
import { compileFilter, type SqliteFilter } from '../../query/compile/sqlite/compile-filter.ts';
import { queryUnits } from '../../query/cost/request-units.ts';
import { compileCondition } from '../../query/evaluator/condition.ts';
import { executeQuery } from '../../query/executor/execute-query.ts';
import type { QuerySource, SourceBatch } from '../../query/executor/query-source.ts';
import { prepareCondition, prepareQuery } from '../../query/prepare-query.ts';
import type { PreparedQuery } from '../../query/prepared-query.ts';
import type { QueryExplanation, QueryPage } from '../../store/queries.ts';
import type { QueryRequest } from '../../store/store-hooks.ts';
import { queryScope } from './query-scope.ts';
import { scanStatements, type ScanStatements } from './scan-statements.ts';
import { scanSlices, sliceStatement, type Read } from './scan-slices.ts';
import type { SqliteContainer } from './sqlite-container.ts';

const COLUMNS = { body: 'body', id: 'id', ts: 'ts' } as const;

/** What SQLite can tell of WHERE. */
function filterOf(prepared: PreparedQuery, request: QueryRequest, container: SqliteContainer): SqliteFilter | undefined {
  const computedProperties = new Set(container.info.definition.computedProperties.map(({ name }) => name));
  return compileFilter(prepared, request.parameters, { columns: COLUMNS, computedProperties });
}

/** Runs one page of a query. */
export async function runQueryPage(
  container: SqliteContainer,
  request: QueryRequest,
  read: Read,
): Promise<Omit<QueryPage<unknown>, 'session'>> {
  const { definition } = container.info;
  const prepared = prepareQuery(request.query);
  const { scope } = queryScope(prepared, request, definition);
  const filter = filterOf(prepared, request, container);
  const page = await executeQuery({
    prepared,
    parameters: request.parameters,
    source: sourceOf(container, scanStatements(container.number, { ...scope, filter }), request.maxItemCount, read),
    whereIsExact: filter?.exact,
    maxItemCount: request.maxItemCount,
    continuation: request.continuation,
    signal: request.signal,
    runtime: container.database.runtime,
    computedProperties: definition.computedProperties.map(({ name, query }) => ({ name, query: prepareQuery(query) })),
  });
  return {
    items: page.items,
    continuation: page.continuation,
    documentsScanned: page.rowsLookedAt,
    requestUnits: queryUnits({ documentsLookedAt: page.rowsLookedAt, itemsReturned: page.items.length, bytesReturned: page.bytesReturned }),
  };
}

/** Runs a query to its end and tells how. */
export async function explainQuery(container: SqliteContainer, request: QueryRequest, read: Read): Promise<QueryExplanation> {
  const prepared = prepareQuery(request.query);
  const { scope, isNarrowed } = queryScope(prepared, request, container.info.definition);
  const filter = filterOf(prepared, request, container);
  const statements = scanStatements(container.number, { ...scope, filter });
  let { continuation } = request;
  let documentsScanned = 0;
  let itemsReturned = 0;
  let requestUnits = 0;
  do {
    const page = await runQueryPage(container, { ...request, continuation }, read);
    documentsScanned += page.documentsScanned;
    itemsReturned += page.items.length;
    requestUnits += page.requestUnits;
    continuation = page.continuation;
  } while (continuation !== undefined);
  const hasFilter = prepared.root.where !== undefined;
  return {
    text: [ACCESS_TEXTS[statements.access], ...filterTexts(filter, hasFilter)].join('\n'),
    access: statements.access,
    filter: !hasFilter ? 'none' : filter?.exact === true ? 'exact' : filter !== undefined || isNarrowed ? 'superset' : 'evaluated',
    pushedDown: [...pushedDown(statements, scope.ids !== undefined), ...(filter === undefined ? [] : ['WHERE'])],
    statement: sliceStatement(container.number, statements),
    documentsScanned,
    itemsReturned,
    requestUnits,
  };
}

const ACCESS_TEXTS: Readonly<Record<ScanStatements['access'], string>> = {
  point: 'Look up documents by partition key and id.',
  partition: 'Look at the documents of some partition keys, in creation order.',
  container: 'Look at every document of the container, in creation order.',
};

function filterTexts(filter: SqliteFilter | undefined, hasFilter: boolean): readonly string[] {
  if (filter === undefined) {
    return [hasFilter ? 'Evaluate the filter on each.' : 'There is no filter.'];
  }
  if (filter.exact) {
    return ['SQLite filters them exactly.'];
  }
  const why = filter.reasons.length === 0 ? 'SQLite cannot tell every case' : filter.reasons.join('; ');
  return [`SQLite leaves out most that do not pass; the filter is evaluated on the rest, because ${why}.`];
}

function pushedDown(statements: ScanStatements, hasIds: boolean): string[] {
  return [...(statements.lookup === undefined ? [] : ['partition key']), ...(hasIds ? ['id'] : [])];
}

/** Tells whether the condition of a patch, such as `from c where c.stock > 0`, holds for a document. */
export function conditionMatcher(runtime: Runtime): (condition: string, document: JsonObject) => boolean {
  return (condition, document) => compileCondition(prepareCondition(condition), { parameters: [], runtime })(document);
}

/** The documents of a scope, each parsed for this run alone. */
function sourceOf(container: SqliteContainer, statements: ScanStatements, expectedRows: number, read: Read): QuerySource {
  return {
    async *scan({ afterOrdinal, signal }): AsyncGenerator<SourceBatch> {
      let scannedTo = afterOrdinal;
      for await (const slice of scanSlices(container, statements, { behind: afterOrdinal, expectedRows, signal }, read)) {
        const rows = slice.rows.map(({ ordinal, position, ts, body }) => ({
          ordinal,
          document: container.documentOf(body, ordinal, position, ts) as unknown as JsonObject,
        }));
        scannedTo = slice.next ?? rows.at(-1)?.ordinal ?? scannedTo;
        yield { rows, scannedTo, looked: slice.looked };
      }
    },
  };
}
