import type { OutputColumn } from '../prepared-query.ts';
import type { ExpressionNode, SelectNode } from '../syntax-nodes.ts';

function nameOf(node: ExpressionNode): string | undefined {
  switch (node.kind) {
    case 'identifier':
    case 'member':
      return node.name;
    case 'index':
      return node.index.kind === 'literal' && typeof node.index.value === 'string' ? node.index.value : undefined;
    default:
      return undefined;
  }
}

/** The properties of a row of a SELECT list, `undefined` for the other forms of SELECT. */
export function outputColumns(select: SelectNode): readonly OutputColumn[] | undefined {
  if (select.kind !== 'select-list') {
    return undefined;
  }
  let unnamed = 0;
  const columns = select.items.map(({ expression, alias }) => {
    const name = alias ?? nameOf(expression);
    unnamed += name === undefined ? 1 : 0;
    return Object.freeze({ name: name ?? `$${unnamed}`, expression });
  });
  return Object.freeze(columns);
}
