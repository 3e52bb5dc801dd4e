import type { PreparedQuery } from '../prepared-query.ts';
import type { ExpressionNode } from '../syntax-nodes.ts';
import { pathOf } from '../walk.ts';

/** The path within a document of the container that an expression reads; undefined where it reads anything else. */
export function documentPath(prepared: PreparedQuery, node: ExpressionNode): readonly (string | number)[] | undefined {
  const path = pathOf(node);
  const binding = path === undefined ? undefined : prepared.identifiers.get(path.root);
  if (path === undefined || binding?.kind !== 'variable') {
    return undefined;
  }
  for (const { sources } of prepared.queries.values()) {
    for (const { slot, input, iterate } of sources) {
      if (slot === binding.slot) {
        return input.kind === 'container' && !iterate ? [...input.path, ...path.steps] : undefined;
      }
    }
  }
  return undefined;
}
