import type { BetweenNode, BinaryOperator, ExpressionNode, InNode, LikeNode } from '../syntax-nodes.ts';
import { parseBinary } from './binary-parser.ts';
import type { ParseContext } from './parse-context.ts';

const BETWEEN_HINT = 'BETWEEN cannot be an operand of AND or OR; put it in parentheses.';

/** `NOT word` or `word` here; the answer is whether NOT stands before it, `undefined` where neither is there. Takes the words. */
function takeNegatable(context: ParseContext, word: string): boolean | undefined {
  const negated = context.isKeyword('NOT');
  if (!context.isKeyword(word, negated ? 1 : 0)) {
    return undefined;
  }
  context.next();
  if (negated) {
    context.next();
  }
  return negated;
}

function inNode(context: ParseContext, operand: ExpressionNode, negated: boolean, start: number): InNode {
  context.expectSymbol('(');
  const items = context.list(() => context.expression());
  context.expectSymbol(')');
  return Object.freeze({ kind: 'in', negated, operand, items, ...context.rangeFrom(start) });
}

function likeNode(context: ParseContext, operand: ExpressionNode, negated: boolean, start: number): LikeNode {
  const pattern = parseBinary(context);
  let escape: string | undefined;
  if (context.takeKeyword('ESCAPE')) {
    if (context.peek().kind !== 'string') {
      context.fail('ESCAPE takes a string of one character.');
    }
    escape = context.next().text;
  }
  return Object.freeze({ kind: 'like', negated, operand, pattern, escape, ...context.rangeFrom(start) });
}

/** `first` is an operand that the caller has read already. */
function parseInLike(context: ParseContext, first: ExpressionNode | undefined, start: number): ExpressionNode {
  const operand = first ?? parseBinary(context);
  const negatedIn = takeNegatable(context, 'IN');
  if (negatedIn !== undefined) {
    return inNode(context, operand, negatedIn, start);
  }
  const negatedLike = takeNegatable(context, 'LIKE');
  return negatedLike === undefined ? operand : likeNode(context, operand, negatedLike, start);
}

function parseAnd(context: ParseContext, first: ExpressionNode | undefined, start: number): ExpressionNode {
  let left = parseInLike(context, first, start);
  while (context.takeKeyword('AND')) {
    const operator: BinaryOperator = 'AND';
    const right = parseInLike(context, undefined, context.peek().start);
    left = Object.freeze({ kind: 'binary', operator, left, right, ...context.rangeFrom(start) });
  }
  return left;
}

function parseOr(context: ParseContext, first: ExpressionNode, start: number): ExpressionNode {
  let left = parseAnd(context, first, start);
  while (context.takeKeyword('OR')) {
    const operator: BinaryOperator = 'OR';
    const right = parseAnd(context, undefined, context.peek().start);
    left = Object.freeze({ kind: 'binary', operator, left, right, ...context.rangeFrom(start) });
  }
  return left;
}

function betweenNode(context: ParseContext, operand: ExpressionNode, negated: boolean, start: number): BetweenNode {
  const low = parseBinary(context);
  context.expectKeyword('AND');
  const high = parseBinary(context);
  if (context.isKeyword('AND') || context.isKeyword('OR')) {
    context.fail(BETWEEN_HINT);
  }
  return Object.freeze({ kind: 'between', negated, operand, low, high, ...context.rangeFrom(start) });
}

function parseBetweenOrLogical(context: ParseContext): ExpressionNode {
  const { start } = context.peek();
  const first = parseBinary(context);
  const negated = takeNegatable(context, 'BETWEEN');
  if (negated !== undefined) {
    return betweenNode(context, first, negated, start);
  }
  const node = parseOr(context, first, start);
  if (context.isKeyword('BETWEEN') || (context.isKeyword('NOT') && context.isKeyword('BETWEEN', 1))) {
    context.fail(BETWEEN_HINT);
  }
  return node;
}

function parseCoalesce(context: ParseContext): ExpressionNode {
  const { start } = context.peek();
  const left = parseBetweenOrLogical(context);
  if (!context.takeSymbol('??')) {
    return left;
  }
  context.enter();
  const right = parseCoalesce(context);
  context.leave();
  return Object.freeze({ kind: 'coalesce', left, right, ...context.rangeFrom(start) });
}

/** Any expression: `? :` binds loosest, then `??`, BETWEEN, OR, AND, IN and LIKE, then what {@link parseBinary} reads. */
export function parseExpression(context: ParseContext): ExpressionNode {
  const { start } = context.peek();
  const condition = parseCoalesce(context);
  if (!context.takeSymbol('?')) {
    return condition;
  }
  const whenTrue = context.expression();
  context.expectSymbol(':');
  const otherwise = context.expression();
  return Object.freeze({ kind: 'conditional', condition, whenTrue, otherwise, ...context.rangeFrom(start) });
}
