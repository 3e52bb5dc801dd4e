import { indexText } from '../../query/access/index-definition.ts';
import { createExplanation } from '../../query/explain/create-explanation.ts';
import type { EngineClause, EngineWork, PushedClause } from '../../query/explain/engine-work.ts';
import { indexReading } from '../../query/explain/index-reading.ts';
import { planTree } from '../../query/explain/plan-tree.ts';
import { runToEnd } from '../../query/explain/run-to-end.ts';
import type { QueryExplanation } from '../../store/query-explanation.ts';
import type { ExplainRequest } from '../../store/store-hooks.ts';
import { adviseQuery } from './advise-query.ts';
import type { IndexAccess } from './indexes/index-access.ts';
import type { PostgresContainer } from './postgres-container.ts';
import { mainStatement } from './main-statement.ts';
import { indexesTaken, indexLabels, measureStatement } from './measured-plan.ts';
import { orderOf, planQuery, runPlanned, type PlannedQuery, type Run } from './postgres-query.ts';
import { accessOf, statementOf, type ScanAccess } from './scan-scope.ts';

const READING_TEXTS: Readonly<Record<ScanAccess, string>> = {
  point: 'documents by partition key and id',
  partition: 'documents of some partition keys, in creation order',
  container: 'every document of the container, in creation order',
};

/** Runs a query to its end and tells how. */
export async function explainQuery(container: PostgresContainer, request: ExplainRequest, run: Run): Promise<QueryExplanation> {
  await container.indexes.refresh(container, run);
  const query = planQuery(container, request);
  const { prepared } = query;
  const completed = await runToEnd(request.continuation, (continuation) => runPlanned(container, { ...request, continuation }, query, run));
  const statement = mainStatement(container, request, query);
  const analyzed = request.analyze ? await measureStatement(statement, indexLabels(container), run) : undefined;
  const work = workOf(query, analyzed?.taken ?? (await indexesTaken(statement, run)));
  const before = { access: work.access, index: work.indexes[0], documentsScanned: completed.documentsScanned };
  return createExplanation({
    prepared,
    plan: planTree(prepared, work, completed),
    work,
    run: completed,
    statement: statementOf(statement).text,
    measured: analyzed?.measured,
    advice: await adviseQuery(container, request, query, before, run),
  });
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
