import type { AccessPath } from '../../query/access/access-path.ts';
import { indexText } from '../../query/access/index-definition.ts';
import { adviseOrderBy } from '../../query/explain/advise-order-by.ts';
import { createExplanation } from '../../query/explain/create-explanation.ts';
import type { EngineClause, EngineWork, PushedClause } from '../../query/explain/engine-work.ts';
import { planTree } from '../../query/explain/plan-tree.ts';
import { runToEnd } from '../../query/explain/run-to-end.ts';
import type { QueryExplanation } from '../../store/query-explanation.ts';
import type { QueryRequest } from '../../store/store-hooks.ts';
import type { PostgresContainer } from './postgres-container.ts';
import { orderOf, planQuery, runPlanned, type PlannedQuery, type Run } from './postgres-query.ts';
import { accessOf, type ScanAccess } from './scan-scope.ts';

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
  const work = workOf(query);
  const before = { access: work.access, index: work.indexes[0], documentsScanned: completed.documentsScanned };
  return createExplanation({
    prepared,
    plan: planTree(prepared, work, completed),
    work,
    run: completed,
    advice: adviseOrderBy(prepared, container.info.definition, before),
  });
}

/** How an index is read: `/type, /rank: 1 value, then a range`. */
function indexReading({ index, equal, range, order }: AccessPath): string {
  const values = equal.map(({ length }) => `${length} ${length === 1 ? 'value' : 'values'}`);
  const parts = [
    ...values,
    ...(range === undefined ? [] : ['a range']),
    ...(order === undefined ? [] : [`in the order of the query, ${order}`]),
  ];
  return `${indexText(index)}: ${parts.join(', then ')}`;
}

function workOf(query: PlannedQuery): EngineWork {
  const { scope, isNarrowed, hasIds, access: served, plan } = query;
  const access = accessOf(scope);
  const byKey = access === 'partition' || (isNarrowed && !hasIds) || (access === 'point' && scope.partitionKeys !== undefined);
  return {
    engine: 'PostgreSQL',
    access: served === undefined ? access : 'index',
    reading: served === undefined ? READING_TEXTS[access] : indexReading(served.path),
    indexes: served === undefined ? [] : [indexText(served.path.index)],
    narrowedBy: [...(byKey ? ['partition key'] : []), ...(hasIds ? ['id'] : [])],
    pushed: pushedBy(query),
    filterReasons: plan.filter === undefined ? ['nothing of it can be told in SQL'] : [],
  };
}

function pushedBy(query: PlannedQuery): ReadonlyMap<EngineClause, PushedClause> {
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
    pushed.set('ORDER BY', { exact: true, reasons: ['the entries of the index lie in this order'] });
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
