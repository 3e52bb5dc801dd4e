import type { PreparedQuery } from './prepared-query.ts';
import { printExpression, printQuery } from './printer.ts';
import type { ExpressionNode } from './syntax-nodes.ts';
import { operandsOf, pathOf } from './walk.ts';

/** What follows from a query being one that a client made from the plan of an ORDER BY. */
export interface RewrittenOrder {
  /** The text without the filter of the client: a client that goes on later puts another one in, and keeps the continuations of the ranges. */
  readonly identity: string;
  /**
   * Whether rows that sort alike come newest first. Clients go on behind the resource id of their last row, and take ids to descend where any key
   * does, as in an index that is read backwards.
   */
  readonly tiesDescend: boolean;
}

const COLUMNS = ['_rid', 'orderByItems', 'payload'] as const;

function textOf(node: ExpressionNode): string {
  const path = pathOf(node);
  return path === undefined ? printExpression(node) : JSON.stringify([path.root.name, ...path.steps]);
}

function isRewritten({ root }: PreparedQuery): boolean {
  const { columns, orderBy } = root;
  const items = columns?.[1]?.expression;
  return (
    orderBy.length > 0 &&
    columns?.length === COLUMNS.length &&
    COLUMNS.every((name, index) => columns[index]?.name === name) &&
    items?.kind === 'array' &&
    items.items.length === orderBy.length &&
    items.items.every((item) => item.kind === 'object' && item.members.length === 1 && item.members[0]?.name === 'item')
  );
}

function conjunctsOf(node: ExpressionNode): readonly ExpressionNode[] {
  const found: ExpressionNode[] = [];
  let rest = node;
  while (rest.kind === 'binary' && rest.operator === 'AND') {
    found.push(...conjunctsOf(rest.right));
    rest = rest.left;
  }
  return [...found, rest];
}

/** Whether a condition is about sort keys alone, as those of clients are. */
function isAboutKeys(node: ExpressionNode, keys: ReadonlySet<string>): boolean {
  switch (node.kind) {
    case 'literal':
    case 'number':
    case 'undefined':
      return true;
    case 'identifier':
    case 'member':
    case 'index':
      return keys.has(textOf(node));
    case 'unary':
    case 'binary':
    case 'between':
    case 'in':
    case 'call':
      return (node.kind !== 'call' || !node.udf) && operandsOf(node).every((operand) => isAboutKeys(operand, keys));
    default:
      return false;
  }
}

function readRewrite(prepared: PreparedQuery): RewrittenOrder | undefined {
  if (!isRewritten(prepared)) {
    return undefined;
  }
  const { node, orderBy } = prepared.root;
  const keys = new Set(orderBy.map(({ expression }) => textOf(expression)));
  const conditions = node.where === undefined ? [] : conjunctsOf(node.where).filter((one) => !isAboutKeys(one, keys));
  return {
    identity: [printQuery({ ...node, where: undefined }), ...conditions.map((one) => printExpression(one))].join('\n'),
    tiesDescend: orderBy.some(({ descending }) => descending),
  };
}

const known = new WeakMap<PreparedQuery, RewrittenOrder | 'other'>();

/** Says whether a query is one that a client made from the plan of an ORDER BY; undefined for any other. */
export function rewrittenOrder(prepared: PreparedQuery): RewrittenOrder | undefined {
  const found = known.get(prepared) ?? readRewrite(prepared) ?? 'other';
  known.set(prepared, found);
  return found === 'other' ? undefined : found;
}
