import type { JsonValue } from '../../core/json.ts';
import type { Accumulator } from '../functions/function-entry.ts';
import { lookupFunction } from '../functions/function-table.ts';
import type { AggregateCall, BoundQuery, BoundSource } from '../prepared-query.ts';
import type { ExpressionNode } from '../syntax-nodes.ts';
import { valueKey } from '../functions/value-key.ts';
import type { CompileScope, Evaluate, Frame, Test } from './compile-scope.ts';
import { compileObject } from './expression-compiler.ts';
import { compileLevel, SourceCursor } from './source-cursor.ts';
import { ValueMap, ValueSet } from './value-set.ts';

/** Takes the rows of a stage, before projection. */
export type RowOutput = (frame: Frame) => void;

interface CompiledAggregate {
  readonly argument: Evaluate;
  readonly slot: number;
  create(): Accumulator;
}

interface Grouping {
  readonly keys: readonly Evaluate[];
  readonly keySlots: readonly number[];
  readonly aggregates: readonly CompiledAggregate[];
  /** Slots of the row that subqueries in SELECT may read; any row of the group serves. */
  readonly rowSlots: readonly number[];
  /** Without GROUP BY there is one group, also over no rows. */
  readonly single: boolean;
}

/** One query compiled: its loops, its filter, its groups and its projection. */
export interface Stage {
  readonly query: BoundQuery;
  readonly cursor: SourceCursor;
  readonly where: Test | undefined;
  readonly grouping: Grouping | undefined;
  readonly project: Evaluate;
  /** Whether the projection has a value for every row. */
  readonly alwaysDefined: boolean;
  /** The scope of WHERE and ORDER BY. */
  readonly scope: CompileScope;
}

function compileAggregate(call: AggregateCall, slot: number, scope: CompileScope): CompiledAggregate {
  const create = lookupFunction(call.name)?.accumulate;
  if (create === undefined) {
    throw new TypeError(`${call.name} is not an aggregate.`);
  }
  return { argument: scope.tools.expression(call.node.arguments[0] as ExpressionNode, scope), slot, create };
}

function compileGrouping(query: BoundQuery, scope: CompileScope): Grouping | undefined {
  const { groupBy, aggregates, isAggregate, sources } = query;
  if (groupBy === undefined && !isAggregate) {
    return undefined;
  }
  const rowScope: CompileScope = { ...scope, groupSlots: undefined };
  const keys = (groupBy ?? []).map((key) => scope.tools.expression(key, rowScope));
  return {
    keys,
    keySlots: keys.map(() => scope.layout.newSlot()),
    aggregates: aggregates.map((call) => compileAggregate(call, scope.layout.newSlot(), rowScope)),
    rowSlots: scope.prepared.queries.size > 1 ? sources.map(({ slot }) => slot) : [],
    single: groupBy === undefined,
  };
}

/** SELECT of a grouped query reads group expressions and aggregates from their slots. */
function projectionScope(query: BoundQuery, grouping: Grouping | undefined, scope: CompileScope): CompileScope {
  if (grouping === undefined) {
    return scope;
  }
  const aggregateSlots = new Map(scope.aggregateSlots);
  for (const [index, call] of query.aggregates.entries()) {
    aggregateSlots.set(call, (grouping.aggregates[index] as CompiledAggregate).slot);
  }
  return { ...scope, aggregateSlots, groupSlots: grouping.keySlots };
}

function compileProjection(query: BoundQuery, scope: CompileScope): Evaluate {
  const { select } = query.node;
  if (select.kind === 'select-value') {
    return scope.tools.expression(select.expression, scope);
  }
  if (query.columns !== undefined) {
    return compileObject(query.columns.map(({ name, expression }) => ({ name, value: scope.tools.expression(expression, scope) })));
  }
  const { slot } = query.sources[0] as BoundSource;
  return (frame) => frame[slot];
}

/** Compiles a query; `sources` are those of its FROM clause that it loops over itself. */
export function compileStage(query: BoundQuery, sources: readonly BoundSource[], scope: CompileScope): Stage {
  const grouping = compileGrouping(query, scope);
  return {
    query,
    cursor: new SourceCursor(sources.map((source) => compileLevel(source, scope))),
    where: query.where === undefined ? undefined : scope.tools.test(query.where, scope),
    grouping,
    project: compileProjection(query, projectionScope(query, grouping, scope)),
    alwaysDefined: query.node.select.kind !== 'select-value',
    scope,
  };
}

interface Group {
  readonly keys: readonly (JsonValue | undefined)[];
  readonly row: readonly (JsonValue | undefined)[];
  readonly accumulators: readonly Accumulator[];
}

/** Text that two rows of values share exactly when each value equals its counterpart. */
function rowKey(values: readonly (JsonValue | undefined)[]): string {
  let text = '';
  for (const value of values) {
    const key = valueKey(value);
    text += `${key.length}:${key}`;
  }
  return text;
}

/** One run of a stage: give it the rows of the FROM clause, then finish it. */
export class StageRun {
  readonly #stage: Stage;
  readonly #output: RowOutput;
  readonly #groups = new ValueMap<Group>('GROUP BY');
  #single: Group | undefined;
  /** Rows that passed WHERE. */
  matched = 0;

  constructor(stage: Stage, output: RowOutput) {
    this.#stage = stage;
    this.#output = output;
    if (stage.grouping?.single === true) {
      this.#single = this.#newGroup(stage.grouping, [], []);
    }
  }

  /** Takes the row that is in the frame. */
  row(frame: Frame): void {
    const { where, grouping } = this.#stage;
    if (where !== undefined && !where(frame)) {
      return;
    }
    this.matched += 1;
    if (grouping === undefined) {
      this.#output(frame);
      return;
    }
    const group = this.#single ?? this.#groupOf(grouping, frame);
    for (let index = 0; index < grouping.aggregates.length; index += 1) {
      (group.accumulators[index] as Accumulator).add((grouping.aggregates[index] as CompiledAggregate).argument(frame));
    }
  }

  /** Gives out the groups, in the order of their first rows; `isFull` ends that early. */
  finish(frame: Frame, isFull: () => boolean): void {
    const { grouping } = this.#stage;
    if (grouping === undefined) {
      return;
    }
    for (const group of this.#single === undefined ? this.#groups.values() : [this.#single]) {
      if (isFull()) {
        return;
      }
      this.#restore(grouping, group, frame);
      this.#output(frame);
    }
  }

  #newGroup(grouping: Grouping, keys: readonly (JsonValue | undefined)[], row: readonly (JsonValue | undefined)[]): Group {
    return { keys, row, accumulators: grouping.aggregates.map((aggregate) => aggregate.create()) };
  }

  #groupOf(grouping: Grouping, frame: Frame): Group {
    const keys = grouping.keys.map((key) => key(frame));
    const key = keys.length === 1 ? valueKey(keys[0]) : rowKey(keys);
    const found = this.#groups.get(key);
    if (found !== undefined) {
      return found;
    }
    const row = grouping.rowSlots.map((slot) => frame[slot]);
    return this.#groups.add(key, this.#newGroup(grouping, keys, row));
  }

  #restore(grouping: Grouping, group: Group, frame: Frame): void {
    for (const [index, slot] of grouping.keySlots.entries()) {
      frame[slot] = group.keys[index];
    }
    for (const [index, slot] of grouping.rowSlots.entries()) {
      frame[slot] = group.row[index];
    }
    for (const [index, { slot }] of grouping.aggregates.entries()) {
      frame[slot] = (group.accumulators[index] as Accumulator).result();
    }
  }
}

/** The expression of SELECT VALUE; `undefined` where SELECT builds objects. */
export function selectedBy({ query }: Stage): ExpressionNode | undefined {
  const { select } = query.node;
  return select.kind === 'select-value' ? select.expression : undefined;
}

/** An output that projects each row, drops undefined ones and, for DISTINCT, those that were there before. */
export function projectingOutput(stage: Stage, emit: (value: JsonValue) => void): RowOutput {
  const { project } = stage;
  const seen = stage.query.distinct ? new ValueSet() : undefined;
  return (frame) => {
    const value = project(frame);
    if (value !== undefined && (seen === undefined || seen.add(value))) {
      emit(value);
    }
  };
}
