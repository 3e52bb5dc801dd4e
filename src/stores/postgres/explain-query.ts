import { indexText } from '../../query/access/index-definition.ts';
import { createExplanation } from '../../query/explain/create-explanation.ts';
import type { EngineClause, EngineWork, PushedClause } from '../../query/explain/engine-work.ts';
import { indexReading } from '../../query/explain/index-reading.ts';
import { planTree } from '../../query/explain/plan-tree.ts';
import { runToEnd } from '../../query/explain/run-to-end.ts';
import type { QueryExplanation } from '../../store/query-explanation.ts';
import type { ExplainRequest } from '../../store/store-hooks.ts';
import { adviseQuery } from './advise-query.ts';
import { countDocuments } from './document-source.ts';
import { arrayText } from './indexes/array-index.ts';
import type { PathIndex } from './indexes/path-index.ts';
import { SPATIAL } from './indexes/spatial-index.ts';
import { FULL_TEXT } from './indexes/text-index.ts';
import type { NearestRead } from './vectors/nearest-read.ts';
import { vectorText } from './vectors/vector-index.ts';
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
  const ran = await runToEnd(request.continuation, (continuation) => runPlanned(container, { ...request, continuation }, query, run));
  // Only a run tells whether an approximate index led to enough.
  const told = query.nearest?.outcome === 'candidates' ? query : { ...query, nearest: undefined };
  const statement = mainStatement(container, request, told);
  const settings = told.nearest?.settings;
  const ask: Run = settings === undefined ? run : (one) => run({ ...one, settings });
  const analyzed = request.analyze ? await measureStatement(statement, indexLabels(container), ask) : undefined;
  const work = workOf(query, analyzed?.taken ?? (await indexesTaken(statement, ask)));
  // Where PostgreSQL sorts instead, the candidates are not all that it looked at.
  const isSorted = told.nearest !== undefined && work.access !== 'index';
  const scanned = isSorted
    ? await countDocuments(container, { ...query.scope, filter: undefined }, 0, Number.MAX_SAFE_INTEGER, run)
    : undefined;
  const completed = scanned === undefined ? ran : { ...ran, documentsScanned: scanned };
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
  { access, nearest }: PlannedQuery,
  taken: ReadonlySet<string>,
): { readonly served: readonly Served[]; readonly left: readonly string[] } {
  const { path, arrays = [], texts = [], places = [] } = access ?? {};
  const all: readonly (Served & { readonly name: string })[] = [
    ...(nearest?.outcome === 'candidates'
      ? [{ name: nearest.index.name, text: vectorText(nearest.index), reading: nearestText(nearest) }]
      : []),
    ...(path === undefined ? [] : [{ name: path.index.name, text: indexText(path.index), reading: indexReading(path) }]),
    ...arrays.map(over(arrayText, 'values among the elements')),
    ...texts.map(over((at) => FULL_TEXT.textOf(at), 'words and beginnings of words')),
    ...places.map(over((at) => SPATIAL.textOf(at), 'what lies near')),
  ];
  return {
    served: all.filter(({ name }) => taken.has(name)),
    left: all.filter(({ name }) => !taken.has(name)).map(({ text }) => text),
  };
}

/** How an index over a path is told, by its name for people and what is read of it. */
function over(textOf: (path: readonly string[]) => string, what: string): (index: PathIndex) => Served & { readonly name: string } {
  return ({ name, path }) => ({ name, text: textOf(path), reading: `${textOf(path)}: ${what}` });
}

function nearestText({ index, candidates }: NearestRead): string {
  return `${vectorText(index)}: the ${candidates} nearest vectors by HNSW, which may miss some`;
}

const NEAREST_REASONS: Readonly<Record<NonNullable<NearestRead['outcome']>, string>> = {
  candidates: 'PostgreSQL chooses candidates by 4-byte numbers or less; the evaluator ranks them by the documents',
  few: 'PostgreSQL found fewer vectors than are asked for, so the evaluator ranks all documents',
  unavailable: 'the extension of the vector index is gone, so the evaluator ranks all documents',
};

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
  } else if (query.nearest?.outcome !== undefined) {
    pushed.set('ORDER BY', { exact: false, reasons: [NEAREST_REASONS[query.nearest.outcome]] });
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
