import { printCollection, printExpression, printOrderBy, printQuery, type Parentheses } from '../printer.ts';
import type { CollectionNode, ExpressionNode, OrderByNode, QueryNode } from '../syntax-nodes.ts';

/** Half of what a text may nest: the rest is for the original's own nesting, and for what is put around it. */
const MAX_DEPTH = 100;

/** Whether brackets nest deeply outside of strings. */
function isDeep(text: string): boolean {
  let depth = 0;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[([{]|[)\]}]/gu)) {
    if (token === '(' || token === '[' || token === '{') {
      depth += 1;
      if (depth > MAX_DEPTH) {
        return true;
      }
    } else if (token.length === 1) {
      depth -= 1;
    }
  }
  return false;
}

/** All parentheses, as the service has them, but for texts that would nest too deeply then. */
function printed(print: (parentheses: Parentheses) => string): string {
  const text = print('all');
  return text.length > MAX_DEPTH && isDeep(text) ? print('needed') : text;
}

/** An expression as the queries of a plan have it. */
export function planExpression(node: ExpressionNode): string {
  return printed((parentheses) => printExpression(node, parentheses));
}

/** A FROM clause, with its first word, as the queries of a plan have it. */
export function planFrom(node: CollectionNode): string {
  return `FROM ${printed((parentheses) => printCollection(node, 'lines', parentheses))}`;
}

/** An ORDER BY clause as the queries of a plan have it. RANK is left out: what is ordered by is written out there. */
export function planOrderBy(node: OrderByNode): string {
  return `ORDER BY ${printed((parentheses) => printOrderBy({ ...node, rank: false }, parentheses))}`;
}

/** A whole query as those of a plan are. */
export function planQuery(node: QueryNode): string {
  return printed((parentheses) => printQuery(node, 'lines', parentheses));
}
