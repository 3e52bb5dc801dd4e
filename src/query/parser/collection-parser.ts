import { QUERY_LIMITS } from '../query-limits.ts';
import type { AliasedCollectionNode, CollectionInputNode, CollectionNode, IteratorCollectionNode } from '../syntax-nodes.ts';
import type { ParseContext } from './parse-context.ts';

const INTEGER = /^[0-9]+$/;

function parsePathStep(context: ParseContext): string | number {
  const token = context.peek();
  if (token.kind === 'string') {
    return context.next().text;
  }
  return token.kind === 'number' && INTEGER.test(token.text) ? Number(context.next().text) : context.fail();
}

function parsePath(context: ParseContext): readonly (string | number)[] {
  const path: (string | number)[] = [];
  for (;;) {
    if (context.takeSymbol('.')) {
      path.push(context.expectName());
    } else if (context.takeSymbol('[')) {
      path.push(parsePathStep(context));
      context.expectSymbol(']');
    } else {
      return Object.freeze(path);
    }
    if (path.length > QUERY_LIMITS.pathSteps) {
      context.failLimit(`A path has more than ${QUERY_LIMITS.pathSteps} steps.`);
    }
  }
}

function parseInput(context: ParseContext): CollectionInputNode {
  const { start } = context.peek();
  if (context.takeSymbol('(')) {
    const query = context.query();
    context.expectSymbol(')');
    return Object.freeze({ kind: 'subquery-collection', query, ...context.rangeFrom(start) });
  }
  const root = context.expectName();
  const path = parsePath(context);
  if (context.isSymbol('(') || context.isSymbol('.')) {
    context.fail('A function call is no collection; wrap it: JOIN x IN (SELECT VALUE f(c)).');
  }
  return Object.freeze({ kind: 'path-collection', root, path, ...context.rangeFrom(start) });
}

function parseAlias(context: ParseContext): string | undefined {
  if (context.takeKeyword('AS')) {
    return context.expectName();
  }
  return context.peek().kind === 'name' ? context.next().text : undefined;
}

function parseSource(context: ParseContext): AliasedCollectionNode | IteratorCollectionNode {
  const { start } = context.peek();
  if (context.peek().kind === 'name' && context.isKeyword('IN', 1)) {
    const alias = context.expectName();
    context.expectKeyword('IN');
    const input = parseInput(context);
    return Object.freeze({ kind: 'iterator-collection', alias, input, ...context.rangeFrom(start) });
  }
  const input = parseInput(context);
  const alias = parseAlias(context);
  return Object.freeze({ kind: 'aliased-collection', input, alias, ...context.rangeFrom(start) });
}

/** What follows FROM: sources with JOIN between them. */
export function parseCollection(context: ParseContext): CollectionNode {
  const { start } = context.peek();
  let left: CollectionNode = parseSource(context);
  for (let joins = 1; context.takeKeyword('JOIN'); joins += 1) {
    if (joins > QUERY_LIMITS.joins) {
      context.failLimit(`The FROM clause has more than ${QUERY_LIMITS.joins} JOINs.`);
    }
    const right = parseSource(context);
    left = Object.freeze({ kind: 'join', left, right, ...context.rangeFrom(start) });
  }
  return left;
}
