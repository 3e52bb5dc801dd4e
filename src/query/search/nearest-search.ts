import type { JsonValue } from '../../core/json.ts';
import type { ContainerDefinition } from '../../store/container-definition.ts';
import { isDocumentSource } from '../compile/common/query-shape.ts';
import { containerSettings } from '../container-settings.ts';
import { isSimilarity, readDistanceFunction, readVector, type DistanceFunction } from '../functions/vector/vector-distance.ts';
import type { PreparedQuery } from '../prepared-query.ts';
import type { CallNode, ExpressionNode, QueryParameter } from '../syntax-nodes.ts';
import { documentPath } from './document-path.ts';
import { isVectorDistance } from './vector-options.ts';

/** A query that asks for the documents whose vectors are the nearest to one, and that the index policy lets an approximate index answer. */
export interface NearestSearch {
  /** The path of the vectors. */
  readonly path: readonly string[];
  /** How they are compared: as the policy says. */
  readonly distance: DistanceFunction;
  /** What they are compared with. */
  readonly target: ExpressionNode;
}

const APPROXIMATE: ReadonlySet<string> = new Set(['quantizedFlat', 'diskANN']);

/** Whether vector indexes of a type are approximate by their documentation; those of the type `flat` are exact. */
export function isApproximate(type: string): boolean {
  return APPROXIMATE.has(type);
}

/** Whether the third argument leaves the search to an index, and the options compare as the policy does, whatever the parameters. */
function isLeftToIndex({ arguments: [, , bruteForce, options] }: CallNode, distance: DistanceFunction): boolean {
  if (bruteForce !== undefined && !(bruteForce.kind === 'literal' && bruteForce.value === false)) {
    return false;
  }
  if (options === undefined) {
    return true;
  }
  const named = options.kind === 'object' ? options.members.filter(({ name }) => name === 'distanceFunction') : undefined;
  return named !== undefined && named.every(({ value }) => value.kind === 'literal' && readDistanceFunction(value.value) === distance);
}

function namesOf(path: readonly (string | number)[] | undefined): readonly string[] | undefined {
  return path?.every((step) => typeof step === 'string') === true ? path : undefined;
}

function read(prepared: PreparedQuery, definition: ContainerDefinition): NearestSearch | undefined {
  const { root } = prepared;
  const [item, ...others] = root.orderBy;
  const isPlain = root.sources.length === 1 && isDocumentSource(root.sources[0]);
  if (item === undefined || others.length > 0 || root.rank !== undefined || !isPlain || root.distinct || root.groupBy !== undefined) {
    return undefined;
  }
  const { expression, descending, explicitDirection } = item;
  if (root.isAggregate || !isVectorDistance(expression)) {
    return undefined;
  }
  const [first, second] = expression.arguments as [ExpressionNode, ExpressionNode];
  const [own, other] = [documentPath(prepared, first), documentPath(prepared, second)].map(namesOf);
  const path = own ?? other;
  if (path === undefined || (own !== undefined && other !== undefined)) {
    return undefined;
  }
  const { policy, searchPolicy } = containerSettings(definition);
  const distance = searchPolicy.distanceOf(path);
  const key = JSON.stringify(path);
  const isIndexed = policy.vector.some((index) => isApproximate(index.type) && JSON.stringify(index.path) === key);
  const isComputed = definition.computedProperties.some(({ name }) => name === path[0]);
  if (distance === undefined || policy.mode === 'none' || !isIndexed || isComputed || !isLeftToIndex(expression, distance)) {
    return undefined;
  }
  const isNearestFirst = !explicitDirection || descending === isSimilarity(distance);
  return isNearestFirst ? { path, distance, target: own === undefined ? first : second } : undefined;
}

const known = new WeakMap<ContainerDefinition, WeakMap<PreparedQuery, NearestSearch | 'other'>>();

/**
 * Reads a query whose whole order is the distance of a vector of the document from another, nearest first, where the index policy has an index of the type
 * `quantizedFlat` or `diskANN` at its path and the query does not ask for brute force. Undefined for any other: those are answered exactly.
 *
 * @throws INVALID_CONTAINER for a policy that an earlier version took without looking
 */
export function nearestSearch(prepared: PreparedQuery, definition: ContainerDefinition): NearestSearch | undefined {
  const found = known.get(definition) ?? new WeakMap<PreparedQuery, NearestSearch | 'other'>();
  known.set(definition, found);
  const search = found.get(prepared) ?? read(prepared, definition) ?? 'other';
  found.set(prepared, search);
  return search === 'other' ? undefined : search;
}

function numberOf(node: ExpressionNode, parameters: ReadonlyMap<string, JsonValue>): JsonValue | undefined {
  if (node.kind === 'unary' && node.operator === '-' && node.operand.kind === 'number') {
    return -node.operand.value;
  }
  return node.kind === 'number' ? node.value : node.kind === 'parameter' ? parameters.get(node.name) : undefined;
}

/** The vector that a query compares with, where the query holds it or a parameter does. */
export function targetVector({ target }: NearestSearch, parameters: readonly QueryParameter[]): readonly number[] | undefined {
  const values = new Map(parameters.map(({ name, value }) => [name, value] as const));
  if (target.kind === 'parameter') {
    return readVector(values.get(target.name));
  }
  const items = target.kind === 'array' ? target.items.map((item) => numberOf(item, values)) : [];
  return items.every((item) => item !== undefined) ? readVector(items) : undefined;
}
