import { lookupFunction } from './functions/function-table.ts';
import type { CallNode, ExpressionNode, QueryNode } from './syntax-nodes.ts';
import { expressionsOf, operandsOf, sourcesOf } from './walk.ts';

/** What arguments from a document may make fail; those that stand in the query, or come with it, are looked at before it runs. */
function callMayFail(node: CallNode): boolean {
  return (
    node.udf ||
    (lookupFunction(node.name.toUpperCase())?.mayFail === true &&
      node.arguments.slice(1).some(({ kind }) => kind !== 'literal' && kind !== 'parameter'))
  );
}

/**
 * A subquery that must have one row at most, a function of the user, a regular expression of a document: they may fail, and leaving documents
 * out would hide that.
 */
function mayFail(node: ExpressionNode): boolean {
  if ((node.kind === 'subquery' && node.form === 'scalar') || (node.kind === 'call' && callMayFail(node))) {
    return true;
  }
  return (node.kind === 'subquery' && queryMayFail(node.query)) || operandsOf(node).some(mayFail);
}

/** Whether anything in a query may fail for what a document holds. */
export function queryMayFail(query: QueryNode): boolean {
  return rowsMayFail(query) || expressionsOf(query).some(mayFail);
}

/** Whether making the rows of a query, before its projection, may fail. */
export function rowsMayFail({ from, where }: QueryNode): boolean {
  const isFailing = sourcesOf(from).some(({ input }) => input.kind === 'subquery-collection' && queryMayFail(input.query));
  return isFailing || (where !== undefined && mayFail(where));
}
