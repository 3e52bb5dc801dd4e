import { QUERY_LIMITS } from '../query-limits.ts';
import type { BinaryOperator, ExpressionNode, UnaryOperator } from '../syntax-nodes.ts';
import { BINARY_LEVELS } from './operator-levels.ts';
import type { ParseContext } from './parse-context.ts';
import { parsePrimary } from './primary-parser.ts';

const UNARY_SYMBOLS: ReadonlySet<string> = new Set(['-', '+', '~']);

function parsePostfix(context: ParseContext): ExpressionNode {
  const { start } = context.peek();
  let node = parsePrimary(context);
  for (let steps = 0; ; steps += 1) {
    if (context.takeSymbol('.')) {
      if (context.peek().kind === 'keyword') {
        context.fail('A property whose name is a reserved word is written in brackets: c["value"].');
      }
      node = Object.freeze({ kind: 'member', target: node, name: context.expectName(), ...context.rangeFrom(start) });
    } else if (context.takeSymbol('[')) {
      const index = context.expression();
      context.expectSymbol(']');
      node = Object.freeze({ kind: 'index', target: node, index, ...context.rangeFrom(start) });
    } else {
      return node;
    }
    if (steps >= QUERY_LIMITS.pathSteps) {
      context.failLimit(`A path has more than ${QUERY_LIMITS.pathSteps} steps.`);
    }
  }
}

function parseUnary(context: ParseContext): ExpressionNode {
  const token = context.peek();
  const isOperator = (token.kind === 'symbol' && UNARY_SYMBOLS.has(token.text)) || context.isKeyword('NOT');
  if (!isOperator) {
    return parsePostfix(context);
  }
  context.next();
  context.enter();
  const operand = parseUnary(context);
  context.leave();
  return Object.freeze({ kind: 'unary', operator: token.text as UnaryOperator, operand, ...context.rangeFrom(token.start) });
}

function parseLevel(context: ParseContext, lowest: number): ExpressionNode {
  const { start } = context.peek();
  let left = parseUnary(context);
  for (;;) {
    const token = context.peek();
    const level = token.kind === 'symbol' ? BINARY_LEVELS.get(token.text) : undefined;
    if (level === undefined || level < lowest) {
      return left;
    }
    context.next();
    const operator = (token.text === '<>' ? '!=' : token.text) as BinaryOperator;
    const right = parseLevel(context, level + 1);
    left = Object.freeze({ kind: 'binary', operator, left, right, ...context.rangeFrom(start) });
  }
}

/** Arithmetic, bit operators, `||` and comparison, with the operators of one level from left to right. */
export function parseBinary(context: ParseContext): ExpressionNode {
  return parseLevel(context, 0);
}
