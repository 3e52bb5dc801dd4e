import type { JsonObject, JsonValue } from '../../core/json.ts';
import type { EvaluationContext, ScalarFunction } from '../functions/function-entry.ts';
import type { AggregateCall, BoundQuery, PreparedQuery } from '../prepared-query.ts';
import type { SearchPolicy } from '../search/search-policy.ts';
import type { ExpressionNode, SubqueryNode } from '../syntax-nodes.ts';

/** The values of one row: a slot for each variable of the query, and for what the compiler keeps beside them. One run uses one frame. */
export type Frame = (JsonValue | undefined)[];

/** A compiled expression. */
export type Evaluate = (frame: Frame) => JsonValue | undefined;

/** A compiled condition: whether the expression is exactly `true`. */
export type Test = (frame: Frame) => boolean;

/** What a query reads beside documents. */
export interface QueryEnvironment {
  /** Values by name, with the `@`. A parameter that is used but not given is undefined, as in the service. */
  readonly parameters: ReadonlyMap<string, JsonValue>;
  readonly context: EvaluationContext;
  /** User-defined functions by name, case as written. */
  readonly udfs: ReadonlyMap<string, ScalarFunction>;
  /** Computed properties of the container by name. */
  readonly computedProperties: ReadonlyMap<string, (document: JsonObject) => JsonValue | undefined>;
  /** What the container says of its texts and vectors. */
  readonly searchPolicy: SearchPolicy;
}

/** Gives out slots of a frame. */
export class FrameLayout {
  #size: number;

  constructor(size: number) {
    this.#size = size;
  }

  newSlot(): number {
    this.#size += 1;
    return this.#size - 1;
  }

  newFrame(): Frame {
    return Array.from<JsonValue | undefined>({ length: this.#size });
  }
}

/** The compilers of each kind of node, so that they can call each other without importing each other. */
export interface CompilerTools {
  expression(node: ExpressionNode, scope: CompileScope): Evaluate;
  test(node: ExpressionNode, scope: CompileScope): Test;
  subquery(node: SubqueryNode, scope: CompileScope): Evaluate;
  /** The rows of a subquery in a FROM clause. */
  rows(query: BoundQuery, scope: CompileScope): (frame: Frame) => readonly JsonValue[];
}

/** Where an expression is compiled. */
export interface CompileScope {
  readonly prepared: PreparedQuery;
  readonly environment: QueryEnvironment;
  readonly layout: FrameLayout;
  readonly tools: CompilerTools;
  /** Slot of the document that the row comes from. */
  readonly documentSlot: number;
  /** Slot of the document's ordinal. */
  readonly ordinalSlot: number;
  /** Slots of the FROM sources that are whole documents of the container. */
  readonly rootSlots: ReadonlySet<number>;
  /** Within SELECT of a query with GROUP BY: the slot of each group expression. */
  readonly groupSlots: readonly number[] | undefined;
  /** The slot of each aggregate call that is visible here. */
  readonly aggregateSlots: ReadonlyMap<AggregateCall, number>;
}

/** The slot that holds a copy of a group expression; undefined for any other node. */
export function groupSlotOf(node: ExpressionNode, scope: CompileScope): number | undefined {
  const index = scope.groupSlots === undefined ? undefined : scope.prepared.groupReferences.get(node);
  return index === undefined ? undefined : scope.groupSlots?.[index];
}

/** A value known before any row is seen. */
export interface Constant {
  readonly value: JsonValue | undefined;
}

/** The value of a literal, a parameter or a signed number; undefined for an expression that depends on a row. */
export function constantOf(node: ExpressionNode, scope: CompileScope): Constant | undefined {
  switch (node.kind) {
    case 'literal':
    case 'number':
      return { value: node.value };
    case 'undefined':
      return { value: undefined };
    case 'parameter':
      return { value: scope.environment.parameters.get(node.name) };
    case 'identifier': {
      const binding = scope.prepared.identifiers.get(node);
      return binding?.kind === 'constant' ? { value: binding.value } : undefined;
    }
    case 'unary': {
      const operand = node.operator === '-' ? constantOf(node.operand, scope) : undefined;
      return typeof operand?.value === 'number' ? { value: -operand.value } : undefined;
    }
    default:
      return undefined;
  }
}
