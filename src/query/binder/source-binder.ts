import type { BoundSource, SourceInput } from '../prepared-query.ts';
import type { CollectionInputNode, CollectionNode, PathCollectionNode, QueryNode } from '../syntax-nodes.ts';
import { sourcesOf } from '../walk.ts';
import { resolveSlot, type BindState, type Scope } from './bind-state.ts';

type BindSubquery = (state: BindState, node: QueryNode, scope: Scope, mayNameContainer: boolean) => SourceInput;

function lastName(node: PathCollectionNode): string | undefined {
  const last = node.path.at(-1) ?? node.root;
  return typeof last === 'string' ? last : undefined;
}

function bindPath(state: BindState, node: PathCollectionNode, scope: Scope, mayNameContainer: boolean): SourceInput {
  const { root, path, start } = node;
  const slot = resolveSlot(scope, root);
  if (slot !== undefined) {
    return Object.freeze({ kind: 'variable', slot, path });
  }
  if (!mayNameContainer) {
    state.error('SC2001', { start, end: start + root.length }, `Identifier '${root}' could not be resolved.`);
  }
  return Object.freeze({ kind: 'container', path });
}

function bindInput(
  state: BindState,
  node: CollectionInputNode,
  scope: Scope,
  mayNameContainer: boolean,
  bindSubquery: BindSubquery,
): SourceInput {
  return node.kind === 'path-collection'
    ? bindPath(state, node, scope, mayNameContainer)
    : bindSubquery(state, node.query, scope, mayNameContainer);
}

/**
 * Binds a FROM clause, left to right, and adds its aliases to the scope.
 *
 * A name that is no visible alias is the container, but only where the container may be named: at the start of the FROM clause, outside of
 * expressions.
 */
export function bindSources(
  state: BindState,
  from: CollectionNode | undefined,
  scope: Scope,
  bindSubquery: BindSubquery,
): readonly BoundSource[] {
  const sources: BoundSource[] = [];
  for (const node of sourcesOf(from)) {
    const input = bindInput(state, node.input, scope, sources.length === 0 && scope.frame.mayNameContainer, bindSubquery);
    const alias = node.alias ?? (node.input.kind === 'path-collection' ? lastName(node.input) : undefined);
    const slot = state.newSlot();
    scope.frame.ownSlots.add(slot);
    if (alias !== undefined) {
      if (scope.names.has(alias)) {
        state.error(undefined, node, `The alias '${alias}' is given to more than one source of the FROM clause.`);
      }
      scope.names.set(alias, slot);
    }
    sources.push(Object.freeze({ alias, slot, input, iterate: node.kind === 'iterator-collection' }));
  }
  return Object.freeze(sources);
}
