import type { QueryNode } from '../syntax-nodes.ts';
import { parseBinary } from './binary-parser.ts';
import { parseCollection } from './collection-parser.ts';
import { parseExpression } from './expression-parser.ts';
import { ParseContext, type Grammar } from './parse-context.ts';
import { parseQueryClauses } from './query-parser.ts';

const GRAMMAR: Grammar = { query: parseQueryClauses, binary: parseBinary, expression: parseExpression };

function expectEnd(context: ParseContext): void {
  if (context.peek().kind !== 'end') {
    context.fail();
  }
}

/**
 * Parses a query text. The tree is frozen; its positions are those of the text.
 *
 * Time and memory grow with the length of the text only, and no text overflows the stack.
 *
 * @throws QUERY_SYNTAX for the first place that does not fit; QUERY_LIMIT for a text over {@link QUERY_LIMITS}.
 */
export function parseQuery(text: string): QueryNode {
  const context = new ParseContext(text, GRAMMAR);
  const node = context.query();
  expectEnd(context);
  return node;
}

/**
 * Parses the condition of a patch, `FROM c WHERE …`, as the query `SELECT * FROM c WHERE …`.
 *
 * @throws QUERY_SYNTAX also for any other clause; QUERY_LIMIT.
 */
export function parseCondition(text: string): QueryNode {
  const context = new ParseContext(text, GRAMMAR);
  const { start } = context.peek();
  context.expectKeyword('FROM');
  const from = parseCollection(context);
  context.expectKeyword('WHERE');
  const where = context.expression();
  expectEnd(context);
  return Object.freeze({
    kind: 'query',
    distinct: false,
    top: undefined,
    select: Object.freeze({ kind: 'select-star', start, end: start }),
    from,
    where,
    groupBy: undefined,
    orderBy: undefined,
    offset: undefined,
    limit: undefined,
    ...context.rangeFrom(start),
  });
}
