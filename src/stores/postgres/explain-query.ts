import { indexText } from '../../query/access/index-definition.ts';
import { createExplanation } from '../../query/explain/create-explanation.ts';
import type { EngineClause, EngineWork, PushedClause } from '../../query/explain/engine-work.ts';
import { indexReading } from '../../query/explain/index-reading.ts';
import { planTree } from '../../query/explain/plan-tree.ts';
import { runToEnd } from '../../query/explain/run-to-end.ts';
import type { QueryExplanation } from '../../store/query-explanation.ts';
import type { ExplainRequest } from '../../store/store-hooks.ts';
import { adviseQuery } from './advise-query.ts';
import { arrayText } from './indexes/array-index.ts';
import { textIndexText } from './indexes/text-index.ts';
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

/** How the indexes of a query's access are told: those that PostgreSQL took, and those that it did not. */
function servedBy(
  { access }: PlannedQuery,
  taken: ReadonlySet<string>,
): { readonly served: readonly Served[]; readonly left: readonly string[] } {
  const { path, arrays = [], texts = [] } = access ?? {};
  const all: readonly (Served & { readonly name: string })[] = [
    ...(path === undefined ? [] : [{ name: path.index.name, text: indexText(path.index), reading: indexReading(path) }]),
    ...arrays.map((array) => ({ name: array.name, text: arrayText(array), reading: `${arrayText(array)}: values among the elements` })),
    ...texts.map((index) => ({
      name: index.name,
      text: textIndexText(index),
      reading: `${textIndexText(index)}: words and beginnings of words`,
    })),
  ];
  return {
    served: all.filter(({ name }) => taken.has(name)),
    left: all.filter(({ name }) => !taken.has(name)).map(({ text }) => text),
  };
}

interface Served {
  readonly text: string;
  readonly reading: string;
}

function workOf(query: PlannedQuery, taken: ReadonlySet<string>): EngineWork {
  const { scope, isNarrowed, hasIds, plan } = query;
  const access = accessOf(scope);
  const { served, left } = servedBy(query, taken);
  const cheaper = left.length === 0 ? '' : `; PostgreSQL finds this cheaper than ${left.join(' and ')}`;
  const byKey = access === 'partition' || (isNarrowed && !hasIds) || (access === 'point' && scope.partitionKeys !== undefined);
  const isServed = served.length > 0;
  return {
    engine: 'PostgreSQL',
    access: isServed ? 'index' : access,
    reading: `${isServed ? served.map(({ reading }) => reading).join(' and ') : READING_TEXTS[access]}${cheaper}`,
    indexes: served.map(({ text }) => text),
    narrowedBy: [...(byKey ? ['partition key'] : []), ...(hasIds ? ['id'] : [])],
    pushed: pushedBy(query, query.access?.path !== undefined && taken.has(query.access.path.index.name)),
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
