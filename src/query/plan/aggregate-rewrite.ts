import { queryErrorEntry, queryInvalidError } from '../query-errors.ts';
import type { PreparedQuery } from '../prepared-query.ts';
import type { CallNode, ExpressionNode } from '../syntax-nodes.ts';
import { operandsOf } from '../walk.ts';
import { planExpression } from './plan-text.ts';
import type { AggregateType } from './query-info.ts';

/** How one aggregate is split: the type the client merges by, and what each range computes. */
interface AggregateRewrite {
  readonly type: AggregateType;
  /** `name` is the aggregate's own, as it was written. */
  item(name: string, argument: string): string;
}

const simple = (type: AggregateType): AggregateRewrite => ({ type, item: (name, argument) => `{"item": ${name}(${argument})}` });

const extreme = (type: AggregateType, member: string): AggregateRewrite => ({
  type,
  item: (name, argument) => `{"item": ${name}(${argument}), "item2": {"${member}": ${name}(${argument}), "count": COUNT(${argument})}}`,
});

const REWRITES: ReadonlyMap<string, AggregateRewrite> = new Map<string, AggregateRewrite>([
  ['AVG', { type: 'Average', item: (_, argument) => `{"item": {"sum": SUM(${argument}), "count": COUNT(${argument})}}` }],
  ['COUNT', simple('Count')],
  ['COUNTIF', simple('CountIf')],
  ['MAKELIST', simple('MakeList')],
  ['MAKESET', simple('MakeSet')],
  ['MAX', extreme('Max', 'max')],
  ['MIN', extreme('Min', 'min')],
  ['SUM', simple('Sum')],
]);

/** One SELECT expression as each range computes it. */
export interface SelectPart {
  /** `null` for an expression without an aggregate. */
  readonly type: AggregateType | null;
  readonly text: string;
}

function containsAggregate(prepared: PreparedQuery, node: ExpressionNode): boolean {
  return (
    (node.kind === 'call' && prepared.aggregateCalls.has(node)) || operandsOf(node).some((operand) => containsAggregate(prepared, operand))
  );
}

function rewriteCall(node: CallNode, name: string): SelectPart {
  const rewrite = REWRITES.get(name) as AggregateRewrite;
  return { type: rewrite.type, text: rewrite.item(node.name, node.arguments.map((argument) => planExpression(argument)).join(', ')) };
}

/**
 * An expression of SELECT as a range computes it for the client to merge.
 *
 * @throws QUERY_INVALID for an aggregate inside another expression: ranges cannot be merged then.
 */
export function selectPart(prepared: PreparedQuery, node: ExpressionNode): SelectPart {
  const call = node.kind === 'call' ? prepared.aggregateCalls.get(node) : undefined;
  if (call !== undefined) {
    return rewriteCall(call.node, call.name);
  }
  if (containsAggregate(prepared, node)) {
    const message = 'Compositions of aggregates and other expressions are not allowed.';
    throw queryInvalidError(prepared.text, [queryErrorEntry(undefined, node, message)], 'Give a partition key, or compute on the result.');
  }
  return { type: null, text: planExpression(node) };
}
