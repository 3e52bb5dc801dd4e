import type { ContainerDefinition } from '../../store/container-definition.ts';
import type { OrderByMode } from '../../store/queries.ts';
import { containerSettings, type ContainerSettings } from '../container-settings.ts';
import type { BoundQuery, PreparedQuery } from '../prepared-query.ts';
import { queryErrorEntry, queryInvalidError } from '../query-errors.ts';
import type { ExpressionNode, OrderByItemNode } from '../syntax-nodes.ts';
import { pathOf } from '../walk.ts';
import type { CompositePart } from './index-policy.ts';
import { ARRAY_STEP } from './policy-path.ts';

const NO_COMPOSITE = 'The order by query does not have a corresponding composite index that it can be served from.';
const EXCLUDED = 'The index path corresponding to the specified order-by item is excluded.';

/** The path of a document that an item sorts by, as an index policy writes it; `undefined` for a function such as VECTORDISTANCE. */
function documentPath(
  { identifiers }: Pick<PreparedQuery, 'identifiers'>,
  root: BoundQuery,
  node: ExpressionNode,
): readonly string[] | undefined {
  const path = pathOf(node);
  const binding = path === undefined ? undefined : identifiers.get(path.root);
  const source = binding?.kind === 'variable' ? root.sources.find(({ slot }) => slot === binding.slot) : undefined;
  if (path === undefined || source?.input.kind !== 'container') {
    return undefined;
  }
  return [...source.input.path, ...path.steps].map((step) => (typeof step === 'number' ? ARRAY_STEP : step));
}

function samePath(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((step, index) => step === right[index]);
}

/** Whether a composite index has these paths in this sequence, with these directions or with all of them turned around. */
function serves(composite: readonly CompositePart[], paths: readonly (readonly string[])[], items: readonly OrderByItemNode[]): boolean {
  if (composite.length !== paths.length || !composite.every(({ path }, index) => samePath(path, paths[index] ?? []))) {
    return false;
  }
  const turned = composite.map(({ descending }, index) => descending !== items[index]?.descending);
  return turned.every((one) => one === turned[0]);
}

/** FULLTEXTSCORE reads statistics that only a full-text index has. Vectors are compared without an index as well. */
function checkRank({ text, root, identifiers }: PreparedQuery, { policy }: ContainerSettings): void {
  for (const score of root.rank?.scores ?? []) {
    const [node] = score.arguments;
    if (node === undefined || score.name.toUpperCase() !== 'FULLTEXTSCORE') {
      continue;
    }
    const path = documentPath({ identifiers }, root, node);
    if (path !== undefined && !policy.fullText.some((index) => samePath(index.path, path))) {
      const message = `The path '/${path.join('/')}' of ${score.name} has no full-text index.`;
      const hint = 'Add it to fullTextIndexes of the index policy, or ask for lenient ORDER BY.';
      throw queryInvalidError(text, [queryErrorEntry(undefined, node, message)], hint);
    }
  }
}

/**
 * Refuses an ORDER BY that Cosmos DB could not serve from the indexes of the container: several keys without a composite index, one key
 * whose path is excluded, or a rank by texts without a full-text index. The order of an aggregate's one row needs none. `policy` does so only where the container states an index policy of its own, `lenient` never.
 *
 * @throws QUERY_INVALID with the service's sentence
 */
export function checkOrderByIndexes(prepared: PreparedQuery, definition: ContainerDefinition, mode: OrderByMode): void {
  const { text, root } = prepared;
  const items = root.orderBy;
  const [first] = items;
  if (mode === 'lenient' || first === undefined || root.isAggregate) {
    return;
  }
  const settings = containerSettings(definition);
  if (mode === 'policy' && settings.hasDefaultPolicy) {
    return;
  }
  if (root.rank !== undefined) {
    checkRank(prepared, settings);
    return;
  }
  const paths = items.map(({ expression }) => documentPath(prepared, root, expression) ?? []);
  if (items.length > 1) {
    const { composites } = settings.policy;
    if (!composites.some((composite) => serves(composite, paths, items))) {
      const location = { start: first.start, end: items.at(-1)?.end ?? first.end };
      const hint = 'Add one with these paths in this order to the index policy, or ask for lenient ORDER BY.';
      throw queryInvalidError(text, [queryErrorEntry(undefined, location, NO_COMPOSITE)], hint);
    }
    return;
  }
  const path = paths[0] ?? [];
  if (path.length > 0 && !settings.isIndexed(path)) {
    const hint = 'Include it in the index policy, or ask for lenient ORDER BY.';
    throw queryInvalidError(text, [queryErrorEntry(undefined, first, EXCLUDED)], hint);
  }
}
