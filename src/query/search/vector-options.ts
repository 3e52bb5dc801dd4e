import { isJsonObject, setOwn, type JsonObject, type JsonValue } from '../../core/json.ts';
import { DEFAULT_DISTANCE, readDistanceFunction, type DistanceFunction } from '../functions/vector/vector-distance.ts';
import type { PreparedQuery } from '../prepared-query.ts';
import { queryErrorEntry, queryInvalidError, type QueryErrorEntry } from '../query-errors.ts';
import type { CallNode, ExpressionNode } from '../syntax-nodes.ts';
import { documentPath } from './document-path.ts';
import type { SearchPolicy } from './search-policy.ts';

const DATA_TYPES: ReadonlySet<string> = new Set(['float32', 'float16', 'int8', 'uint8']);

/** Options that steer an index; nothing here reads them. */
const RANGES: ReadonlyMap<string, readonly [least: number, most: number]> = new Map([
  ['searchListSizeMultiplier', [1, 100]],
  ['quantizedVectorListMultiplier', [1, 100]],
  ['filterPriority', [0, 1]],
]);

const OPTIONS_MESSAGE = 'The options of the VectorDistance function must be an object of literals and parameters.';

/** Values by parameter name; undefined where parameters are not known yet. */
export type KnownParameters = ReadonlyMap<string, JsonValue> | undefined;

type Problem = Pick<QueryErrorEntry, 'code' | 'message'>;

function problemOf(name: string, value: JsonValue): Problem | undefined {
  const range = RANGES.get(name);
  if (range !== undefined && !(typeof value === 'number' && value >= range[0] && value <= range[1])) {
    const message = `The '${name}' value ${JSON.stringify(value)} specified in the VectorDistance function is outside the supported range. The value must be between ${range[0]} and ${range[1]}.`;
    return { code: 'SC2213', message };
  }
  if (name === 'distanceFunction' && readDistanceFunction(value) === undefined) {
    return { message: 'The distanceFunction of the VectorDistance function must be cosine, dotproduct or euclidean.' };
  }
  if (name === 'dataType' && !(typeof value === 'string' && DATA_TYPES.has(value.toLowerCase()))) {
    return { message: 'The dataType of the VectorDistance function must be float32, float16, int8 or uint8.' };
  }
  return undefined;
}

function literalOf(node: ExpressionNode): JsonValue | undefined {
  if (node.kind === 'literal' || node.kind === 'number') {
    return node.value;
  }
  return node.kind === 'unary' && node.operator === '-' && node.operand.kind === 'number' ? -node.operand.value : undefined;
}

/** The options as far as they are known; what does not fit is added to `problems`. */
function readOptions(node: ExpressionNode, parameters: KnownParameters, problems: Problem[]): JsonObject {
  if (node.kind === 'parameter') {
    const value = parameters?.get(node.name);
    if (parameters !== undefined && !isJsonObject(value)) {
      problems.push({ message: OPTIONS_MESSAGE });
    }
    return isJsonObject(value) ? value : {};
  }
  const options: JsonObject = {};
  for (const { name, value } of node.kind === 'object' ? node.members : []) {
    const known = value.kind === 'parameter' ? parameters?.get(value.name) : literalOf(value);
    if (known !== undefined) {
      setOwn(options, name, known);
    } else if (value.kind !== 'parameter') {
      problems.push({ message: OPTIONS_MESSAGE });
    }
  }
  if (node.kind !== 'object') {
    problems.push({ message: OPTIONS_MESSAGE });
  }
  return options;
}

/** Whether an expression is a call of VECTORDISTANCE; as a sort key it means what is most alike first. */
export function isVectorDistance(node: ExpressionNode): node is CallNode {
  return node.kind === 'call' && !node.udf && node.name.toUpperCase() === 'VECTORDISTANCE';
}

/** The options of a call of VECTORDISTANCE and what is wrong with them, as far as they are known. */
export function vectorOptions(
  node: CallNode,
  parameters: KnownParameters,
): { readonly options: JsonObject; readonly errors: readonly QueryErrorEntry[] } {
  const argument = node.arguments[3];
  if (argument === undefined) {
    return { options: {}, errors: [] };
  }
  const problems: Problem[] = [];
  const options = readOptions(argument, parameters, problems);
  for (const [name, value] of Object.entries(options)) {
    const problem = value === undefined ? undefined : problemOf(name, value);
    if (problem !== undefined) {
      problems.push(problem);
    }
  }
  return { options, errors: problems.map(({ code, message }) => queryErrorEntry(code, node, message)) };
}

/** What the policy says of the vectors that a call of VECTORDISTANCE reads. */
function policyOf(node: CallNode, prepared: PreparedQuery, policy: SearchPolicy): DistanceFunction | undefined {
  for (const argument of node.arguments.slice(0, 2)) {
    const path = documentPath(prepared, argument);
    const distance = path === undefined ? undefined : policy.distanceOf(path);
    if (distance !== undefined) {
      return distance;
    }
  }
  return undefined;
}

/**
 * Whether a row without a distance comes last, however rows are ordered by it: a container that says what its vectors are has rows without one for
 * other reasons, and nobody looks for these. Elsewhere a distance is an expression like any other, and undefined is less than any number.
 */
export function putsMissingLast(node: CallNode, prepared: PreparedQuery, policy: SearchPolicy): boolean {
  return policyOf(node, prepared, policy) !== undefined;
}

/**
 * How a call of VECTORDISTANCE compares: as its options say, else as the policy says of the path of either vector, else by cosine.
 *
 * @throws QUERY_INVALID for options that do not fit
 */
export function distanceFunctionOf(
  node: CallNode,
  prepared: PreparedQuery,
  parameters: ReadonlyMap<string, JsonValue>,
  policy: SearchPolicy,
): DistanceFunction {
  const { options, errors } = vectorOptions(node, parameters);
  if (errors.length > 0) {
    throw queryInvalidError(prepared.text, errors);
  }
  return readDistanceFunction(options['distanceFunction']) ?? policyOf(node, prepared, policy) ?? DEFAULT_DISTANCE;
}
