import type { Token } from '../lexer.ts';
import type { CallNode, ExpressionNode, LetNode, ObjectConstructorNode, SubqueryForm, SubqueryNode } from '../syntax-nodes.ts';
import type { ParseContext } from './parse-context.ts';

const QUERY_WORDS: Readonly<Record<string, SubqueryForm>> = { ALL: 'all', FIRST: 'first', LAST: 'last' };
const CALLABLE_KEYWORDS: ReadonlySet<string> = new Set(['LEFT', 'RIGHT']);

function subquery(context: ParseContext, form: SubqueryForm, start: number): SubqueryNode {
  context.expectSymbol('(');
  const query = context.query();
  context.expectSymbol(')');
  return Object.freeze({ kind: 'subquery', form, query, ...context.rangeFrom(start) });
}

function callArguments(context: ParseContext): readonly ExpressionNode[] {
  context.expectSymbol('(');
  if (context.takeSymbol(')')) {
    return Object.freeze([]);
  }
  const items = context.list(() => context.expression());
  context.expectSymbol(')');
  return items;
}

function call(context: ParseContext, name: string, udf: boolean, start: number): CallNode {
  const items = callArguments(context);
  return Object.freeze({ kind: 'call', name, udf, arguments: items, ...context.rangeFrom(start) });
}

function parseName(context: ParseContext): ExpressionNode {
  const token = context.next();
  if (!context.isSymbol('(')) {
    return Object.freeze({ kind: 'identifier', name: token.text, start: token.start, end: token.end });
  }
  const form = Object.hasOwn(QUERY_WORDS, token.text.toUpperCase()) ? QUERY_WORDS[token.text.toUpperCase()] : undefined;
  return form !== undefined && context.isKeyword('SELECT', 1)
    ? subquery(context, form, token.start)
    : call(context, token.text, false, token.start);
}

function parseKeyword(context: ParseContext): ExpressionNode {
  const { text, start, end } = context.peek();
  if (CALLABLE_KEYWORDS.has(text) && context.isSymbol('(', 1)) {
    const token = context.next();
    return call(context, context.text.slice(token.start, token.end), false, start);
  }
  switch (text) {
    case 'NULL':
      context.next();
      return Object.freeze({ kind: 'literal', value: null, start, end });
    case 'TRUE':
    case 'FALSE':
      context.next();
      return Object.freeze({ kind: 'literal', value: text === 'TRUE', start, end });
    case 'UNDEFINED':
      context.next();
      return Object.freeze({ kind: 'undefined', start, end });
    case 'EXISTS':
    case 'ARRAY':
      context.next();
      return subquery(context, text === 'EXISTS' ? 'exists' : 'array', start);
    case 'UDF':
      context.next();
      context.expectSymbol('.');
      return call(context, context.expectName(), true, start);
    default:
      return context.fail();
  }
}

function parseLet(context: ParseContext, start: number): LetNode {
  context.next();
  const name = context.expectName();
  context.expectSymbol('=');
  const value = context.binary();
  context.expectKeyword('IN');
  const body = context.binary();
  context.expectSymbol(')');
  return Object.freeze({ kind: 'let', name, value, body, ...context.rangeFrom(start) });
}

function parseParenthesis(context: ParseContext): ExpressionNode {
  const { start } = context.peek();
  if (context.isKeyword('SELECT', 1)) {
    return subquery(context, 'scalar', start);
  }
  context.next();
  if (context.isContextualWord('LET') && context.peek(1).kind === 'name' && context.isSymbol('=', 2)) {
    context.enter();
    const node = parseLet(context, start);
    context.leave();
    return node;
  }
  const node = context.expression();
  context.expectSymbol(')');
  return node;
}

function parseArray(context: ParseContext): ExpressionNode {
  const { start } = context.next();
  if (context.takeSymbol(']')) {
    return Object.freeze({ kind: 'array', items: Object.freeze([]), ...context.rangeFrom(start) });
  }
  const items = context.list(() => context.expression());
  context.expectSymbol(']');
  return Object.freeze({ kind: 'array', items, ...context.rangeFrom(start) });
}

function parseMember(context: ParseContext): ObjectConstructorNode['members'][number] {
  const token = context.peek();
  if (token.kind !== 'name' && token.kind !== 'string') {
    context.fail(token.kind === 'keyword' ? 'A reserved word as a property name is written in quotes.' : undefined);
  }
  context.next();
  context.expectSymbol(':');
  return Object.freeze({ name: token.text, value: context.expression() });
}

function parseObject(context: ParseContext): ExpressionNode {
  const { start } = context.next();
  if (context.takeSymbol('}')) {
    return Object.freeze({ kind: 'object', members: Object.freeze([]), ...context.rangeFrom(start) });
  }
  const members = context.list(() => parseMember(context));
  context.expectSymbol('}');
  return Object.freeze({ kind: 'object', members, ...context.rangeFrom(start) });
}

function parseSymbol(context: ParseContext, token: Token): ExpressionNode {
  switch (token.text) {
    case '(':
      return parseParenthesis(context);
    case '[':
      return parseArray(context);
    case '{':
      return parseObject(context);
    default:
      return context.fail();
  }
}

/** A literal, parameter, name, call, subquery, constructor, or an expression in parentheses. */
export function parsePrimary(context: ParseContext): ExpressionNode {
  const token = context.peek();
  const { text, start, end } = token;
  switch (token.kind) {
    case 'string':
      context.next();
      return Object.freeze({ kind: 'literal', value: text, start, end });
    case 'number':
      context.next();
      return Object.freeze({ kind: 'number', value: Number(text), text, start, end });
    case 'parameter':
      context.next();
      return Object.freeze({ kind: 'parameter', name: text, start, end });
    case 'name':
      return parseName(context);
    case 'keyword':
      return parseKeyword(context);
    case 'symbol':
      return parseSymbol(context, token);
    default:
      return context.fail();
  }
}
