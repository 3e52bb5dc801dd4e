import type { BoundQuery, BoundSource } from '../../prepared-query.ts';
import type { ExpressionNode } from '../../syntax-nodes.ts';

/** The query that reads the documents: the root, or the one at the start of its FROM clause. */
export function readerOf(query: BoundQuery): BoundQuery {
  const input = query.sources[0]?.input;
  return input?.kind === 'subquery' ? readerOf(input.query) : query;
}

/** Whether the rows of a source are the documents themselves. */
export function isDocumentSource(source: BoundSource | undefined): boolean {
  return source !== undefined && source.input.kind === 'container' && source.input.path.length === 0 && !source.iterate;
}

/** Operands of the ANDs at the top of a condition. */
export function conjunctsOf(node: ExpressionNode | undefined): readonly ExpressionNode[] {
  const conjuncts: ExpressionNode[] = [];
  let rest = node;
  while (rest?.kind === 'binary' && rest.operator === 'AND') {
    conjuncts.push(rest.right);
    rest = rest.left;
  }
  return rest === undefined ? [] : [rest, ...conjuncts.toReversed()];
}
