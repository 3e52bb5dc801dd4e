import { PerigeeError } from '../../core/errors.ts';
import type { JsonValue } from '../../core/json.ts';
import type { BoundQuery } from '../prepared-query.ts';
import type { SubqueryNode } from '../syntax-nodes.ts';
import type { CompileScope, Evaluate, Frame, Test } from './compile-scope.ts';
import { compileStage, projectingOutput, selectedBy, StageRun, type Stage } from './stage.ts';
import { countingRows, countRow, namedBytes } from './subquery-bounds.ts';

/** Calls `visit` with each row until it answers true. */
type Visitor = (value: JsonValue) => boolean;

function visitGrouped(stage: Stage, frame: Frame, visit: Visitor): void {
  let stopped = false;
  const run = new StageRun(
    stage,
    projectingOutput(stage, (value) => {
      stopped ||= visit(value);
    }),
  );
  stage.cursor.open();
  while (!stopped && stage.cursor.next(frame)) {
    countRow();
    run.row(frame);
  }
  if (!stopped) {
    run.finish(frame, () => stopped);
  }
}

function visitCounted(stage: Stage, frame: Frame, visit: Visitor): void {
  if (stage.grouping !== undefined || stage.query.distinct) {
    visitGrouped(stage, frame, visit);
    return;
  }
  const { cursor, where, project } = stage;
  cursor.open();
  while (cursor.next(frame)) {
    countRow();
    if (where === undefined || where(frame)) {
      const value = project(frame);
      if (value !== undefined && visit(value)) {
        return;
      }
    }
  }
}

function visitRows(stage: Stage, frame: Frame, visit: Visitor): void {
  countingRows(() => visitCounted(stage, frame, visit));
}

function stageOf(query: BoundQuery, scope: CompileScope): Stage {
  return compileStage(query, query.sources, scope);
}

/** The rows of a subquery in a FROM clause. */
export function compileRows(query: BoundQuery, scope: CompileScope): (frame: Frame) => readonly JsonValue[] {
  const stage = stageOf(query, scope);
  const selected = selectedBy(stage);
  return (frame) => {
    const rows: JsonValue[] = [];
    let bytes = 0;
    visitRows(stage, frame, (value) => {
      bytes += namedBytes(value, selected, bytes);
      rows.push(value);
      return false;
    });
    return rows;
  };
}

function hasRow(stage: Stage): Test {
  return (frame) => {
    let found = false;
    visitRows(stage, frame, () => {
      found = true;
      return true;
    });
    return found;
  };
}

/** ALL: no row of the FROM clause for which the filter is exactly false. */
function compileAll(query: BoundQuery, scope: CompileScope): Evaluate {
  const stage = stageOf(query, scope);
  if (query.where === undefined) {
    return () => true;
  }
  const filter = scope.tools.expression(query.where, scope);
  const exists = hasRow({ ...stage, where: (frame) => filter(frame) === false });
  return (frame) => !exists(frame);
}

function compileScalar(stage: Stage): Evaluate {
  return (frame) => {
    let result: JsonValue | undefined;
    visitRows(stage, frame, (value) => {
      if (result !== undefined) {
        throw new PerigeeError(
          'QUERY_FAILED',
          'Cannot run the query: The cardinality of a scalar subquery result set cannot be greater than one. Use ARRAY(…), FIRST(…) or an aggregate.',
        );
      }
      result = value;
      return false;
    });
    return result;
  };
}

function compileEnd(stage: Stage, first: boolean): Evaluate {
  return (frame) => {
    let result: JsonValue | undefined;
    visitRows(stage, frame, (value) => {
      result = value;
      return first;
    });
    return result;
  };
}

/** Compiles a subquery in an expression. */
export function compileSubquery(node: SubqueryNode, scope: CompileScope): Evaluate {
  const query = scope.prepared.queries.get(node.query);
  if (query === undefined) {
    throw new TypeError('A subquery is not bound.');
  }
  switch (node.form) {
    case 'all':
      return compileAll(query, scope);
    case 'array':
      return compileRows(query, scope);
    case 'exists':
      return hasRow(stageOf(query, scope));
    case 'scalar':
      return compileScalar(stageOf(query, scope));
    default:
      return compileEnd(stageOf(query, scope), node.form === 'first');
  }
}
