import { QUERY_LIMITS } from '../query-limits.ts';
import type { CountNode, ExpressionNode, OrderByItemNode, OrderByNode, QueryNode, SelectItemNode, SelectNode } from '../syntax-nodes.ts';
import { parseCollection } from './collection-parser.ts';
import type { ParseContext } from './parse-context.ts';

const INTEGER = /^(?:[0-9]+|0[xX][0-9A-Fa-f]+)$/;

function parseCount(context: ParseContext, integerOnly: boolean): CountNode {
  const { kind, text, start, end } = context.peek();
  if (kind === 'parameter') {
    context.next();
    return Object.freeze({ kind, name: text, start, end });
  }
  if (kind !== 'number' || (integerOnly && !INTEGER.test(text))) {
    context.fail();
  }
  context.next();
  return Object.freeze({ kind: 'number', value: Number(text), text, start, end });
}

function parseItemAlias(context: ParseContext): string | undefined {
  const explicit = context.takeKeyword('AS');
  const { kind } = context.peek();
  if (kind === 'name' || kind === 'string') {
    return context.next().text;
  }
  return explicit ? context.fail() : undefined;
}

function parseItem(context: ParseContext): SelectItemNode {
  const { start } = context.peek();
  const expression = context.expression();
  const alias = parseItemAlias(context);
  return Object.freeze({ kind: 'select-item', expression, alias, ...context.rangeFrom(start) });
}

function parseSelect(context: ParseContext): SelectNode {
  const { start, end } = context.peek();
  if (context.takeSymbol('*')) {
    return Object.freeze({ kind: 'select-star', start, end });
  }
  if (context.takeKeyword('VALUE')) {
    const expression = context.expression();
    return Object.freeze({ kind: 'select-value', expression, ...context.rangeFrom(start) });
  }
  const items = context.list(() => parseItem(context));
  return Object.freeze({ kind: 'select-list', items, ...context.rangeFrom(start) });
}

function parseDirection(context: ParseContext): Pick<OrderByItemNode, 'descending' | 'explicitDirection'> {
  if (context.takeKeyword('DESC')) {
    return { descending: true, explicitDirection: true };
  }
  return { descending: false, explicitDirection: context.takeKeyword('ASC') };
}

function parseOrderItem(context: ParseContext, rank: boolean): OrderByItemNode {
  const { start } = context.peek();
  const isCall = context.peek().kind === 'name' && context.isSymbol('(', 1);
  if (rank && !isCall) {
    context.fail('ORDER BY RANK takes scoring functions.');
  }
  const expression = context.expression();
  const direction = parseDirection(context);
  return Object.freeze({ kind: 'order-by-item', expression, ...direction, ...context.rangeFrom(start) });
}

/** `RANK` is no reserved word: it opens a ranking only where something can be ranked behind it. */
function opensRank(context: ParseContext): boolean {
  if (!context.isContextualWord('RANK')) {
    return false;
  }
  const { kind } = context.peek(1);
  return kind === 'name' || kind === 'number' || kind === 'string';
}

/** Parses the keys of a clause, as many as a row can be compared by in no time. */
function bounded<T>(context: ParseContext, clause: string, parse: () => T): () => T {
  let keys = 0;
  return () => {
    keys += 1;
    if (keys > QUERY_LIMITS.keys) {
      context.failLimit(`The ${clause} clause has more than ${QUERY_LIMITS.keys} keys.`);
    }
    return parse();
  };
}

function parseOrderBy(context: ParseContext): OrderByNode | undefined {
  const { start } = context.peek();
  if (!context.takeKeyword('ORDER')) {
    return undefined;
  }
  context.expectKeyword('BY');
  const rank = opensRank(context);
  if (rank) {
    context.next();
  }
  const items = context.list(bounded(context, 'ORDER BY', () => parseOrderItem(context, rank)));
  return Object.freeze({ kind: 'order-by', rank, items, ...context.rangeFrom(start) });
}

function parseGroupBy(context: ParseContext): readonly ExpressionNode[] | undefined {
  if (!context.takeKeyword('GROUP')) {
    return undefined;
  }
  context.expectKeyword('BY');
  return context.list(bounded(context, 'GROUP BY', () => context.expression()));
}

function parseOffsetLimit(context: ParseContext): Pick<QueryNode, 'offset' | 'limit'> {
  if (!context.takeKeyword('OFFSET')) {
    return { offset: undefined, limit: undefined };
  }
  const offset = parseCount(context, true);
  if (!context.isKeyword('LIMIT')) {
    context.fail('OFFSET needs LIMIT behind it.');
  }
  context.next();
  return { offset, limit: parseCount(context, true) };
}

/** A query from SELECT to LIMIT; what stands behind it is the caller's. */
export function parseQueryClauses(context: ParseContext): QueryNode {
  const { start } = context.peek();
  context.expectKeyword('SELECT');
  const distinct = context.takeKeyword('DISTINCT');
  const top = context.takeKeyword('TOP') ? parseCount(context, false) : undefined;
  const select = parseSelect(context);
  const from = context.takeKeyword('FROM') ? parseCollection(context) : undefined;
  const where = context.takeKeyword('WHERE') ? context.expression() : undefined;
  const groupBy = parseGroupBy(context);
  const orderBy = parseOrderBy(context);
  const counts = parseOffsetLimit(context);
  return Object.freeze({
    kind: 'query',
    distinct,
    top,
    select,
    from,
    where,
    groupBy,
    orderBy,
    ...counts,
    ...context.rangeFrom(start),
  });
}
