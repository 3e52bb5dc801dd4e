import type { JsonObject, JsonValue } from '../../core/json.ts';
import type { BoundQuery, PreparedQuery } from '../prepared-query.ts';
import { FrameLayout, type CompilerTools, type CompileScope, type Frame, type QueryEnvironment } from './compile-scope.ts';
import { compileExpression } from './expression-compiler.ts';
import { compileTest } from './logic-compiler.ts';
import { elementsOf } from './source-cursor.ts';
import { compileStage, projectingOutput, selectedBy, StageRun, type RowOutput, type Stage } from './stage.ts';
import { countingRows, countRow, namedBytes } from './subquery-bounds.ts';
import { compileRows, compileSubquery } from './subquery-compiler.ts';

const tools: CompilerTools = { expression: compileExpression, test: compileTest, subquery: compileSubquery, rows: compileRows };

/** The queries between the documents and the result, innermost first: `FROM (SELECT … FROM c)` puts one below another. */
function chainOf(root: BoundQuery): readonly BoundQuery[] {
  const chain: BoundQuery[] = [root];
  for (let input = root.sources[0]?.input; input?.kind === 'subquery'; input = input.query.sources[0]?.input) {
    chain.unshift(input.query);
  }
  // A subquery without a container is a source like any other: nothing streams through it.
  return chain[0]?.sources[0]?.input.kind === 'container' ? chain : [root];
}

/** A query compiled for one run: documents go in at the first stage, and rows come out of the last. */
export interface Pipeline {
  readonly stages: readonly Stage[];
  /** Whether rows come from documents; a query without a container has exactly one virtual document. */
  readonly readsContainer: boolean;
  readonly frame: Frame;
  /** The last stage: that of the query itself. */
  readonly last: Stage;
  /** Whether a run may stop after any document: no stage groups or has DISTINCT. */
  readonly isStreaming: boolean;
  /** Whether the first stage loops; where it does not, each document gives it exactly one row. */
  readonly hasLoops: boolean;
  /** Puts a document into the frame and starts the loops of the first stage. */
  begin(document: JsonObject, ordinal: number): void;
}

/** The slot of a source that is a whole document of the container. */
function rootSlotOf(query: BoundQuery): number | undefined {
  const first = query.sources[0];
  return first?.input.kind === 'container' && first.input.path.length === 0 && !first.iterate ? first.slot : undefined;
}

/**
 * Compiles a query for one run, which must not overlap another run of the same pipeline.
 *
 * `whereIsExact` says that the documents given are exactly those that satisfy WHERE of the innermost query, so it is not asked again; the
 * caller makes sure that no JOIN has a part in that filter.
 *
 * @throws QUERY_INVALID, QUERY_NOT_SUPPORTED for a function that is not there.
 */
export function compilePipeline(prepared: PreparedQuery, environment: QueryEnvironment, whereIsExact: boolean = false): Pipeline {
  const layout = new FrameLayout(prepared.slotCount);
  const chain = chainOf(prepared.root);
  const innermost = chain[0] as BoundQuery;
  const rootSlot = rootSlotOf(innermost);
  const scope: CompileScope = {
    prepared,
    environment,
    layout,
    tools,
    documentSlot: layout.newSlot(),
    ordinalSlot: layout.newSlot(),
    rootSlots: new Set(rootSlot === undefined ? [] : [rootSlot]),
    groupSlots: undefined,
    aggregateSlots: new Map(),
  };
  const stages = chain.map((query, index) => {
    const isFed = index > 0 || rootSlot !== undefined;
    const stage = compileStage(query, isFed ? query.sources.slice(1) : query.sources, scope);
    return whereIsExact && index === 0 ? { ...stage, where: undefined } : stage;
  });
  const frame = layout.newFrame();
  const first = stages[0] as Stage;
  return {
    stages,
    readsContainer: innermost.sources[0]?.input.kind === 'container',
    frame,
    last: stages.at(-1) as Stage,
    isStreaming: stages.every(({ grouping, query }) => grouping === undefined && !query.distinct),
    hasLoops: first.cursor.hasLoops,
    begin(document, ordinal) {
      frame[scope.documentSlot] = document;
      frame[scope.ordinalSlot] = ordinal;
      if (rootSlot !== undefined) {
        frame[rootSlot] = document;
      }
      first.cursor.open();
    },
  };
}

/** One run of a pipeline. */
export interface PipelineRun {
  /** Takes the next combination of the document's loops through all stages; false when there was none. */
  step(): boolean;
  /** Gives out what the stages hold back until they have seen every row. */
  finish(): void;
  /** Rows of the first stage that passed WHERE so far. */
  matched(): number;
}

/** What a stage does with the rows of the one below it. */
function feed(below: Stage, stage: Stage, run: StageRun, frame: Frame, isFull: () => boolean): (value: JsonValue) => void {
  const source = stage.query.sources[0] as { readonly slot: number; readonly iterate: boolean };
  const selected = selectedBy(below);
  const walk = (value: JsonValue): void => {
    for (const item of source.iterate ? elementsOf(value) : [value]) {
      frame[source.slot] = item;
      stage.cursor.open();
      while (!isFull() && stage.cursor.next(frame)) {
        countRow();
        run.row(frame);
      }
    }
  };
  return (value) => {
    namedBytes(value, selected);
    countingRows(() => walk(value));
  };
}

/** Starts a run. `output` takes the rows of the last stage before projection; once `isFull`, the rest of a document is left out. */
export function runPipeline(pipeline: Pipeline, output: RowOutput, isFull: () => boolean): PipelineRun {
  const { stages, frame } = pipeline;
  const runs: StageRun[] = [];
  let next = output;
  for (const stage of stages.toReversed()) {
    const run = new StageRun(stage, next);
    runs.unshift(run);
    const index = stages.indexOf(stage);
    if (index > 0) {
      const below = stages[index - 1] as Stage;
      next = projectingOutput(below, feed(below, stage, run, frame, isFull));
    }
  }
  const [firstStage, firstRun] = [stages[0] as Stage, runs[0] as StageRun];
  return {
    step() {
      if (!firstStage.cursor.next(frame)) {
        return false;
      }
      firstRun.row(frame);
      return true;
    },
    finish() {
      for (const run of runs) {
        run.finish(frame, isFull);
      }
    },
    matched: () => firstRun.matched,
  };
}
