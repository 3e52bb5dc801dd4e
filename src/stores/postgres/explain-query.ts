import { adviseOrderBy } from '../../query/explain/advise-order-by.ts';
import { createExplanation } from '../../query/explain/create-explanation.ts';
import type { EngineWork } from '../../query/explain/engine-work.ts';
import { planTree } from '../../query/explain/plan-tree.ts';
import { runToEnd } from '../../query/explain/run-to-end.ts';
import type { QueryExplanation } from '../../store/query-explanation.ts';
import type { QueryRequest } from '../../store/store-hooks.ts';
import type { PostgresContainer } from './postgres-container.ts';
import { planQuery, runPlanned, type PlannedQuery, type Run } from './postgres-query.ts';
import { accessOf, type ScanAccess } from './scan-scope.ts';

const READING_TEXTS: Readonly<Record<ScanAccess, string>> = {
  point: 'documents by partition key and id',
  partition: 'documents of some partition keys, in creation order',
  container: 'every document of the container, in creation order',
};

/** Runs a query to its end and tells how. */
export async function explainQuery(container: PostgresContainer, request: QueryRequest, run: Run): Promise<QueryExplanation> {
  const query = planQuery(container, request);
  const { prepared } = query;
  const completed = await runToEnd(request.continuation, (continuation) => runPlanned(container, { ...request, continuation }, query, run));
  const work = workOf(query);
  const before = { access: work.access, index: undefined, documentsScanned: completed.documentsScanned };
  return createExplanation({
    prepared,
    plan: planTree(prepared, work, completed),
    work,
    run: completed,
    advice: adviseOrderBy(prepared, container.info.definition, before),
  });
}

function workOf({ scope, isNarrowed, hasIds }: PlannedQuery): EngineWork {
  const access = accessOf(scope);
  const byKey = access === 'partition' || (isNarrowed && !hasIds) || (access === 'point' && scope.partitionKeys !== undefined);
  return {
    engine: 'PostgreSQL',
    access,
    reading: READING_TEXTS[access],
    indexes: [],
    narrowedBy: [...(byKey ? ['partition key'] : []), ...(hasIds ? ['id'] : [])],
    pushed: new Map(),
    filterReasons: [],
  };
}
