import { indexText } from '../../query/access/index-definition.ts';
import { adviseOrderBy } from '../../query/explain/advise-order-by.ts';
import { createExplanation } from '../../query/explain/create-explanation.ts';
import type { EngineClause, EngineWork, PushedClause } from '../../query/explain/engine-work.ts';
import { indexReading } from '../../query/explain/index-reading.ts';
import { planTree } from '../../query/explain/plan-tree.ts';
import { runToEnd } from '../../query/explain/run-to-end.ts';
import type { QueryExplanation } from '../../store/query-explanation.ts';
import type { QueryRequest } from '../../store/store-hooks.ts';
import { aggregateStatement } from './aggregate-query.ts';
import { groupedStatement } from './grouped-query.ts';
import type { IndexAccess } from './indexes/index-access.ts';
import { walkStatement } from './indexes/walk-documents.ts';
import type { PostgresContainer } from './postgres-container.ts';
import { orderOf, planQuery, runPlanned, toldReading, type PlannedQuery, type Run } from './postgres-query.ts';
import { accessOf, readingOf, rowsBehind, statementOf, type ScanAccess, type SqlPiece } from './scan-scope.ts';
import { shortColumns } from './scan-slices.ts';

const READING_TEXTS: Readonly<Record<ScanAccess, string>> = {
  point: 'documents by partition key and id',
  partition: 'documents of some partition keys, in creation order',
  container: 'every document of the container, in creation order',
};

/** Runs a query to its end and tells how. */
export async function explainQuery(container: PostgresContainer, request: QueryRequest, run: Run): Promise<QueryExplanation> {
  await container.indexes.refresh(container, run);
  const query = planQuery(container, request);
  const { prepared } = query;
  const completed = await runToEnd(request.continuation, (continuation) => runPlanned(container, { ...request, continuation }, query, run));
  const statement = mainStatement(container, request, query);
  const taken = await indexesTaken(statement, run);
  const work = workOf(query, taken);
  const before = { access: work.access, index: work.indexes[0], documentsScanned: completed.documentsScanned };
  return createExplanation({
    prepared,
    plan: planTree(prepared, work, completed),
    work,
    run: completed,
    statement: statementOf(statement).text,
    advice: adviseOrderBy(prepared, container.info.definition, before),
  });
}

/** The statement that makes the rows, or reads the first documents. */
function mainStatement(container: PostgresContainer, { maxItemCount }: QueryRequest, query: PlannedQuery): SqlPiece {
  const { plan, scope, access, groups } = query;
  const reading = readingOf(container.names.documents, scope, access, container.nowSeconds());
  if (plan.aggregates !== undefined) {
    return aggregateStatement(reading, plan.aggregates);
  }
  if (groups !== undefined) {
    return groupedStatement(toldReading(container, query), groups, maxItemCount + 1);
  }
  return access?.walk === undefined
    ? rowsBehind(reading, shortColumns(maxItemCount + 1), 0, maxItemCount + 1)
    : walkStatement(access.walk, reading, maxItemCount + 1);
}

interface PlanNode {
  readonly 'Index Name'?: string;
  readonly Plans?: readonly PlanNode[];
}

/** Names of the indexes that PostgreSQL takes for a statement. */
async function indexesTaken(statement: SqlPiece, run: Run): Promise<ReadonlySet<string>> {
  const { text, values } = statementOf(statement);
  const [row] = await run<{ 'QUERY PLAN': string }>({ text: `EXPLAIN (FORMAT JSON) ${text}`, values });
  const names = new Set<string>();
  const visit = (node: PlanNode): void => {
    if (node['Index Name'] !== undefined) {
      names.add(node['Index Name']);
    }
    node.Plans?.forEach(visit);
  };
  for (const { Plan } of JSON.parse(row?.['QUERY PLAN'] ?? '[]') as readonly { readonly Plan: PlanNode }[]) {
    visit(Plan);
  }
  return names;
}

function workOf(query: PlannedQuery, taken: ReadonlySet<string>): EngineWork {
  const { scope, isNarrowed, hasIds, plan } = query;
  const access = accessOf(scope);
  const served = query.access !== undefined && taken.has(query.access.path.index.name) ? query.access : undefined;
  const left = query.access === served ? '' : `; PostgreSQL finds this cheaper than ${indexText((query.access as IndexAccess).path.index)}`;
  const byKey = access === 'partition' || (isNarrowed && !hasIds) || (access === 'point' && scope.partitionKeys !== undefined);
  return {
    engine: 'PostgreSQL',
    access: served === undefined ? access : 'index',
    reading: served === undefined ? `${READING_TEXTS[access]}${left}` : indexReading(served.path),
    indexes: served === undefined ? [] : [indexText(served.path.index)],
    narrowedBy: [...(byKey ? ['partition key'] : []), ...(hasIds ? ['id'] : [])],
    pushed: pushedBy(query, served !== undefined),
    filterReasons: plan.filter === undefined ? ['nothing of it can be told in SQL'] : [],
  };
}

function pushedBy(query: PlannedQuery, isServed: boolean): ReadonlyMap<EngineClause, PushedClause> {
  const { filter, aggregates, projection } = query.plan;
  const pushed = new Map<EngineClause, PushedClause>();
  if (filter !== undefined) {
    const reasons = filter.exact || filter.reasons.length > 0 ? filter.reasons : ['PostgreSQL cannot tell every case'];
    pushed.set('WHERE', { exact: filter.exact, reasons });
  }
  if (aggregates !== undefined) {
    pushed.set('aggregates', { exact: true, reasons: [] });
  }
  if (query.groups !== undefined) {
    const { isSingle, values } = query.groups;
    const reasons = values.length === 0 ? [] : ['sums that are not of whole numbers are made again by the evaluator'];
    const clause = isSingle ? 'aggregates' : query.prepared.root.distinct ? 'DISTINCT' : 'GROUP BY';
    pushed.set(clause, { exact: true, reasons });
  }
  if (query.access?.walk !== undefined) {
    pushed.set('ORDER BY', { exact: true, reasons: [isServed ? 'the entries of the index lie in this order' : 'PostgreSQL sorts'] });
  } else if (orderOf(query) !== undefined) {
    pushed.set('ORDER BY', {
      exact: false,
      reasons: ['for the first page PostgreSQL chooses what comes first; the evaluator sorts that'],
    });
  }
  if (projection !== undefined && aggregates === undefined && query.groups === undefined && query.access?.walk === undefined) {
    pushed.set('properties', { exact: true, reasons: [] });
  }
  return pushed;
}
