import type { IndexAdvice, MeasuredStatement, PlanStep, QueryExplanation } from '../../store/query-explanation.ts';
import type { BoundQuery, PreparedQuery } from '../prepared-query.ts';
import type { EngineWork } from './engine-work.ts';
import type { CompletedRun } from './run-to-end.ts';
import { renderExplanation } from './render-explanation.ts';

/** What a store tells of a query that it ran. */
export interface ExplanationInput {
  /** `undefined` for a query that only the engine understands. */
  readonly prepared: PreparedQuery | undefined;
  readonly plan: PlanStep;
  readonly work: EngineWork;
  readonly run: CompletedRun;
  /** Statement of the engine, with placeholders for values. */
  readonly statement?: string | undefined;
  /** What the engine measured of it, where it was asked to. */
  readonly measured?: MeasuredStatement | undefined;
  readonly advice?: readonly IndexAdvice[] | undefined;
}

/** The query, the one at the start of its FROM clause, and so on to the one that reads the documents. */
function readingQueries(query: BoundQuery): readonly BoundQuery[] {
  const input = query.sources[0]?.input;
  return [query, ...(input?.kind === 'subquery' ? readingQueries(input.query) : [])];
}

function readsDocuments({ root }: PreparedQuery): boolean {
  return readingQueries(root).at(-1)?.sources[0]?.input.kind === 'container';
}

/** Whether the filter of a query is the engine's. */
function filterOf(prepared: PreparedQuery | undefined, { pushed, narrowedBy }: EngineWork): QueryExplanation['filter'] {
  if (prepared === undefined) {
    return 'exact';
  }
  if (!readingQueries(prepared.root).some(({ where }) => where !== undefined)) {
    return 'none';
  }
  const filter = pushed.get('WHERE');
  return filter?.exact === true ? 'exact' : filter !== undefined || narrowedBy.length > 0 ? 'superset' : 'evaluated';
}

/** An explanation from what the engine does and what the run counted; the text is made from the rest. */
export function createExplanation({ prepared, work, run, statement, measured, advice = [], plan }: ExplanationInput): QueryExplanation {
  const filter = filterOf(prepared, work);
  const reads = prepared === undefined || readsDocuments(prepared);
  const isFinished = filter === 'none' || filter === 'exact';
  const pushedDown: readonly string[] = reads ? [...work.narrowedBy, ...work.pushed.keys()] : [];
  const explanation = {
    plan,
    engine: work.engine,
    access: reads ? work.access : 'none',
    indexes: work.indexes,
    filter,
    filterReasons: isFinished ? [] : (work.pushed.get('WHERE')?.reasons ?? work.filterReasons),
    pushedDown,
    statement: reads ? statement : undefined,
    measured: reads ? measured : undefined,
    ...run,
    advice,
  };
  return { ...explanation, text: renderExplanation(explanation) };
}
